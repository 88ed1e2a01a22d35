"""Which of a worker's source partitions may go on: after an outage all of them come to an instant about together.

Each is read as fast as it can be, and reviews, complaints and orders differ in that by hours. What is ahead is parked
and not fetched until the slowest of those with more in their logs has come near. Where nothing waits nothing is parked.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from faust.types import TP

from agents.source_stage import SourceStage
from agents.stages import Stages
from agents.transport.chunks import Chunk

AHEAD_MS: Final = 60_000  # in event time
TURN_S: Final = 0.1  # the log's ends are looked at so often while something is parked
STALLED_MS: Final = 30_000  # a partition that could be read and does not move holds nobody up for longer
ANY: Final = 1 << 62


class Aligning:
    """The sources of a worker. `waits`: whether the log of a partition has more than what was taken up to an offset."""

    def __init__(
        self, sources: Stages[SourceStage], *, waits: Callable[[TP, int], bool],
        clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:  # fmt: skip
        self._sources = sources
        self._waits = waits
        self._clock_ms = clock_ms
        self._moved: dict[TP, tuple[int, int]] = {}  # a position, and since when it has been there
        self._parked = asyncio.Event()

    def holds(self, tp: TP) -> bool:
        """Whether a partition is not to be fetched for now."""
        return any(stage.parked for one, stage in self._sources.standing() if one == tp)

    async def chunk(self, stage: SourceStage, chunk: Chunk) -> None:
        """Take of a chunk what may be taken, and park the rest. Callers hold the stage's lock."""
        stage.park(chunk)
        while await stage.advance(self._until_ms()):
            pass
        if stage.parked:
            self._parked.set()

    async def run(self) -> None:
        """Take what is parked, as soon as it may be; never ends."""
        while True:
            await self._parked.wait()
            if not await self._turn():
                await asyncio.sleep(TURN_S)

    def told_ms(self) -> int | None:
        """Up to which event time all sources have told everything; None: as far as their logs go.

        -1 while one is being taken over: nobody knows what lies there.
        """
        if self._taking_over():
            return -1
        behind = [
            stage.told_ms
            for tp, stage in self._sources.standing()
            if stage.due_ms - stage.told_ms > AHEAD_MS or self._lags(tp, stage)
        ]
        return min(behind, default=None)

    def lags(self, tp: TP) -> bool:
        """Whether a partition's log has more than was taken, and it can be had."""
        return any(self._lags(one, stage) for one, stage in self._sources.standing() if one == tp)

    async def _turn(self) -> bool:
        """One piece of every source that may go on; whether there was any."""
        moved = parked = False
        for tp, stage in list(self._sources.standing()):
            if not stage.parked:
                continue
            async with stage.lock:
                if not self._sources.owns(tp, stage):
                    continue
                moved |= await stage.advance(self._until_ms())
            parked |= bool(stage.parked)
        if not parked:
            self._parked.clear()
        await asyncio.sleep(0)
        return moved

    def _until_ms(self) -> int:
        if self._taking_over():
            return -1
        due = min((stage.due_ms for tp, stage in self._sources.standing() if self._lags(tp, stage)), default=ANY)
        return due + AHEAD_MS if due >= 0 else -1

    def _taking_over(self) -> bool:
        awaited = self._sources.awaited()
        for tp in [tp for tp, (at, _) in self._moved.items() if at < 0 and tp not in awaited]:
            del self._moved[tp]
        moving = [self._moves(tp, -1) for tp in awaited]
        return any(moving)

    def _lags(self, tp: TP, stage: SourceStage) -> bool:
        if stage.parked:
            return True
        if not self._waits(tp, stage.taken):
            self._moved.pop(tp, None)
            return False
        return self._moves(tp, stage.taken)

    def _moves(self, tp: TP, at: int) -> bool:
        now_ms = self._clock_ms()
        place, since_ms = self._moved.get(tp, (None, now_ms))
        if place != at:
            since_ms = now_ms
            self._moved[tp] = at, now_ms
        return now_ms - since_ms < STALLED_MS
