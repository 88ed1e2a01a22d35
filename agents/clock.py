"""The wall clock, asked only here at the edge."""

import asyncio
import time


class SystemClock:
    """The machine's clock, in ms since the epoch."""

    def now_ms(self) -> int:
        """Now."""
        return time.time_ns() // 1_000_000

    async def sleep(self, ms: int) -> None:
        """Wait."""
        await asyncio.sleep(ms / 1000)
