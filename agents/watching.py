"""What a worker shows of itself: its stages' figures for metrics, and whether it is well and at work."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from faust.types import TP

from agents.alert_stage import AlertStage, Notifier
from agents.clock import AnyClock
from agents.decision_stage import DecisionStage
from agents.metrics import Health, Progress, Reached, View, WorkerFigures
from agents.pagestore import PageStore
from agents.source_stage import SourceStage
from agents.stages import Stages
from agents.window_stage import WindowStage
from alerts.notify.figures import NotifierSnapshot
from schemas.histogram import WORKS_S, Histogram
from schemas.results import Alert
from storage.figures import WriterSnapshot
from storage.writer import Writer
from streams.facts import Facts
from streams.source import Source


@dataclass(kw_only=True)
class Watching:
    """Asked at a scrape, in the worker's own event loop; what is not there yet is None."""

    clock: AnyClock
    sources: Stages[SourceStage]
    windows: Stages[WindowStage]
    decisions: Stages[DecisionStage]
    alerts: Stages[AlertStage]
    others: Sequence[Stages[Any]] = ()
    end_of: Callable[[TP], int | None]  # the log's end
    failure: Callable[[], BaseException | None]
    writer: Writer | None = None
    store: PageStore | None = None
    notifier: Notifier | None = None
    assigned: bool = False
    figures: WorkerFigures = field(default_factory=WorkerFigures)

    def view(self) -> View:
        """What a scrape looks at."""
        return View(
            figures=self.figures, sources=self._sources, owned=lambda: list(self._owned()),
            reached=lambda: list(self._reached()), firing=self._firing,
            writer=self._writer_snapshot, notifier=self._notifier_snapshot,
        )  # fmt: skip

    def health(self) -> Health:
        """What is wrong, and what is not there yet."""
        ills, lacks = [], []
        failure = self.failure()
        if failure is not None:
            ills.append(f"failed: {failure}")
        if not self.assigned:
            lacks.append("the consumer group has not told which partitions are ours")
        lacks += [f"{tp.topic}/{tp.partition}: being taken over" for stages in self._all for tp in stages.awaited()]
        writer = self._writer_snapshot()
        if writer is not None and writer.state == "failed":
            ills.append(f"the writer failed: {writer.last_error}")
        return Health(tuple(ills), tuple(lacks))

    def absorbed(self, topic: str, partition: int) -> Callable[[Facts], None]:
        """What counts the facts of a source partition."""
        place = (topic, partition)
        return lambda facts: self.figures.absorb(place, facts)

    def told(self, alerts: Iterable[Alert]) -> None:
        """Count transitions that the broker has."""
        self.figures.told(alerts, self.clock.now_ms())

    def gone(self, tp: TP) -> None:
        """A partition is another worker's now."""
        self.figures.gone((tp.topic, tp.partition))

    def timed(self, name: str, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The same work, its turns measured."""
        turns = self.figures.timers.setdefault(name, Histogram(WORKS_S))

        async def measured() -> None:
            began = time.perf_counter()
            await work()
            turns.add(time.perf_counter() - began)

        return measured

    @property
    def _all(self) -> Iterator[Stages[Any]]:
        stages: tuple[Stages[Any], ...] = (self.sources, self.windows, self.decisions, self.alerts)
        yield from (*stages, *self.others)

    def _sources(self) -> list[Source]:
        return [stage.source for _, stage in self.sources.standing()]

    def _owned(self) -> Iterator[Progress]:
        if self.store is not None:
            self.figures.saved_bytes = self.store.written_bytes
        for stages in self._all:
            for tp, stage in stages.standing():
                size = 0 if self.store is None else self.store.size_bytes(tp.topic, tp.partition)
                yield Progress(tp.topic, tp.partition, stage.position, stages.saved(tp), self.end_of(tp), size)

    def _reached(self) -> Iterator[Reached]:
        now_ms = self.clock.now_ms()
        for tp, windows in self.windows.standing():
            kept = windows.windows
            yield Reached(tp.topic, tp.partition, windows.reached(now_ms), now_ms, kept.keys, len(kept.log))
        for tp, decisions in self.decisions.standing():
            yield Reached(tp.topic, tp.partition, decisions.reached(now_ms), now_ms, 0, 0)

    def _firing(self) -> Counter[tuple[str, str]] | None:
        owned = [stage for _, stage in self.decisions.standing()]
        found: Counter[tuple[str, str]] = Counter()
        for stage in owned:
            found.update(stage.decisions.lifecycle.firing())
        return found if owned else None

    def _writer_snapshot(self) -> WriterSnapshot | None:
        return None if self.writer is None else self.writer.snapshot()

    def _notifier_snapshot(self) -> NotifierSnapshot | None:
        told = [stage for _, stage in self.alerts.standing()]
        return self.notifier.figures() if self.notifier is not None and told else None
