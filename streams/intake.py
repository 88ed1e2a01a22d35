"""The border: bytes in, accepted events out; what is unreadable, seen before or late is told apart here.

One intake a source partition: lateness is measured against that partition's newest event time.
"""

from typing import NamedTuple

from schemas.errors import BadEvent
from schemas.events import AnyEvent, decode_event
from schemas.results import DeadLetter
from streams.dedupe import Dedupe
from streams.watermark import Watermark


class Record(NamedTuple):
    """One message as it came: `received_at` is the broker's timestamp in ms, so that a second reading decides alike."""

    offset: int
    received_at: int
    raw: bytes


class Accepted(NamedTuple):
    """An event that counts, with what its arrival says about it."""

    event: AnyEvent
    at_ms: int
    late: bool
    offset: int
    received_at: int
    partition: int
    newest_ms: int  # the newest event time of its partition, itself included


class Tally:
    """How many messages came to what."""

    __slots__ = ("csat_dropped", "dead_letters", "duplicates", "events", "late")

    def __init__(self) -> None:
        self.events = 0  # readable ones, duplicates included
        self.dead_letters = 0
        self.duplicates = 0
        self.late = 0
        self.csat_dropped = 0

    def add(self, other: "Tally") -> None:
        """Add another's counts to these."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Intake:
    """Reads one source partition's messages, in order of arrival."""

    def __init__(self, topic: str, partition: int, *, dedupe: Dedupe, watermark: Watermark, live: bool) -> None:
        self.topic = topic
        self.partition = partition
        self.watermark = watermark
        self.dedupe = dedupe
        self.tally = Tally()
        self._live = live  # whether an event far ahead of its record's timestamp is refused

    def take(self, record: Record) -> Accepted | DeadLetter | None:
        """The event, or the dead letter it became; None for a duplicate."""
        tally = self.tally
        try:
            event, at_ms = decode_event(self.topic, record.raw, now_ms=record.received_at if self._live else None)
        except BadEvent as bad:
            tally.dead_letters += 1
            return DeadLetter(
                self.topic, self.partition, record.offset, record.received_at, bad.reason, bad.text, record.raw
            )
        tally.events += 1
        if self.dedupe.seen(event.event_id, arrived_ms=record.received_at):
            tally.duplicates += 1
            return None
        late = self.watermark.observe(at_ms)
        tally.late += late
        return Accepted(event, at_ms, late, record.offset, record.received_at, self.partition, self.watermark.newest_ms)
