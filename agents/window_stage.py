"""Stage 2, windows, driven: one partition of deltas through `RollingWindows` to the store and the topic `windows`.

Decides how far the windows may move: with the newest event time of the fastest source, held back by one that lags hours
behind, and by a worker that has more lying ready; and with the wall clock once all are silent.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from agents.batches import NOBODY_SAID, Told, decode_delta_batch
from agents.claims import Fence, Source, decode_stamp
from agents.source_stage import RowWriter, Snapshots
from agents.transport.chunks import Chunk
from schemas.lines import window_line
from schemas.results import PANE_MS, WindowRow
from streams import window_pages
from streams.decisions import PROVISIONAL_MS
from streams.rows import window_rows
from streams.windows import MARGIN_PANES, RollingWindows

ROWS_AT_ONCE: Final = 2_000  # then the event loop has its turn
PANES_AT_ONCE: Final = 30  # then whoever waits for the lock: a snapshot, the end of the worker
# Windows can mend what lies within their margin; a source further behind than most of it holds them back.
MOST_AHEAD_MS: Final = MARGIN_PANES * PANE_MS * 5 // 6


class KeyedTopic(Protocol):
    """Where results are published; see `agents.publish.Publisher`."""

    async def add(self, key: bytes, value: bytes) -> None: ...
    async def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class WindowPorts:
    """Where a stage's results go."""

    writer: RowWriter
    snapshots: Snapshots
    topic: KeyedTopic


