"""Orders wait until most of their interval's have come, lest a part be taken for the whole."""

from typing import Any, Final

import numpy as np

BIN_MS: Final = 10_000
BINS: Final = 120
MOST_SHARE: Final = 0.97
MEMORY_ROWS: Final = 20_000.0


class Settled:
    """Holds rows back by the delay within which nearly all of them come, which it learns."""

    def __init__(self) -> None:
        self._delays = np.zeros(BINS)
        self._waiting: dict[int, list[Any]] = {}

    def add(self, rows: list[Any], now_ms: int) -> None:
        """Rows (event time first) that have come by now."""
        delays = [min(BINS - 1, max(0, (now_ms - row[0]) // BIN_MS)) for row in rows]
        self._delays *= 1.0 / (1.0 + len(rows) / MEMORY_ROWS)
        np.add.at(self._delays, delays, 1.0)
        for row in rows:
            self._waiting.setdefault(row[0], []).append(row)

    def release(self, now_ms: int) -> list[Any]:
        """Rows old enough that their like have come too, oldest first."""
        if not self._waiting:
            return []
        passed = np.searchsorted(np.cumsum(self._delays), MOST_SHARE * self._delays.sum())
        border = now_ms - (int(passed) + 1) * BIN_MS
        found: list[Any] = []
        for at in sorted(one for one in self._waiting if one <= border):
            found += self._waiting.pop(at)
        return found

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"delays": self._delays.tolist(), "waiting": list(self._waiting.items())}

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._delays = np.array(state["delays"])
        self._waiting = {at: [(row[0], tuple(row[1]), *row[2:]) for row in rows] for at, rows in state["waiting"]}
