"""A sequential test a series: how much evidence there is, by now, that its rate rose, and since when.

For each alternative ratio a sum of log gains that never falls below zero (CUSUM, Page 1954). For reviews the gain
is that of a bet on a bounded mean (Waudby-Smith and Ramdas 2024): log(1 + b (x - m)), whose expectation under a
mean of m is at most 1 whatever the distribution of x in 0..1, so that soft scores need no calibration to be safe;
for complaints it is the log-likelihood ratio of two Poisson rates. Which sum is an alarm is decided elsewhere.
"""

from typing import Any

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.grown import Grown

HIGHEST = 0.95  # no share of negatives is expected to be higher


def review_gains(negativity: Floats, expected: Floats, ratios: Floats) -> Floats:
    """Log gain of each review (row) on each alternative (column)."""
    expected = np.minimum(expected, HIGHEST)
    raised = np.minimum(expected[:, None] * ratios, np.maximum(0.9, expected[:, None] + 0.02))
    bet = (raised / expected[:, None] - 1.0) / (1.0 - expected[:, None])  # at most 1 / expected: never ruin
    gains: Floats = np.log1p(bet * (negativity - expected)[:, None])
    return gains


def complaint_gains(complaints: Floats, expected: Floats, ratios: Floats) -> Floats:
    """Log-likelihood ratio of each row's complaints and expectation on each alternative."""
    gains: Floats = complaints[:, None] * np.log(ratios) - expected[:, None] * (ratios - 1.0)
    return gains


class Sequential:
    """The sums, where each last was zero, and what came since."""

    def __init__(self, alternatives: int) -> None:
        self.sums = Grown({
            "sum": (np.float64, alternatives), "since": (np.int64, alternatives),
            "got": (np.float64, alternatives), "due": (np.float64, alternatives),
        })  # fmt: skip

    def drain(self, ids: Ids, loss: Floats, due: Floats) -> None:
        """Expectation that passed without events since the series was last looked at."""
        total = self.sums["sum"][ids] - loss
        self._put(ids, total, self.sums["got"][ids], self.sums["due"][ids] + due[:, None])

    def add(self, ids: Ids, gain: Floats, *, got: Floats, due: Floats, at_ms: int) -> None:
        """Gains (a row a series), with the negatives got and due in them; a run that begins, begins at `at_ms`."""
        before = self.sums["sum"][ids]
        since = self.sums["since"][ids]
        since[before <= 0.0] = at_ms
        self.sums["since"][ids] = since
        got_sum, due_sum = self.sums["got"][ids] + got[:, None], self.sums["due"][ids] + due[:, None]
        self._put(ids, before + gain, got_sum, due_sum)

    def evidence(self, ids: Ids) -> Floats:
        """The largest sum of each series."""
        largest: Floats = self.sums["sum"][ids].max(axis=1)
        return largest

    def reset(self, ids: Ids) -> None:
        """Begin anew."""
        for name in ("sum", "got", "due"):
            self.sums[name][ids] = 0.0

    def replace(self, one: int, *, total: Floats, since: Ids, got: Floats, due: Floats) -> None:
        """Set a series to what a recalculation over its recent events gave."""
        for name, value in (("sum", total), ("since", since), ("got", got), ("due", due)):
            self.sums[name][one] = value

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return self.sums.dump()

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self.sums.load(state)

    def _put(self, ids: Ids, total: Floats, got: Floats, due: Floats) -> None:
        over = total > 0.0
        self.sums["sum"][ids] = np.where(over, total, 0.0)
        self.sums["got"][ids] = np.where(over, got, 0.0)
        self.sums["due"][ids] = np.where(over, due, 0.0)
