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
from streams.figures import COLUMNS

Ints = NDArray[np.int64]


def pane_of(at_ms: int) -> int:
    """The number of the half-open pane that holds an instant: [n * 10 s, (n + 1) * 10 s)."""
    return at_ms // PANE_MS


class SketchEntry(NamedTuple):
    """A change of one bucket's count in one of the two sketches."""

    pane: int
    cell: Dims
    which: int  # figures.FIRST_RESPONSE or figures.RESOLUTION
    bucket: int
    count: int  # type: ignore[assignment]  # a tuple's method is not missed


class Deltas(NamedTuple):
    """Contributions to panes: row i adds `figures[i]` to cell `cells[i]` in pane `panes[i]`."""

    panes: list[int]
    cells: list[Dims]
    figures: Ints  # (n, COLUMNS)
    sketches: list[SketchEntry]

    def __bool__(self) -> bool:
        return bool(self.panes or self.sketches)


NO_DELTAS: Final = Deltas([], [], np.zeros((0, COLUMNS), np.int64), [])


class PaneDeltas:
    """Gathers contributions until they are drained."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, Dims], list[int]] = {}
        self._sketches: dict[tuple[int, Dims, int, int], int] = {}

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

    def drain(self) -> Deltas:
        """All that was gathered since the last call."""
        if not self._rows:
            return NO_DELTAS
        rows, sketches = self._rows, self._sketches
        self._rows, self._sketches = {}, {}
        return Deltas(
            [pane for pane, _ in rows],
            [cell for _, cell in rows],
            np.array(list(rows.values()), dtype=np.int64),
            [SketchEntry(*key, count) for key, count in sketches.items() if count],
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
        )
    )


def decode_deltas(raw: bytes) -> Deltas:
    """The inverse of `encode_deltas`; `msgspec.ValidationError` for anything else."""
    panes, cells, row, column, amounts, sketches = _decoder.decode(raw)
    figures = np.zeros((len(panes), COLUMNS), np.int64)
    figures[np.frombuffer(row, np.int32), np.frombuffer(column, np.int8)] = np.frombuffer(amounts, np.int64)
    return Deltas(panes, cells, figures, sketches)


_Wire = tuple[list[int], list[Dims], bytes, bytes, bytes, list[SketchEntry]]
_decoder: Any = msgspec.msgpack.Decoder(_Wire)
