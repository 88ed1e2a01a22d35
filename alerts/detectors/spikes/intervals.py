"""Orders told for an interval, spread over it: a count of ten minutes says nothing of the last one alone.

Left in one lump at the interval's end, all of it would be due of a run that began a minute before. A piece stands at
its own end: a run may begin right behind one, and whatever is due of the next is then charged in full.
"""

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids

PIECE_MS: Final = 60_000
MOST_PIECES: Final = 5
LONGEST_MS: Final = 15 * 60_000  # a count after a longer pause is of this much
KEPT: Final = 64  # instants


class Intervals:
    """The instants at which orders were told; each count is of the time since the one before."""

    def __init__(self) -> None:
        self._told: list[int] = []
        self.since_ms = 0  # from here on orders are known
        self._begun = False

    def begin(self, at_ms: int) -> None:
        """Nothing was heard of before: what is told for the first instant from here on is of nobody knows how long."""
        self._told, self.since_ms, self._begun = [at_ms], at_ms, False

    def note(self, at: Ids) -> None:
        """Orders were told for these instants."""
        for one in np.unique(at).tolist():
            place = bisect_left(self._told, one)
            if place == len(self._told) or self._told[place] != one:
                insort(self._told, one)
            if not self._begun and one > self.since_ms:
                self.since_ms, self._begun = one, True
        del self._told[:-KEPT]

    def pieces(self, at: Ids, weigh: Callable[[Ids], Floats]) -> tuple[Ids, Ids, Floats]:
        """For rows told at `at` (noted before): which row each piece is of, its end, its part of the row; by time.

        `weigh` gives what happened between neighbouring instants: the parts follow it.
        """
        moments, places = np.unique(at, return_inverse=True)
        found = [self._cut(int(one), weigh) for one in moments]
        rows = [np.flatnonzero(places == number) for number in range(len(moments))]
        return (
            np.concatenate([np.tile(mine, len(ends)) for mine, (ends, _) in zip(rows, found, strict=True)]),
            np.concatenate([np.repeat(ends, len(mine)) for mine, (ends, _) in zip(rows, found, strict=True)]),
            np.concatenate([np.repeat(parts, len(mine)) for mine, (_, parts) in zip(rows, found, strict=True)]),
        )

    def after(self, at: Ids, since_ms: int) -> Floats:
        """Of pieces that end at `at`, the part of each that lies after an instant."""
        told = np.array(self._told, np.int64)
        place = np.searchsorted(told, at)
        known = (place > 0) & (place < len(told))
        place = np.where(known, place, 0)
        length = np.minimum(told[place] - told[place - 1], LONGEST_MS)
        piece = length / np.clip(-(-length // PIECE_MS), 1, MOST_PIECES)
        part = np.where(known, (at - since_ms) / np.maximum(piece, 1.0), np.where(at > since_ms, 1.0, 0.0))
        result: Floats = np.clip(part, 0.0, 1.0)
        return result

    def _cut(self, at_ms: int, weigh: Callable[[Ids], Floats]) -> tuple[Ids, Floats]:
        """Ends and parts of the pieces of what was told at an instant; none of what was before the beginning."""
        place = bisect_left(self._told, at_ms)
        if not place or at_ms <= self.since_ms:
            return np.zeros(0, np.int64), np.zeros(0)
        length = min(at_ms - self._told[place - 1], LONGEST_MS)
        count = min(MOST_PIECES, max(1, -(-length // PIECE_MS)))
        edges = at_ms - length + np.arange(count + 1) * length // count
        parts = weigh(edges) if count > 1 else np.ones(1)
        return edges[1:], parts / parts.sum()

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"told": self._told, "since": self.since_ms, "begun": self._begun}

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._told, self.since_ms, self._begun = list(state["told"]), state["since"], state["begun"]
