"""Two rule files on the same events: which alerts are new, which are gone, and which come earlier or later.

An alert under one file is the same under the other if kind and place are the same and they fired at about one time;
a rule that both files have must be the same as well. A spike that the other file tells of a wider or narrower slice
(a category, a category in a region) is not gone either.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from peakwatch.rehearsal.incidents import Incident
from peakwatch.rehearsal.report import Night, Report, Share, instant
from schemas.rules import Rule, slice_parts

SPIKES: Final = ("negative_spike", "complaint_spike")
SLACK_MS: Final = 30 * 60_000  # so far apart two firings may be, unless the earlier alert still fired then

Place = tuple[str, str, tuple[tuple[str, str], ...]]


class Matched(NamedTuple):
    """The incidents of two runs, side by side."""

    both: tuple[tuple[Incident, Incident], ...]
    only_first: tuple[Incident, ...]
    only_second: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An alert that only one of the files leads to."""

    rule: str
    labels: dict[str, str]
    severity: str
    fired_at: str
    lasted_ms: int
    summary: str


@dataclass(frozen=True, slots=True)
class Moved:
    """An alert that both lead to, at another time."""

    rule: str
    labels: dict[str, str]
    at: str
    was_at: str
    later_ms: int  # below 0: earlier
    summary: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule under both files."""

    rule: str
    pages: int
    pages_against: int
    at_night: int
    at_night_against: int
    alerts: int
    alerts_against: int
    new: int
    gone: int
    earlier: int
    later: int
    median_later_ms: float  # of those that moved; 0.0 if none did


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `rules` would have changed against the other file."""

    rules: Report
    against: Report
    by_rule: tuple[RuleChange, ...]
    new: tuple[Found, ...]  # the longest-lived first
    gone: tuple[Found, ...]
    moved: tuple[Moved, ...]  # the farthest first


def match(first: Sequence[Incident], second: Sequence[Incident], *, rules: Collection[Rule]) -> Matched:
    """Pair the incidents of two runs. `rules`: those of both files, for the labels that they set themselves."""
    own: dict[str, set[tuple[str, str]]] = {}
    for rule in rules:
        own.setdefault(rule.name, set()).update(rule.labels.items())
    shared = {one.rule for one in first} & {one.rule for one in second}

    def place(one: Incident) -> Place:
        said = ((key, value) for key, value in one.labels.items() if key != "policy")
        labels = tuple(sorted(pair for pair in said if pair not in own.get(one.rule, ())))
        return one.rule if one.rule in shared else "", one.kind, labels

    waiting: dict[Place, list[Incident]] = {}
    for one in second:
        waiting.setdefault(place(one), []).append(one)
    both, only_first = [], []
    for one in first:
        there = waiting.get(place(one), [])
        other = _nearest(one, [o for o in there if _meets(one, o)])
        if other is None:
            only_first.append(one)
        else:
            there.remove(other)
            both.append((one, other))
    left = {id(one) for some in waiting.values() for one in some}
    only_second = [one for one in second if id(one) in left]
    for one in tuple(only_first):
        if (other := _nearest(one, [o for o in second if _nests(one, o, shared)])) is not None:
            both.append((one, other))
            only_first.remove(one)
    for one in tuple(only_second):
        if (other := _nearest(one, [o for o in first if _nests(one, o, shared)])) is not None:
            both.append((other, one))
            only_second.remove(one)
    return Matched(tuple(_once(both)), tuple(only_first), tuple(only_second))


def _once(pairs: Iterable[tuple[Incident, Incident]]) -> Iterable[tuple[Incident, Incident]]:
    return {(id(one), id(other)): (one, other) for one, other in pairs}.values()


def _nearest(one: Incident, there: Sequence[Incident]) -> Incident | None:
    return min(there, key=lambda other: abs(other.fired_at - one.fired_at), default=None)


def _nests(one: Incident, other: Incident, shared: Collection[str]) -> bool:
    """Whether two spikes tell of one trouble: one's slice lies in the other's."""
    if one.kind != other.kind or one.kind not in SPIKES or not _meets(one, other):
        return False
    if one.rule != other.rule and {one.rule, other.rule} & set(shared):
        return False
    here, there = (slice_parts(it.labels.get("dimension", ""), it.labels.get("value", "")) for it in (one, other))
    return here.items() <= there.items() or there.items() <= here.items()


def compare(
    new: tuple[Report, Sequence[Incident]], old: tuple[Report, Sequence[Incident]], *, rules: Collection[Rule],
    night: Night, ended_ms: int,
) -> Comparison:  # fmt: skip
    """What the first of two rehearsals changes against the second."""
    found = match(new[1], old[1], rules=rules)
    moved = [_moved(one, was, night) for one, was in found.both if one.fired_at != was.fired_at]
    names = dict.fromkeys(share.name for report in (new[0], old[0]) for share in report.rules)
    changes = [_change(name, new[0], old[0], found) for name in names]
    return Comparison(
        new[0], old[0], tuple(sorted(changes, key=lambda one: (-max(one.pages, one.pages_against), one.rule))),
        longest(found.only_first, night, ended_ms), longest(found.only_second, night, ended_ms),
        tuple(sorted(moved, key=lambda one: (-abs(one.later_ms), one.at, one.rule))),
    )  # fmt: skip


def longest(incidents: Iterable[Incident], night: Night, ended_ms: int) -> tuple[Found, ...]:
    """Alerts, the longest-lived first."""
    order = sorted(incidents, key=lambda one: (-one.lasted_ms(ended_ms), one.fired_at, one.alert_id))
    return tuple(
        Found(
            one.rule, dict(one.labels), one.severity, instant(one.fired_at, night), one.lasted_ms(ended_ms),
            one.summary,
        )
        for one in order
    )  # fmt: skip


def _meets(one: Incident, other: Incident) -> bool:
    early, late = sorted((one, other), key=lambda incident: incident.fired_at)
    return early.ended_at is None or late.fired_at <= max(early.ended_at, early.fired_at + SLACK_MS)


def _moved(one: Incident, was: Incident, night: Night) -> Moved:
    at, before = instant(one.fired_at, night), instant(was.fired_at, night)
    return Moved(one.rule, dict(one.labels), at, before, one.fired_at - was.fired_at, one.summary)


def _change(name: str, new: Report, old: Report, found: Matched) -> RuleChange:
    now, was = _share(new, name), _share(old, name)
    by = [one.fired_at - before.fired_at for one, before in found.both if one.rule == name]
    moved = [ms for ms in by if ms]
    return RuleChange(
        name, now.pages, was.pages, now.at_night, was.at_night, now.alerts, was.alerts,
        new=sum(one.rule == name for one in found.only_first), gone=sum(one.rule == name for one in found.only_second),
        earlier=sum(ms < 0 for ms in by), later=sum(ms > 0 for ms in by),
        median_later_ms=float(median(moved)) if moved else 0.0,
    )  # fmt: skip


def _share(report: Report, name: str) -> Share:
    return next((one for one in report.rules if one.name == name), Share(name, 0, 0, 0, 0))
