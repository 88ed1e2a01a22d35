"""A spike: its counts, what was usual, its evidence and the threshold that held for its run, from stored rows."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from alerts.detectors.spikes import chances
from alerts.detectors.spikes.config import KindSettings, SpikeConfig
from alerts.detectors.spikes.dedupe import Customers
from alerts.detectors.spikes.reviews import HIGHEST, LOWEST, posterior
from alerts.detectors.spikes.sequential import complaint_gains, review_gains
from alerts.detectors.spikes.series import rank_of
from alerts.detectors.spikes.watch import CONFIRMED
from peakwatch.explaining import usual
from peakwatch.explaining.checks import Check, counted
from peakwatch.explaining.usual import Usual
from schemas.instants import format_instant
from schemas.peaks import Peaks
from schemas.results import PANE_MS, Alert
from schemas.rules import SpikeRule, slice_parts
from schemas.strict import show_ms
from storage.grounds import Grounds, Told
from storage.past import Past
from streams.spike_rules import least_nats, spike_config

ROUNDED: Final = 0.05  # an alert's nats have one digit
UNSETTLED_MS: Final = 60_000  # of the newest events some come after the decision
UNSETTLED_PART: Final = 4  # and of a short run no more than a quarter
APART: Final = 1.15  # what is learnt anew differs plainly from here on, or from two standard errors


class Run(NamedTuple):
    """The stretch of the slice that the alert speaks of."""

    parts: dict[str, str]
    begin: int
    end: int
    due: float  # what was expected in it, as the alert says
    hits: int  # what the rows hold

    @property
    def times(self) -> float:
        """Observed over expected, as the alert is to be judged by it."""
        return round((self.hits + 0.5) / (self.due + 0.5), 2)


def spike(alert: Alert, grounds: Grounds, past: Past, *, rule: SpikeRule | None, peaks: Peaks) -> Iterator[Check]:
    """Every check of a spike, by its rule as it is now; by what ships where there is none."""
    of_reviews = alert.kind == "negative_spike"
    config = spike_config((rule, None) if of_reviews else (None, rule), peaks)
    settings = config.negative if of_reviews else config.complaint
    parts = slice_parts(alert.labels["dimension"], alert.labels["value"])
    begin, end = alert.starts_at, _end(alert)
    ask = grounds.reviews if of_reviews else grounds.complaints
    rows = ask(parts, begin=begin, end=end)
    angry = {one.customer for one in rows if one.negative and one.customer}
    before = ask({}, begin=begin - config.customer_ms, end=begin, by=angry)
    rows = _once_a_customer(before, rows, customer_ms=config.customer_ms)
    run = Run(parts, begin, end, float(alert.evidence["expected"]), sum(one.negative for one in rows))
    yield from _counts(alert, run, rows)
    there = rule.in_phase(peaks.phase_at(alert.at)) if rule is not None else None
    asked = max(settings.min_ratio, (there.min_ratio if there is not None else None) or 0.0)
    yield _times("times the expected", alert.evidence["ratio"], run, asked)
    found = _usual(alert, run, len(rows), config=config, settings=settings, grounds=grounds, past=past)
    if isinstance(found, str):
        yield Check("usual", alert.baseline, None, None, found)
    else:
        yield from _relearnt(alert, run, found, asked)
    uncertainty = settings.drift**2 if isinstance(found, str) else found.one.uncertainty
    if of_reviews:
        gains = _review_gains(rows, run, settings, prior=config.judge_prior)
        how = "each text's probability by the judge"
    else:
        gains = complaint_gains(np.array([float(run.hits)]), np.array([run.due]), np.array(settings.ratios))[0]
        how = "complaints against what was due"
    # The detector knows what each product's share is, weighs down what one brings beyond it, and is unsure in a rush.
    nats = round(float(gains.max()) / (1.0 + run.due * uncertainty), 1)
    said = alert.evidence["log_likelihood_ratio"]
    note = f"{how}, for the best of {_listed(settings.ratios)} times as many, bursts and rushes in full"
    yield Check("evidence in nats", said, nats, None, note)
    stream = float(alert.evidence.get("stream_nats", 0.0))
    yield _threshold(said, run, settings, stream=stream)
    if rule is not None and there is not None and there.evidence_nats != rule.evidence_nats:
        least = round(least_nats(there, parts, due=run.due, stream=stream), 2)
        base = f"{there.evidence_nats:g} base in the promotion's phase, {stream:+.2f} for the stream"
        note = f"{base}; the named slice's evidence counts"
        yield Check("threshold of the phase", None, least, said + ROUNDED >= least, note)


def _counts(alert: Alert, run: Run, rows: Sequence[Told]) -> Iterator[Check]:
    span = f"{format_instant(run.begin)} to {format_instant(run.end)}"
    once = "a customer's within 12 h count once"
    settled_at = run.end - min(UNSETTLED_MS, (run.end - run.begin) // UNSETTLED_PART)
    settled = [one for one in rows if one.at < settled_at]
    hits = sum(one.negative for one in settled)
    if alert.kind == "negative_spike":
        yield counted("judged reviews", alert.evidence["count"], len(rows), span, settled=len(settled))
        yield counted("negative ones", alert.evidence["negative"], run.hits, once, settled=hits)
    else:
        yield counted("complaints", alert.evidence["complaints"], run.hits, f"{span}; {once}", settled=hits)


class _Found(NamedTuple):
    """What was learnt anew, and what it makes of the run."""

    one: Usual
    trials: float  # of the slice in the run: reviews, orders or minutes
    scale: float  # from a rate to the unit of the alert's baseline
    unit: str


def _usual(
    alert: Alert, run: Run, reviews: int, *, config: SpikeConfig, settings: KindSettings, grounds: Grounds, past: Past
) -> _Found | str:
    """The usual learnt anew; or why it cannot be."""
    hours = usual.hours_of(run.begin, run.end, zone_ms=config.zone_offset_ms)
    since = run.begin - usual.DAYS_MS
    but = past.spikes(alert.kind, begin=since, end=run.begin, but=alert.alert_id)
    span: dict[str, Any] = {"begin": since, "end": run.begin, "fading": usual.fading(config), "but": but}
    nothing = "nothing of before it is stored: it rested on what ships as usual, or the rows are gone"
    if alert.kind == "negative_spike":
        groups = past.reviews(run.parts, **span)
        found = usual.of_reviews(groups, run.parts, hours=hours, settings=settings, prior=config.judge_prior)
        return nothing if found is None else _Found(found, reviews, 1.0, "reviews")
    first, last = past.denominators(begin=since, end=run.begin)
    if first is None:
        return nothing
    if last is not None:
        span["end"] = last + 1  # later complaints are of orders that were not known yet
    again, told = usual.of_complaints(
        past.complaints(run.parts, **span), past.orders(run.parts, **span), run.parts, hours=hours, settings=settings,
        since_ms=first, until_ms=run.begin, zone_ms=config.zone_offset_ms,
    )  # fmt: skip
    if again is None:
        return nothing
    if told is None:
        return _Found(again, again.share * (run.end - run.begin) / usual.MINUTE_MS, 60.0, "minutes")
    around = grounds.orders(told, begin=run.begin, end=run.end)
    return _Found(again, again.share * around, 1000.0, "orders")


def _relearnt(alert: Alert, run: Run, found: _Found, min_ratio: float) -> Iterator[Check]:
    one = found.one
    if found.unit == "orders":
        how = "" if one.share == 1.0 else f", of which the slice is taken to have {one.share:.1%}, as of complaints"
        note = f"said: those due by then; found: those counted since, each count spread over its time{how}"
        yield Check("orders", alert.evidence.get("orders"), round(found.trials), None, note)
    same = "none" if one.same_hours is None else f"{one.same_hours * found.scale:.4g}"
    learnt = f"{one.trials:.0f} {found.unit} of the week before, without other incidents"
    note = f"learnt anew from {learnt}; the slice's plain rate in the same hours: {same}"
    yield Check("usual", alert.baseline, round(one.rate * found.scale, 4), None, note)
    expected = round(one.rate * found.trials, 2)
    yield Check("expected in the run", run.due, expected, None, _apart(expected, run.due, one.uncertainty**0.5))
    again = run._replace(due=expected)
    yield _times("times the expected, learnt anew", None, again, min_ratio)._replace(agrees=None)


def _apart(found: float, said: float, error: float) -> str:
    """Whether what is learnt anew is another expectation, in words."""
    if not found or not said:
        return "nothing was due by one of them: they cannot be compared"
    ratio = found / said
    more = f"{abs(ratio - 1.0):.0%} {'more' if ratio > 1.0 else 'less'} than the alert took for usual"
    if max(ratio, 1.0 / ratio) <= max(APART, float(np.exp(2.0 * error))):
        return f"{more}: no plain difference, the error is {error:.0%}"
    return (
        f"{more}: they DIFFER. The detector also knows what these rows do not tell: effects of the events' other "
        "dimensions, what all slices had in common in the minutes before, promotion phases, orders still to come"
    )


def _times(what: str, said: float | None, run: Run, min_ratio: float) -> Check:
    enough = run.times >= min_ratio
    note = f"{run.hits} where {run.due:g} were expected; the rule asks for {min_ratio:g} times"
    return Check(what, said, run.times, enough, note if enough else f"{note}: too little")


def _review_gains(rows: Sequence[Told], run: Run, settings: KindSettings, *, prior: float) -> Any:
    """Of each alternative, the gain of all rows at the run's mean expectation."""
    ratios = np.array(settings.ratios)
    if not rows:
        return np.zeros(len(ratios))
    expected = np.full(len(rows), min(HIGHEST, max(LOWEST, run.due / len(rows))))
    negativity = posterior(1.0 - np.array([one.score for one in rows]), expected, prior=prior)
    return review_gains(negativity, expected, ratios).sum(axis=0)


