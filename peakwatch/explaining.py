"""Why an alert fired: what it said, recomputed from the rows that the store has, by rules that are in force now.

A check agrees, differs, or cannot be made (rows too old, a rule that changed); each says what it looked at. Of a spike
the counts are counted anew and the size of the rise is tested against what the alert took for usual; how usual was
learnt cannot be repeated from rows, so the hours of the week before stand beside it.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from alerts.detectors.spikes.config import COMPLAINT, NEGATIVE, SpikeConfig
from alerts.detectors.spikes.dedupe import Customers
from alerts.detectors.spikes.series import rank_of
from alerts.storm import STORM_RULE
from peakwatch.config import Config
from schemas.instants import format_instant
from schemas.results import Alert
from schemas.rules import SpikeRule, ThresholdRule, figure_of, slice_parts
from schemas.strict import show_ms
from sla.step import Step
from sla.watch import SlaWatch
from storage.grounds import Grounds, Told

CLOSE: Final = 1e-5  # rows are rounded to six digits
LATE_SHARE: Final = 0.05  # what came late or was told apart later may change a count by so much, and by two
KINDS_OF_TICKETS: Final = {"sla_breach": "breach", "sla_warning": "warning"}


class Check(NamedTuple):
    """One figure of an alert and what the rows say of it. `agrees` None: it is shown, not judged."""

    what: str
    said: Any
    found: Any
    agrees: bool | None
    note: str = ""


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


def explain(transitions: Sequence[Alert], grounds: Grounds, config: Config) -> Explanation:
    """Recompute the decision by which an alert fired first. `transitions` are all that was said of it."""
    alert = next((one for one in transitions if one.status == "firing"), transitions[0])
    rule = next((one for one in config.rules if one.name == alert.rule), None)
    if alert.rule == STORM_RULE:
        checks = _storm(alert, grounds)
    elif alert.kind in KINDS_OF_TICKETS:
        checks = _ticket(alert, grounds, config)
    elif alert.kind == "feed_silent":
        checks = _silence(alert, grounds)
    elif alert.kind in ("negative_spike", "complaint_spike"):
        checks = _spike(alert, grounds, rule if isinstance(rule, SpikeRule) else None)
    elif "horizon_ms" in alert.evidence:
        checks = _wave(alert, grounds)
    else:
        checks = _threshold(alert, grounds, rule if isinstance(rule, ThresholdRule) else None)
    return Explanation(alert, "" if rule is None else repr(rule), tuple(checks))


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
        yield Check(what, window["value"], found, _close(window["value"], found), note)
    if alert.value is not None and alert.baseline is not None:
        below = bool(evidence.get("below"))
        beyond = alert.value < alert.baseline if below else alert.value > alert.baseline
        yield Check("bound", alert.baseline, alert.value, beyond, "the value lies below it" if below else "above it")
    if rule is not None and not rule.burn_rate:
        bound = rule.above if rule.above is not None else rule.below
        same = _close(bound, alert.baseline)
        yield Check(
            "bound of the rule now", alert.baseline, bound, None, "" if same else "the rule or phase has changed"
        )


def _spike(alert: Alert, grounds: Grounds, rule: SpikeRule | None) -> Iterator[Check]:
    evidence, settings = alert.evidence, NEGATIVE if alert.kind == "negative_spike" else COMPLAINT
    dimension, value = alert.labels["dimension"], alert.labels["value"]
    parts = slice_parts(dimension, value)
    ask = grounds.reviews if alert.kind == "negative_spike" else grounds.complaints
    since = alert.starts_at - SpikeConfig().customer_ms
    span = f"{format_instant(alert.starts_at)} to {format_instant(alert.at)}"
    rows = ask(parts, begin=alert.starts_at, end=alert.at)
    counted = _once_a_customer(ask({}, begin=since, end=alert.starts_at), rows)
    hits = sum(one.negative for one in counted)
    if alert.kind == "negative_spike":
        yield _count("judged reviews", evidence["count"], len(counted), span)
        yield _count("negative ones", evidence["negative"], hits, "a customer's within 12 h count once")
        usual = grounds.before(dimension, value, hits="negative", count="judged", end=alert.starts_at)
        rate = round(usual.hits / usual.events, 4) if usual.events else None
    else:
        yield _count("complaints", evidence["complaints"], hits, span)
        orders = grounds.orders(parts, begin=alert.starts_at, end=alert.at)
        yield Check("orders", evidence.get("orders"), orders, None, "said: as many as were due by then")
        usual = grounds.before(dimension, value, hits="complaints", count="orders", end=alert.starts_at)
        rate = round(1000 * usual.hits / usual.events, 4) if usual.events else None
    yield Check(
        "usual", alert.baseline, rate, None, f"{usual.hits} of {usual.events} in {usual.hours} hours of the week before"
    )
    due = float(evidence["expected"])
    least = rule.min_ratio if rule is not None and rule.min_ratio is not None else settings.min_ratio
    ratio = round((hits + 0.5) / (due + 0.5), 2)
    yield Check(
        "times the expected", evidence["ratio"], ratio, ratio >= least, f"{due:g} expected, at least {least:g} times"
    )
    nats = round(_nats(hits, due), 1)
    if rule is not None and rule.evidence_nats is not None:
        settings = dataclasses.replace(settings, evidence_nats=rule.evidence_nats)
    needed = settings.wanted(rank_of(tuple(parts)))
    note = f"a Poisson count of {due:g} against {hits}; the alarm is at {needed:g}, by each text's own probability"
    yield Check("evidence in nats", evidence["log_likelihood_ratio"], nats, None, note)


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


def _once_a_customer(earlier: Sequence[Told], rows: Sequence[Told]) -> list[Told]:
    """The rows less a customer's repeated anger, as the detector leaves it out."""
    heard = Customers(customer_ms=SpikeConfig().customer_ms)
    for one in earlier:
        if one.negative:
            heard.again(one.customer, one.at)
    return [one for one in rows if not (one.negative and heard.again(one.customer, one.at))]


def _count(what: str, said: int, found: int, note: str) -> Check:
    gap = abs(found - said)
    agrees = gap <= max(2.0, LATE_SHARE * said)
    return Check(what, said, found, agrees, note if not gap else f"{note}; some came late" if agrees else note)


def _nats(hits: int, due: float) -> float:
    """Log-likelihood ratio of a Poisson count to what was expected, 0 below it."""
    return hits * math.log(hits / due) - (hits - due) if hits > due > 0.0 else 0.0


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= CLOSE * max(1.0, abs(one))
