"""The stages that this worker owns: taken over when a partition is assigned, made safe and let go when it is revoked.

Decides when a stage is built, flushed and snapshotted; what a stage does is its own module's business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final, Generic, Protocol, TypeVar

from faust.types import TP

CANCEL_AGAIN_S: Final = 0.5  # aiokafka now and then takes its caller's cancellation for one of its own, and goes on


class Stage(Protocol):
    """What every stage has."""

    lock: asyncio.Lock
    position: int

    async def snapshot(self, now_ms: int) -> int | None: ...


S = TypeVar("S", bound=Stage)


class Stages(Generic[S]):
    """Stages of one kind, by partition. `build` takes a partition over, for a generation of the group."""

    def __init__(
        self, build: Callable[[TP, int], Awaitable[S]], *, settle: Callable[[TP, int], object],
        taken: Callable[[S], int] = lambda stage: stage.position,
        unsaved: Callable[[S], bool] = lambda stage: False,
    ) -> None:  # fmt: skip
        """`taken`: up to which offset a stage was handed its log, where it may wait before it goes there.

        `unsaved`: whether a stage did something since its snapshot that its position does not tell of.
        """
        self._build = build
        self.taken = taken
        self._unsaved = unsaved
        self._settle = settle
        self._building: dict[TP, asyncio.Task[S]] = {}
        self._ending: set[asyncio.Task[S]] = set()  # cancelled before the stage was built
        self._leaving: set[TP] = set()
        self._settled: dict[TP, int] = {}
        self._standing: dict[TP, tuple[int, int]] = {}  # a position, and how often in a row it was found there

    def assign(self, tps: Iterable[TP], *, generation: int) -> None:
        """Begin to take partitions over; those that are not among them are ours no more."""
        wanted = set(tps)
        for tp in [tp for tp in self._building if tp not in wanted]:
            self.drop(tp)
        for tp in wanted - self._building.keys():
            self._building[tp] = asyncio.create_task(self._made(tp, generation))

    async def get(self, tp: TP) -> S | None:
        """The stage of a partition, once it is taken over; raises what taking it over raised.

        None where the partition is not ours, or no more: to claim it now would silence whoever owns it.
        """
        task = self._building.get(tp)
        if task is None:
            return None
        await asyncio.wait([task])
        return None if task.cancelled() or self._building.get(tp) is not task else task.result()

    def owns(self, tp: TP, stage: S) -> bool:
        """Whether a stage may go on: ask with its lock held, for while one waits for that a partition may be revoked.

        What it did after its last save, whoever takes the partition over would do again.
        """
        task = self._building.get(tp)
        if task is None or tp in self._leaving or not task.done() or task.cancelled():
            return False
        return task.exception() is None and task.result() is stage

    def ready(self) -> Iterator[tuple[TP, S]]:
        """The stages that can be asked; raises what taking one over raised."""
        for tp, task in list(self._building.items()):
            if task.done() and not task.cancelled():
                yield tp, task.result()

    def standing(self) -> Iterator[tuple[TP, S]]:
        """The stages that can be asked; one that could not be taken over is left out."""
        for tp, task in list(self._building.items()):
            if task.done() and not task.cancelled() and task.exception() is None:
                yield tp, task.result()

    def awaited(self) -> list[TP]:
        """Partitions that are being taken over."""
        return [tp for tp, task in self._building.items() if not task.done()]

    def saved(self, tp: TP) -> int:
        """Up to which offset a partition's stage is safe; 0 where it is not ours."""
        return self._settled.get(tp, 0)

    def overlooked(self, delivered: Callable[[TP], int | None]) -> Iterator[tuple[TP, int]]:
        """Partitions that stand still though more was delivered, and where; ask at even intervals.

        Faust drops what comes between an assignment and the moment when we hear of it. Where more records follow, the
        gap before those shows it; where none do, this does. One that only waits is named ever more rarely.
        """
        for tp, stage in self.ready():
            at, times = self._standing.get(tp, (-1, 0))
            taken = self.taken(stage)
            times = times + 1 if at == taken and not stage.lock.locked() else 0
            self._standing[tp] = (taken, times)
            end = delivered(tp)
            if end is not None and end > taken and times.bit_count() == 1:
                yield tp, taken

    async def snapshot(self, now_ms: int) -> None:
        """Make stages safe and let their offsets be committed; those where nothing came are left alone."""
        for tp, stage in list(self.ready()):
            async with stage.lock:
                if self.owns(tp, stage):
                    await self._save(tp, stage, now_ms)

    async def release(self, now_ms: int, tps: Iterable[TP] | None = None) -> None:
        """Make the stages of these partitions safe, or of all, and let them go.

        From its save on a stage takes nothing more. Until the last is safe all of them stand: how far the sources have
        told is a figure of them together. One that another call is letting go is waited for, and so is what was being
        taken over: nothing is written from here on.
        """
        ours = set(self._building) if tps is None else self._building.keys() & set(tps)
        made = list(self.ready())
        self._leaving |= ours - {tp for tp, _ in made}  # what is taken over meanwhile begins nothing
        for tp, stage in made:
            if tp in ours:
                async with stage.lock:
                    if self.owns(tp, stage):
                        await self._save(tp, stage, now_ms)
                        self._leaving.add(tp)
        for tp in ours:
            self.drop(tp)
        await self._ended()

    async def _save(self, tp: TP, stage: S, now_ms: int) -> None:
        if self._settled.get(tp) == stage.position and not self._unsaved(stage):
            return
        safe = await stage.snapshot(now_ms)
        if safe is not None:
            self._settled[tp] = safe
            self._settle(tp, safe)

    def drop(self, tp: TP) -> None:
        """Let a partition go, as it is."""
        task = self._building.pop(tp, None)
        self._leaving.discard(tp)
        self._settled.pop(tp, None)
        self._standing.pop(tp, None)
        if task is not None and not task.done():
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _ended(self) -> None:
        while self._ending:
            _, late = await asyncio.wait(self._ending, timeout=CANCEL_AGAIN_S)
            for task in late:
                task.cancel()

    async def _made(self, tp: TP, generation: int) -> S:
        await self._ended()  # a claim of before would undo ours
        stage = await self._build(tp, generation)
        if self._building.get(tp) is asyncio.current_task():
            self._settled[tp] = stage.position
        return stage
