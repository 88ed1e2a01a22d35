"""The one composition: lines of all topics in order of arrival in; windows, clocks and alerts out.

`peakwatch replay` drives it whole. The Faust workers drive its parts (`Source`, `RollingWindows`, `Decisions`), which
the internal topics between them join in the same way.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from schemas.events import EVENT_TYPES
from schemas.results import PANE_MS, Alert
from schemas.topics import REVIEWS, SOURCES, TICKETS
from sla.watch import SlaLine
from streams.decisions import LOOK_AHEAD_MS
from streams.dedupe import Dedupe
from streams.facts import Facts
from streams.intake import Accepted, Record, Tally
from streams.judging import judge_reviews
from streams.panes import Deltas, PaneDeltas
from streams.source import Source, SourceConfig
from streams.windows import RowBatch


class Line(NamedTuple):
    """A message and the topic it came by."""

    topic: str
    record: Record


class Cut(NamedTuple):
    """Where, in a batch, event time moved into another pane: what came before it is decided on first."""

    at: int
    newest_ms: int


class Decider(Protocol):
    """What makes alerts of facts: `streams/decisions.py`, or what stands before it to keep them."""

    def feed(self, facts: Facts, *, newest_ms: int) -> Iterable[Alert]:
        """Take facts; `newest_ms`: the event time that has been reached with them."""
        ...

    def advance(self, newest_ms: int) -> Iterable[Alert]:
        """What the passing of event time brings."""
        ...


class Windows(Protocol):
    """Where every pane is gathered: `streams/windows.py`, or what stands before it to hold them."""

    def add(self, deltas: Deltas) -> None:
        """Take contributions to any pane."""
        ...

    def advance(self, to_pane: int) -> Iterator[RowBatch]:
        """The windows that changed before a pane, by ascending end."""
        ...


class Engine:
    """All topics as one: a topic is one partition here, and an event_id counts once, whatever its topic (O3).

    `windows`: None, or where every pane is gathered for `finish`. `decisions`: None, or the detectors.
    """

    def __init__(
        self, config: SourceConfig, *, windows: Windows | None = None, decisions: Decider | None = None
    ) -> None:
        dedupe = Dedupe()
        self._config = config
        self._panes = PaneDeltas()
        self._sources: dict[str, Source] = {
            topic: Source(config, topic, dedupe=dedupe, panes=self._panes) for topic in SOURCES
        }
        self._tickets = self._sources[TICKETS]
        self._windows = windows
        self._decisions = decisions
        self._refused = Tally()
        self._forecast_at = -LOOK_AHEAD_MS
        self._open = Facts()  # of the pane that event time is in: decided on when it has moved on
        self.newest_ms = -1

    @property
    def tally(self) -> Tally:
        """Counts over all topics."""
        total = Tally()
        total.add(self._refused)
        for source in self._sources.values():
            total.add(source.intake.tally)
        return total

    def feed(self, lines: Sequence[Line]) -> Iterator[Alert]:
        """Take lines in order of arrival; gives the alerts they lead to. How they are batched changes nothing."""
        accepted, newest, cuts = self._take(lines)
        verdicts = judge_reviews(self._config.judging, self._sources[REVIEWS].near, accepted, salt=self._config.salt)
        at = 0
        for index, (item, verdict) in enumerate(zip(accepted, verdicts, strict=True)):
            if at < len(cuts) and cuts[at].at == index:
                yield from self._decide(cuts[at].newest_ms)
                at += 1
            source = self._sources[_TOPIC_OF[type(item.event)]]
            source.absorb(item, verdict, facts=self._open, sla_newest_ms=newest[index])

    def finish(self) -> Iterator[Alert]:
        """The end (E1): everything due at or before the newest event time has happened."""
        if self.newest_ms < 0:
            return
        self._tickets.due(self.newest_ms + self._config.hold_ms, facts=self._open)
        yield from self._decide(self.newest_ms)
        if self._decisions is not None:
            yield from self._decisions.advance(self.newest_ms)

    def window_batches(self) -> Iterator[RowBatch]:
        """After `finish`: every window that changed, by ascending end."""
        if self._windows is not None and self.newest_ms >= 0:
            yield from self._windows.advance(self.newest_ms // PANE_MS + 1)

    def sla_lines(self) -> Iterator[SlaLine]:
        """After `finish`: every clock of every ticket."""
        return self._tickets.desk.watch.final_lines(self.newest_ms)

    def _take(self, lines: Sequence[Line]) -> tuple[list[Accepted], list[int], list[Cut]]:
        """The events that count, the newest event time at each, and where event time crossed into another pane."""
        accepted: list[Accepted] = []
        newest: list[int] = []
        cuts: list[Cut] = []
        for topic, record in lines:
            source = self._sources.get(topic)
            if source is None:
                self._refused.dead_letters += 1
                continue
            taken = source.intake.take(record)
            if not isinstance(taken, Accepted):
                continue
            if taken.at_ms > self.newest_ms:
                if self.newest_ms >= 0 and taken.at_ms // PANE_MS > self.newest_ms // PANE_MS:
                    cuts.append(Cut(len(accepted), self.newest_ms))
                self.newest_ms = taken.at_ms
            accepted.append(taken)
            newest.append(self.newest_ms)
        return accepted, newest, cuts

    def _decide(self, newest_ms: int) -> Iterator[Alert]:
        facts, self._open = self._open, Facts()
        self._tickets.due(newest_ms, facts=facts)
        facts.deltas = self._panes.drain()
        if self._windows is not None:
            self._windows.add(facts.deltas)
        if self._decisions is not None:
            if newest_ms - self._forecast_at >= LOOK_AHEAD_MS:
                self._forecast_at = newest_ms
                facts.forecast = self._tickets.forecast(newest_ms)
            yield from self._decisions.feed(facts, newest_ms=newest_ms)


_TOPIC_OF: Final = {kind: topic for topic, kind in EVENT_TYPES.items()}
