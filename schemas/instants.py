"""RFC 3339 text and integer milliseconds since the epoch, both ways; what a clock is.

Inside, an instant is always an integer of milliseconds (rule T1): digits finer than a millisecond are cut off.
"""

import datetime as dt
import re
from typing import Final, Protocol

MIN_MS: Final = 0  # 1970-01-01T00:00:00Z
MAX_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_DAY_MS: Final = 86_400_000
_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()
_ordinals: dict[str, int] = {}  # '2026-11-11' -> ordinal: a stream stays within few days


class Clock(Protocol):
    """What the edge asks for the time; pure code is told instead."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...

    async def sleep(self, ms: int) -> None:
        """Wait for so many milliseconds; a fake moves its own time instead."""
        ...


def parse_instant(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 text with an offset; ValueError tells what is wrong with it."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not RFC 3339 with T and an offset")
    year, month, day, hour, minute, second, fraction, zulu, sign, off_hour, off_minute = match.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("hour, minute or second out of range")
    date = text[:10]
    ordinal = _ordinals.get(date)
    if ordinal is None:
        ordinal = dt.date(int(year), int(month), int(day)).toordinal()
        if len(_ordinals) > 4096:
            _ordinals.clear()
        _ordinals[date] = ordinal
    offset = 0
    if zulu is None:
        if int(off_hour) > 23 or int(off_minute) > 59:
            raise ValueError("offset out of range")
        offset = (int(off_hour) * 60 + int(off_minute)) * (60_000 if sign == "+" else -60_000)
    ms = int((fraction + "00")[:3]) if fraction else 0
    at_ms = (ordinal - _EPOCH_ORDINAL) * _DAY_MS + (hours * 3600 + minutes * 60 + seconds) * 1000 + ms - offset
    return check_range(at_ms)


def check_range(at_ms: int) -> int:
    """The same instant if it lies in the years 1970 to 9999, else ValueError."""
    if not MIN_MS <= at_ms <= MAX_MS:
        raise ValueError("outside the years 1970 to 9999")
    return at_ms


def format_instant(at_ms: int, *, offset_minutes: int = 480) -> str:
    """RFC 3339 at a fixed offset (China's by default); milliseconds are shown only where there are any.

    Beyond the year 9999 there is no such text: a later instant shows as its last millisecond.
    """
    local = at_ms + offset_minutes * 60_000
    days, rest = divmod(local, _DAY_MS)
    if days > _MAX_DAYS:
        # The last hours of 9999 have no local date east of Greenwich; the last pane's end has none at all.
        return format_instant(min(at_ms, MAX_MS), offset_minutes=min(0, offset_minutes))
    date = dt.date.fromordinal(_EPOCH_ORDINAL + days)
    seconds, ms = divmod(rest, 1000)
    sign = "+" if offset_minutes >= 0 else "-"
    hours, minutes = divmod(abs(offset_minutes), 60)
    tail = f".{ms:03d}" if ms else ""
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{date.isoformat()}T{clock}{tail}{sign}{hours:02d}:{minutes:02d}"


_MAX_DAYS: Final = dt.date.max.toordinal() - _EPOCH_ORDINAL
