"""How far the mood may have moved since it was last known: a promotion's rush brings another one with it.

While much more comes than in the last half hour, what is usual was learnt of another time, and the common mode has yet
to gather what is new. So long every expectation is less sure; it wears off as the half hour fills.
"""

import math
from typing import Any, Final

NOW_MS: Final = 3 * 60_000
BEFORE_MS: Final = 30 * 60_000
PRIOR: Final = 20.0  # events by which the growth is drawn to 1
MOOD: Final = 0.1  # how far the mood goes with the volume: standard deviation of its logarithm a factor e


class Surge:
    """The volume of the last minutes against the last half hour's."""

    def __init__(self) -> None:
        self._now, self._before = 0.0, 0.0
        self._begun_ms = self._last_ms = 0
        self.error = 0.0  # squared relative error of all expectations

    def add(self, now_ms: int, count: float) -> None:
        """The number of events since the last call, or in the first pane."""
        if not self._last_ms:
            self._begun_ms = self._last_ms = now_ms
            return
        passed, self._last_ms = max(1, now_ms - self._last_ms), now_ms
        self._now = _faded(self._now, count, passed, NOW_MS)
        self._before = _faded(self._before, count, passed, BEFORE_MS)
        age = max(1, now_ms - self._begun_ms)
        usual = self._before * math.expm1(-age / NOW_MS) * NOW_MS / (math.expm1(-age / BEFORE_MS) * BEFORE_MS)
        self.error = (MOOD * math.log(max(1.0, (self._now + PRIOR) / (usual + PRIOR)))) ** 2

    def dump(self) -> list[Any]:
        """All of it as plain values."""
        return [self._now, self._before, self._begun_ms, self._last_ms, self.error]

    def load(self, state: list[Any]) -> None:
        """Take up what `dump` gave."""
        self._now, self._before, self._begun_ms, self._last_ms, self.error = state


def _faded(kept: float, count: float, passed_ms: int, memory_ms: int) -> float:
    """A sum that fades, with so many events spread evenly over the time that passed."""
    part = passed_ms / memory_ms
    return kept * math.exp(-part) - count * math.expm1(-part) / part
