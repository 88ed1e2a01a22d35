"""Why an alert fired: what it said, recomputed from the rows that the store has, by rules that are in force now.

A check agrees, differs, or cannot be made (rows too old, a rule that changed); each says what it looked at.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from alerts.storm import STORM_RULE
from peakwatch.config import Config
from peakwatch.explaining.checks import Check, close
from peakwatch.explaining.spikes import spike
from schemas.instants import format_instant
from schemas.results import Alert
from schemas.rules import Rule, SpikeRule, ThresholdRule, figure_of
from schemas.strict import show_ms
from sla.step import Step
from sla.watch import SlaWatch
from storage.grounds import Grounds
from storage.past import Past

KINDS_OF_TICKETS: Final = {"sla_breach": "breach", "sla_warning": "warning"}


class Explanation(NamedTuple):
    """All checks of one decision."""

    alert: Alert  # the first firing
    rule: str  # the rule as it stands now; '' if there is none
    checks: tuple[Check, ...]

    @property
    def agrees(self) -> bool | None:
        """Whether the rows bear the decision out; None where nothing could be judged."""
        judged = [check.agrees for check in self.checks if check.agrees is not None]
        return all(judged) if judged else None


def explain(transitions: Sequence[Alert], grounds: Grounds, past: Past, config: Config) -> Explanation:
    """Recompute the decision by which an alert fired first. `transitions` are all that was said of it."""
    alert = next((one for one in transitions if one.status == "firing"), transitions[0])
    rule = next((one for one in config.rules if one.name == alert.rule), None)
    checks: Iterable[Check]
    if alert.rule == STORM_RULE:
        checks = _storm(alert, grounds)
    elif alert.kind in KINDS_OF_TICKETS:
        checks = _ticket(alert, grounds, config)
    elif alert.kind == "feed_silent":
        checks = _silence(alert, grounds)
    elif alert.kind in ("negative_spike", "complaint_spike"):
        own = rule if isinstance(rule, SpikeRule) else None
        checks = spike(alert, grounds, past, rule=own, peaks=config.peaks)
    elif "horizon_ms" in alert.evidence:
        checks = _wave(alert, grounds)
    else:
        checks = _threshold(alert, grounds, rule if isinstance(rule, ThresholdRule) else None)
    written = _written(rule) if rule is not None else _STORM if alert.rule == STORM_RULE else ""
    return Explanation(alert, written, tuple(checks))


def _written(rule: Rule) -> str:
    """What a rule says beyond what every rule is from the start, about as its file does."""
    said = []
    for field in dataclasses.fields(rule):
        value = getattr(rule, field.name)
        if field.name == "name" or value == field.default or value in ((), {}, None):
            continue
        name = field.name.removesuffix("_ms")
        said.append(f"{name} {show_ms(value) if name != field.name else _plainly(value)}")
    return f"{rule.name}: {', '.join(said)}"


def _plainly(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_plainly(one)}" for key, one in value.items())
    if isinstance(value, tuple | frozenset):
        return "/".join(str(one) for one in (value if isinstance(value, tuple) else sorted(value)))
    return f"{value:g}" if isinstance(value, float) else str(value)


_STORM: Final = "built in, no rule of a file"


def _threshold(alert: Alert, grounds: Grounds, rule: ThresholdRule | None) -> Iterator[Check]:
    evidence, labels = alert.evidence, alert.labels
    for window in evidence["windows"]:
        seconds = window["window_seconds"]
        row = grounds.window(
            seconds=seconds, dimension=labels["dimension"], value=labels["value"], at_ms=alert.at
        )  # fmt: skip
        what = f"{evidence['figure']}{'/' + evidence['per'] if 'per' in evidence else ''} of {show_ms(seconds * 1000)}"
        if row is None:
            yield Check(
                what, window["value"], None, None, "no such window is stored: an unwatched dimension, or too old"
            )
            continue
        found = figure_of(row, evidence["figure"])
        if "per" in evidence and found is not None:
            divisor = figure_of(row, evidence["per"])
            found = found / divisor if divisor else None
        note = f"window_end {format_instant(row.window_end)}, version {row.version}"
        yield Check(what, window["value"], found, close(window["value"], found), note)
    if alert.value is not None and alert.baseline is not None:
        below = bool(evidence.get("below"))
        beyond = alert.value < alert.baseline if below else alert.value > alert.baseline
        yield Check("bound", alert.baseline, alert.value, beyond, "the value lies below it" if below else "above it")
    if rule is not None and not rule.burn_rate:
        bound = rule.above if rule.above is not None else rule.below
        same = close(bound, alert.baseline)
        yield Check(
            "bound of the rule now", alert.baseline, bound, None, "" if same else "the rule or phase has changed"
        )


def _ticket(alert: Alert, grounds: Grounds, config: Config) -> Iterator[Check]:
    kind, labels = KINDS_OF_TICKETS[alert.kind], alert.labels
    cycle = int(labels.get("cycle", 0))
    ledger = grounds.ledger(labels["ticket_id"], labels["clock"], cycle)
    told = next((row for row in ledger if row.kind == kind and row.at == alert.at), None)
    steps = grounds.steps(labels["ticket_id"])
    if told is None:
        yield Check(
            "line of the ledger", format_instant(alert.at), None, False, f"{len(ledger)} lines, none of them this"
        )
    else:
        yield Check("line of the ledger", format_instant(alert.at), format_instant(told.at), True,
                    f"policy {told.policy} {told.policy_version}, calendar {told.calendar_version}")  # fmt: skip
    watch = SlaWatch(config.promises)
    for step in steps:
        fields = step.fields if step.action == "created" else None
        watch.add_step(labels["ticket_id"], Step(step.at, step.action, step.offset, step.seq, step.bot), fields)
    moments = [
        one for one in watch.advance(alert.at) if (one.clock, one.cycle, one.kind) == (labels["clock"], cycle, kind)
    ]
    if not steps:
        yield Check("steps", None, 0, None, "the ticket's steps are no longer stored")
    elif told is not None and told.policy_version not in {policy.version for policy in config.promises}:
        yield Check("recomputed", format_instant(alert.at), None, None, f"policy {told.policy} is another one by now")
    else:
        # Steps that came since may have undone it; then the recomputation tells of now and the ledger of then.
        found = format_instant(moments[-1].at_ms) if moments else None
        undone = any(row.kind == f"corrected_{kind}" and row.at == alert.at for row in ledger)
        agrees = None if undone else found == format_instant(alert.at)
        note = f"by {len(steps)} steps" + (", of which one undid it later" if undone else "")
        yield Check("recomputed", format_instant(alert.at), found, agrees, note)


def _silence(alert: Alert, grounds: Grounds) -> Iterator[Check]:
    feed = alert.labels["topic"], alert.labels["channel"]
    begin, day = alert.starts_at, 86_400_000
    count, _ = grounds.feed(*feed, begin=begin, end=alert.at)
    yield Check("events in the silence", 0, count, count == 0, f"{format_instant(begin)} to {format_instant(alert.at)}")
    _, newest = grounds.feed(*feed, begin=begin - 7 * day, end=begin)
    last = None if newest is None else format_instant(newest)
    near = newest is not None and begin - newest <= 10_000  # the pane of the last event ends there
    yield Check("last event", format_instant(begin), last, near, "the end of its pane of 10 s")
    same = [grounds.feed(*feed, begin=begin - n * day, end=alert.at - n * day)[0] for n in range(1, 8)]
    yield Check(
        "expected", alert.evidence.get("expected"), round(sum(same) / 7, 1), None, f"on the days before: {same}"
    )


def _wave(alert: Alert, grounds: Grounds) -> Iterator[Check]:
    end = alert.at + alert.evidence["horizon_ms"]
    came = grounds.breached(queue=alert.labels["queue"], clock=alert.labels["clock"], begin=alert.at, end=end)
    yield Check(
        "clocks that breach", alert.value, came, None, f"so many did by {format_instant(end)}, the others were answered"
    )


def _storm(alert: Alert, grounds: Grounds) -> Iterator[Check]:
    seconds = alert.evidence["window_seconds"]
    found = grounds.fired(begin=alert.at - seconds * 1000, end=alert.at)
    yield Check("new alerts", alert.evidence["count"], found, found >= alert.evidence["count"], f"within {seconds} s")
