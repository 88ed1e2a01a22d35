"""Where one partition stands: what was fetched, what was delivered to the agent, what of it is safe. Pure.

Two promises. What is delivered has no gap: records that were fetched and then lost on the way (a paused
partition, a suspended flow, a cancelled fetch) are fetched again. What is committed is settled: the ledger
never gives an offset below which something delivered is not safe yet. A position may rewind; it never jumps.

Memory: two integers a chunk that was delivered and not settled; never its records.
"""

from collections import deque
from collections.abc import Sequence

from agents.transport.chunks import Chunk, Record, cut


class Delivery:
    """That a chunk was handed over; `done` when the agent acknowledged it as a whole."""

    __slots__ = ("done", "end")

    def __init__(self, end: int) -> None:
        self.end = end
        self.done = False


class Ledger:
    """The positions of one partition, from one assignment or seek to the next."""

    def __init__(self, topic: str, partition: int, *, at: int | None = None) -> None:
        self.topic = topic
        self.partition = partition
        self.round = 0  # how often it was rewound
        self._settled = 0
        self._pending: deque[Delivery] = deque()
        self._fetched = at  # None: wherever the first fetch begins
        self._delivered = at
        self._gap_at: int | None = None
        self._sure = True  # that the consumer is where we think it is

    @property
    def delivered(self) -> int | None:
        """The offset after the last record delivered; None before the first."""
        return self._delivered

    @property
    def fetched_to(self) -> int | None:
        """The offset after the last record fetched, delivered or not; None before the first."""
        return self._fetched

    @property
    def unsettled(self) -> int:
        """Chunks delivered and not settled."""
        return len(self._pending)

    def rewind(self, to: int | None) -> None:
        """The consumer was put at `to` (None: unknown); earlier deliveries count no more."""
        self.round += 1
        self._fetched = self._delivered = to
        self._gap_at = None
        self._sure = True
        self._settled = 0
        self._pending.clear()

    def lost(self) -> None:
        """A fetch was cut short: what it brought, if anything, was not seen."""
        self._sure = False

    def behind(self) -> int | None:
        """Between two fetches: the offset to seek to when something fetched was not delivered, else None."""
        if self._delivered is None or (self._sure and self._fetched == self._delivered):
            return None
        return self._again_from(self._delivered)

    def fetched(self, records: Sequence[Record], *, max_records: int) -> list[Chunk] | int:
        """What to deliver of the records just fetched, or an offset to seek to before fetching again."""
        if (offset := self.behind()) is not None:
            return offset
        if not records:
            return []
        if self._fetched is None or self._delivered is None:
            self._fetched = self._delivered = records[0].offset
        if records[0].offset < self._fetched:
            fetched = self._fetched
            records = [record for record in records if record.offset >= fetched]
            if not records:
                return []
        elif records[0].offset > self._fetched and self._gap_at != self._fetched:
            # Compaction and transactions leave holes; records lost on a way that we do not know of would look
            # the same. Ask once more: a hole is still there then.
            self._gap_at = self._fetched
            return self._again_from(self._fetched)
        chunks = list(
            cut(
                records,
                topic=self.topic,
                partition=self.partition,
                start=self._fetched,
                max_records=max_records,
                round=self.round,
            )
        )
        self._fetched = chunks[-1].end
        return chunks

    def deliver(self, chunk: Chunk, delivery: Delivery) -> bool:
        """Whether the chunk is the one that comes next; if not it must be dropped, and is fetched again."""
        if chunk.start != self._delivered:
            return False
        self._pending.append(delivery)
        self._delivered = chunk.end
        return True

    def settle(self, offset: int) -> None:
        """All that records below `offset` led to is safe; it may lie within a chunk."""
        self._settled = max(self._settled, offset)

    def committable(self) -> int | None:
        """The offset that may be committed, None while there is none."""
        pending = self._pending
        while pending and (pending[0].done or pending[0].end <= self._settled):
            self._settled = max(self._settled, pending.popleft().end)
        if not self._settled or self._delivered is None:
            return None
        return min(self._settled, self._delivered)

    def _again_from(self, offset: int) -> int:
        self._fetched = offset
        self._sure = True
        return offset
