"""What was usual in a slice before an alert, learnt anew from stored rows by the detector's own model, as far as rows
of one slice allow: base rate × level of the last hours × hour × an effect of each dimension of the slice, each shrunk.

Left out are what only the running stream knows: the effects of the events' other dimensions, the common mode of the
last minutes, promotion phases, and that hours of a peak weigh less.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.baseline import HOUR_STRENGTH, LEVEL_HALF_LIFE_MS, LEVEL_STRENGTH
from alerts.detectors.spikes.config import JOINED_STRENGTH, PRIOR_STRENGTH, KindSettings, SpikeConfig
from alerts.detectors.spikes.exposure import COVERED
from alerts.detectors.spikes.orders import MINUTE_PRIOR
from alerts.detectors.spikes.reviews import HIGHEST, LOWEST, posterior
from alerts.detectors.spikes.series import rank_of
from storage.past import Fading, Group

DAYS_MS: Final = 7 * 86_400_000
HOURS: Final = 48
ROUNDS: Final = 30
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000

Counts = tuple[Floats, Floats]  # what was counted of each row, for long and of late


class Usual(NamedTuple):
    """What is to be expected of one review, order or minute."""

    rate: float
    uncertainty: float  # squared relative error of what is expected of the slice
    trials: float  # reviews, orders or minutes that it was learnt from, of the slice
    same_hours: float | None  # the plain rate in the same hours of the days before; None: nothing came then
    share: float = 1.0  # that the slice has of the complaints of what orders tell of


class Rows(NamedTuple):
    """Groups as columns."""

    match: Ids  # [rows, dimensions of the slice]
    hour: Ids
    odds: Floats
    came: Floats
    long: Floats
    level: Floats


def fading(config: SpikeConfig) -> Fading:
    """How old rows count."""
    return Fading(config.baseline_half_life_ms, LEVEL_HALF_LIFE_MS, config.zone_offset_ms)


def hours_of(begin: int, end: int, *, zone_ms: int) -> list[int]:
    """The hours of working days (24 more: of weekends) that a time touches."""
    first, last = (begin + zone_ms) // HOUR_MS, (max(begin, end - 1) + zone_ms) // HOUR_MS
    return [_class_of(hour) for hour in range(first, min(last, first + HOURS) + 1)]


def of_reviews(
    groups: Sequence[Group], parts: Mapping[str, str], *, hours: Sequence[int], settings: KindSettings, prior: float
) -> Usual | None:
    """The share of negatives; None where no review is left."""
    rows = _columns(groups, len(parts))
    if not rows.long.sum():
        return None

    def counted(expected: Floats) -> Counts:
        negative = posterior(1.0 / (1.0 + np.exp(rows.odds)), np.clip(expected, LOWEST, HIGHEST), prior=prior)
        return negative * rows.long, negative * rows.level

    model = _Model(rows, tuple(parts), settings, settings.prior_rate)
    model.fit(counted)
    got, _ = counted(model.expected())
    mine = model.mine & np.isin(rows.hour, hours)
    same = float((got * _plain(rows))[mine].sum()) / float(rows.came[mine].sum()) if mine.any() else None
    rate = float(np.clip(model.rate(hours), LOWEST, HIGHEST))
    return Usual(rate, model.uncertainty(), float(rows.came[model.mine].sum()), same)


def of_complaints(
    complaints: Sequence[Group], orders: Sequence[Group], parts: Mapping[str, str], *, hours: Sequence[int],
    settings: KindSettings, since_ms: int, until_ms: int, zone_ms: int,
) -> tuple[Usual | None, dict[str, str] | None]:  # fmt: skip
    """Complaints an order of `told`, the part of the slice that orders tell of; where there are no orders, a minute of
    the whole stream (None for `told`). A slice that they do not tell of takes its share of the complaints.
    """
    bad = _columns(complaints, len(parts))
    told: dict[str, str] | None = None
    if orders:
        due, prior_rate = _columns(orders, len(parts)), settings.prior_rate
        carried = (due.match >= 0) * due.came[:, None]
        enough = carried.sum(axis=0) >= COVERED * due.came.sum()
        told = {name: parts[name] for name, one in zip(parts, enough, strict=True) if one}
    else:
        due, prior_rate = _minutes(since_ms, until_ms, zone_ms=zone_ms, parts=len(parts)), MINUTE_PRIOR
    if not bad.long.sum() or not due.long.sum():
        return None, told
    names = [name for name in parts if told and name in told]
    kept = [place for place, name in enumerate(parts) if name in names]
    both = Rows(*(np.concatenate([one, other]) for one, other in zip(bad, due, strict=True)))
    counts = np.concatenate([np.ones(len(bad.hour)), np.zeros(len(due.hour))])
    rows = both._replace(match=both.match[:, kept], long=both.long * (1.0 - counts), level=both.level * (1.0 - counts))
    model = _Model(rows, tuple(names), settings, prior_rate)
    model.fit(lambda _: (both.long * counts, both.level * counts))
    share, error = _share(bad, kept)
    # A rate is one of the slice's own orders, of which it is taken to have the same share.
    here, mine = np.isin(both.hour, hours), (both.match == 1).all(axis=1)
    came = float(both.came[model.mine & here & (counts == 0.0)].sum())
    same = float(both.came[mine & here & (counts > 0.0)].sum()) / (came * share) if came else None
    trials = float(both.came[model.mine & (counts == 0.0)].sum())
    return Usual(model.rate(hours), model.uncertainty() + error, trials, same, share), told


class _Model:
    """Base, hours and the slice's effects, fitted to all rows at once."""

    def __init__(self, rows: Rows, names: tuple[str, ...], settings: KindSettings, prior_rate: float) -> None:
        self.rows, self.settings, self.prior_rate = rows, settings, prior_rate
        order = sorted(range(len(names)), key=lambda place: rank_of((names[place],)))
        # Widest first; what has all values at once comes last.
        self.members = [rows.match[:, place] == 1 for place in order]
        self.strengths = [PRIOR_STRENGTH.get((names[place],), JOINED_STRENGTH) for place in order]
        self.mine = (rows.match == 1).all(axis=1)
        if len(names) > 1:
            self.members.append(self.mine)
            self.strengths.append(JOINED_STRENGTH)
        self.base = prior_rate
        self.hours = np.ones(HOURS)
        self.effects = [1.0 for _ in self.members]
        self.level = 1.0
        self.learnt = self.due = 0.0

    def expected(self) -> Floats:
        """What is to be expected of one trial of each row."""
        result: Floats = self.base * self.hours[self.rows.hour] * self._of_dimensions()
        return result

    def rate(self, hours: Sequence[int]) -> float:
        """What is to be expected of one trial of the slice, now."""
        return self.base * self.level * float(self.hours[list(hours)].mean()) * float(np.prod(self.effects))

    def uncertainty(self) -> float:
        """Squared relative error, as the detector reckons it."""
        own = 1.0 / (self.strengths[-1] + self.due) if self.members else 0.0
        return own + 1.0 / (self.settings.prior_strength + self.learnt) + self.settings.drift**2

    def fit(self, counted: Callable[[Floats], Counts]) -> None:
        """Learn all of it; what counts as negative depends on what is expected, so by turns."""
        rows, strength = self.rows, self.settings.prior_strength
        for _ in range(ROUNDS):
            got, late = counted(self.expected())
            effects = self._of_dimensions()
            self.learnt = float(got.sum())
            due = float((rows.long * effects).sum())
            self.base = (self.learnt + strength) / (due + strength / self.prior_rate)
            plain = self.base * effects
            hours = [np.bincount(rows.hour, values, HOURS) for values in (got, rows.long * plain)]
            self.hours = (hours[0] + HOUR_STRENGTH) / (hours[1] + HOUR_STRENGTH)
            expected = rows.long * self.base * self.hours[rows.hour]
            for place, (member, k) in enumerate(zip(self.members, self.strengths, strict=True)):
                self.due = float(expected[member].sum())
                self.effects[place] = (float(got[member].sum()) + k) / (self.due + k)
                expected = np.where(member, expected * self.effects[place], expected)
            due = float((rows.level * self.expected()).sum())
            self.level = (float(late.sum()) + LEVEL_STRENGTH) / (due + LEVEL_STRENGTH)

    def _of_dimensions(self) -> Floats:
        result = np.ones(len(self.rows.hour))
        for member, effect in zip(self.members, self.effects, strict=True):
            result = np.where(member, result * effect, result)
        return result


