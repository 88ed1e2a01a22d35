"""Alerts as people read them in a terminal, and as JSON for programs. Instants are Chinese time."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alerts.notify.facts import aspects_of
from peakwatch.terminal import readable
from schemas.instants import format_instant
from schemas.results import Alert, AlertAction, Delivery
from schemas.strict import show_ms
from storage.history import AlertState, SilenceState

if TYPE_CHECKING:
    from peakwatch.explaining.explain import Explanation

_COLOURS: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan", "resolved": "dim"}
DONE: Final = {
    "acknowledge": "acknowledged", "snooze": "snoozed", "resolve": "resolved", "false_alarm": "marked a false alarm",
    "note": "noted", "silence": "silenced", "unsilence": "silence ended",
}  # fmt: skip


def local(at_ms: int) -> str:
    """`11-11 00:12:10`."""
    return format_instant(at_ms)[5:19].replace("T", " ")


def where(labels: dict[str, str]) -> str:
    """The slice, the ticket or the feed that an alert is about."""
    if "value" in labels and "dimension" in labels:
        value = labels["value"] or "''"
        return labels["dimension"] if labels["dimension"] == "all" else f"{labels['dimension']}={value}"
    return " ".join(f"{name}={value}" for name, value in labels.items())


def show_alerts(alerts: Sequence[AlertState], *, now_ms: int) -> None:
    """A table at a terminal, else a line each."""
    if not alerts:
        print("no alerts")
        return
    if not sys.stdout.isatty():
        for one in alerts:
            cells = (one.alert_id, one.state, one.severity, local(one.fired_at), one.rule, where(one.labels))
            print("\t".join(map(readable, (*cells, one.summary))))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "state", "severity", "fired", "for", "what"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("state", "severity", "fired", "for"))
    for one in alerts:
        style = _COLOURS[one.state if one.state == "resolved" else one.severity]
        lasted = (one.resolved_at or max(now_ms, one.fired_at)) - one.fired_at
        table.add_row(
            one.alert_id, one.state, Text(one.severity, style=style), local(one.fired_at),
            show_ms(lasted // 60_000 * 60_000), Text(readable(one.summary)),
        )  # fmt: skip
    Console().print(table)


def show_story(
    state: AlertState, transitions: Iterable[Alert], actions: Iterable[AlertAction], sent: Iterable[Delivery]
) -> None:
    """One alert from its first firing on: what was said, what people did, who was told."""
    _say(f"{state.alert_id}  {state.state}  {state.severity}  {state.rule} ({state.kind})  {where(state.labels)}")
    _say(state.summary)
    line: list[tuple[int, int, str]] = []
    quotes: list[str] = []
    blamed: list[str] = []
    for one in transitions:
        reason = f" ({one.reason})" if one.reason else ""
        muted = one.evidence.get("muted")
        quiet = f"  [muted by {muted['by']}]" if muted else ""
        line.append((one.at, 0, f"{one.status}{reason}: {one.summary}{quiet}"))
        quotes = [str(text) for text in one.evidence.get("texts", ())] or quotes
        blamed = aspects_of(one.evidence, "en") or blamed
    for action in actions:
        line.append((action.at, 1, f"{action.actor}: {action_line(action)}"))
    for row in sent:
        detail = f": {row.detail}" if row.detail else ""
        to = row.channel or "nobody"
        line.append((row.at, 2, f"-> {to}: {row.outcome} ({row.status} of {local(row.alert_at)}){detail}"))
    print()
    for at, _, text in sorted(line):
        _say(f"  {local(at)}  {text}")
    if blamed:
        print()
        _say(f"blamed in its texts: {', '.join(blamed)}")
    if quotes:
        print("\nlast quotes:")
        for quote in quotes:
            _say(f"  「{quote}」")


def show_explanation(found: "Explanation") -> None:
    """Each figure as the alert said it, as the rows have it, and whether the two agree."""
    alert = found.alert
    _say(f"{alert.alert_id}  {alert.rule} ({alert.kind})  {where(alert.labels)}  decided {local(alert.at)}")
    _say(alert.summary)
    _say(f"rule now: {found.rule}" if found.rule else "rule now: there is none of this name")
    print()
    marks = {True: "agrees", False: "DIFFERS", None: "shown"}
    for check in found.checks:
        note = f"  ({check.note})" if check.note else ""
        said = "" if check.said is None and check.found is not None else f"said {_shown(check.said)}, found "
        _say(f"  {marks[check.agrees]:8}{check.what}: {said}{_shown(check.found)}{note}")
    print()
    verdict = {
        True: "the stored rows bear it out",
        False: "the stored rows do NOT bear it out",
        None: "nothing to judge by",
    }
    print(verdict[found.agrees])


def _shown(value: object) -> str:
    return "nothing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def action_line(action: AlertAction) -> str:
    """What was done, with its end, its words and why it did nothing."""
    until = f" until {local(action.until)}" if action.until is not None else ""
    comment = f": {action.comment}" if action.comment else ""
    refused = f"  [refused: {action.refused}]" if action.refused else ""
    return f"{DONE[action.action]}{until}{comment}{refused}"


def show_silences(silences: Sequence[SilenceState]) -> None:
    """A line each."""
    if not silences:
        print("no silences")
    for one in silences:
        matchers = " ".join(f"{key}={','.join(values)}" for key, values in one.matchers.items())
        comment = f": {one.comment}" if one.comment else ""
        _say(f"{one.silence_id}  until {local(one.until)}  {matchers}  by {one.who} at {local(one.at)}{comment}")


def _say(text: str) -> None:
    print(readable(text))


def print_json(document: Any) -> None:
    """For programs."""
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def plain(row: Any) -> dict[str, Any]:
    """A row for JSON: instants as RFC 3339 text beside the rest as it is."""
    instants = ("at", "alert_at", "until", "starts_at", "ends_at", "fired_at", "said_at", "resolved_at")
    return {
        name: format_instant(value) if isinstance(value, int) and name in (*instants, "acknowledged_at") else value
        for name, value in row._asdict().items()
    }
