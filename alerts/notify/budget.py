"""How many messages a channel may still be sent, so that the platform's own limit is never met.

A token comes back when a whole window has passed since it was spent. The usual bucket, refilled steadily, would
let a full bucket and its refill through within one window, twice what the platform allows, and DingTalk then
shuts a bot out for ten minutes. Pure: integer ms, the time is an argument.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Final

from schemas.instants import format_instant
from schemas.notify import Channel
from schemas.zones import DAY_MS, instant_of_wall, wall_ms

MARGIN_MS: Final = 1000  # the platform's window begins when it gets a message, not when we send it
NO_LIMIT: Final = 1_000_000  # as many messages as one likes
_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()
QUOTA_RESERVE: Final = 0.1  # of the month's messages the last tenth is kept for critical alerts


class Budget:
    """The tokens of one channel."""

    def __init__(self, channel: Channel, *, zone: str) -> None:
        self._limits = channel.limits
        self._reserve = channel.reserve
        self._quota = channel.monthly_quota
        self._zone = zone
        self._spent: list[int] = []
        self._month = ""
        self._sent = 0  # this month
        self.shut_until = 0  # the platform or the line said so

    def free(self, now_ms: int, *, critical: bool) -> int:
        """How many messages may go out now; NO_LIMIT where nothing limits them."""
        if now_ms < self.shut_until:
            return 0
        return max(0, min(self._free_of_quota(now_ms, critical), self._free_of_limits(now_ms, critical)))

    def opens_at(self, now_ms: int, *, critical: bool) -> int:
        """From when on a message may go out if none does before: now, or when tokens, channel or month come back."""
        at_ms = max(now_ms, self.shut_until)
        for most, per_ms in self._limits:
            allowed = max(1, most - self._kept(per_ms, critical))
            back_ms = per_ms + min(MARGIN_MS, per_ms // 5)
            live = self._spent[bisect_right(self._spent, at_ms - back_ms) :]
            if len(live) >= allowed:
                at_ms = max(at_ms, live[-allowed] + back_ms)
        return at_ms if self._free_of_quota(at_ms, critical) > 0 else next_month_ms(self._zone, at_ms)

    def spend(self, now_ms: int) -> None:
        """A message goes out."""
        self._turn_month(now_ms)
        self._sent += 1
        longest = max((per_ms for _, per_ms in self._limits), default=0)
        self._spent = [at for at in self._spent if at > now_ms - longest - MARGIN_MS]
        if self._limits:
            self._spent.insert(bisect_right(self._spent, now_ms), now_ms)

    def shut(self, until_ms: int) -> None:
        """Nothing may go out before then."""
        self.shut_until = max(self.shut_until, until_ms)

    def month(self, now_ms: int) -> tuple[int, int | None]:
        """Messages sent this month, and the quota if there is one."""
        self._turn_month(now_ms)
        return self._sent, self._quota

    def use_up(self, now_ms: int) -> None:
        """The platform says that the month's messages are gone: nothing more before the month is over."""
        self._turn_month(now_ms)
        self._sent = max(self._sent, self._quota or 0)
        wall = wall_ms(self._zone, now_ms)
        self.shut(now_ms + DAY_MS - wall % DAY_MS)  # asked again each midnight: only the platform knows its month

    def dump(self) -> dict[str, Any]:
        """Plain values for `load`."""
        return {"spent": list(self._spent), "month": self._month, "sent": self._sent, "shut_until": self.shut_until}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `dump` gave."""
        self._spent, self._month = list(state["spent"]), state["month"]
        self._sent, self.shut_until = state["sent"], state["shut_until"]

    def _free_of_limits(self, now_ms: int, critical: bool) -> int:
        free = NO_LIMIT
        for most, per_ms in self._limits:
            since = now_ms - per_ms - min(MARGIN_MS, per_ms // 5)
            left = most - (len(self._spent) - bisect_right(self._spent, since))
            free = min(free, left - self._kept(per_ms, critical))
        return free

    def _kept(self, per_ms: int, critical: bool) -> int:
        return self._reserve if per_ms >= 60_000 and not critical else 0

    def _free_of_quota(self, now_ms: int, critical: bool) -> int:
        if self._quota is None:
            return NO_LIMIT
        kept = 0 if critical else int(self._quota * QUOTA_RESERVE)
        sent = self._sent if month_of(self._zone, now_ms) == self._month else 0
        return self._quota - kept - sent

    def _turn_month(self, now_ms: int) -> None:
        month = month_of(self._zone, now_ms)
        if month != self._month:
            self._month, self._sent = month, 0


def month_of(zone: str, at_ms: int) -> str:
    """`2026-11`, by the zone's calendar."""
    return format_instant(wall_ms(zone, at_ms), offset_minutes=0)[:7]


def next_month_ms(zone: str, at_ms: int) -> int:
    """When the next month begins, by the zone's calendar."""
    year, month = map(int, month_of(zone, at_ms).split("-"))
    first = dt.date(year + month // 12, month % 12 + 1, 1).toordinal() - _EPOCH_ORDINAL
    return instant_of_wall(zone, first * DAY_MS)
