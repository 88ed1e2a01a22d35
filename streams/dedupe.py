"""Has this event_id been seen? Exact within the horizon; ids are kept as 128-bit digests.

A replay remembers for ever. A live partition forgets what is older than its horizon: a duplicate has its original's
event time, so beyond the allowed lateness windows leave it out anyway, and the store keeps one row an event_id.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

DIGEST_BYTES: Final = 16
SEGMENT_MS: Final = 600_000


class Dedupe:
    """Ids, and their segments by time of arrival (ms): a segment is a page of a snapshot.

    `horizon_ms` None: for ever, and nothing is kept to dump.
    """

    def __init__(self, horizon_ms: int | None = None) -> None:
        self._horizon_ms = horizon_ms
        self._seen: set[bytes] = set()
        self._segments: dict[int, bytearray] = {}
        self._dirty: set[int] = set()

    def seen(self, event_id: str, *, arrived_ms: int = 0) -> bool:
        """True if the id was seen before; remembers it."""
        digest = blake2b(event_id.encode(), digest_size=DIGEST_BYTES).digest()
        if digest in self._seen:
            return True
        self._seen.add(digest)
        if self._horizon_ms is not None:
            self._note(digest, arrived_ms, self._horizon_ms)
        return False

    def __len__(self) -> int:
        return len(self._seen)

    def dump_dirty(self) -> Iterator[tuple[int, bytes]]:
        """The segments that changed since the last call, as (number, page); one that expired has an empty page."""
        for number in sorted(self._dirty):
            yield number, bytes(self._segments.get(number, b""))
        self._dirty.clear()

    def load_segment(self, number: int, page: bytes) -> None:
        """Take back a page of `dump_dirty`."""
        if page:
            self._segments[number] = bytearray(page)
            self._seen.update(_digests(page))

    def _note(self, digest: bytes, arrived_ms: int, horizon_ms: int) -> None:
        number = arrived_ms // SEGMENT_MS
        if number not in self._segments:
            self._segments[number] = bytearray()
            oldest = (arrived_ms - horizon_ms) // SEGMENT_MS
            for old in [n for n in self._segments if n < oldest]:
                self._seen.difference_update(_digests(self._segments.pop(old)))
                self._dirty.add(old)
        self._segments[number] += digest
        self._dirty.add(number)


def _digests(page: bytes | bytearray) -> Iterator[bytes]:
    return (bytes(page[start : start + DIGEST_BYTES]) for start in range(0, len(page), DIGEST_BYTES))
