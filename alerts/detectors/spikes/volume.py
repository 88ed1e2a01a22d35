"""Whether more happens than a few minutes ago, told by events that come at once, for those that come late."""

import math
from bisect import bisect_right
from collections import deque
from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.exposure import RATE_MS

KEPT_MS: Final = 40 * 60_000
BEYOND_INCIDENT: Final = 2.0  # all complaints rise so much with the orders only: below, an incident would hide itself
SILENT: Final = 0.3  # so few of the usual reviews tell of a feed, and not of the volume
PRIOR: Final = 15.0  # events by which a growth is drawn to 1


class Volume:
    """Counts a pane of reviews and of complaints."""

    def __init__(self) -> None:
        # end of a pane, counts from the beginning up to it, and counts that fade, of reviews and complaints
        self._panes: deque[tuple[int, float, float, float, float]] = deque()
        self._first_ms = 0

    def add(self, end_ms: int, *, reviews: int, complaints: float) -> None:
        """A pane's counts."""
        if not self._panes:
            self._first_ms = end_ms - 1
            self._panes.append((end_ms - 1, 0.0, 0.0, 0.0, 0.0))
        last, all_reviews, all_complaints, fading_reviews, fading_complaints = self._panes[-1]
        kept = math.exp((last - end_ms) / RATE_MS)
        self._panes.append((
            end_ms, all_reviews + reviews, all_complaints + complaints,
            fading_reviews * kept + reviews, fading_complaints * kept + complaints,
        ))  # fmt: skip
        while self._panes[0][0] < end_ms - KEPT_MS:
            self._panes.popleft()

    def growth(self, since_ms: int) -> float:
        """Events since then against what the minutes before let expect: of reviews, or of complaints if much more.

        Weighs the minutes before as `Exposure` weighs its orders, so that both speak of the same time.
        """
        now_ms, *now = self._panes[-1]
        then_ms, *then = self._panes[max(0, bisect_right(self._panes, since_ms, key=lambda one: one[0]) - 1)]
        ahead, age = now_ms - then_ms, then_ms - self._first_ms
        if ahead <= 0 or age < RATE_MS // 10:
            return 1.0
        per_ms = 1.0 / (RATE_MS * -math.expm1(-age / RATE_MS))
        reviews, complaints = ((now[i] - then[i] + PRIOR) / (then[i + 2] * per_ms * ahead + PRIOR) for i in (0, 1))
        if reviews < SILENT:  # that feed is silent, or behind
            reviews = 1.0
        return max(reviews, complaints if complaints >= BEYOND_INCIDENT else 0.0)

    def between(self, instants: Ids) -> Floats:
        """Reviews between neighbouring instants, drawn to as many in each stretch alike."""
        ends = np.array([one[0] for one in self._panes])
        counts = np.diff(np.interp(instants, ends, [one[1] for one in self._panes]))
        result: Floats = counts + PRIOR * np.diff(instants) / (instants[-1] - instants[0])
        return result

    def part(self, begin_ms: int, since_ms: int, end_ms: int) -> float:
        """Which part of what came from the beginning to the end came since an instant in between, by reviews."""
        if not begin_ms < since_ms < end_ms:
            return float(since_ms <= begin_ms < end_ms)
        before, after = self.between(np.array([begin_ms, since_ms, end_ms]))
        return float(after / (before + after))

    def dump(self) -> list[Any]:
        """All of it as plain values."""
        return [self._first_ms, list(self._panes)]

    def load(self, state: list[Any]) -> None:
        """Take up what `dump` gave."""
        self._first_ms, panes = state
        self._panes = deque((end, *counts) for end, *counts in panes)
