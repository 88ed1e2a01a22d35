"""Stage 1, driven: one source partition's chunks through `streams.source.Source`, and what comes of them to the
store and to the next stage.

Decides in which order things become safe: batches before the snapshot, raw rows and snapshot before the offset.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from zlib import crc32

from agents.batches import NOBODY_SAID, Told, encode_delta_batch, encode_fact_batch
from agents.broker import Partition
from agents.claims import Mark
from agents.parked import Parked
from agents.takeover import Outputs, encode_journals
from agents.transport.chunks import Chunk
from schemas.lines import dead_letter_line
from schemas.results import DeadLetter
from schemas.topics import DEAD_LETTERS, TICKETS
from sla.policy import Policy
from sla.promises import Promises
from storage.rows import Row
from streams.dimensions import Key
from streams.facts import Facts
from streams.intake import Record
from streams.panes import Deltas, merge_deltas
from streams.source import Source

FORECAST_MS: Final = 30_000  # how often the clocks that will breach are counted
# A batch between the stages is one message, and a broker takes 1 MB: what comes of so many bytes of records, or of so
# long a time, is sent before more is read. After an outage there is much of both.
GATHERED_BYTES: Final = 262_144
STEP_MS: Final = 60_000
MOST_STEPS: Final = 100
FOREVER_MS: Final = 1 << 62


class RowWriter(Protocol):
    """The store; see `storage.writer.Writer`."""

    async def write(self, rows: Sequence[Row]) -> int: ...
    async def safe(self, ticket: int) -> None: ...


class Snapshots(Protocol):
    """Pages with an atomic root; see `agents.pagestore`."""

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class SourcePorts:
    """Where a stage's results go."""

    outputs: Outputs
    windows: tuple[Partition, ...]  # the windows' partitions; each gets what touches keys that it owns
    decisions: Partition
    writer: RowWriter
    snapshots: Snapshots
    send: Callable[[str, bytes, bytes], Awaitable[None]]  # topic, key, value; awaits the broker
    watch: Callable[[Facts], None] = lambda facts: None  # is shown what came of each chunk and tick
    told: Callable[[], Told] = lambda: NOBODY_SAID  # how far the worker has told of all its sources
    lags: Callable[[], bool] = lambda: False  # whether more of this one lies ready


