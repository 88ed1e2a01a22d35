"""`peakwatch alerts …`: what goes on, how it went, and what people do about it."""

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from peakwatch.commands.options import add_settings, path_of, settings_of
from peakwatch.commands.times import duration, until
from schemas.errors import PermanentError
from schemas.rules.types import KINDS, SEVERITIES

if TYPE_CHECKING:
    from storage.history import History

EXAMPLES: Final = """examples:
  peakwatch alerts list
  peakwatch alerts show 3f2a
  peakwatch alerts ack 3f2a --note 已联系仓库
  peakwatch alerts snooze 3f2a --for 30m
  peakwatch alerts silence kind=negative_spike value=手机,家电 --until 08:00 --reason 已知问题
  peakwatch alerts false-alarm 3f2a --reason 测试订单
  peakwatch alerts explain 3f2a

An id may be cut to its first characters. Who acted and when is kept (--by, else $USER). An action goes to the topic
peakwatch-actions; a worker takes it in its order among the facts, and `list` and `show` read what came of it from
ClickHouse. Status 0: done; 1: refused, with the reason, or `explain` found otherwise, or a server is away."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes: a word for what to do, and its own."""
    words = parser.add_subparsers(dest="word", metavar="WORD", required=True)

    def word(name: str, summary: str, *, acts: bool = False, ids: int | str = "") -> argparse.ArgumentParser:
        own = words.add_parser(name, help=summary, description=summary + ".", formatter_class=parser.formatter_class)
        if ids:
            own.add_argument("ids", nargs=ids, metavar="ID", help="an alert's id, or how it begins")
        if acts:
            own.add_argument("--by", metavar="WHO", default=None, help="who does it (default: $USER)")
            own.add_argument(
                "--wait", type=duration, default=10_000, metavar="TIME",
                help="how long to wait for a worker's answer (default: 10s; 0s: not at all)",
            )  # fmt: skip
        own.add_argument("--json", action="store_true", help="write JSON, for programs")
        add_settings(own)
        return own

    listed = word("list", "The alerts that are open; with --all also those that are over")
    listed.add_argument("--all", action="store_true", help="also resolved ones")
    listed.add_argument(
        "--since", type=duration, default=7 * 86_400_000, metavar="TIME", help="said so long ago at most (default: 7d)"
    )
    for name, allowed in (("severity", SEVERITIES), ("rule", None), ("kind", KINDS)):
        listed.add_argument(
            f"--{name}", default="", metavar=name.upper(), choices=allowed,
            help=f"only of this {name}" + (f": {', '.join(allowed)}" if allowed else ""),
        )  # fmt: skip
    word("show", "One alert's story: what was said, what people did, who was told", ids=1)
    word("explain", "Recompute an alert's decision from the stored rows, and say whether it agrees", ids=1)
    acked = word("ack", "You have it: no further updates unless it gets worse, no escalation", acts=True, ids="+")
    acked.add_argument("--note", default="", metavar="TEXT", help="a remark, kept with the alert")
    snoozed = word("snooze", "Nobody is told until then; if it still fires then, it says so", acts=True, ids="+")
    _add_end(snoozed)
    snoozed.add_argument("--note", default="", metavar="TEXT", help="a remark, kept with the alert")
    ended = word("resolve", "It is over; silent until its condition clears once or it gets worse", acts=True, ids="+")
    ended.add_argument("--note", default="", metavar="TEXT", help="a remark, kept with the alert")
    false = word("false-alarm", "It should not have fired: closes it, and keeps why", acts=True, ids="+")
    false.add_argument("--reason", required=True, metavar="TEXT", help="why")
    noted = word("note", "Add a remark to an alert", acts=True, ids=1)
    noted.add_argument("text", metavar="TEXT", help="the remark")
    silenced = word("silence", "Tell nobody of alerts that match; they fire and are stored all the same", acts=True)
    silenced.add_argument(
        "matchers", nargs="+", metavar="LABEL=VALUE[,VALUE]", help="all must match; also rule, kind and severity"
    )
    _add_end(silenced)
    silenced.add_argument("--reason", default="", metavar="TEXT", help="why")
    word("unsilence", "End a silence before its time", acts=True).add_argument(
        "silence_id", metavar="SILENCE", help="its id, as `silences` shows it"
    )
    word("silences", "The silences that go on")
    labels = word("labels", "A label file of what negative spikes quoted that people marked false alarms")
    labels.add_argument(
        "--since",
        type=duration,
        default=90 * 86_400_000,
        metavar="TIME",
        help="marked so long ago at most (default: 90d)",
    )
    labels.add_argument(
        "--ask", action="store_true",
        help="ask about each text at this terminal; without one, leave the labels to be filled in. Without --ask each "
        "is called neutral, which training leaves out",
    )  # fmt: skip
    labels.add_argument(
        "--out", metavar="FILE.jsonl",
        help="add to this label file, and leave out what it holds (default: standard output)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Do what the word says."""
    from agents.clock import clock_of
    from peakwatch import stores
    from storage.history import History

    settings = settings_of(arguments)
    now_ms = clock_of(settings.rehearsal).now_ms()  # the clock that the workers go by
    client = stores.clickhouse(settings)
    history = History(client, database=settings.clickhouse_database)
    try:
        if arguments.word in _READS:
            return _READS[arguments.word](arguments, history, now_ms)
        from peakwatch.commands.alert_acts import act

        return act(arguments, settings, history, now_ms=now_ms)
    finally:
        client.close()


def _add_end(parser: argparse.ArgumentParser) -> None:
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--for", dest="lasts", type=duration, metavar="TIME", help="e.g. 30m, 8h")
    end.add_argument(
        "--until", type=until, metavar="INSTANT", help="08:00 (the next one), 2026-11-12T08:00 or RFC 3339"
    )


def _list(arguments: argparse.Namespace, history: "History", now_ms: int) -> int:
    from peakwatch import alert_screen as screen

    found = history.alerts(
        since_ms=now_ms - arguments.since, resolved=arguments.all, severity=arguments.severity, rule=arguments.rule,
        kind=arguments.kind,
    )  # fmt: skip
    if arguments.json:
        screen.print_json({"alerts": [screen.plain(one) for one in found]})
    else:
        screen.show_alerts(found, now_ms=now_ms)
    return 0


def _show(arguments: argparse.Namespace, history: "History", now_ms: int) -> int:
    from peakwatch import alert_screen as screen
    from peakwatch.acting import whole_id

    alert_id = whole_id(history, arguments.ids[0])
    state = history.alert(alert_id)
    if state is None:
        raise PermanentError(f"there is no alert {alert_id}")
    said, done, sent = history.transitions(alert_id), history.actions(alert_id), history.deliveries(alert_id)
    if arguments.json:
        parts: dict[str, Sequence[Any]] = {"transitions": said, "actions": done, "deliveries": sent}
        rows = {name: [screen.plain(row) for row in part] for name, part in parts.items()}
        screen.print_json({"alert": screen.plain(state), **rows})
    else:
        screen.show_story(state, said, done, sent)
    return 0


def _silences(arguments: argparse.Namespace, history: "History", now_ms: int) -> int:
    from peakwatch import alert_screen as screen

    found = history.silences(now_ms=now_ms)
    if arguments.json:
        screen.print_json({"silences": [screen.plain(one) for one in found]})
    else:
        screen.show_silences(found)
    return 0


def _labels(arguments: argparse.Namespace, history: "History", now_ms: int) -> int:
    from peakwatch.commands.alert_labels import write_labels

    return write_labels(arguments, history, now_ms=now_ms)


def _explain(arguments: argparse.Namespace, history: "History", now_ms: int) -> int:
    from peakwatch import alert_screen as screen
    from peakwatch import stores
    from peakwatch.acting import whole_id
    from peakwatch.config import load_config
    from peakwatch.explaining.explain import explain
    from storage.grounds import Grounds
    from storage.past import Past

    settings = settings_of(arguments)
    alert_id = whole_id(history, arguments.ids[0])
    state, said = history.alert(alert_id), history.transitions(alert_id)
    if state is None or not said:
        raise PermanentError(f"there is no alert {alert_id}")
    config = load_config(
        rules=path_of(settings.rules), calendars=path_of(settings.calendars), peaks=path_of(settings.peaks)
    )
    client = stores.clickhouse(settings)
    try:
        database = settings.clickhouse_database
        found = explain(said, Grounds(client, database=database), Past(client, database=database), config)
    finally:
        client.close()
    done, sent = history.actions(alert_id), history.deliveries(alert_id)
    if arguments.json:
        parts: dict[str, Sequence[Any]] = {"transitions": said, "actions": done, "deliveries": sent}
        rows = {name: [screen.plain(row) for row in part] for name, part in parts.items()}
        checks = [check._asdict() for check in found.checks]
        screen.print_json({"alert": screen.plain(state), "agrees": found.agrees, "checks": checks, **rows})
    else:
        screen.show_explanation(found)
        print()
        screen.show_story(state, said, done, sent)
    return 1 if found.agrees is False else 0


_READS: Final[dict[str, Callable[[argparse.Namespace, "History", int], int]]] = {
    "list": _list, "show": _show, "explain": _explain, "silences": _silences, "labels": _labels,
}  # fmt: skip
