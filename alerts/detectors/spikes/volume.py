"""Whether more happens than a few minutes ago, told by events that come at once, for those that come late."""

import math
from collections import deque
from typing import Any, Final

from alerts.detectors.spikes.exposure import RATE_MS

KEPT_MS: Final = 40 * 60_000
PRIOR: Final = 15.0  # events by which a growth is drawn to 1


class Volume:
    """Counts a pane of reviews and of complaints."""

    def __init__(self) -> None:
        self._panes: deque[tuple[int, int, int]] = deque()

    def add(self, end_ms: int, *, reviews: int, complaints: int) -> None:
        """A pane's counts."""
        self._panes.append((end_ms, reviews, complaints))
        while self._panes[0][0] < end_ms - KEPT_MS:
            self._panes.popleft()

    def growth(self, since_ms: int) -> float:
        """Events since then against what the minutes before let expect; of the two kinds the larger growth.

        Weighs the minutes before as `Exposure` weighs its orders, so that both speak of the same time.
        """
        now_ms, first_ms = self._panes[-1][0], self._panes[0][0]
        ahead, age = now_ms - since_ms, since_ms - first_ms
        if ahead <= 0 or age < RATE_MS // 10:
            return 1.0
        per_ms = 1.0 / (RATE_MS * -math.expm1(-age / RATE_MS))
        after, before = [0.0, 0.0], [0.0, 0.0]
        for end, *counts in self._panes:
            for kind in (0, 1):
                if end > since_ms:
                    after[kind] += counts[kind]
                else:
                    before[kind] += counts[kind] * math.exp((end - since_ms) / RATE_MS) * per_ms
        return max((got + PRIOR) / (rate * ahead + PRIOR) for got, rate in zip(after, before, strict=True))

    def dump(self) -> list[tuple[int, int, int]]:
        """All of it as plain values."""
        return list(self._panes)

    def load(self, state: list[Any]) -> None:
        """Take up what `dump` gave."""
        self._panes = deque((end, reviews, complaints) for end, reviews, complaints in state)
