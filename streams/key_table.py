"""Small numbers for the keys that have windows, given back once a key has none.

Products come and go: a worker that runs for months must not hold every one that it ever saw.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from schemas.events import Dims
from streams.dimensions import Dimensions, Key
from streams.pane_log import KeyIds

MOST_CELLS: Final = 500_000  # as many cells' numbers are remembered
_NEVER: Final = np.iinfo(np.int64).min
_NO_KEY: Final[Key] = ("", "")


class KeyTable:
    """Keys by number. `owns`: which keys are ours (None: all)."""

    def __init__(self, dimensions: Dimensions, *, owns: Callable[[Key], bool] | None = None) -> None:
        self._dimensions = dimensions
        self._owns = owns
        self._ids: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._free: list[int] = []
        self._cells: dict[Dims, KeyIds] = {}
        self._seen = np.full(64, _NEVER, np.int64)  # the last pane of each number

    @property
    def names(self) -> tuple[str, ...]:
        """The dimensions."""
        return self._dimensions.names

    @property
    def held(self) -> int:
        """How many keys have a number."""
        return len(self._ids)

    @property
    def size(self) -> int:
        """Every number is below it."""
        return len(self._keys)

    def owned(self, key: Key) -> bool:
        """Whether the key is ours."""
        return self._owns is None or self._owns(key)

    def id_of(self, key: Key) -> int:
        """The number of a key, new or known."""
        found = self._ids.get(key)
        if found is None:
            if self._free:
                found = self._free.pop()
                self._keys[found] = key
            else:
                found = len(self._keys)
                self._keys.append(key)
                if found >= len(self._seen):
                    self._seen = np.concatenate([self._seen, np.full_like(self._seen, _NEVER)])
            self._ids[key] = found
        return found

    def key_of(self, number: int) -> Key:
        """The key with a number that `id_of` gave."""
        return self._keys[number]

    def ids_of(self, cell: Dims) -> KeyIds:
        """The numbers of all our keys that a cell counts for."""
        found = self._cells.get(cell)
        if found is None:
            ours = [key for key in self._dimensions.keys(cell) if self.owned(key)]
            found = np.array([self.id_of(key) for key in ours], np.int64)
            if len(self._cells) > MOST_CELLS:
                self._cells.clear()
            self._cells[cell] = found
        return found

    def saw(self, ids: KeyIds, pane: int) -> None:
        """Note that a pane holds these keys; each at most once in `ids`."""
        self._seen[ids] = np.maximum(self._seen[ids], pane)

    def give_back(self, *, before: int, needed: KeyIds) -> None:
        """Take the numbers of the keys whose last pane lies before this one, unless they are `needed`."""
        unused = self._seen[: len(self._keys)] < before
        unused[needed] = False
        unused[self._free] = False
        gone = np.flatnonzero(unused).tolist()
        for number in gone:
            del self._ids[self._keys[number]]
            self._keys[number] = _NO_KEY
        self._seen[gone] = _NEVER
        self._free += gone
        if gone:
            self._cells.clear()
