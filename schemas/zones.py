"""Wall clocks of IANA zones in integer ms: for quiet hours, promotion phases and hours of the week.

Working time is apart (`sla/`): it must be right across changes of the clock; here a local hour is enough.
"""

import datetime as dt
import functools
import re
import zoneinfo
from typing import Final

from schemas.strict import Node

DAY_MS: Final = 86_400_000
DEFAULT_ZONE: Final = "Asia/Shanghai"

_LAST_S: Final = 253_402_300_799 - 2 * 86_400  # `datetime` ends with the year 9999, in local time too
_WALL = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII)
_HOUR = re.compile(r"(\d\d):(\d\d)", re.ASCII)
_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()


@functools.lru_cache(maxsize=4096)
def offset_ms(zone: str, at_ms: int) -> int:
    """What the zone's wall clock is ahead of UTC at an instant."""
    seconds = max(0, min(at_ms // 1000, _LAST_S))
    delta = dt.datetime.fromtimestamp(seconds, zoneinfo.ZoneInfo(zone)).utcoffset()
    assert delta is not None
    return delta.days * DAY_MS + delta.seconds * 1000


def wall_ms(zone: str, at_ms: int) -> int:
    """The zone's wall clock, as if it were UTC; looked up by the quarter hour, in which no zone changes."""
    quarter = at_ms - at_ms % 900_000
    return at_ms + offset_ms(zone, quarter)


def hour_of_week(zone: str, at_ms: int) -> int:
    """0 is Monday 00:00 to 01:00, 167 Sunday's last hour."""
    hours = wall_ms(zone, at_ms) // 3_600_000
    return (hours + 3 * 24) % 168  # 1970-01-01 was a Thursday


def instant_of_wall(zone: str, wall: int) -> int:
    """The instant at which the wall clock shows this; of a repeated hour the first."""
    first = wall - offset_ms(zone, wall - DAY_MS)
    second = wall - offset_ms(zone, wall + DAY_MS)
    return second if wall_ms(zone, first) != wall == wall_ms(zone, second) else first


def read_zone(node: Node) -> str:
    """The name of an IANA zone."""
    name = node.text()
    try:
        zoneinfo.ZoneInfo(name or DEFAULT_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        node.wrong("is no IANA time zone")
        return DEFAULT_ZONE
    return name or DEFAULT_ZONE


def read_wall(node: Node) -> int:
    """A local date `2026-11-11` or date and time `2026-10-20T20:00` as wall milliseconds."""
    match = _WALL.fullmatch(node.value) if isinstance(node.value, str) else None
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        ordinal = dt.datetime(year, month, day, hour, minute, second).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        node.wrong("is no date such as 2026-11-11 or 2026-10-20T20:00")
        return 0
    return ordinal * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000


def read_minute(node: Node) -> int:
    """Minutes of the day of `HH:MM`; `24:00` is the end of the day."""
    match = _HOUR.fullmatch(node.value) if isinstance(node.value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= minutes <= 24 * 60:
        node.wrong("is no time of day such as 09:00")
        return 0
    return minutes
