"""A time zone as stretches of one offset. What is open in them is the calendar's matter."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

# No zone since 1970 has changed its offset and changed back within this time (tests/unit/sla/test_zone.py).
_PROBE_S = 6 * 3600
# `datetime` ends with the year 9999 in local time too; beyond, the last offset holds.
_LAST_S = 253_402_300_799 - 2 * 86_400


def stretches(zone: ZoneInfo, start_ms: int, end_ms: int) -> Iterator[tuple[int, int, int]]:
    """Cut [start_ms, end_ms), whole seconds, into (start, end, offset), all in ms, each of one offset."""
    begin, last = start_ms // 1000, end_ms // 1000
    offset = _offset_ms(zone, begin)
    at = begin
    while at < last:
        probe = min(at + _PROBE_S, last)
        there = _offset_ms(zone, probe)
        if there != offset:
            change = _first_change(zone, at, probe)
            if change < last:
                yield begin * 1000, change * 1000, offset
                begin, at, offset = change, change, _offset_ms(zone, change)
                continue
        at = probe
    if begin < last:
        yield begin * 1000, last * 1000, offset


def _first_change(zone: ZoneInfo, low: int, high: int) -> int:
    """The second in (low, high] from which the offset is no longer that of `low`."""
    before = _offset_ms(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ms(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_ms(zone: ZoneInfo, second: int) -> int:
    delta = datetime.fromtimestamp(min(second, _LAST_S), zone).utcoffset()
    assert delta is not None
    return delta.days * 86_400_000 + delta.seconds * 1000
