"""Calendars as people write them: YAML objects in, working time out, every mistake at once.

K1 and K2 are decided here, day by day; arithmetic is in `sla.working_time`.
"""

import datetime as dt
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.errors import ConfigError
from schemas.yaml import load_yaml
from sla.working_time import ALWAYS, Calendar, Spans, WorkingHours

__all__ = ["ALWAYS", "Calendar", "load_calendars", "parse_calendars"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KEYS = ("timezone", "hours", "holidays", "workdays", "special")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))", re.ASCII)
_EPOCH = dt.date(1970, 1, 1).toordinal()
_LONGEST_RANGE_DAYS = 36_525  # a hundred years; a longer one is a slip of the keys


def load_calendars(text: str, source: str) -> dict[str, Calendar]:
    """The calendars of a YAML file of the contract's shape; top-level keys in `x-` may hold anchors."""
    document = load_yaml(text, source)
    if not isinstance(document, dict):
        raise ConfigError([f"{source}: {_shown(document)} is not a mapping with the key calendars"])
    strange = [f"{source}: {key}: unknown, not calendars" for key in document
               if key != "calendars" and not str(key).startswith("x-")]  # fmt: skip
    try:
        calendars = parse_calendars(document.get("calendars"), source=source)
    except ConfigError as error:
        raise ConfigError([*strange, *error.mistakes]) from error
    if strange:
        raise ConfigError(strange)
    return calendars


def parse_calendars(raw: object, *, source: str) -> dict[str, Calendar]:
    """Calendars by name, of a mapping from name to definition; `always` is among them.

    Raises ConfigError with every mistake, each as `source: calendars.NAME.KEY: value and rule`.
    """
    place = f"{source}: calendars" if source else "calendars"
    if not isinstance(raw, dict):
        raise ConfigError([f"{place}: {_shown(raw)} is not a mapping of names to calendars"])
    mistakes: list[str] = []
    calendars: dict[str, Calendar] = {ALWAYS.name: ALWAYS}
    for name, definition in raw.items():
        here = f"{place}.{name}"
        if not isinstance(name, str) or not name:
            mistakes.append(f"{here}: {_shown(name)} is not a name")
        elif name == ALWAYS.name:
            mistakes.append(f"{here}: the name is taken, always is built in")
        else:
            calendar = _Reader(here, mistakes).calendar(name, definition)
            if calendar is not None:
                calendars[name] = calendar
    if mistakes:
        raise ConfigError(mistakes)
    return calendars


