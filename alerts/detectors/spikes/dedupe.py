"""Related negatives: one customer's anger counts once, a product's burst less than so many strangers'."""

from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.grown import Grown

BURST_MS: Final = 15 * 60_000
BURST_RATIO: Final = 4.0  # so many times the expectation of a product may come of an incident wider than it
OWN_POWER: Final = 0.25  # a product's own series weighs its bursts much less down: 5 at once count like 3
MOST: Final = 100_000  # customers kept in mind
MOST_PLACES: Final = 3  # shops in which one customer's anger counts


class Customers:
    """Who was heard of lately, and about what."""

    def __init__(self, *, customer_ms: int) -> None:
        self._customer_ms = customer_ms
        self._heard: dict[str, tuple[tuple[str, int], ...]] = {}  # where and when, at most so long ago

    def again(self, customer: str, where: str, at_ms: int) -> bool:
        """Whether this customer was heard of here lately, or in several places already; '' is nobody in particular."""
        if not customer:
            return False
        heard = tuple(one for one in self._heard.pop(customer, ()) if abs(at_ms - one[1]) < self._customer_ms)
        again = len(heard) >= MOST_PLACES or any(place == where for place, _ in heard)
        self._heard[customer] = heard if again else (*heard, (where, at_ms))
        if len(self._heard) > MOST:
            del self._heard[next(iter(self._heard))]
        return again

    def dump(self) -> list[tuple[str, tuple[tuple[str, int], ...]]]:
        """All of it as plain values."""
        return list(self._heard.items())

    def load(self, state: list[tuple[str, list[tuple[str, int]]]]) -> None:
        """Take up what `dump` gave."""
        self._heard = {customer: tuple((place, at) for place, at in heard) for customer, heard in state}


class Bursts:
    """What each product brought in the last minutes, and what was due."""

    def __init__(self) -> None:
        self._heap = Grown({"got": (np.float64, 0), "due": (np.float64, 0), "last": (np.int64, 0)})

    def reserve(self, rows: int) -> None:
        """Make room for ids below `rows`."""
        self._heap.reserve(rows)

    def forget(self, ids: Ids) -> None:
        """These ids stand for other products from now on."""
        self._heap.clear(ids)

    def weights(self, ids: Ids, got: Floats, due: Floats, *, now_ms: int) -> Floats:
        """Of each product 1 for what may be chance or a wider incident, less for what a burst brought beyond it."""
        heap = self._heap
        kept = np.exp((heap["last"][ids] - now_ms) / BURST_MS)
        heap["last"][ids] = now_ms
        heaped = heap["got"][ids] * kept + got
        allowed = heap["due"][ids] * kept + due
        heap["got"][ids], heap["due"][ids] = heaped, allowed
        weight = np.minimum(1.0, (1.0 + BURST_RATIO * allowed) / np.maximum(heaped, 1e-9)) ** 2
        weight[ids == 0] = 1.0
        result: Floats = weight
        return result

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return self._heap.dump()

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._heap.load(state)
