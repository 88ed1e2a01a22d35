"""How often a feed speaks: its rate by hour of the week, its rate of late, and how odd a silence is.

**The statistic.** With a rate known from `a` events, a silence in which `m` events were due has the
probability (1 + m / a) ** -a: a Poisson count whose rate has a gamma posterior of shape `a` (as a grows,
exp(-m)). Events that come in clusters say less than they count: with an index of dispersion D (variance over
mean, from differences of neighbouring minutes, so that the daily curve does not count), m is weighed by
ln D / (D - 1), which is what a negative binomial count of that dispersion gives for zero. The silence must be
odd twice: by the rate of late (a promotion that ends, a night that begins without history) and by the hour of
the week, as far as it is known.
"""

import functools
import math
from typing import Any, Final

import msgspec

from schemas.zones import hour_of_week

HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
RECENT_MS: Final = HOUR_MS // 2  # time constant of the rate of late
MOST_CERTAIN: Final = 60.0  # a rate is never known better than from so many events: rates drift
DAY_KEPT: Final = 0.9  # of an hour of the day's past, each time that it comes round: memory of about ten days
WEEK_KEPT: Final = 0.8  # of an hour of the week's: about five weeks
POOL_EVENTS: Final = 5.0  # what the wider average weighs beside an hour's own, in events
UNKNOWN_HOUR: Final = 0.3  # an hour of the day never seen may be so much less busy than the one before


