"""Panes kept for a day: what is old lies packed in a few bytes until somebody asks for it.

An hour after it ended a pane is needed twice more at most: when it leaves the 24 h window, and when a late event mends
it. A dense row of figures is mostly zeros, and a small dict costs some hundred bytes for each count in it.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.figures import COLUMNS
from streams.panes import Ints
from streams.sketch import Sketch

T = TypeVar("T")

KeyIds = NDArray[np.int64]
SketchPane = dict[tuple[int, int], Sketch]  # (key id, which) -> sketch


class Block(NamedTuple):
    """What one pane holds, by key; `keys` ascend."""

    keys: KeyIds
    figures: Ints  # (len(keys), COLUMNS)


class PaneLog(MutableMapping[int, T], Generic[T]):
    """A mapping by pane; `pack_before` packs what is old, and reading unpacks it for good."""

    def __init__(self, pack: Callable[[T], Any], unpack: Callable[[Any], T]) -> None:
        self._pack, self._unpack = pack, unpack
        self._live: dict[int, T] = {}
        self._packed: dict[int, Any] = {}

    def pack_before(self, pane: int) -> None:
        """Pack the panes before this one."""
        for old in [one for one in self._live if one < pane]:
            self._packed[old] = self._pack(self._live.pop(old))

    def __getitem__(self, pane: int) -> T:
        packed = self._packed.pop(pane, None)
        if packed is not None:
            self._live[pane] = self._unpack(packed)
        return self._live[pane]

    def __setitem__(self, pane: int, value: T) -> None:
        self._packed.pop(pane, None)
        self._live[pane] = value

    def __delitem__(self, pane: int) -> None:
        if self._packed.pop(pane, None) is None:
            del self._live[pane]

    def __contains__(self, pane: object) -> bool:
        return pane in self._live or pane in self._packed

    def __iter__(self) -> Iterator[int]:
        yield from list(self._packed)
        yield from list(self._live)

    def __len__(self) -> int:
        return len(self._live) + len(self._packed)


def block_log() -> PaneLog[Block]:
    """Panes' figures."""
    return PaneLog(_pack_block, _unpack_block)


def sketch_log() -> PaneLog[SketchPane]:
    """Panes' sketches."""
    return PaneLog(_pack_sketches, _unpack_sketches)


def _pack_block(block: Block) -> tuple[NDArray[Any], ...]:
    row, column = np.nonzero(block.figures)
    return (
        _narrow(block.keys), _narrow(row), column.astype(np.uint8), _narrow(block.figures[row, column]),
    )  # fmt: skip


def _unpack_block(packed: tuple[NDArray[Any], ...]) -> Block:
    keys, row, column, amounts = packed
    figures = np.zeros((len(keys), COLUMNS), np.int64)
    figures[row, column] = amounts
    return Block(keys.astype(np.int64), figures)


def _pack_sketches(pane: SketchPane) -> NDArray[Any]:
    rows = [
        (key, which, bucket, count) for (key, which), held in pane.items() for bucket, count in held.items() or _EMPTY
    ]
    return _narrow(np.array(rows, np.int64).reshape(len(rows), 4))


def _unpack_sketches(packed: NDArray[Any]) -> SketchPane:
    found: SketchPane = {}
    for key, which, bucket, count in packed.tolist():
        held = found.setdefault((key, which), {})
        if count:
            held[bucket] = count
    return found


def _narrow(values: NDArray[np.int64]) -> NDArray[Any]:
    """In as few bytes as hold them all."""
    low, high = (values.min(), values.max()) if len(values) else (0, 0)
    for kind in _KINDS:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


_KINDS: Final = (np.int8, np.int16, np.int32)
_EMPTY: Final = ((0, 0),)  # a sketch of which all was taken back: it is still a key
