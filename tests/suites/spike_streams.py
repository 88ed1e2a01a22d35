"""A detector over a stream of observations, as its tests run it."""

from collections.abc import Iterable

from alerts.decision import Decision
from alerts.detectors.spikes import SpikeDetector
from schemas.results import Observation

Batch = tuple[int, list[Observation]]  # the newest event time by then, ms, and what came


def run(detector: SpikeDetector, batches: Iterable[Batch]) -> list[Decision]:
    """All decisions, in order."""
    found = []
    for newest, batch in batches:
        detector.observe(batch)
        found += detector.advance(newest)
    return found
