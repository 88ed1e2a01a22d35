"""Chunks that must wait: what may be taken next, and no record of it lost."""

from collections.abc import Sequence

import msgspec
import pytest

from agents.parked import PIECE_RECORDS, Parked
from agents.transport.chunks import Chunk
from schemas.events import MAX_AHEAD_MS
from tests.unit.agents.lines import Line

NOW_MS = 1_794_326_400_000


def line(offset: int, at: int | str) -> Line:
    return Line(offset, NOW_MS, msgspec.json.encode({"event_time": at}))


def chunk(lines: Sequence[Line]) -> Chunk:
    return Chunk("reviews", 0, lines[0].offset, lines)


def test_a_piece_is_taken_only_if_it_begins_in_time() -> None:
    parked = Parked()
    parked.add(chunk([line(0, 5_000), line(1, 9_000)]))
    assert parked.piece(4_999) is None
    piece = parked.piece(5_000)
    assert piece is not None
    assert [record.offset for record in piece.records] == [0, 1]
    assert not parked


def test_pieces_follow_one_another_without_a_gap() -> None:
    parked = Parked()
    count = 2 * PIECE_RECORDS + 7
    parked.add(chunk([line(n, n) for n in range(count)]))
    parked.add(chunk([line(count, 1)]))
    assert parked.end == count + 1
    taken: list[int] = []
    while (piece := parked.piece(NOW_MS)) is not None:
        assert piece.start == len(taken)
        taken += [record.offset for record in piece.records]
    assert taken == list(range(count + 1))


def test_an_event_time_reads_alike_as_number_and_as_text() -> None:
    parked = Parked()
    parked.add(chunk([line(0, "2026-11-11T00:00:00+08:00")]))
    assert parked.first_ms == NOW_MS


@pytest.mark.parametrize("value", [b"{", b"", b"{}", None, b'{"event_time":"soon"}', b"[" * 100_000])
def test_what_cannot_be_read_holds_nobody_up(value: bytes | None) -> None:
    parked = Parked()
    parked.add(chunk([Line(0, NOW_MS, value)]))
    assert parked.first_ms == -1


def test_a_time_that_will_be_refused_holds_nobody_up() -> None:
    parked = Parked()
    parked.add(chunk([line(0, NOW_MS + MAX_AHEAD_MS + 1)]))
    assert parked.first_ms == -1
