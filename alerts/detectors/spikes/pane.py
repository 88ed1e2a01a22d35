"""The observations of ten seconds as columns."""

from typing import Final, NamedTuple

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids

LATE_MS: Final = 30_000  # behind the middle of a pane: an event of another time that came late


class Pane(NamedTuple):
    """Rows of one kind; `got` is negativity, complaints, or 0 for orders."""

    at: Ids
    sids: Ids
    got: Floats
    trials: Floats  # reviews or orders
    bad: Floats  # negative by label, or complaints
    notes: list[tuple[int, str, str]]  # row, event id, text
    ids: Ids  # the series in it, ascending
    places: Ids  # of each row and column (flattened) its series' place in `ids`

    @property
    def begin(self) -> int:
        """When its events began, those aside that came late: a run told from these on looks longer than it is."""
        at = np.sort(self.at)
        return int(at[np.searchsorted(at, at[len(at) // 2] - LATE_MS)])

    def sums(self, values: Floats) -> Floats:
        """What each series gathers of a value a row, or a value a row and column."""
        flat = np.repeat(values, self.sids.shape[1]) if values.ndim == 1 else values.ravel()
        sums: Floats = np.bincount(self.places, flat, minlength=len(self.ids))
        return sums


def of(rows: list[tuple[int, tuple[int, ...], float, float, float, str, str]], columns: int) -> Pane:
    """Columns of (at, sids, got, trials, bad, sample, text)."""
    if not rows:
        none = np.zeros(0)
        none_at = np.zeros(0, np.int64)
        return Pane(none_at, np.zeros((0, columns), np.int32), none, none, none, [], none_at, none_at)
    at, sids, got, trials, bad, samples, texts = zip(*rows, strict=True)
    notes = [(row, samples[row], texts[row]) for row, one in enumerate(bad) if one]
    grid = np.array(sids, np.int32)
    ids, places = np.unique(grid.ravel(), return_inverse=True)
    return Pane(
        np.array(at, np.int64), grid, np.array(got, float), np.array(trials, float),
        np.array(bad, float), notes, ids.astype(np.int64), places,
    )  # fmt: skip
