"""What an agent of a chunked topic sees: records of one partition, in the order of their offsets.

Decides how a chunk is cut; when it is delivered and what may be committed is left to `ledger`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from faust.serializers.schemas import Schema
from faust.types import AppT, EventT, Message

DEFAULT_MAX_RECORDS = 2_000


class Record(Protocol):
    """One Kafka record, as aiokafka gives it."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...  # ms since the epoch, by the producer or the broker
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Chunk(NamedTuple):
    """Records of one partition; all that the partition has in [start, end) is in it."""

    topic: str
    partition: int
    start: int  # where the chunk before it ended; the first record may lie behind it (a compacted topic)
    records: Sequence[Record]  # never empty
    round: int = 0  # how often the partition had been rewound when this was cut

    @property
    def first(self) -> int:
        """The offset of the first record."""
        return self.records[0].offset

    @property
    def offset(self) -> int:
        """The offset of the last record."""
        return self.records[-1].offset

    @property
    def end(self) -> int:
        """Where the next chunk starts: what to settle when all of this one is safe."""
        return self.records[-1].offset + 1

    @property
    def values(self) -> list[bytes | None]:
        """The records' values."""
        return [record.value for record in self.records]

    def split(self, at: int) -> tuple["Chunk | None", "Chunk | None"]:
        """What lies before the offset `at`, and what lies at it or behind; None where that is no record."""
        if at <= self.first:
            return None, self
        if at > self.offset:
            return self, None
        # offsets grow, mostly by one: start where `at` would be without gaps
        index = min(at - self.first, len(self.records) - 1)
        while self.records[index - 1].offset >= at:
            index -= 1
        before = self._replace(records=self.records[:index])
        return before, self._replace(start=at, records=self.records[index:])


def cut(
    records: Sequence[Record], *, topic: str, partition: int, start: int, max_records: int, round: int = 0
) -> Iterator[Chunk]:
    """The records as chunks of at most `max_records`, without a gap between them."""
    for index in range(0, len(records), max_records):
        chunk = Chunk(topic, partition, start, records[index : index + max_records], round)
        start = chunk.end
        yield chunk


class ChunkSchema(Schema[Any, Any]):
    """Marks a topic as chunked: `app.topic(name, schema=ChunkSchema(), maxsize=16)`."""

    def __init__(self, max_records: int = DEFAULT_MAX_RECORDS) -> None:
        self.max_records = max_records
        super().__init__(key_serializer="raw", value_serializer="raw")

    def compile(self, app: AppT, **_: Any) -> Any:
        """The decoder that Faust calls a message: the chunk goes through as it is."""
        create_event = app.create_event

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:
            return create_event(None, message.value, message.headers, message)

        return decode
