"""After an outage a worker's sources come to an instant about together; where nothing waits, nothing is parked."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import msgspec
from faust.types import TP

from agents.aligning import AHEAD_MS, STALLED_MS, Aligning
from agents.parked import PIECE_RECORDS, Parked
from agents.source_stage import SourceStage
from agents.stages import Stages
from agents.transport.chunks import Chunk
from tests.unit.agents.lines import Line

NOW_MS: Final = 1_794_326_400_000
HOUR_MS: Final = 3_600_000
REVIEWS, ORDERS = TP("reviews", 0), TP("orders", 0)


def chunk(tp: TP, start: int, instants: Sequence[int]) -> Chunk:
    lines = [Line(start + n, NOW_MS, msgspec.json.encode({"event_time": at})) for n, at in enumerate(instants)]
    return Chunk(tp.topic, tp.partition, start, lines)


class Stage:
    """A source stage as far as it concerns us; `heard` is what all of them took, in order."""

    def __init__(self, tp: TP, heard: list[tuple[str, int]]) -> None:
        self.lock, self.parked = asyncio.Lock(), Parked()
        self.position, self.newest_ms, self.told_ms = 0, -1, -1
        self._tp, self._heard = tp, heard

    @property
    def taken(self) -> int:
        return self.parked.end if self.parked else self.position

    @property
    def due_ms(self) -> int:
        return max(self.newest_ms, self.parked.first_ms) if self.parked else self.newest_ms

    def park(self, chunk: Chunk) -> None:
        self.parked.add(chunk)

    async def advance(self, until_ms: int) -> bool:
        piece = self.parked.piece(until_ms)
        if piece is None:
            return False
        for record in piece.records:
            at = msgspec.json.decode(record.value or b"")["event_time"]
            self.newest_ms = max(self.newest_ms, at)
            self._heard.append((self._tp.topic, at))
        self.position = piece.end
        self.told_ms = self.newest_ms
        return True

    async def snapshot(self, now_ms: int) -> int:
        return self.position


class Worker:
    """Two sources; `ends` is where their logs end."""

    def __init__(self, **ends: int) -> None:
        self.heard: list[tuple[str, int]] = []
        self.now_ms = 0
        self.ends = {TP(topic, 0): end for topic, end in ends.items()}
        self.ready = asyncio.Event()
        self.ready.set()
        made: dict[TP, Stage] = {}

        async def build(tp: TP, generation: int) -> Stage:
            await self.ready.wait()
            return made.setdefault(tp, Stage(tp, self.heard))

        self.stages: Stages[Any] = Stages(build, settle=lambda tp, offset: None)
        self.aligning = Aligning(
            cast("Stages[SourceStage]", self.stages),
            waits=lambda tp, taken: self.ends[tp] > taken, clock_ms=lambda: self.now_ms,
        )  # fmt: skip
        self.stages.assign(self.ends, generation=1)

    async def takes(self, tp: TP, start: int, instants: Sequence[int]) -> None:
        stage = await self.stages.get(tp)
        assert stage is not None
        async with stage.lock:
            await self.aligning.chunk(stage, chunk(tp, start, instants))

    async def until(self, done: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.aligning.run())
        try:
            async with asyncio.timeout(5):
                while not done():
                    await asyncio.sleep(0.01)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def hours(count: int, *, by: int = 1) -> list[int]:
    """Instants of so many hours, one a minute."""
    return list(range(0, count * HOUR_MS, by * 60_000))


async def test_a_source_that_is_hours_ahead_waits_for_the_slow_one() -> None:
    worker = Worker(orders=4_320, reviews=4_320)
    await worker.stages.get(REVIEWS)
    await worker.takes(ORDERS, 0, hours(72))
    assert worker.heard == []  # nobody knows yet where reviews begin
    assert worker.aligning.holds(ORDERS)
    assert not worker.aligning.holds(REVIEWS)
    await worker.takes(REVIEWS, 0, hours(72))
    await worker.until(lambda: len(worker.heard) == 2 * 4_320)
    ahead, newest = 0, {"orders": 0, "reviews": 0}
    for topic, at in worker.heard:
        newest[topic] = at
        ahead = max(ahead, abs(newest["orders"] - newest["reviews"]))
    assert ahead <= PIECE_RECORDS * 60_000 + AHEAD_MS
    assert not worker.aligning.holds(ORDERS)


async def test_where_nothing_waits_whatever_comes_is_taken_at_once() -> None:
    worker = Worker(orders=1, reviews=0)
    await worker.stages.get(REVIEWS)
    await worker.takes(ORDERS, 0, [HOUR_MS])
    worker.ends[REVIEWS] = 2
    await worker.takes(REVIEWS, 0, [5, 3 * HOUR_MS])
    assert [topic for topic, _ in worker.heard] == ["orders", "reviews", "reviews"]
    assert worker.aligning.told_ms() is None


async def test_a_source_with_no_more_in_its_log_holds_nobody_up() -> None:
    worker = Worker(orders=10, reviews=1)
    await worker.stages.get(ORDERS)
    await worker.takes(ORDERS, 0, [n * HOUR_MS for n in range(5)])
    await worker.takes(REVIEWS, 0, [0])
    await worker.until(lambda: len(worker.heard) == 6)
    await worker.takes(ORDERS, 5, [n * HOUR_MS for n in range(5, 10)])
    assert len(worker.heard) == 11


async def test_a_log_that_cannot_be_read_holds_nobody_up_for_ever() -> None:
    worker = Worker(orders=10, reviews=1)
    await worker.stages.get(REVIEWS)
    await worker.takes(ORDERS, 0, [n * HOUR_MS for n in range(10)])
    assert worker.heard == []
    assert worker.aligning.told_ms() == -1
    worker.now_ms = STALLED_MS
    await worker.until(lambda: len(worker.heard) == 10)
    assert worker.aligning.told_ms() is None


async def test_nothing_goes_on_before_all_is_taken_over() -> None:
    worker = Worker(orders=0, reviews=1)
    await worker.stages.get(REVIEWS)
    worker.stages.drop(ORDERS)
    worker.ready.clear()
    worker.stages.assign([REVIEWS, ORDERS], generation=2)
    await worker.takes(REVIEWS, 0, [HOUR_MS])
    assert (worker.heard, worker.aligning.told_ms()) == ([], -1)
    worker.ready.set()
    await worker.until(lambda: worker.heard == [("reviews", HOUR_MS)])


async def test_what_was_told_goes_as_far_as_the_slowest_of_those_that_wait() -> None:
    worker = Worker(orders=10, reviews=10)
    await worker.stages.get(ORDERS)
    await worker.takes(REVIEWS, 0, [5_000])
    assert worker.aligning.told_ms() == -1
    await worker.takes(ORDERS, 0, [7_000])
    await worker.until(lambda: len(worker.heard) == 2)
    assert worker.aligning.told_ms() == 5_000
