"""The process itself: memory, CPU, files, the garbage collector and its pauses."""

import gc
import time
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric

from agents.metrics.families import gauge, histogram
from schemas.histogram import WORKS_S, Histogram

PAUSES: Final = tuple(Histogram(WORKS_S) for _ in range(3))  # by generation; there is one collector a process


class _Watch:
    began = 0.0

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self.began = time.perf_counter()
        elif self.began:
            PAUSES[info["generation"]].add(time.perf_counter() - self.began)


@cache
def watch_pauses() -> None:
    """Measure each run of the garbage collector from now on; the second call changes nothing."""
    gc.callbacks.append(_Watch())


def register_process(registry: CollectorRegistry) -> None:
    """What the client library knows of its process, under the names that dashboards everywhere expect."""
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)


def process_families() -> Iterable[Metric]:
    """The pauses, the release, and the clock that SLA timers stand on."""
    pauses: dict[tuple[str, ...], Histogram] = {(str(generation),): one for generation, one in enumerate(PAUSES)}
    yield histogram("gc_pause_seconds", "How long a run of the garbage collector took", ("generation",), pauses)
    yield gauge("build_info", "1; the release is in the label", ("version",), [((_release(),), 1)])
    yield gauge("clock_seconds", "The machine's clock at the scrape, seconds since the epoch", (), [((), time.time())])


@cache
def _release() -> str:
    try:
        return version("peakwatch")
    except PackageNotFoundError:
        return "unknown"
