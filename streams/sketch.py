"""Quantiles of durations with a stated error: a logarithmic histogram, mergeable and subtractable.

Bucket i holds the values v with gamma^(i-1) < v <= gamma^i, gamma = (1 + a) / (1 - a); any value of the bucket lies
within the relative error a of 2 gamma^i / (gamma + 1) (Masson, Rim, Lee: DDSketch, VLDB 2019, section 2.1).
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from itertools import accumulate
from typing import Final

RELATIVE_ERROR: Final = 0.01
GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
ZERO_BUCKET: Final = -1  # durations of 0 ms
_LOG_GAMMA: Final = math.log(GAMMA)

Sketch = dict[int, int]  # bucket -> count


def bucket(value_ms: int) -> int:
    """The bucket of a duration in ms; one below 1 ms has a bucket of its own."""
    return math.ceil(math.log(value_ms) / _LOG_GAMMA) if value_ms > 0 else ZERO_BUCKET


@lru_cache(maxsize=4096)
def estimate(index: int) -> int:
    """The duration in ms, rounded, that stands for a bucket."""
    return round(2 * GAMMA**index / (GAMMA + 1)) if index >= 0 else 0


def add(sketch: MutableMapping[int, int], index: int, count: int) -> None:
    """Add (or, below zero, take away) a count; an empty bucket leaves no trace."""
    left = sketch.get(index, 0) + count
    if left:
        sketch[index] = left
    else:
        sketch.pop(index, None)


class Total:
    """The sum of many sketches, and its quantiles once somebody asked for them."""

    __slots__ = ("_quantiles", "counts")

    def __init__(self, counts: Sketch | None = None) -> None:
        self.counts: Sketch = dict(counts or {})
        self._quantiles: tuple[int, ...] | None = None

    def add(self, sketch: Mapping[int, int], sign: int) -> None:
        """Add a sketch (1) or take it away (-1)."""
        self._quantiles = None
        for index, count in sketch.items():
            add(self.counts, index, sign * count)

    def quantiles(self) -> tuple[int, ...]:
        """p50, p90, p99 in ms; empty while there is nothing."""
        if self._quantiles is None:
            self._quantiles = quantiles(self.counts) if self.counts else ()
        return self._quantiles


def quantiles(sketch: Mapping[int, int], shares: tuple[float, ...] = (0.5, 0.9, 0.99)) -> tuple[int, ...]:
    """The nearest-rank quantiles in ms: the ceil(share * n)-th smallest. ValueError for an empty sketch."""
    buckets = sorted(sketch)
    reached = list(accumulate(map(sketch.__getitem__, buckets)))
    total = reached[-1] if reached else 0
    if total <= 0:
        raise ValueError("quantiles of an empty sketch")
    ranks = [max(1, math.ceil(round(share * total, 9))) for share in shares]
    return tuple(estimate(buckets[bisect_left(reached, rank)]) for rank in ranks)
