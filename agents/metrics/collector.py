"""All families of a worker, put together at a scrape."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from agents.metrics.business import business_families
from agents.metrics.families import gauge
from agents.metrics.figures import WorkerFigures
from agents.metrics.notices import notice_families
from agents.metrics.pipeline import (
    Progress,
    Reached,
    progress_families,
    reached_families,
    source_families,
    worker_families,
)  # fmt: skip
from agents.metrics.process import process_families
from agents.metrics.store import store_families
from alerts.notify.figures import NotifierSnapshot
from schemas.results import AlertKind, AlertSeverity
from storage.figures import WriterSnapshot
from streams.source import Source

OpenAlert = tuple[str, str]  # kind, severity
KINDS: Final[tuple[str, ...]] = get_args(AlertKind)
SEVERITIES: Final[tuple[str, ...]] = get_args(AlertSeverity)


@dataclass(frozen=True, kw_only=True)
class View:
    """What a scrape looks at; each is asked anew. None: there is none (yet), or another worker has it."""

    figures: WorkerFigures
    sources: Callable[[], Sequence[Source]] = field(default=tuple)
    owned: Callable[[], Sequence[Progress]] = field(default=tuple)
    reached: Callable[[], Sequence[Reached]] = field(default=tuple)
    firing: Callable[[], Mapping[OpenAlert, int] | None] = field(default=lambda: None)
    writer: Callable[[], WriterSnapshot | None] = field(default=lambda: None)
    notifier: Callable[[], NotifierSnapshot | None] = field(default=lambda: None)


class WorkerCollector(Collector):
    """What `prometheus_client` asks for families at each scrape."""

    def __init__(self, view: View) -> None:
        self._view = view

    def describe(self) -> Iterable[Metric]:
        """Nothing: the client library would else ask for everything once more before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All families, at this moment."""
        view = self._view
        yield from source_families(view.sources())
        yield from progress_families(view.owned())
        yield from reached_families(view.reached())
        yield from worker_families(view.figures)
        yield from business_families(view.figures)
        if (firing := view.firing()) is not None:
            every = [((kind, severity), firing.get((kind, severity), 0)) for kind in KINDS for severity in SEVERITIES]
            yield gauge("alerts_open", "Alerts that fire now", ("kind", "severity"), every)
        if (writer := view.writer()) is not None:
            yield from store_families(writer)
        if (notifier := view.notifier()) is not None:
            yield from notice_families(notifier)
        yield from process_families()
