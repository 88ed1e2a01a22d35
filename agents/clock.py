"""The wall clock, asked only here at the edge; and a rehearsal's, which runs faster from an instant of its own."""

import asyncio
import time
from dataclasses import dataclass

from schemas.errors import ConfigError
from schemas.instants import format_instant, parse_instant


class SystemClock:
    """The machine's clock, in ms since the epoch."""

    def now_ms(self) -> int:
        """Now."""
        return time.time_ns() // 1_000_000

    def shown(self, machine_ms: int) -> int:
        """What it showed when the machine's clock showed this."""
        return machine_ms

    async def sleep(self, ms: int) -> None:
        """Wait."""
        await asyncio.sleep(ms / 1000)


@dataclass(frozen=True, slots=True)
class RehearsalClock:
    """Shows `origin_ms` when the machine's clock shows `began_ms`, and from there runs `speed` times as fast.

    A promotion that is played again at a quickened clock has its SLA timers and silences at that clock, too.
    """

    origin_ms: int
    began_ms: int
    speed: float

    def now_ms(self) -> int:
        """Now, in the rehearsal."""
        return self.shown(SystemClock().now_ms())

    def shown(self, machine_ms: int) -> int:
        """What it showed when the machine's clock showed this."""
        return self.origin_ms + round((machine_ms - self.began_ms) * self.speed)

    async def sleep(self, ms: int) -> None:
        """Wait for so long in the rehearsal."""
        await asyncio.sleep(ms / 1000 / self.speed)

    def __str__(self) -> str:
        return f"{format_instant(self.origin_ms)}/{format_instant(self.began_ms)}/{self.speed:g}"


AnyClock = SystemClock | RehearsalClock


def clock_of(rehearsal: str) -> AnyClock:
    """The clock of a setting `ORIGIN/BEGAN/SPEED`, instants in RFC 3339; "" is the machine's. Else ConfigError."""
    if not rehearsal:
        return SystemClock()
    try:
        origin, began, speed = rehearsal.split("/")
        clock = RehearsalClock(parse_instant(origin), parse_instant(began), float(speed))
    except ValueError as error:
        raise ConfigError([f"rehearsal: {rehearsal!r} is not INSTANT/INSTANT/SPEED: {error}"]) from None
    if not 0 < clock.speed <= 10_000:
        raise ConfigError([f"rehearsal: the speed {clock.speed:g} is not within 0 to 10000"])
    return clock