class EventTime:
    """How far event time has come, over all sources. All in ms; `now_ms` is the wall clock.

    A function of what was observed and of `now_ms`, also after `dump` and `event_time_of`.
    """

    def __init__(
        self, idle_ms: int, newest: Mapping[Source, int] | None = None, *, heard: Mapping[Source, int] | None = None,
        silent_since: int | None = None, told: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:  # fmt: skip
        self._idle_ms = idle_ms
        self.newest: dict[Source, int] = dict(newest or {})
        self._heard: dict[Source, int] = dict(heard or {})
        self._silent_since = silent_since
        self._told: dict[str, tuple[int, int]] = dict(told or {})  # of workers that lag: how far, and when they said so

    def observe(
        self, source: Source, newest_ms: int, *, now_ms: int, records: bool = True, told: Told = NOBODY_SAID
    ) -> None:
        """A source has come so far, and its worker has told so much of all of its.

        Without `records` it was its clock alone that spoke: a silent source is silent.
        """
        self.newest[source] = max(newest_ms, self.newest.get(source, -1))
        self._told = {worker: one for worker, one in self._told.items() if now_ms - one[1] < self._idle_ms}
        if told.to_ms is None:
            self._told.pop(told.worker, None)
        else:
            self._told[told.worker] = told.to_ms, now_ms
        if not records:
            return
        self._heard[source] = now_ms
        self._silent_since = now_ms

    def lags(self, now_ms: int) -> bool:
        """Whether a worker has more lying ready: what others told must wait for it."""
        return any(now_ms - said_ms < self._idle_ms for _, said_ms in self._told.values())

    def reached(self, now_ms: int, *, more: bool = False) -> int:
        """The event time that has been reached; -1 before any event.

        `more`: events are known to lie ready, so that silence is none: event time does not go on with the clock.
        """
        if not self.newest:
            return -1
        newest = max(self.newest.values())
        behind = [to_ms for to_ms, said_ms in self._told.values() if more or now_ms - said_ms < self._idle_ms]
        newest = min([newest, *behind])
        live = [self.newest[source] for source, heard in self._heard.items() if now_ms - heard < self._idle_ms]
        if live:
            return min(newest, min(live) + MOST_AHEAD_MS)
        if behind or more:
            return newest
        if self._silent_since is None:
            self._silent_since = now_ms
        # Nothing comes: event time goes on with the clock, so that windows empty and silences are seen.
        silent_ms = now_ms - self._silent_since
        return newest + (silent_ms if silent_ms >= self._idle_ms else 0)

    def dump(self) -> dict[str, Any]:
        """For a snapshot's root; `event_time_of` reads it back."""
        return {
            "newest": [[*source, at] for source, at in self.newest.items()],
            "heard": [[*source, at] for source, at in self._heard.items()],
            "silent_since": self._silent_since,
            "told": [[worker, *one] for worker, one in self._told.items()],
        }


class WindowStage:
    """One owned partition of deltas. Not for two tasks at once: callers hold `lock`."""

    def __init__(
        self, windows: RollingWindows, ports: WindowPorts, *, event_time: EventTime, fence: Fence, position: int
    ) -> None:
        self.lock = asyncio.Lock()
        self.windows = windows
        self.position = position
        self._ports = ports
        self._fence = fence
        self._event_time = event_time
        self._rows_ticket = 0
        self._more = True  # until we are told that there is not

    async def chunk(self, chunk: Chunk, *, now_ms: int) -> None:
        """Take batches; those that do not count, or were taken before the snapshot, change nothing."""
        for record in chunk.records:
            if record.offset < self.position:
                continue
            stamp = decode_stamp(record.headers)
            if self._fence.accepts(stamp):
                newest_ms, deltas, told = decode_delta_batch(record.value or b"")
                self.windows.add(deltas)
                spoke = stamp.mark.to > stamp.start
                self._event_time.observe(stamp.source, newest_ms, now_ms=now_ms, records=spoke, told=told)
        self.position = max(self.position, chunk.end)

    async def emit(self, now_ms: int, *, more: bool = False) -> bool:
        """Hand on windows that changed by now, of a few minutes at most; False where there are others.

        `more`: events are known to lie ready.
        """
        self._more = more
        reached_ms = self._event_time.reached(now_ms, more=more)
        if reached_ms < 0:
            return True
        reached = (reached_ms - PROVISIONAL_MS) // PANE_MS
        begun = self.windows.front if self.windows.front is not None else min(self.windows.pending, default=reached)
        rows: list[WindowRow] = []
        for batch in self.windows.advance(min(reached, begun + PANES_AT_ONCE)):
            rows += window_rows(batch, version=self.position)
            if len(rows) >= ROWS_AT_ONCE:
                await self._hand_on(rows)
                rows = []
        await self._hand_on(rows)
        return reached <= begun + PANES_AT_ONCE

    def reached(self, now_ms: int) -> int:
        """The event time that has been reached by now; -1 before any event."""
        return self._event_time.reached(now_ms)

    async def snapshot(self, now_ms: int) -> int:
        """Make everything up to the position safe; the offset that may then be committed.

        Windows that were not handed on yet are so by whoever loads it.
        """
        await self.emit(now_ms, more=self._more)
        await self._ports.topic.flush()
        await self._ports.writer.safe(self._rows_ticket)
        root = {"position": self.position, "fence": self._fence.dump(), **self._event_time.dump()}
        position = self.position
        await self._ports.snapshots.save(dict(window_pages.dump_dirty(self.windows)), root)
        return position

    async def _hand_on(self, rows: Sequence[WindowRow]) -> None:
        if rows:
            self._rows_ticket = await self._ports.writer.write(rows)
            for row in rows:
                await self._ports.topic.add(row.value.encode(), window_line(row))
            await self._ports.topic.flush()
            await asyncio.sleep(0)


def event_time_of(root: Mapping[str, Any], idle_ms: int) -> EventTime:
    """The event time that a snapshot's root holds."""
    newest, heard = (
        {(topic, partition): at for topic, partition, at in root[name]} for name in ("newest", "heard")
    )  # fmt: skip
    told = {worker: (to_ms, said_ms) for worker, to_ms, said_ms in root.get("told", ())}
    return EventTime(idle_ms, newest, heard=heard, silent_since=root["silent_since"], told=told)
