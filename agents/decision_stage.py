"""Stage 2, deciding, driven: the one partition of facts, actions and passing time through `Decisions` to the alerts.

All that is decided is a function of that one log: when a record was written is its own timestamp, and time that passes
without records is written into the log before anything is decided by it. So whoever reads the log again, from whatever
snapshot, tells the same alerts under the same ids.

The SLA ledger is written from here too: when a clock's time is up depends on the clock of whoever read the ticket, and
only what counts in this log was told by all of them alike.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from agents.batches import decode_fact_batch, encode_held
from agents.broker import Partition
from agents.claims import Fence, Mark, Stamp, decode_stamp
from agents.source_stage import RowWriter, Snapshots
from agents.takeover import Outputs
from agents.transport.chunks import Chunk
from agents.window_stage import EventTime, KeyedTopic
from alerts.actions import decode_action, row_of
from schemas.lines import alert_line
from schemas.results import PANE_MS, Alert, PeakPhase
from schemas.topics import ACTIONS, CLOCK
from streams.decisions import Decisions
from streams.facts import Facts
from streams.holding import Holding
from streams.panes import pane_of
from streams.tickets import ledger_line

HELD: Final = "held"  # the page of facts that wait


@dataclass(frozen=True, slots=True)
class DecisionPorts:
    """Where alerts go, and what was made of actions. `clock`: where passing time is written, as a source of our log."""

    clock: Outputs
    decisions: Partition
    writer: RowWriter
    snapshots: Snapshots
    topic: KeyedTopic
    watch: Callable[[Sequence[Alert]], None] = lambda alerts: None  # is shown what the topic has


class DecisionStage:
    """The decisions' partition. Not for two tasks at once: callers hold `lock`."""

    def __init__(
        self, decisions: Decisions, ports: DecisionPorts, *, event_time: EventTime, fence: Fence, position: int,
        shown: Callable[[int], int] = lambda ms: ms, version: str = "", holding: Holding | None = None,
    ) -> None:  # fmt: skip
        """`shown`: what the workers' clock shows at an instant of the machine's. `version`: of the configuration."""
        self.lock = asyncio.Lock()
        self.decisions = decisions
        self.position = position
        self._ports = ports
        self._fence = fence
        self._event_time = event_time
        self._holding = Holding() if holding is None else holding
        self._shown = shown
        self._reached_ms = -1  # as the log has it
        self._rows_ticket = 0
        self.version = version
        self._unplanned: list[PeakPhase] = []  # what the store has of peaks that nobody planned

    async def chunk(self, chunk: Chunk, *, now_ms: int) -> None:
        """Take facts; those that do not count, or were taken before the snapshot, change nothing."""
        for record in chunk.records:
            if record.offset < self.position:
                continue
            stamp = decode_stamp(record.headers)
            if not self._fence.accepts(stamp):
                continue
            if stamp.source[0] == ACTIONS:
                await self._act(record.value or b"")
            elif stamp.source[0] == CLOCK:
                self._reached_ms = max(self._reached_ms, stamp.mark.tick_ms)
                await self._pass(stamp.mark.tick_ms, now_ms=self._shown(record.timestamp))
            else:
                await self._feed(stamp, record.value or b"", written_ms=self._shown(record.timestamp))
        self.position = max(self.position, chunk.end)

    async def tick(self, now_ms: int, *, more: bool = False) -> None:
        """Let time pass in the log, where nothing else comes that would: silence, an incident's end are due by it.

        `more`: events are known to lie ready, which will.
        """
        reached_ms = -1 if more else self._event_time.reached(now_ms)
        if reached_ms >= self._reached_ms + PANE_MS:
            mark = Mark(0, reached_ms)
            await self._ports.clock.send(self._ports.decisions, b"", start=0, mark=mark)
            await self._ports.clock.flush()
            self._reached_ms = reached_ms
        unplanned = self.decisions.peak.watch.rows()
        if unplanned != self._unplanned:
            self._rows_ticket = await self._ports.writer.write(unplanned)
            self._unplanned = unplanned

    def reached(self, now_ms: int) -> int:
        """The event time that has been reached by now; -1 before any event."""
        return self._event_time.reached(now_ms)

    async def snapshot(self, now_ms: int) -> int:
        """Make everything up to the position safe; the offset that may then be committed."""
        position = self.position
        await self._ports.writer.safe(self._rows_ticket)
        root = {"position": position, "fence": self._fence.dump(), "config": self.version, **self._event_time.dump()}
        await self._ports.snapshots.save({**dict(self.decisions.dump()), HELD: encode_held(self._holding)}, root)
        return position

    async def reconfigure(self, decisions: Decisions, *, version: str, now_ms: int) -> bool:
        """Decide by other rules from this place of the log on.

        The state is saved first: what lies before is never decided again by the new ones, and whoever loads it under
        the new ones is where we are.
        """
        await self.snapshot(now_ms)
        changes = decisions.succeed(self.decisions)
        self.decisions, self.version = decisions, version
        await self.tell(changes)
        return True

    async def _feed(self, stamp: Stamp, batch: bytes, *, written_ms: int) -> None:
        newest_ms, facts, told = decode_fact_batch(batch)
        if facts.transitions:
            partition, version = stamp.source[1], stamp.mark.to
            lines = [ledger_line(transition, partition=partition, version=version) for transition in facts.transitions]
            self._rows_ticket = await self._ports.writer.write(lines)
        spoke = stamp.mark.to > stamp.start
        self._event_time.observe(stamp.source, newest_ms, now_ms=written_ms, records=spoke, told=told)
        reached_ms = self._event_time.reached(written_ms)
        self._reached_ms = max(self._reached_ms, reached_ms)
        if not self._holding and not self._event_time.lags(written_ms):
            self._holding.passed = max(self._holding.passed, pane_of(reached_ms))
            await self.tell(self.decisions.feed(facts, newest_ms=reached_ms, source=stamp.source))
            return
        self._holding.add(facts, stamp.source)
        await self._pass(reached_ms, now_ms=written_ms)
        if facts.forecast is not None:
            forecast = Facts(forecast=facts.forecast)
            await self.tell(self.decisions.feed(forecast, newest_ms=self._holding.passed_ms, source=stamp.source))

    async def _pass(self, reached_ms: int, *, now_ms: int) -> None:
        """Decide on what was held back, pane by pane, as far as every worker has told; on the rest if none lags."""
        lags = self._event_time.lags(now_ms)
        if lags:
            reached_ms = min(reached_ms, self._event_time.reached(now_ms))
        for pane, facts in self._holding.release(pane_of(reached_ms), whole=not lags):
            end_ms = (pane + 1) * PANE_MS - 1
            await self.tell(self.decisions.feed(facts, newest_ms=end_ms if lags else min(end_ms, reached_ms)))
        if not lags:
            await self.tell(self.decisions.advance(max(reached_ms, self._holding.passed_ms)))

    async def _act(self, message: bytes) -> None:
        """What a person did, at this place among the facts; after a restart the same comes of it at the same place."""
        action = decode_action(message)
        outcome = self.decisions.act(action)
        self._rows_ticket = await self._ports.writer.write([row_of(action, refused=outcome.refused)])
        await self.tell(outcome.alerts)

    async def tell(self, alerts: Iterable[Alert]) -> None:
        """Transitions to their topic; on return the broker has them."""
        told = []
        for alert in alerts:
            await self._ports.topic.add(alert.alert_id.encode(), alert_line(alert))
            told.append(alert)
        await self._ports.topic.flush()
        self._ports.watch(told)
