"""Panes of 10 s: what one stage hands the next, gathered by cell (the event's six dimensions) and pane.

Decides how contributions add up; what windows are made of them is `windows.py`'s business.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.events import Dims
from schemas.results import PANE_MS
from sentiment.watch import BUCKETS, count_pairs
from streams.figures import COLUMNS

Ints = NDArray[np.int64]
GRAIN_MS: Final = 300_000  # words are counted by five minutes: their drift is slow, their counts are many


def pane_of(at_ms: int) -> int:
    """The number of the half-open pane that holds an instant: [n * 10 s, (n + 1) * 10 s)."""
    return at_ms // PANE_MS


def grain_of(at_ms: int) -> int:
    """The number of the half-open grain of words that holds an instant."""
    return at_ms // GRAIN_MS


class SketchEntry(NamedTuple):
    """A change of one bucket's count in one of the two sketches."""

    pane: int
    cell: Dims
    which: int  # figures.FIRST_RESPONSE or figures.RESOLUTION
    bucket: int
    count: int  # type: ignore[assignment]  # a tuple's method is not missed


class WordEntry(NamedTuple):
    """What was written about a category: the buckets of its pairs of characters, see `sentiment.watch`."""

    grain: int
    category: str
    buckets: bytes  # in no order that matters


class Deltas(NamedTuple):
    """Contributions to panes: row i adds `figures[i]` to cell `cells[i]` in pane `panes[i]`."""

    panes: list[int]
    cells: list[Dims]
    figures: Ints  # (n, COLUMNS)
    sketches: list[SketchEntry]
    words: Sequence[WordEntry] = ()

    def __bool__(self) -> bool:
        return bool(self.panes or self.sketches)


NO_DELTAS: Final = Deltas([], [], np.zeros((0, COLUMNS), np.int64), [])


class PaneDeltas:
    """Gathers contributions until they are drained."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, Dims], list[int]] = {}
        self._sketches: dict[tuple[int, Dims, int, int], int] = {}
        self._words: dict[tuple[int, str], list[bytes]] = {}

    def row(self, pane: int, cell: Dims) -> list[int]:
        """The mutable row of one cell's pane, `figures.COLUMNS` long."""
        key = (pane, cell)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = [0] * COLUMNS
        return found

    def sketch(self, pane: int, cell: Dims, *, which: int, bucket: int, count: int) -> None:
        """Change the count of a sketch's bucket."""
        key = (pane, cell, which, bucket)
        self._sketches[key] = self._sketches.get(key, 0) + count
        self.row(pane, cell)

    def words(self, at_ms: int, category: str, buckets: bytes) -> None:
        """Add a text's pairs of characters; its review has a row in the same pane."""
        key = (at_ms // GRAIN_MS, category)
        found = self._words.get(key)
        if found is None:
            self._words[key] = [buckets]
        else:
            found.append(buckets)

    def drain(self) -> Deltas:
        """All that was gathered since the last call."""
        if not self._rows:
            return NO_DELTAS
        rows, sketches, words = self._rows, self._sketches, self._words
        self._rows, self._sketches, self._words = {}, {}, {}
        return Deltas(
            [pane for pane, _ in rows],
            [cell for _, cell in rows],
            np.array(list(rows.values()), dtype=np.int64),
            [SketchEntry(*key, count) for key, count in sketches.items() if count],
            [WordEntry(*key, b"".join(parts)) for key, parts in words.items()],
        )


def merge_deltas(several: Sequence[Deltas]) -> Deltas:
    """All of them as one; equal cells and panes may stand in it more than once."""
    if len(several) < 2:
        return several[0] if several else NO_DELTAS
    return Deltas(
        [pane for deltas in several for pane in deltas.panes],
        [cell for deltas in several for cell in deltas.cells],
        np.concatenate([deltas.figures for deltas in several]),
        [entry for deltas in several for entry in deltas.sketches],
        [entry for deltas in several for entry in deltas.words],
    )


def encode_deltas(deltas: Deltas) -> bytes:
    """As MessagePack; the figures sparse, since a cell's pane touches few of them."""
    row, column = np.nonzero(deltas.figures)
    return msgspec.msgpack.encode(
        (
            deltas.panes,
            deltas.cells,
            row.astype(np.int32).tobytes(),
            column.astype(np.int8).tobytes(),
            deltas.figures[row, column].tobytes(),
            deltas.sketches,
            _packed(deltas.words),
        )
    )


def decode_deltas(raw: bytes) -> Deltas:
    """The inverse of `encode_deltas`; `msgspec.ValidationError` for anything else."""
    panes, cells, row, column, amounts, sketches, packed = _decoder.decode(raw)
    figures = np.zeros((len(panes), COLUMNS), np.int64)
    figures[np.frombuffer(row, np.int32), np.frombuffer(column, np.int8)] = np.frombuffer(amounts, np.int64)
    return Deltas(
        panes, cells, figures, sketches,
        [WordEntry(grain, category, _unpacked(*held)) for (grain, category), held in packed],
    )  # fmt: skip


def _packed(words: Sequence[WordEntry]) -> list["_Packed"]:
    """Each grain of a category once: its buckets, or from where these are longer how many there are of each."""
    together: dict[tuple[int, str], list[bytes]] = {}
    for grain, category, buckets in words:
        together.setdefault((grain, category), []).append(buckets)
    packed: list[_Packed] = []
    for key, parts in together.items():
        joined = b"".join(parts)
        counted = len(joined) > BUCKETS * _COUNT.itemsize
        held = count_pairs(joined).astype(_COUNT).tobytes() if counted else joined
        packed.append((key, (held, counted)))
    return packed


def _unpacked(held: bytes, counted: bool) -> bytes:
    return np.repeat(_ALL_BUCKETS, np.frombuffer(held, _COUNT)).tobytes() if counted else held


_COUNT: Final = np.dtype(np.int32)
_ALL_BUCKETS: Final = np.arange(BUCKETS, dtype=np.uint8)
_Packed = tuple[tuple[int, str], tuple[bytes, bool]]
_Wire = tuple[list[int], list[Dims], bytes, bytes, bytes, list[SketchEntry], list[_Packed]]
_decoder: Any = msgspec.msgpack.Decoder(_Wire)