class SourceStage:
    """One owned partition. Not for two tasks at once: callers hold `lock`."""

    def __init__(
        self, source: Source, ports: SourcePorts, *, position: int, tick_ms: int, version: str = ""
    ) -> None:  # fmt: skip
        """`position`, `tick_ms`: what the source's state stands for. `version`: of the configuration."""
        self.lock = asyncio.Lock()
        self.source = source
        self.position = position
        self._ports = ports
        self._tick_ms = tick_ms
        self._sent_to = position
        self._facts = Facts()
        self._deltas: list[Deltas] = []
        self._letters: list[DeadLetter] = []
        self._gathered_bytes = 0
        self._rows_ticket = 0
        self._forecast_at = 0
        self.version = version
        self.parked = Parked()
        self.told_ms = source.newest_ms  # the event time up to which everything was told
        # Until the last of these, what comes again may have counted in some output: flush at each exactly.
        marks = {mark for mark in ports.outputs.fences.values() if mark > Mark(position, tick_ms)}
        self._marks = sorted(marks)

    @property
    def taken(self) -> int:
        """The offset behind all that was handed to us."""
        return self.parked.end if self.parked else self.position

    @property
    def due_ms(self) -> int:
        """The event time that this source has come to, or is about to."""
        newest_ms = self.source.newest_ms
        return max(newest_ms, self.parked.first_ms) if self.parked else newest_ms

    async def chunk(self, chunk: Chunk, *, now_ms: int = 0) -> None:
        """Take records; those below the position were taken by whoever wrote the snapshot."""
        self.park(chunk)
        while await self.advance(FOREVER_MS):
            pass

    def park(self, chunk: Chunk) -> None:
        """Keep records until `advance` takes them; those that are known are left out."""
        rest = chunk.split(self.taken)[1] if chunk.start < self.taken else chunk
        if rest is not None:
            self.parked.add(rest)

    async def advance(self, until_ms: int) -> bool:
        """Take a piece of what is parked, if it begins no later than this in event time; whether it did."""
        rest = self.parked.piece(until_ms)
        if rest is None:
            return False
        while rest is not None:
            part, rest = self._until_mark(rest)
            while part is not None:
                piece, part = _cut(part, GATHERED_BYTES)
                await self._feed(piece)
                if self._gathered_bytes >= GATHERED_BYTES and not self._marks:
                    await self._send()
            await self._pass_marks()
        return True

    async def flush(self, now_ms: int) -> None:
        """Send what was gathered, and what the clock alone brought about, and wait for the broker."""
        await self._pass_marks()
        if self._marks:
            return  # what is gathered counts, in part, already: it must end at the mark
        # A step that lies ready may have stopped the clock: time passes with the log until that is read.
        if self.source.intake.topic == TICKETS and not self._ports.lags():
            for tick_ms in self._steps(now_ms):
                self._tick(tick_ms)
                await self._send()
            self._tick(now_ms)
        await self._send()

    async def snapshot(self, now_ms: int) -> int | None:
        """Make everything up to the position safe; the offset that may then be committed. None: not yet."""
        await self.flush(now_ms)
        if self._marks:
            return None
        position = self.position
        pages = dict(self.source.dump_dirty())
        await self._ports.writer.safe(self._rows_ticket)
        journals = encode_journals(self._ports.outputs.journals)
        root = {"position": position, "tick_ms": self._tick_ms, "journals": journals}
        await self._ports.snapshots.save(pages, root)
        return position

    async def reconfigure(self, policies: Iterable[Policy] | Promises, *, version: str, now_ms: int) -> bool:
        """Give new tickets their clocks by other policies from this place of the log on; False: not yet.

        The state is saved first: what lies before is never read again under the new ones.
        """
        if await self.snapshot(now_ms) is None:
            return False
        self.source.desk.watch.reload(policies)
        self.version = version
        return True

    def _steps(self, now_ms: int) -> range:
        """Instants on the clock's way to now, where that is long: what falls due on it would be too much at once."""
        behind_ms = max(self._tick_ms, self.source.newest_ms)
        return range(behind_ms + STEP_MS, now_ms, max(STEP_MS, (now_ms - behind_ms) // MOST_STEPS))

    def _until_mark(self, chunk: Chunk) -> tuple[Chunk | None, Chunk | None]:
        return chunk.split(self._marks[0].to) if self._marks else (chunk, None)

    async def _pass_marks(self) -> None:
        """Where a mark is reached: bring the clock there, and send what some output may lack."""
        while self._marks and self.position >= self._marks[0].to:
            mark = self._marks.pop(0)
            self._tick(mark.tick_ms)
            await self._send(mark)

    async def _feed(self, part: Chunk) -> None:
        facts = self.source.feed(
            [Record(record.offset, record.timestamp, record.value or b"") for record in part.records]
        )
        self.position = part.end
        self._gathered_bytes += sum(len(record.value or b"") for record in part.records)
        self._gather(facts)
        self._letters += facts.dead_letters
        self._rows_ticket = await self._ports.writer.write(
            [
                *facts.reviews,
                *facts.complaints,
                *facts.tickets,
                *facts.orders,
                *facts.clocks,
                *facts.dead_letters,
            ]
        )

    def _tick(self, now_ms: int) -> None:
        self._tick_ms = max(self._tick_ms, now_ms)
        facts = self.source.tick(self._tick_ms)
        if now_ms - self._forecast_at >= FORECAST_MS and self.source.intake.topic == TICKETS:
            self._forecast_at = now_ms
            facts.forecast = self.source.forecast(now_ms)
        self._gather(facts)

    def _gather(self, facts: Facts) -> None:
        self._ports.watch(facts)
        self._facts.extend(facts)
        if facts.deltas:
            self._deltas.append(facts.deltas)

    async def _send(self, mark: Mark | None = None) -> None:
        facts, self._facts = self._facts, Facts()
        letters, self._letters, self._gathered_bytes = self._letters, [], 0
        facts.deltas, self._deltas = merge_deltas(self._deltas), []
        for letter in letters:  # before the batch that passes them by
            await self._ports.send(DEAD_LETTERS, letter.topic.encode(), dead_letter_line(letter))
        if self.position == self._sent_to and not facts and mark is None:
            return
        reached = mark or Mark(self.position, self._tick_ms)
        outputs, start = self._ports.outputs, self._sent_to
        newest_ms = self.told_ms = self.source.newest_ms
        self._sent_to = self.position
        told = self._ports.told()
        for output in self._ports.windows:
            batch = encode_delta_batch(newest_ms, facts.deltas, told=told)
            await outputs.send(output, batch, start=start, mark=reached)
        batch = encode_fact_batch(newest_ms, facts, told=told)
        await outputs.send(self._ports.decisions, batch, start=start, mark=reached)
        await outputs.flush()


def _cut(chunk: Chunk, most_bytes: int) -> tuple[Chunk, Chunk | None]:
    """A first part of at most so many bytes, or of one record, and the rest."""
    size = 0
    for record in chunk.records:
        size += len(record.value or b"")
        if size > most_bytes and record.offset > chunk.first:
            before, rest = chunk.split(record.offset)
            assert before is not None
            return before, rest
    return chunk, None


def owned_by(partition: int, partitions: int) -> Callable[[Key], bool]:
    """Which keys a partition of the windows' topic owns; the same on every machine."""
    return lambda key: crc32(f"{key[0]}\0{key[1]}".encode()) % partitions == partition
