"""How the words of each category drift: the last hour's pairs of characters against those of the day before it.

Decides what is compared with what; the distance is `sentiment.watch`'s, which windows show it is `windows.py`'s
business. A figure is a function of what was written in whole grains of five minutes, and of nothing else: so it is the
same after a restart, in whatever order contributions came, and for a window's end that is mended later.

The reference is the category's own 24 h before the window's hour, so that a new season moves it along and no file has
to be kept up; a drift that stays for a day becomes what is usual.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from sentiment.watch import BUCKETS, count_pairs, drift
from streams.panes import Ints, WordEntry, grain_of

DRIFT_SECONDS: Final = 3600  # the windows that show drift
DRIFT_DIMENSION: Final = "category"
_NOW: Final = 12  # grains: the hour
_USUAL: Final = 288  # grains: the day before it
KEPT_GRAINS: Final = _NOW + _USUAL
_MOST_STEPS: Final = 24  # further from what is known, counting anew is cheaper


class _Known(NamedTuple):
    """A category's sums of the hour and the day before a grain, and the figure that follows."""

    grain: int
    now: Ints
    usual: Ints
    drift: float | None


class WordWindows:
    """Pairs of characters by grain and category, and the drift at any instant within the kept time."""

    def __init__(self) -> None:
        self.touched: set[int] = set()  # grains that changed since a snapshot last looked
        self._log: dict[int, dict[str, Ints]] = {}
        self._fresh: dict[tuple[int, str], list[bytes]] = {}  # not yet counted
        self._known: dict[str, _Known] = {}

    def add(self, entries: Iterable[WordEntry]) -> None:
        """Take contributions to any grain."""
        for grain, category, buckets in entries:
            self._fresh.setdefault((grain, category), []).append(buckets)
            known = self._known.get(category)
            if known is not None and known.grain - KEPT_GRAINS <= grain < known.grain:
                del self._known[category]

    def drift(self, category: str, at_ms: int) -> float | None:
        """The drift of the hour before an instant, by whole grains; None where too little was written."""
        grain = grain_of(at_ms)
        known = self._known.get(category)
        if known is None or known.grain != grain:
            now, usual = self._sums(category, grain, known)
            known = _Known(grain, now, usual, drift(now.tolist(), usual.tolist()))
            self._known[category] = known
        return known.drift

    def forget(self, before_ms: int) -> None:
        """Drop the grains that no window from this instant on asks for."""
        self.count_fresh()
        first = grain_of(before_ms)
        oldest = first - KEPT_GRAINS
        for grain in [one for one in self._log if one < oldest]:
            del self._log[grain]
            self.touched.add(grain)
        for category in [name for name, known in self._known.items() if known.grain < first]:
            del self._known[category]

    # --- for snapshots (`window_pages.py`)

    def count_fresh(self) -> None:
        """Count what came since the last call."""
        for (grain, category), parts in self._fresh.items():
            counts = count_pairs(b"".join(parts))
            held = self._log.setdefault(grain, {})
            before = held.get(category)
            held[category] = counts if before is None else before + counts
            self.touched.add(grain)
        self._fresh.clear()

    def touch(self) -> None:
        """Let the next snapshot have all that is held."""
        self.touched |= self._log.keys()

    def dump_grains(self, grains: Iterable[int]) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
        """What is held of some grains, after `count_fresh`."""
        for grain in grains:
            if grain in self._log:
                yield grain, [(category, counts.tobytes()) for category, counts in self._log[grain].items()]

    def load_grain(self, grain: int, held: Sequence[tuple[str, bytes]]) -> None:
        """Take over what `dump_grains` gave of a grain; raises ValueError for anything else."""
        for category, raw in held:
            counts = np.frombuffer(raw, np.int64)
            if len(counts) != BUCKETS:
                raise ValueError(f"words of {category!r}: {len(counts)} counts instead of {BUCKETS}")
            self._log.setdefault(grain, {})[category] = counts
        self._known.clear()

    # --- sums

    def _sums(self, category: str, grain: int, known: _Known | None) -> tuple[Ints, Ints]:
        """The pairs of the hour and the day before a grain; what is known is moved on if it lies near."""
        self.count_fresh()
        if known is None or abs(grain - known.grain) > _MOST_STEPS:
            return (
                self._sum(category, grain - _NOW, grain),
                self._sum(category, grain - KEPT_GRAINS, grain - _NOW),
            )
        begin, end = sorted((known.grain, grain))
        sign = 1 if grain > known.grain else -1
        entering = self._sum(category, begin, end)
        turning = self._sum(category, begin - _NOW, end - _NOW)
        leaving = self._sum(category, begin - KEPT_GRAINS, end - KEPT_GRAINS)
        return known.now + sign * (entering - turning), known.usual + sign * (turning - leaving)

    def _sum(self, category: str, begin: int, end: int) -> Ints:
        total = np.zeros(BUCKETS, np.int64)
        for grain in range(begin, end):
            counts = self._log.get(grain, _NOTHING).get(category)
            if counts is not None:
                total += counts
        return total


_NOTHING: Final[dict[str, Ints]] = {}
