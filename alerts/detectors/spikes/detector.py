"""Spike detection as the engine sees it: observations in, decisions out, one state to keep.

Decides nothing itself: it cuts observations into panes by event time (10 s; 30 s where few come) as far as
`advance` says, drops what a customer repeats, and hands the columns to the watches.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from alerts.decision import Decision
from alerts.detectors.spikes import pane as panes
from alerts.detectors.spikes.complaints import ComplaintWatch
from alerts.detectors.spikes.config import SpikeConfig
from alerts.detectors.spikes.dedupe import Customers
from alerts.detectors.spikes.reviews import ReviewWatch
from alerts.detectors.spikes.series import SliceTable
from alerts.detectors.spikes.settled import Settled
from schemas.events import DIMENSIONS
from schemas.results import PANE_MS, Observation

Row = tuple[int, tuple[int, ...], float, float, float, str, str]
SPARSE_PANE_MS: Final = 30_000  # where few events come, a pane's fixed cost is spread over more of them
DENSE_ROWS: Final = 120
EVICT_MS: Final = 10 * 60_000
KINDS: Final = ("review", "complaint", "orders")
SHOP: Final = DIMENSIONS.index("shop_id")
CATEGORY: Final = DIMENSIONS.index("category")
OPEN_IDLE_MS: Final = 60_000  # in silence the watches are asked once a minute while an incident is open
IDLE_MS: Final = 30 * 60_000  # and less often while there is something to learn
ASKED_MS: Final = 24 * 3_600_000  # after a day of it no more: an event may be dated 9999


class SpikeDetector:
    """Finds rises of the negative share and of complaints per order; each named by the most specific slice.

    Deterministic: the same calls give the same decisions.
    """

    def __init__(self, config: SpikeConfig) -> None:
        self.config = config
        self.table = SliceTable(config.slices, max_series=config.max_series)
        self.reviews = ReviewWatch(self.table, config.negative, config)
        self.complaints = ComplaintWatch(self.table, config.complaint, config)
        self._customers = {kind: Customers(customer_ms=config.customer_ms) for kind in KINDS[:2]}
        self._waiting: dict[str, list[Row]] = {kind: [] for kind in KINDS}
        self._orders = Settled()
        self._to_ms = self._evicted_ms = 0

    def observe(self, observations: Sequence[Observation]) -> None:
        """Take in observations; decisions about them are made by `advance`."""
        ids, waiting = self.table.ids, self._waiting
        for kind, at, dims, count, negativity, negative, customer, sample, text in observations:
            if kind == "review":
                if negative and customer and self._customers[kind].again(customer, dims[SHOP] or dims[CATEGORY], at):
                    continue
                bad = count if negative else 0.0
                waiting[kind].append((at, ids(dims), negativity * count, count, bad, sample, text))
            elif kind == "complaint":
                if customer and self._customers[kind].again(customer, dims[SHOP] or dims[CATEGORY], at):
                    continue
                waiting[kind].append((at, ids(dims), count, 0.0, count, sample, text))
            elif count:
                waiting[kind].append((at, ids(dims), 0.0, count, 0.0, "", ""))

    def advance(self, to_ms: int) -> list[Decision]:
        """The decisions of all panes that end in (last, to_ms], in order, each `at` its pane's end."""
        end = to_ms // PANE_MS * PANE_MS
        waiting = sum(len(rows) for rows in self._waiting.values())
        if end <= self._to_ms or (end - self._to_ms < SPARSE_PANE_MS and waiting < DENSE_ROWS):
            return []
        if not (waiting or self.reviews.first_ms or self.complaints.first_ms):
            self._to_ms = end  # nothing was ever observed: time alone brings nothing
            return []
        begin = self._to_ms or end - PANE_MS
        width = PANE_MS if waiting * PANE_MS >= DENSE_ROWS * (end - begin) else SPARSE_PANE_MS
        taken = {kind: self._due(kind, begin, end, width) for kind in KINDS}
        self._make_room()
        ends = sorted({one for panes_of in taken.values() for one in panes_of} | {end})
        found: list[Decision] = []
        last = begin
        for one in ends:
            found += self._silence(last, one)
            found += self._pane(one, {kind: taken[kind].get(one, []) for kind in KINDS})
            last = one
        self._to_ms = end
        self._evict(end)
        return found

    def dump(self) -> bytes:
        """The whole state."""
        state = {
            "table": self.table.dump(), "reviews": self.reviews.dump(), "complaints": self.complaints.dump(),
            "customers": {kind: one.dump() for kind, one in self._customers.items()},
            "waiting": self._waiting, "orders": self._orders.dump(), "to": self._to_ms, "evicted": self._evicted_ms,
        }  # fmt: skip
        return msgspec.msgpack.encode(state)

    def load(self, state: bytes) -> None:
        """Take up what `dump` gave; the settings must be the same."""
        kept: dict[str, Any] = msgspec.msgpack.decode(state)
        self.table.load(kept["table"])
        self.reviews.load(kept["reviews"])
        self.complaints.load(kept["complaints"])
        for kind, one in self._customers.items():
            one.load(kept["customers"][kind])
        self._waiting = {
            kind: [(at, tuple(sids), *rest) for at, sids, *rest in rows] for kind, rows in kept["waiting"].items()
        }
        self._orders.load(kept["orders"])
        self._to_ms, self._evicted_ms = kept["to"], kept["evicted"]

    def _due(self, kind: str, begin: int, end: int, width: int) -> dict[int, list[Row]]:
        """The rows of event times before `end`, by the end of their pane; what comes late joins the first."""
        rows = self._waiting[kind]
        due = [row for row in rows if row[0] < end]
        self._waiting[kind] = [row for row in rows if row[0] >= end] if len(due) < len(rows) else []
        due.sort(key=lambda row: row[0])

        def pane_end(row: Row) -> int:
            return min(end, begin + (max(0, row[0] - begin) // width + 1) * width)

        return {one: list(group) for one, group in groupby(due, key=pane_end)}

    def _silence(self, begin: int, end: int) -> list[Decision]:
        """Panes without rows, as far as time alone may decide or teach something in them."""
        found: list[Decision] = []
        until = min(end, begin + ASKED_MS + 1)
        at = begin
        while (step := self._idle_ms()) and at + step < until:
            at += step
            found += self._pane(at, {kind: [] for kind in KINDS})
        return found

    def _idle_ms(self) -> int:
        """How long a silence may go on before the watches are asked; 0: for ever."""
        watches = (self.reviews, self.complaints)
        if any(one.incidents.open() for one in watches):
            return OPEN_IDLE_MS
        return IDLE_MS if any(one.learning for one in watches) else 0

    def _pane(self, end: int, rows: dict[str, list[Row]]) -> list[Decision]:
        columns = self.table.columns
        if rows["orders"]:
            self._orders.add(rows["orders"], end)
        rows["orders"] = self._orders.release(end)
        review, complaint, orders = (panes.of(rows[kind], columns) for kind in KINDS)
        for one in (review, complaint, orders):
            if len(one.at):
                self.table.touch(one.ids, end)
        found: list[Decision] = []
        if self.config.negative.enabled:
            found += self.reviews.pane(review, end)
        if self.config.complaint.enabled:
            if len(review.at):
                self.complaints.exposure.add_reviews(review.ids, review.sums(review.trials))
            found += self.complaints.pane(complaint, orders, end, reviews=len(review.at))
        return found

    def _make_room(self) -> None:
        self.reviews.reserve()
        self.complaints.reserve()

    def _evict(self, now_ms: int) -> None:
        if now_ms - self._evicted_ms < EVICT_MS:
            return
        self._evicted_ms = now_ms
        gone = self.table.evict(now_ms - 2 * self.config.recent_ms)
        if len(gone):
            self.reviews.forget(gone)
            self.complaints.forget(gone)