class _Reader:
    """Reads one calendar; gathers its mistakes."""

    def __init__(self, place: str, mistakes: list[str]) -> None:
        self._place = place
        self._mistakes = mistakes

    def calendar(self, name: str, definition: object) -> Calendar | None:
        mistakes_before = len(self._mistakes)
        if not isinstance(definition, dict):
            self._wrong("", f"{_shown(definition)} is not a mapping with {', '.join(_KEYS)}")
            return None
        for key in definition:
            if key not in _KEYS:
                self._wrong("", f"{_shown(key)} is unknown, not one of {', '.join(_KEYS)}")
        zone = self._zone(definition.get("timezone"))
        if "hours" not in definition and "special" not in definition:
            self._wrong(".hours", "missing: a calendar needs hours, special or both")
        week = self._week(definition.get("hours", {}))
        holidays = self._dates(".holidays", definition.get("holidays", []))
        workdays = self._dates(".workdays", definition.get("workdays", []))
        special = self._special(definition.get("special", {}))
        if zone is None or len(self._mistakes) > mistakes_before:
            return None
        workday: Spans = next((spans for spans in week if spans), ())
        days: dict[int, Spans] = dict.fromkeys(holidays, ())
        days.update((day, workday) for day in workdays)
        days.update(special)
        return WorkingHours(name, zone=zone, week=week, days=days)

    def _zone(self, value: object) -> ZoneInfo | None:
        if not isinstance(value, str) or not value:
            self._wrong(".timezone", f"{_shown(value)} is not the name of an IANA time zone")
            return None
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._wrong(".timezone", f"{value} is not the name of an IANA time zone")
            return None

    def _week(self, value: object) -> list[Spans]:
        week: list[Spans | None] = [None] * 7
        if not isinstance(value, dict):
            self._wrong(".hours", f"{_shown(value)} is not a mapping of days to hours")
            return [()] * 7
        for key, hours in value.items():
            place = f".hours.{key}"
            spans = self._spans(place, hours)
            for weekday in self._weekdays(place, key):
                if week[weekday] is not None:
                    self._wrong(place, f"{_WEEKDAYS[weekday]} is given twice")
                week[weekday] = spans
        return [spans or () for spans in week]

    def _weekdays(self, place: str, key: object) -> list[int]:
        first, dash, last = key.partition("-") if isinstance(key, str) else ("", "", "")
        if first not in _WEEKDAYS or (dash and last not in _WEEKDAYS):
            self._wrong(place, f"{_shown(key)} is not a day or a range of days of {', '.join(_WEEKDAYS)}")
            return []
        begin = _WEEKDAYS.index(first)
        length = (_WEEKDAYS.index(last) - begin) % 7 + 1 if dash else 1  # fri-mon runs over the weekend
        return [(begin + i) % 7 for i in range(length)]

    def _spans(self, place: str, hours: object) -> Spans:
        if hours == "closed":
            return ()
        written = hours if isinstance(hours, list) else [hours]
        if not written:
            self._wrong(place, "an empty list; write closed")
        spans = [span for item in written if (span := self._span(place, item)) is not None]
        return _merged(spans)

    def _span(self, place: str, item: object) -> tuple[int, int] | None:
        match = _SPAN.fullmatch(item) if isinstance(item, str) else None
        if match is None:
            self._wrong(place, f"{_shown(item)} is not HH:MM-HH:MM, a list of them, or closed")
            return None
        hour, minute, end_hour, end_minute, midnight, _ = match.groups()
        opens = int(hour) * 60 + int(minute)
        closes = 24 * 60 if midnight else int(end_hour) * 60 + int(end_minute)
        if closes <= opens:
            self._wrong(place, f"{item} does not end later on the same day; a span over midnight is two")
            return None
        return opens * 60_000, closes * 60_000

    def _special(self, value: object) -> dict[int, Spans]:
        days: dict[int, Spans] = {}
        if not isinstance(value, dict):
            self._wrong(".special", f"{_shown(value)} is not a mapping of dates to hours")
            return days
        for key, hours in value.items():
            place = f".special.{key}"
            spans = self._spans(place, hours)
            for day in self._range(place, key):
                if days.get(day, spans) != spans:
                    self._wrong(place, f"{dt.date.fromordinal(day + _EPOCH)} has other hours already")
                days[day] = spans
        return days

    def _dates(self, place: str, value: object) -> set[int]:
        if not isinstance(value, list):
            self._wrong(place, f"{_shown(value)} is not a list of dates and ranges of dates")
            return set()
        days: set[int] = set()
        for item in _flat(value):
            days.update(self._range(place, item))
        return days

    def _range(self, place: str, item: object) -> range:
        if isinstance(item, str):
            first, dots, last = item.partition("..")
            begin, end = _date(first), _date(last) if dots else _date(first)
        else:
            begin = end = _date(item)
        if begin is None or end is None:
            self._wrong(place, f"{_shown(item)} is not a date YYYY-MM-DD or a range of two, A..B")
        elif end < begin:
            self._wrong(place, f"{item} ends before it begins")
        elif end - begin >= _LONGEST_RANGE_DAYS:
            self._wrong(place, f"{item} is longer than a hundred years")
        else:
            return range(begin, end + 1)
        return range(0)

    def _wrong(self, place: str, text: str) -> None:
        self._mistakes.append(f"{self._place}{place}: {text}")


def _date(value: object) -> int | None:
    """Days since 1970-01-01."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            value = dt.date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.toordinal() - _EPOCH
    return None


def _flat(items: list[object], depth: int = 0) -> Iterator[object]:
    """Lists shared by anchors may stand inside the list."""
    for item in items:
        if isinstance(item, list) and depth < 8:
            yield from _flat(item, depth + 1)
        else:
            yield item


def _merged(spans: list[tuple[int, int]]) -> Spans:
    merged: list[tuple[int, int]] = []
    for opens, closes in sorted(spans):
        if merged and opens <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(closes, merged[-1][1])
        else:
            merged.append((opens, closes))
    return tuple(merged)


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