class Cadence(msgspec.Struct, gc=False):
    """One feed. Instants are ms; what is learnt leaves out the silences that were alarms."""

    first_at: int
    last_at: int  # the end of the newest pane with an event
    recent: float = 0.0  # events in memory, each fading with RECENT_MS
    minute: int = -1  # the minute that is being counted
    minute_count: float = 0.0
    before: float = -1.0  # the minute's before it
    minutes: float = 0.0
    minute_sum: float = 0.0
    squares: float = 0.0  # half the squared differences of neighbouring minutes
    panes: float = 0.0  # panes with an event, fading with a day
    day_counts: list[float] = []
    day_hours: list[float] = []
    week_counts: list[float] = []
    week_hours: list[float] = []
    hour: int = -1  # hours since the epoch, of the hour that is being learnt
    silent_since: int | None = None  # an alarm goes on

    def seen(self, end: int, count: int, *, zone: str) -> None:
        """A pane that ends at `end` had so many events."""
        hour = _hour_of_week(zone, (end - 1) // HOUR_MS)
        if end > self.last_at:
            gap = end - self.last_at
            fade, fade_day = _fades(gap)
            if self.silent_since is None:
                if self.last_at // HOUR_MS == self.hour == (end - 1) // HOUR_MS:
                    share = gap / HOUR_MS
                    self.day_hours[hour % 24] += share
                    self.week_hours[hour] += share
                else:
                    self._learn_time(self.last_at, end, zone)
                self.recent *= fade
            self.panes *= fade_day
            self.last_at = end
        self.panes += 1.0
        self._learn_minute((end - 1) // MINUTE_MS, count)
        self._turn_hour(end - 1, zone)
        self.recent += count
        self.day_counts[hour % 24] += count
        self.week_counts[hour] += count

    def oddness(self, at: int, *, zone: str) -> float:
        """The probability of a silence as long as the one that has lasted until `at`."""
        gap = at - self.last_at
        if gap <= 0:
            return 1.0
        weight = self._cluster_weight()
        age = max(1, min(self.last_at - self.first_at, RECENT_MS * 8))
        memory = RECENT_MS * -math.expm1(-age / RECENT_MS)
        due, seen, known = self._due(at, zone)
        of_late = self.recent / memory * gap * (1.0 if known else UNKNOWN_HOUR)
        by_recent = _zero(of_late * weight, self.recent * weight)
        if not known:
            return by_recent
        by_hour = _zero(due * weight, seen * weight)
        # A slow feed has too little of late to go by; then what was learnt by the hour decides alone.
        return by_hour if self.recent < 10.0 <= seen else max(by_hour, by_recent)

    def expected(self, at: int, *, zone: str) -> float:
        """How many events were due since the last one, as far as they are known to be."""
        due, _, known = self._due(at, zone)
        age = max(1, self.last_at - self.first_at)
        of_late = self.recent / (RECENT_MS * -math.expm1(-age / RECENT_MS)) * (at - self.last_at)
        return min(due, of_late) if known and self.recent >= 10.0 else due if known else of_late

    def _due(self, at: int, zone: str) -> tuple[float, float, bool]:
        """Events due in (last, at] by the hours, from how many those were learnt, whether all are known."""
        due, seen, known = 0.0, math.inf, True
        begin = self.last_at
        hours = sum(self.day_hours)
        mean = sum(self.day_counts) / hours if hours > 0.0 else 0.0
        while begin < at:
            end = min(at, begin - begin % (HOUR_MS // 2) + HOUR_MS // 2)
            hour = _hour_of_week(zone, begin // HOUR_MS)
            rate, events, exposed = self._rate(hour, mean)
            # Within an hour the feed may fall off towards its neighbour.
            beside = self._rate((hour - 1 if begin % HOUR_MS < HOUR_MS // 2 else hour + 1) % 168, mean)[0]
            due += min(rate, (rate + beside) / 2.0) * (end - begin) / HOUR_MS
            seen = min(seen, events)
            known = known and exposed
            begin = end
            if begin - self.last_at > 168 * HOUR_MS:
                break  # a week of silence is odd enough
        return due, seen, known

    def _rate(self, hour: int, mean: float) -> tuple[float, float, bool]:
        """Events an hour in an hour of the week, from how many learnt, whether its hour of the day is known.

        Each average leans on the wider one: the hour of the week on the hour of the day, that on all hours (`mean`).
        """
        day = hour % 24
        rate = _lean(self.day_counts[day], self.day_hours[day], mean)
        rate = _lean(self.week_counts[hour], self.week_hours[hour], rate)
        return rate, self.day_counts[day], self.day_hours[day] >= 0.75

    def _learn_time(self, begin: int, end: int, zone: str) -> None:
        """Count the time from `begin` to `end` to the hours that it lies in."""
        if end - begin > 168 * HOUR_MS:
            return
        while begin < end:
            self._turn_hour(begin, zone)
            stop = min(end, begin - begin % HOUR_MS + HOUR_MS)
            hour = hour_of_week(zone, begin)
            share = (stop - begin) / HOUR_MS
            self.day_hours[hour % 24] += share
            self.week_hours[hour] += share
            begin = stop

    def _turn_hour(self, at: int, zone: str) -> None:
        """When another hour begins, its own past fades."""
        number = at // HOUR_MS
        if number > self.hour:
            self.hour = number
            hour = _hour_of_week(zone, number)
            self.day_counts[hour % 24] *= DAY_KEPT
            self.day_hours[hour % 24] *= DAY_KEPT
            self.week_counts[hour] *= WEEK_KEPT
            self.week_hours[hour] *= WEEK_KEPT

    def _learn_minute(self, minute: int, count: int) -> None:
        if minute > self.minute:
            if self.minute >= 0:
                self._close_minute(self.minute_count)
                empty = min(minute - self.minute - 1, 60) if self.silent_since is None else 0
                for _ in range(empty):
                    self._close_minute(0.0)
            self.minute, self.minute_count = minute, 0.0
        self.minute_count += count

    def _close_minute(self, count: float) -> None:
        if self.before >= 0.0:
            kept = 1.0 - 1.0 / 1440.0
            self.minutes = self.minutes * kept + 1.0
            self.minute_sum = self.minute_sum * kept + count
            self.squares = self.squares * kept + (count - self.before) ** 2 / 2.0
        self.before = count

    def _cluster_weight(self) -> float:
        """What an event counts as evidence, 1 for independent ones: ln D / (D - 1)."""
        if self.minute_sum <= 0.0:
            return 1.0
        dispersion = self.squares / self.minute_sum
        return 1.0 if dispersion <= 1.001 else math.log(dispersion) / (dispersion - 1.0)


@functools.lru_cache(maxsize=1024)
def _fades(gap: int) -> tuple[float, float]:
    """What is left after a gap of what fades with RECENT_MS, and with a day."""
    return math.exp(-gap / RECENT_MS), math.exp(-gap / (24 * HOUR_MS))


@functools.lru_cache(maxsize=1024)
def _hour_of_week(zone: str, hour: int) -> int:
    """The hour of the week in which an hour since the epoch begins."""
    return hour_of_week(zone, hour * HOUR_MS)


def new_cadence(end: int) -> Cadence:
    """A feed that spoke for the first time in the pane that ends at `end`."""
    return Cadence(
        first_at=end, last_at=end, day_counts=[0.0] * 24, day_hours=[0.0] * 24, week_counts=[0.0] * 168,
        week_hours=[0.0] * 168,
    )  # fmt: skip


def dump_cadence(cadence: Cadence) -> Any:
    """Plain values for `load_cadence`."""
    return msgspec.to_builtins(cadence)


def load_cadence(state: Any) -> Cadence:
    """What `dump_cadence` gave."""
    return msgspec.convert(state, Cadence)


def _lean(count: float, hours: float, wider: float) -> float:
    """The mean of a gamma posterior whose prior has the wider rate and weighs `POOL_EVENTS`."""
    return 0.0 if wider <= 0.0 else (count + POOL_EVENTS) / (hours + POOL_EVENTS / wider)


def _zero(due: float, seen: float) -> float:
    """The probability of no event where `due` were expected from a rate known from `seen`."""
    shape = min(seen, MOST_CERTAIN)
    return 1.0 if shape <= 0.0 else (1.0 + due / shape) ** -shape