def _columns(groups: Sequence[Group], parts: int) -> Rows:
    match = np.array([one.match for one in groups], np.int64).reshape(len(groups), parts)
    columns = [np.array([one[place] for one in groups], float) for place in range(2, len(Group._fields))]
    return Rows(match, np.array([one.hour for one in groups], np.int64), *columns)


def _minutes(since_ms: int, until_ms: int, *, zone_ms: int, parts: int) -> Rows:
    """The minutes of a time, hour by hour; each is one of the whole stream, and of nothing narrower."""
    ends = np.arange(until_ms, since_ms, -HOUR_MS)
    minutes = np.minimum(ends - since_ms, HOUR_MS) / MINUTE_MS
    hour = np.array([_class_of(int(end - 1 + zone_ms) // HOUR_MS) for end in ends], np.int64)
    age = until_ms - ends + HOUR_MS / 2
    long, level = (minutes * np.exp2(-age / half) for half in (SpikeConfig().baseline_half_life_ms, LEVEL_HALF_LIFE_MS))
    return Rows(np.full((len(ends), parts), -1), hour, np.zeros(len(ends)), minutes, long, level)


def _share(bad: Rows, told: Sequence[int]) -> tuple[float, float]:
    """The slice's part of the complaints around it that orders tell of, and its squared relative error."""
    around, mine = (bad.match[:, told] == 1).all(axis=1), (bad.match == 1).all(axis=1)
    if len(told) == bad.match.shape[1]:
        return 1.0, 0.0
    own, all_of_it = float(bad.long[mine].sum()), float(bad.long[around].sum())
    return (own + 0.5) / (all_of_it + 1.0), 1.0 / (JOINED_STRENGTH + own)


def _plain(rows: Rows) -> Floats:
    """From what has faded back to what was counted."""
    result: Floats = rows.came / np.maximum(rows.long, 1e-12)
    return result


def _class_of(hour: int) -> int:
    """The hour of a working day, of Saturday and Sunday 24 more; `hour` since the epoch, a Thursday, in local time."""
    day, rest = divmod(hour, 24)
    return rest + (24 if (day + 3) % 7 >= 5 else 0)
