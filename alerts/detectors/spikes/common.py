"""The common mode: what moves all slices alike is the mood of the hour, and no incident of any of them.

Of category, channel, region and tier each gives the observed over the expected of all its values but those that stand
out; the least of them counts, since one large value's incident stands out in its own dimension only.
"""

from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.grown import Grown
from alerts.detectors.spikes.series import SliceTable

WIDE: Final = ("category", "channel", "region", "customer_tier")
MEMORY_MS: Final = 20 * 60_000
SHORTEST_MEMORY_MS: Final = 5 * 60_000
PLENTY: Final = 250.0  # expected negatives that are enough to tell the mood: the memory shrinks to them
STRENGTH: Final = 60.0  # expected negatives by which it is drawn to 1: it strays by 13 %
LOUD: Final = 3.0  # standard deviations from all others of its dimension: a value that has no say
ENOUGH: Final = 1.0  # expected negatives below which a value has no say
FEWEST: Final = 3  # values below which a dimension has no say
LOWEST, HIGHEST = 0.7, 1.6


class CommonMode:
    """A factor on all expectations."""

    def __init__(self, table: SliceTable) -> None:
        self._table = table
        self._columns = [table.slices.index((name,)) for name in WIDE if (name,) in table.slices]
        self._fast = Grown({"got": (np.float64, 0), "due": (np.float64, 0), "total": (np.float64, 0)})
        self._faded_ms = 0
        self.factor = 1.0

    def reserve(self) -> None:
        """Make room for the table's newest series."""
        self._fast.reserve(len(self._table))

    def forget(self, ids: Ids) -> None:
        """These ids stand for other series from now on."""
        self._fast.clear(ids)

    def wide_ids(self) -> Ids:
        """The series that have a say."""
        ids: Ids = np.flatnonzero(np.isin(self._table.column[: len(self._table)], self._columns))
        return ids

    def add(self, ids: Ids, *, got: Floats, due: Floats) -> None:
        """What came in each series outside of incidents, and what was expected of it without this factor."""
        self._fast["got"][ids] += got
        self._fast["due"][ids] += due

    def add_passed(self, ids: Ids, total: Floats, share: Floats) -> None:
        """Expectation that passed in these series: their shares of what a running total grew by."""
        before = self._fast["total"][ids]
        self._fast["due"][ids] += np.where(before > 0.0, np.maximum(0.0, total - before) * share, 0.0)
        self._fast["total"][ids] = np.maximum(total, before)

    def fade(self, at_ms: int) -> None:
        """Let time pass, and decide the factor anew."""
        got, due = self._fast["got"], self._fast["due"]
        if self._faded_ms and self._columns:
            total = float(due[: len(self._table)][self._table.column[: len(self._table)] == self._columns[0]].sum())
            memory_ms = min(MEMORY_MS, max(SHORTEST_MEMORY_MS, MEMORY_MS * PLENTY / max(total, 1.0)))
            kept = np.exp(-(at_ms - self._faded_ms) / memory_ms)
            got *= kept
            due *= kept
        self._faded_ms = at_ms
        said = []
        for column in self._columns:
            ids = np.flatnonzero(self._table.column[: len(self._table)] == column)
            ids = ids[(due[ids] > 0.0) & (ids > 1)]
            if np.count_nonzero(due[ids] >= ENOUGH) >= FEWEST:
                said.append(_quiet_ratio(got[ids], due[ids]))
        # Only what all agree on: above 1 the least, below 1 the largest.
        agreed = max(1.0, min(said)) * min(1.0, max(said)) if said else 1.0
        self.factor = min(HIGHEST, max(LOWEST, agreed))

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"fast": self._fast.dump(), "faded": self._faded_ms, "factor": self.factor}

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._fast.load(state["fast"])
        self._faded_ms, self.factor = state["faded"], state["factor"]


def _quiet_ratio(got: Floats, due: Floats) -> float:
    """Observed over expected of a dimension's values, without those that stand out from the others."""
    for _ in range(len(got) // 2):
        others = due.sum() - due + STRENGTH
        ratio = (got.sum() - got + STRENGTH) / others
        deviation = np.abs(got - ratio * due) / np.sqrt(ratio * due * (1.0 + due / others))
        loudest = int(deviation.argmax())
        if deviation[loudest] <= LOUD:
            break
        got, due = np.delete(got, loudest), np.delete(due, loudest)
    return float((got.sum() + STRENGTH) / (due.sum() + STRENGTH))
