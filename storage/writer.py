"""Carries rows to ClickHouse in batches while the event loop stays free, and knows what is safe.

Safe means: in ClickHouse, or on disk in the spool. Only then may a Kafka offset be committed past a row.
Rows wait in memory until they are many or old enough; a batch is one insert a table. What fails for a while
is tried again, then goes to the spool, which is drained in order behind the scenes; while anything is in the
spool, new batches go behind it. A row that ClickHouse will not take is found by halving the batch and becomes
a dead letter. Where there is no room left, `write` waits: nothing is ever dropped.

All state lives in the event loop; each connection to ClickHouse, and the disk, is given one call at a time, in
threads of their own, so that no lock is needed and an insert that hangs does not keep rows from the disk.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from schemas.errors import PeakWatchError, TransientError
from schemas.instants import Clock
from storage.figures import Figures, State, WriterSnapshot
from storage.inserting import Inserter, Outcome, insert_block, keepable
from storage.rows import Block, Row, table_of, to_block, weight
from storage.spool import Spool

T = TypeVar("T")
Ticket = int  # a mark: everything handed in up to it


@dataclass(frozen=True, kw_only=True)
class WriterSettings:
    """When a batch goes out, how often a failure is tried again, and how much may wait; times in ms."""

    database: str = "peakwatch"
    batch_rows: int = 20_000
    batch_age_ms: int = 1_000
    pending_bytes: int = 64 << 20  # in memory; more makes `write` wait
    attempts: int = 4  # of an insert before the batch goes to the spool …
    give_up_ms: int = 10_000  # … or fewer, if they take so long
    backoff_ms: int = 200  # doubled each time up to the longest; drawn from its half to its whole
    longest_backoff_ms: int = 15_000


class _Handed(NamedTuple):
    mark: int
    at_ms: int
    rows: Sequence[Row]
    weight: int


class Writer:
    """Made and used inside one event loop: `start`, then `write` and `safe`, at the end `close`.

    After an error that is a bug (state `failed`), `write`, `safe` and `close` raise it: nothing more is
    promised safe.
    """

    def __init__(
        self,
        inserter: Inserter,
        spool: Spool,
        *,
        clock: Clock,
        more: Sequence[Inserter] = (),
        settings: WriterSettings | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """`more`: further connections, over which the tables of a batch are inserted side by side."""
        self._inserters = (inserter, *more)
        self._free: asyncio.Queue[Inserter] = asyncio.Queue()
        for each in self._inserters:
            self._free.put_nowait(each)
        self._spool = spool
        self._clock = clock
        self._settings = settings or WriterSettings()
        self._chance = chance or random.Random()
        self._state: State = "ok"
        self._figures = Figures()
        self._handed: deque[_Handed] = deque()
        self._storing: tuple[_Handed, ...] = ()
        self._mark = 0
        self._safe = 0
        self._pending_bytes = 0
        self._pending_rows = 0
        self._behind_since: int | None = None
        self._urgent = False
        self._closing = False
        self._error: BaseException | None = None
        self._moved = asyncio.Condition()
        self._clickhouse = ThreadPoolExecutor(len(self._inserters), "peakwatch-clickhouse")
        self._disk = ThreadPoolExecutor(1, "peakwatch-spool")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to work; what an earlier process left in the spool is drained first."""
        if self._spool.records:
            self._behind_since = self._clock.now_ms()
            self._state = "spooling"
        for work in (self._store_batches, self._drain_spool):
            self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def write(self, rows: Iterable[Row]) -> Ticket:
        """Hand rows in, of any types; waits while too much is pending. The ticket is for `safe`.

        The writer keeps the rows: they must not change. PermanentError for a row that belongs to no table.
        """
        kept = list(rows)
        by_type: dict[type, list[Row]] = {}
        for row in kept:
            by_type.setdefault(type(row), []).append(row)
        for group in by_type.values():
            table_of(group[0])
        if kept:
            await self._wait_for(lambda: self._pending_bytes < self._settings.pending_bytes)
            self._mark += 1
        now_ms = self._clock.now_ms()
        for group in by_type.values():
            size = weight(group)
            self._handed.append(_Handed(self._mark, now_ms, group, size))
            self._pending_bytes += size
            self._pending_rows += len(group)
        await self._tell()
        return self._mark

    async def safe(self, ticket: Ticket) -> None:
        """Return when everything handed in up to the ticket is in ClickHouse or on disk."""
        await self._wait_for(lambda: self._safe >= ticket)

    async def flush(self) -> None:
        """Store at once what is pending, without waiting for the batch to fill or age; return when it is
        safe.
        """
        self._urgent = bool(self._handed)
        await self._tell()
        await self.safe(self._mark)

    async def close(self) -> None:
        """Make safe all that was handed in, stop, and let go of ClickHouse and the spool. What is spooled
        stays.
        """
        self._closing = True
        await self._tell()
        try:
            await self._wait_for(lambda: self._safe >= self._mark)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for _ in self._inserters:  # each is free once the call that it is in has ended
                await self._in(self._clickhouse, (await self._free.get()).close)
            await self._in(self._disk, self._spool.close)
            self._clickhouse.shutdown(wait=False)
            self._disk.shutdown(wait=False)
            if self._state != "failed":
                self._state = "closed"

    def snapshot(self) -> WriterSnapshot:
        """The figures as they are now; cheap."""
        now_ms, figures = self._clock.now_ms(), self._figures
        waiting = self._storing[:1] or tuple(self._handed)[:1]
        return WriterSnapshot(
            state=self._state,
            rows=dict(figures.rows),
            batches=figures.batches,
            retries=figures.retries,
            refused=dict(figures.refused),
            spooled_rows=figures.spooled_rows,
            pending_bytes=self._pending_bytes,
            pending_rows=self._pending_rows,
            oldest_pending_ms=now_ms - waiting[0].at_ms if waiting else 0,
            spool_records=self._spool.records,
            spool_bytes=self._spool.size_bytes,
            spool_age_ms=0 if self._behind_since is None else now_ms - self._behind_since,
            spool_damaged=self._spool.damaged,
            insert_ms=figures.insert_ms,
            last_error=figures.last_error,
            batch_rows=figures.batch_rows,
            insert_s=figures.insert_s,
            delay_s=figures.delay_s,
        )

    # Batches

    async def _store_batches(self) -> None:
        while True:
            async with self._moved:
                await self._moved.wait_for(lambda: bool(self._handed))
            await self._until_due()
            self._storing = self._take()
            await self._store(await self._in(self._disk, _blocks, self._storing))
            self._finish()
            await self._tell()

    async def _store(self, blocks: Iterable[Block]) -> None:
        """Make the tables of a batch safe side by side; the next batch of a table comes after this one."""
        try:
            async with asyncio.TaskGroup() as group:
                for block in blocks:
                    group.create_task(self._make_safe(block))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _until_due(self) -> None:
        """Wait until the batch is full, old enough or wanted at once."""

        def due() -> bool:
            rows = sum(len(handed.rows) for handed in self._handed)
            half = self._pending_bytes * 2 >= self._settings.pending_bytes
            return self._urgent or self._closing or half or rows >= self._settings.batch_rows

        left = self._handed[0].at_ms + self._settings.batch_age_ms - self._clock.now_ms()
        if left <= 0 or due():
            return
        ageing = asyncio.ensure_future(self._clock.sleep(left))
        filling = asyncio.ensure_future(self._wait_for(due))
        try:
            await asyncio.wait((ageing, filling), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in (ageing, filling):
                waiter.cancel()
            await asyncio.gather(ageing, filling, return_exceptions=True)

    def _take(self) -> tuple[_Handed, ...]:
        """The oldest rows, cut between two marks where the batch is full."""
        taken: list[_Handed] = []
        rows = 0
        while self._handed:
            if rows >= self._settings.batch_rows and self._handed[0].mark != taken[-1].mark:
                break
            taken.append(self._handed.popleft())
            rows += len(taken[-1].rows)
        if not self._handed:
            self._urgent = False
        return tuple(taken)

    def _finish(self) -> None:
        self._safe = self._storing[-1].mark
        self._pending_bytes -= sum(handed.weight for handed in self._storing)
        self._pending_rows -= sum(len(handed.rows) for handed in self._storing)
        self._storing = ()

    async def _make_safe(self, block: Block) -> None:
        """Into ClickHouse or, while it is down or behind, into the spool; waits for as long as neither has
        room.
        """
        waits = 0
        while True:
            if not self._spool.records and await self._insert(block, attempts=self._settings.attempts):
                break
            try:
                await self._keep(block)
                break
            except TransientError as error:
                self._state = "blocked"
                self._figures.last_error = str(error)
                self._figures.retries += 1
                await self._clock.sleep(self._backoff(waits))
                waits += 1
        if not self._spool.records:
            self._state = "ok"

    async def _keep(self, block: Block) -> None:
        good, letters = await self._in(self._disk, keepable, block, self._clock.now_ms())
        self._figures.turned_away(block.table, letters)
        blocks = [part for part in (good, letters) if part]
        await self._in(self._disk, self._spool.append, blocks)
        self._figures.spooled_rows += sum(len(part) for part in blocks)
        if self._behind_since is None:
            self._behind_since = self._clock.now_ms()
        self._state = "spooling"
        await self._tell()

    async def _drain_spool(self) -> None:
        waits = 0
        while True:
            block = await self._in(self._disk, self._spool.oldest)
            if block is None:
                self._behind_since = None
                if self._state in ("spooling", "retrying"):
                    self._state = "ok"
                waits = 0
                async with self._moved:
                    await self._moved.wait_for(lambda: self._spool.records > 0)
                continue
            if await self._insert(block, attempts=1):
                await self._in(self._disk, self._spool.drop)
                waits = 0
            else:
                await self._clock.sleep(self._backoff(waits))
                waits += 1

    # One block

    async def _insert(self, block: Block, *, attempts: int) -> bool:
        """Whether the block is in ClickHouse (its bad rows as dead letters), after so many attempts."""
        first_ms = self._clock.now_ms()
        for attempt in range(attempts):
            started_ms = self._clock.now_ms()
            try:
                outcome = await self._call(block, started_ms)
            except PeakWatchError as error:
                # Also what no retry mends by itself, such as a missing table: people can mend it, and rows
                # must wait.
                self._figures.last_error = str(error)
                self._figures.retries += 1
                if self._state == "ok":
                    self._state = "retrying"
                late = self._clock.now_ms() - first_ms >= self._settings.give_up_ms
                if not isinstance(error, TransientError) or late or attempt + 1 == attempts:
                    return False
                await self._clock.sleep(self._backoff(attempt))
                continue
            now_ms = self._clock.now_ms()
            self._figures.stored(outcome, insert_ms=now_ms - started_ms)
            self._figures.arrived(block, now_ms=now_ms)
            return True
        return False

    async def _call(self, block: Block, now_ms: int) -> Outcome:
        """One insert over a connection that is free; one that is cancelled frees it when it has ended."""
        inserter = await self._free.get()
        call = asyncio.get_running_loop().run_in_executor(
            self._clickhouse, insert_block, inserter, self._settings.database, block, now_ms
        )
        call.add_done_callback(lambda done: self._free.put_nowait(inserter))
        return await asyncio.shield(call)

    def _backoff(self, waits: int) -> int:
        longest = min(self._settings.backoff_ms << min(waits, 20), self._settings.longest_backoff_ms)
        return round(longest * self._chance.uniform(0.5, 1.0))

    # Plumbing

    async def _in(self, executor: ThreadPoolExecutor, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, call, *arguments)

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def _wait_for(self, ready: Callable[[], bool]) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._error is not None or ready())
        if self._error is not None:
            raise self._error

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """The outermost loop of a task: what it did not expect is kept for everybody who waits, not
        swallowed.
        """
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # handed to every waiter
            self._error = error
            self._state = "failed"
            self._figures.last_error = f"{type(error).__name__}: {error}"
            await self._tell()


def _blocks(handed: Sequence[_Handed]) -> list[Block]:
    """One block a table, the rows in the order in which they were handed in."""
    by_type: dict[type, list[Row]] = {}
    for part in handed:
        by_type.setdefault(type(part.rows[0]), []).extend(part.rows)
    return [to_block(rows) for rows in by_type.values()]
