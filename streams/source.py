"""Stage 1: one source partition, from bytes to facts.

A deterministic function of the partition's log and of the highest tick, so that reading a part of the log again
after a crash gives the same facts. Its state is dumped and loaded in pages.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from schemas.events import Complaint, Orders, Review
from schemas.results import PANE_MS, DeadLetter
from sentiment.neardup import NearDuplicates
from sla.policy import Policy
from sla.promises import Promises
from sla.watch import SlaWatch
from streams.clock_rows import clock_rows
from streams.counting import Counting, WordsOf, count_complaint, count_orders, count_review
from streams.dedupe import Dedupe
from streams.facts import Facts, Forecast
from streams.intake import Accepted, Intake, Record
from streams.judging import UNJUDGED, Judging, Verdict, judge_reviews
from streams.panes import PaneDeltas
from streams.tickets import TicketDesk, ticket_row
from streams.watermark import Watermark

T = TypeVar("T")

DEFAULT_LATENESS_MS: Final = 300_000
DEFAULT_HOLD_MS: Final = 60_000
DEDUPE_HORIZON_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What every source partition is given. `judging` and `mask` are `sentiment`'s, handed in."""

    judging: Judging
    mask: Callable[[str], str]
    policies: Iterable[Policy] | Promises = ()
    lateness_ms: int = DEFAULT_LATENESS_MS
    hold_ms: int = DEFAULT_HOLD_MS
    keep_ms: int | None = None  # how long tickets that are over are remembered; None: for ever
    salt: bytes = b""
    rows: bool = False  # whether raw rows for the store are wanted
    words: WordsOf | None = None  # cuts reviews into words for those rows
    live: bool = False  # whether there is a wall clock to be ahead of, and a horizon for duplicates


class Source:
    """One partition of a source topic (in a replay: the topic)."""

    def __init__(
        self, config: SourceConfig, topic: str, partition: int = 0,
        *, dedupe: Dedupe | None = None, panes: PaneDeltas | None = None,
    ) -> None:  # fmt: skip
        """`dedupe`, `panes`: those of several sources that count as one, as in a replay."""
        self.config = config
        if dedupe is None:
            dedupe = Dedupe(DEDUPE_HORIZON_MS if config.live else None)
        self.intake = Intake(topic, partition, dedupe=dedupe, watermark=Watermark(config.lateness_ms), live=config.live)
        self.panes = PaneDeltas() if panes is None else panes
        self.desk = TicketDesk(
            SlaWatch(config.policies), hold_ms=config.hold_ms, lateness_ms=config.lateness_ms, keep_ms=config.keep_ms
        )
        self._how = Counting(mask=config.mask, salt=config.salt, rows=config.rows, words=config.words)
        self.near = NearDuplicates()

    @property
    def newest_ms(self) -> int:
        """The newest event time of the partition; -1 before any."""
        return self.intake.watermark.newest_ms

    def feed(self, records: Iterable[Record]) -> Facts:
        """Everything that comes of these records, deltas included."""
        facts = Facts()
        accepted: list[Accepted] = []
        for record in records:
            taken = self.intake.take(record)
            if isinstance(taken, Accepted):
                accepted.append(taken)
            elif isinstance(taken, DeadLetter):
                facts.dead_letters.append(taken)
        verdicts = judge_reviews(self.config.judging, self.near, accepted, salt=self.config.salt)
        for item, verdict in zip(accepted, verdicts, strict=True):
            self.absorb(item, verdict, facts=facts, sla_newest_ms=item.newest_ms)
        facts.deltas = self.panes.drain()
        return facts

    def tick(self, now_ms: int) -> Facts:
        """What falls due on ticket clocks by the wall clock alone (rule A1)."""
        facts = Facts()
        self.due(max(now_ms, self.newest_ms), facts=facts)
        facts.deltas = self.panes.drain()
        return facts

    def absorb(self, item: Accepted, verdict: Verdict | None, *, facts: Facts, sla_newest_ms: int) -> None:
        """Count one accepted event. `sla_newest_ms`: the newest event time that the SLA watermark stands on."""
        event = item.event
        if not item.late:
            facts.feeds[self.intake.topic, event.channel or "", item.at_ms // PANE_MS] += 1
        if isinstance(event, Review):
            observation, review = count_review(self._how, item, verdict or UNJUDGED, panes=self.panes)
            _keep(observation, facts.observations)
            _keep(review, facts.reviews)
        elif isinstance(event, Complaint):
            observation, complaint = count_complaint(self._how, item, panes=self.panes)
            _keep(observation, facts.observations)
            _keep(complaint, facts.complaints)
        elif isinstance(event, Orders):
            observation, orders = count_orders(self._how, item, panes=self.panes)
            _keep(observation, facts.observations)
            _keep(orders, facts.orders)
        else:
            self.due(sla_newest_ms, facts=facts)
            facts.transitions += self.desk.step(
                item, newest_ms=item.newest_ms, panes=self.panes, tally=self.intake.tally
            )
            if self._how.rows:
                facts.tickets.append(ticket_row(self._how, item))
                facts.clocks += clock_rows(
                    self.desk.watch, event.ticket_id, now_ms=item.newest_ms, partition=item.partition,
                    version=item.offset,
                )  # fmt: skip

    def due(self, newest_ms: int, *, facts: Facts) -> None:
        """Fire what is due on ticket clocks when the newest event time, or the wall clock, is `newest_ms`."""
        watermark_ms = newest_ms - self.config.hold_ms
        facts.transitions += self.desk.advance(watermark_ms, panes=self.panes)

    def forecast(self, now_ms: int) -> dict[Forecast, int]:
        """How many ticket clocks will breach within each horizon, by queue and clock.

        `now_ms`: how far time has come with what was absorbed; the intake may have read on.
        """
        watch = self.desk.watch
        counts = watch.forecast(max(now_ms, watch.watermark_ms))
        return {(queue, clock, horizon): count for (queue, clock, horizon), count in counts.items()}

    # --- snapshots

    def dump_dirty(self) -> Iterator[tuple[str, bytes]]:
        """The pages that changed since the last call."""
        for number, page in self.intake.dedupe.dump_dirty():
            yield f"seen/{number}", page
        watch = self.desk.watch
        for bucket in sorted(watch.dirty):
            yield f"tickets/{bucket}", _encode(watch.dump_page(bucket))
        watch.dirty.clear()
        yield "state", _encode((self.newest_ms, watch.watermark_ms, self.near.dump()))

    def load(self, pages: Mapping[str, bytes]) -> None:
        """Take over the pages of a snapshot."""
        newest_ms, watermark_ms, near = _decode(pages["state"])
        self.intake.watermark.newest_ms = newest_ms
        self.near.load(near)
        for name, page in pages.items():
            kind, _, number = name.partition("/")
            if kind == "seen":
                self.intake.dedupe.load_segment(int(number), page)
            elif kind == "tickets":
                self.desk.watch.load_page(_decode(page))
        # What was due by then has been told by whoever wrote the snapshot.
        self.desk.watch.advance(watermark_ms)


def _keep(value: T | None, into: list[T]) -> None:
    if value is not None:
        into.append(value)


_encode: Final = msgspec.msgpack.encode


def _decode(page: bytes) -> Any:
    return msgspec.msgpack.decode(page)
