"""Stage 2, deciding, driven: the one partition of facts through `Decisions` to the topic `alerts`."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from agents.batches import decode_fact_batch
from agents.claims import Fence, decode_stamp
from agents.source_stage import Snapshots
from agents.transport.chunks import Chunk
from agents.window_stage import EventTime, KeyedTopic
from schemas.lines import alert_line
from schemas.results import Alert
from streams.decisions import Decisions


@dataclass(frozen=True, slots=True)
class DecisionPorts:
    """Where alerts go."""

    snapshots: Snapshots
    topic: KeyedTopic


class DecisionStage:
    """The decisions' partition. Not for two tasks at once: callers hold `lock`."""

    def __init__(
        self, decisions: Decisions, ports: DecisionPorts, *, event_time: EventTime, fence: Fence, position: int
    ) -> None:
        self.lock = asyncio.Lock()
        self.decisions = decisions
        self.position = position
        self._ports = ports
        self._fence = fence
        self._event_time = event_time

    async def chunk(self, chunk: Chunk, *, now_ms: int) -> None:
        """Take facts; those that do not count, or were taken before the snapshot, change nothing."""
        for record in chunk.records:
            if record.offset < self.position:
                continue
            stamp = decode_stamp(record.headers)
            if self._fence.accepts(stamp):
                newest_ms, facts = decode_fact_batch(record.value or b"")
                self._event_time.observe(stamp.source, newest_ms, now_ms=now_ms, records=stamp.mark.to > stamp.start)
                reached_ms = self._event_time.reached(now_ms)
                await self._tell(self.decisions.feed(facts, newest_ms=reached_ms, source=stamp.source))
        self.position = max(self.position, chunk.end)

    async def tick(self, now_ms: int) -> None:
        """Decide on what the passing of time alone brings: silence, an incident's end."""
        reached_ms = self._event_time.reached(now_ms)
        if reached_ms >= 0:
            await self._tell(self.decisions.advance(reached_ms))

    async def snapshot(self, now_ms: int) -> int:
        """Make everything up to the position safe; the offset that may then be committed."""
        position = self.position
        newest = [[topic, partition, at] for (topic, partition), at in self._event_time.newest.items()]
        root = {"position": position, "fence": self._fence.dump(), "newest": newest}
        await self._ports.snapshots.save(dict(self.decisions.dump()), root)
        return position

    async def _tell(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            await self._ports.topic.add(alert.alert_id.encode(), alert_line(alert))
        await self._ports.topic.flush()
