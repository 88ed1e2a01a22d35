"""Chunks of one source partition that came and must wait: others have not come so far in event time. Pure.

Decides what may be taken next; how far that is, is `aligning.py`'s business.
"""

from collections import deque
from typing import Final

from agents.transport.chunks import Chunk
from schemas.events import MAX_AHEAD_MS, peek_instant

# So many are taken at once, whatever their times: judged one by one they would cost several times as much. What a
# source gets ahead by that waits with the decisions, by pane.
PIECE_RECORDS: Final = 250


class Parked:
    """In the order of the log."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._first_ms: int | None = None  # of the first record; None: not looked at

    def __bool__(self) -> bool:
        return bool(self._chunks)

    @property
    def end(self) -> int:
        """The offset behind the last of them; only where there is one."""
        return self._chunks[-1].end

    @property
    def first_ms(self) -> int:
        """The event time that comes next; -1 where none can be read, or nobody would believe it."""
        if self._first_ms is None:
            record = self._chunks[0].records[0]
            at_ms = peek_instant(record.value or b"")
            self._first_ms = at_ms if at_ms <= record.timestamp + MAX_AHEAD_MS else -1
        return self._first_ms

    def add(self, chunk: Chunk) -> None:
        """One more, that begins where the last one ended."""
        self._chunks.append(chunk)

    def piece(self, until_ms: int) -> Chunk | None:
        """The next records, if they begin no later than this in event time."""
        if not self._chunks or self.first_ms > until_ms:
            return None
        chunk, self._first_ms = self._chunks.popleft(), None
        if len(chunk.records) <= PIECE_RECORDS:
            return chunk
        piece, rest = chunk.split(chunk.records[PIECE_RECORDS].offset)
        if rest is not None:
            self._chunks.appendleft(rest)
        return piece