def _threshold(said: float, run: Run, settings: KindSettings, *, stream: float) -> Check:
    """What an alarm of this run owed, term by term; and what the slice must keep that is named for an alarm.

    `stream`: what the stream's volume and calm asked for then, in nats.
    """
    rank = rank_of(tuple(run.parts))
    width = settings.wanted(rank) - settings.evidence_nats
    size = float(chances.by_size(settings, run.due))
    lasted = run.end - run.begin
    length = float(chances.owed(settings, np.array([lasted]), np.array([run.due]))[0]) - size
    total = settings.evidence_nats + width + stream + length + size
    least = CONFIRMED * (settings.wanted(rank) + stream + min(0.0, size))
    bring = "bring little" if width < 0 else "bring much" if rank <= 1 else "are the least sure"
    terms = (
        f"{settings.evidence_nats:g} base, {width:+.2g} for {'+'.join(run.parts) or 'all'}, whose incidents {bring}, "
        f"{stream:+.2f} for the stream's volume and calm, "
        f"{length:+.2f} for a run of {show_ms(lasted // 1000 * 1000)}, {size:+.2f} for {run.due:g} due"
    )
    if said + ROUNDED >= total:
        return Check("threshold in nats", None, round(total, 2), True, terms)
    note = f"{terms}. Another slice, or a longer run, gave the alarm: the slice named for it must keep {least:.2f}"
    return Check("threshold in nats", None, round(total, 2), said + ROUNDED >= least, note)


def _end(alert: Alert) -> int:
    """Where the run ends that the evidence is of: before `at`, where the rule waits (`for`)."""
    seconds = alert.evidence.get("window_seconds")
    if seconds is None:
        return alert.at
    decided = -(-(alert.starts_at + 1000 * int(seconds)) // PANE_MS) * PANE_MS
    return min(alert.at, decided)


def _once_a_customer(earlier: Sequence[Told], rows: Sequence[Told], *, customer_ms: int) -> list[Told]:
    """The rows less a customer's repeated anger, as the detector leaves it out."""
    heard = Customers(customer_ms=customer_ms)
    for one in earlier:
        if one.negative:
            heard.again(one.customer, one.where, one.at)
    return [one for one in rows if not (one.negative and heard.again(one.customer, one.where, one.at))]


def _listed(ratios: Sequence[float]) -> str:
    return ", ".join(f"{one:g}" for one in ratios)
