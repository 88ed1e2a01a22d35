"""Arrays with a row a series that grow with the number of series, and go to snapshots as they are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.detectors.spikes.arrays import Ids

FIRST_ROWS = 1024


class Grown:
    """Named arrays of equal length; `width` 0 is a vector."""

    def __init__(self, fields: Mapping[str, tuple[type[np.generic], int]]) -> None:
        self._fields = dict(fields)
        self.rows = 0
        self.arrays: dict[str, NDArray[Any]] = {}
        self.reserve(FIRST_ROWS)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def reserve(self, rows: int) -> bool:
        """Make room for ids below `rows`; True if the arrays are new ones."""
        if rows <= self.rows:
            return False
        size = max(rows, self.rows * 2, FIRST_ROWS)
        for name, (kind, width) in self._fields.items():
            fresh = np.zeros((size, width) if width else size, kind)
            if self.rows:
                fresh[: self.rows] = self.arrays[name]
            self.arrays[name] = fresh
        self.rows = size
        return True

    def clear(self, ids: Ids) -> None:
        """Zero these rows: their ids will stand for other series."""
        for array in self.arrays.values():
            array[ids] = 0

    def dump(self) -> dict[str, Any]:
        """Bytes a field."""
        return {"rows": self.rows, **{name: array.tobytes() for name, array in self.arrays.items()}}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` gave."""
        self.rows = int(state["rows"])
        for name, (kind, width) in self._fields.items():
            shape = (self.rows, width) if width else (self.rows,)
            self.arrays[name] = np.frombuffer(state[name], kind).reshape(shape).copy()
