"""How much working time lies between two instants, and when an amount of it is reached: inverse questions.

A calendar is handed its hours day by day (`sla.calendar` reads them from YAML) and answers in real ms: a
repeated hour counts twice and a skipped one not at all.
"""

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from sla.zone import stretches

DAY_MS = 86_400_000

Spans = tuple[tuple[int, int], ...]
"""Open spans of one local day, in ms of the wall clock since midnight, half-open, sorted, apart."""

# Events are of the years 1970 to 9999 by their own offset, so in UTC a day more on each side.
_FIRST_YEAR, _LAST_YEAR = 1969, 10_000
# The compiled zone data name single changes up to 2087 (Morocco); later years repeat by rule.
_ZONES_BY_RULE_FROM = 2100


class Calendar(Protocol):
    """Working time. `version` changes when, and only when, what the calendar says changes."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def elapsed_ms(self, start_ms: int, end_ms: int) -> int:
        """Working milliseconds in [start_ms, end_ms); 0 if the end is not later."""
        ...

    def instant_after(self, start_ms: int, work_ms: int) -> int | None:
        """The earliest t >= start_ms with elapsed_ms(start_ms, t) >= work_ms; None if no such t comes."""
        ...


class Always:
    """Every millisecond counts."""

    __slots__ = ()
    name = "always"
    version = "always"

    def elapsed_ms(self, start_ms: int, end_ms: int) -> int:
        return end_ms - start_ms if end_ms > start_ms else 0

    def instant_after(self, start_ms: int, work_ms: int) -> int | None:
        return start_ms + work_ms if work_ms > 0 else start_ms


ALWAYS: Calendar = Always()


@dataclass(frozen=True, slots=True)
class _Year:
    """The open spans of one UTC year; `worked[i]` is the working time from its start to the end of span i."""

    start: int
    end: int
    starts: Sequence[int]
    ends: Sequence[int]
    worked: Sequence[int]
    total: int

    def moved(self, by_ms: int) -> "_Year":
        """The same year at another time."""
        starts, ends = [at + by_ms for at in self.starts], [at + by_ms for at in self.ends]
        return _Year(self.start + by_ms, self.end + by_ms, starts, ends, self.worked, self.total)

    def worked_until(self, at_ms: int) -> int:
        i = bisect_right(self.starts, at_ms) - 1
        if i < 0:
            return 0
        rest = self.ends[i] - at_ms
        return self.worked[i] - rest if rest > 0 else self.worked[i]


class WorkingHours:
    """A calendar of weekly hours and of single days that differ, in one time zone.

    `week` is Monday to Sunday; `days` holds, by days since 1970-01-01, the hours of dates that differ.
    """

    __slots__ = (
        "_cached", "_days", "_differs_until", "_totals", "_week", "_years", "_zone", "name", "version",
    )  # fmt: skip

    def __init__(self, name: str, *, zone: ZoneInfo, week: Sequence[Spans], days: Mapping[int, Spans]) -> None:
        self.name = name
        self._zone = zone
        self._week = tuple(week)
        self._days = dict(days)
        content = json.dumps(self.content(), separators=(",", ":"))
        self.version = hashlib.sha256(content.encode()).hexdigest()[:12]
        last_day = max(self._days, default=0)
        self._differs_until = max(_ZONES_BY_RULE_FROM, _year_of((last_day + 2) * DAY_MS) + 1)
        self._years: dict[int, _Year] = {}
        self._totals: dict[int, int] = {}
        self._cached = self._build(_FIRST_YEAR)

    def elapsed_ms(self, start_ms: int, end_ms: int) -> int:
        if end_ms <= start_ms:
            return 0
        year = self._cached
        if not year.start <= start_ms < year.end:
            year = self._year_at(start_ms)
        if end_ms <= year.end:
            return year.worked_until(end_ms) - year.worked_until(start_ms)
        work = year.total - year.worked_until(start_ms)
        last = _year_of(end_ms)
        for between in range(_year_of(start_ms) + 1, last):
            work += self._total(between)
        return work + self._year_at(end_ms).worked_until(end_ms)

    def instant_after(self, start_ms: int, work_ms: int) -> int | None:
        if work_ms <= 0:
            return start_ms
        year = self._cached
        if not year.start <= start_ms < year.end:
            year = self._year_at(start_ms)
        wanted = work_ms + year.worked_until(start_ms)
        if wanted > year.total:
            wanted -= year.total
            number = _year_of(start_ms) + 1
            while wanted > (total := self._total(number)):
                wanted -= total
                number += 1
                if number > self._last_open_year():
                    return None
            year = self._year(number)
        i = bisect_left(year.worked, wanted)
        return year.ends[i] - (year.worked[i] - wanted)

    def content(self) -> tuple[str, tuple[Spans, ...], list[tuple[int, int, Spans]]]:
        """Zone, week, and the days that differ as (first, last, hours): all that the calendar says."""
        runs: list[tuple[int, int, Spans]] = []
        for day, spans in sorted(self._days.items()):
            if runs and runs[-1][1] == day - 1 and runs[-1][2] == spans:
                runs[-1] = runs[-1][0], day, spans
            else:
                runs.append((day, day, spans))
        return self._zone.key, self._week, runs

    def _last_open_year(self) -> int:
        return _LAST_YEAR if any(self._week) else self._differs_until

    def _year_at(self, at_ms: int) -> _Year:
        self._cached = self._year(_year_of(at_ms))
        return self._cached

    def _year(self, number: int) -> _Year:
        alike = self._alike(number)
        year = self._years.get(alike)
        if year is None:
            year = self._years[alike] = self._build(alike)
        return year if alike == number else year.moved(_year_start(number) - year.start)

    def _total(self, number: int) -> int:
        """Working time of a whole year."""
        total = self._totals.get(number)
        if total is None:
            alike = self._alike(number)
            total = self._totals[number] = self._year(number).total if alike == number else self._total(alike)
        return total

    def _alike(self, number: int) -> int:
        """Far years are alike that start on one weekday and have one length."""
        if number <= self._differs_until:
            return number
        alike = self._differs_until + 1
        while _shape(alike) != _shape(number):
            alike += 1
        return alike

    def _build(self, number: int) -> _Year:
        starts: list[int] = []
        ends: list[int] = []
        year_start, year_end = _year_start(number), _year_start(number + 1)
        for start, end, offset in stretches(self._zone, year_start, year_end):
            for day in range((start + offset) // DAY_MS, (end + offset - 1) // DAY_MS + 1):
                midnight = day * DAY_MS - offset
                for opens, closes in self._hours_of(day):
                    opening, closing = max(midnight + opens, start), min(midnight + closes, end)
                    if opening >= closing:
                        continue
                    if ends and ends[-1] == opening:
                        ends[-1] = closing
                    else:
                        starts.append(opening)
                        ends.append(closing)
        worked: list[int] = []
        total = 0
        for opening, closing in zip(starts, ends, strict=True):
            total += closing - opening
            worked.append(total)
        return _Year(year_start, year_end, starts, ends, worked, total)

    def _hours_of(self, day: int) -> Spans:
        spans = self._days.get(day)
        return self._week[(day + 3) % 7] if spans is None else spans  # 1970-01-01 was a Thursday


def _year_start(number: int) -> int:
    before = number - 1
    leap_days = before // 4 - before // 100 + before // 400
    return (365 * (number - 1970) + leap_days - 477) * DAY_MS


def _shape(number: int) -> tuple[int, int]:
    start = _year_start(number)
    return start // DAY_MS % 7, _year_start(number + 1) - start


def _year_of(at_ms: int) -> int:
    number = 1970 + at_ms // 31_556_952_000  # the mean year; off by one at most
    while at_ms < _year_start(number):
        number -= 1
    while at_ms >= _year_start(number + 1):
        number += 1
    return number
