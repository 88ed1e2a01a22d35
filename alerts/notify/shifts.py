"""Who is on call at an instant: rotations in a time zone, and who stands in."""

from schemas.notify import Roster, Rotation
from schemas.zones import DAY_MS, wall_ms

_MINUTE_MS = 60_000


def on_call(roster: Roster, at_ms: int) -> tuple[str, ...]:
    """The names, in the order of the rotations; of overrides that overlap the later written wins alone.

    A handover is at one time of the wall clock, also when the clock changes.
    """
    for override in reversed(roster.overrides):
        if override.start_ms <= at_ms < override.end_ms:
            return override.people
    wall = wall_ms(roster.timezone, at_ms)
    turns = (_turn(rotation, wall) for rotation in roster.rotations)
    return tuple(dict.fromkeys(name for name in turns if name))


def _turn(rotation: Rotation, wall: int) -> str:
    """Whose turn it is; "" outside the rotation's hours or before it begins.

    A night belongs to the day on which it began, also for whose turn it is: nobody hands over within his hours.
    """
    if wall < rotation.start_wall or not rotation.people:
        return ""
    day, minute = wall // DAY_MS, wall % DAY_MS // _MINUTE_MS
    if rotation.minutes is not None:
        start, end = rotation.minutes
        past_midnight = start > end and minute < end
        if not (start <= minute < end or (start > end and (minute >= start or past_midnight))):
            return ""
        day -= past_midnight
        wall = max(rotation.start_wall, day * DAY_MS + start * _MINUTE_MS)
    if rotation.weekdays is not None and (day + 3) % 7 not in rotation.weekdays:  # 1970-01-01 was a Thursday
        return ""
    return rotation.people[(wall - rotation.start_wall) // rotation.every_ms % len(rotation.people)]
