"""The watched slices of the stream, each value with a small integer id; who contains whom."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Ids
from alerts.detectors.spikes.config import JOINED_STRENGTH, PRIOR_STRENGTH, Slice
from schemas.events import DIMENSIONS, Dims

NOBODY: Final = 0  # the id of every value "": takes part in nothing
ALL: Final = 1
CACHE_ROWS: Final = 50_000
GROWTH: Final = 2

# A product belongs to a category and a shop, so that it is named before them; the other way round says less.
NESTED: Final[dict[str, frozenset[str]]] = {"product_id": frozenset({"category", "shop_id"})}


class SliceTable:
    """Values to ids, per column; column 0 is the whole stream."""

    def __init__(self, slices: Sequence[Slice], *, max_series: int) -> None:
        self.slices: tuple[Slice, ...] = ((), *slices)
        self.columns = len(self.slices)
        self.max_series = max_series
        # Of each column what picks its value from the dimensions (one, or a tuple of several), and the values' ids.
        self._picks = [itemgetter(*(DIMENSIONS.index(name) for name in joined)) for joined in slices]
        self._ids: list[dict[Any, int]] = [{} for _ in slices]
        self._cache: dict[Dims, tuple[int, ...]] = {}
        self.names: list[str] = ["", ""]
        self.column = np.zeros(1024, np.int16)
        self.touched = np.zeros(1024, np.int64)
        self.codes = np.zeros((1024, len(DIMENSIONS)), np.int32)  # each dimension's value, 0: of any
        self._values: list[dict[str, int]] = [{} for _ in DIMENSIONS]
        self._told = [_told(joined) for joined in self.slices]
        self._free: list[int] = []
        self.refines = np.array([[_refines(a, b) for a in self.slices] for b in self.slices])  # [wide, narrow]
        self.rank = np.array([rank_of(joined) for joined in self.slices], float)
        self.widest_first = [int(one) for one in np.argsort(self.rank, kind="stable")][1:]
        self.strength = np.array([PRIOR_STRENGTH.get(joined, JOINED_STRENGTH) for joined in self.slices])

    def __len__(self) -> int:
        return len(self.names)

    def nested(self, one: int, other: int) -> bool:
        """Whether of two columns' slices one lies within the other wherever they meet."""
        return bool(self.refines[one, other] or self.refines[other, one])

    def ids(self, dims: Dims) -> tuple[int, ...]:
        """The ids of all slices that an event of these dimensions lies in, one a column."""
        row = self._cache.get(dims)
        if row is None:
            if len(self._cache) >= CACHE_ROWS:
                self._cache.clear()
            found = [ALL]
            for pick, known in zip(self._picks, self._ids, strict=True):
                value = pick(dims)
                one = known.get(value)
                found.append(self._new(len(found), value, dims) if one is None else one)
            row = self._cache[dims] = tuple(found)
        return row

    def touch(self, ids: Ids, at_ms: int) -> None:
        """Note that these slices live."""
        self.touched[ids] = at_ms

    def evict(self, before_ms: int) -> Ids:
        """Forget slices untouched since `before_ms`, if there are too many; the ids, which will be given anew."""
        if len(self.names) - len(self._free) <= self.max_series:
            return np.zeros(0, np.int64)
        size = len(self.names)
        old = np.flatnonzero(self.touched[:size] < before_ms)
        gone = old[old > ALL]
        dead = set(gone.tolist()) - set(self._free)
        for column, ids in enumerate(self._ids):
            self._ids[column] = {value: one for value, one in ids.items() if one not in dead}
        self._cache.clear()
        self._free.extend(sorted(dead))
        return np.array(sorted(dead), np.int64)

    def label(self, one: int) -> dict[str, str]:
        """The contract's labels of a slice."""
        joined = self.slices[int(self.column[one])]
        return {"dimension": "+".join(joined) or "all", "value": self.names[one]}

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "names": self.names,
            "columns": self.column[: len(self.names)].tolist(),
            "touched": self.touched[: len(self.names)].tolist(),
            "free": self._free,
            "codes": self.codes[: len(self.names)].tolist(),
            "values": [list(codes) for codes in self._values],
            "ids": [[[key, one] for key, one in ids.items()] for ids in self._ids],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self.names, self._free = list(state["names"]), list(state["free"])
        size = len(self.names)
        room = max(1024, size * GROWTH)
        self.column, self.touched = np.zeros(room, np.int16), np.zeros(room, np.int64)
        self.column[:size], self.touched[:size] = state["columns"], state["touched"]
        self.codes = np.zeros((room, len(DIMENSIONS)), np.int32)
        self.codes[:size] = state["codes"]
        self._values = [{value: code for code, value in enumerate(values, 1)} for values in state["values"]]
        self._ids = [{key if isinstance(key, str) else tuple(key): one for key, one in pairs} for pairs in state["ids"]]
        self._cache.clear()

    def _new(self, column: int, value: Any, dims: Dims) -> int:
        """The id of a value that its column does not know."""
        joined = type(value) is tuple
        if value == "" or (joined and "" in value):
            return NOBODY
        one = self._free.pop() if self._free else len(self.names)
        name = "|".join(value) if joined else value
        if one == len(self.names):
            self.names.append(name)
        else:
            self.names[one] = name
        if one >= len(self.column):
            self.column = np.resize(self.column, one * GROWTH)
            self.touched = np.concatenate([self.touched, np.zeros(one * GROWTH - len(self.touched), np.int64)])
            more = np.zeros((one * GROWTH - len(self.codes), len(DIMENSIONS)), np.int32)
            self.codes = np.concatenate([self.codes, more])
        self.column[one] = column
        self.touched[one] = np.iinfo(np.int64).max  # until it is processed
        self.codes[one] = 0
        for place in self._told[column]:
            if dims[place]:
                self.codes[one, place] = self._values[place].setdefault(dims[place], len(self._values[place]) + 1)
        self._ids[column - 1][value] = one
        return one


def _refines(narrow: Slice, wide: Slice) -> bool:
    if narrow == wide:
        return False
    covered = set(narrow)
    for name in narrow:
        covered |= NESTED.get(name, frozenset())
    return set(wide) <= covered


def _told(joined: Slice) -> list[int]:
    """The places of the dimensions whose values a slice tells: a product's category and shop as well."""
    names = set(joined).union(*(NESTED.get(name, frozenset()) for name in joined))
    return [place for place, name in enumerate(DIMENSIONS) if name in names]


def rank_of(joined: Slice) -> float:
    """How narrow a slice is: 0 for everything, 1 for a dimension of few values, more for shops, products and joins."""
    if joined == ("product_id",):
        return 3.0
    return 2.5 if joined == ("shop_id",) else float(len(joined))
