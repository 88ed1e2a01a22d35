"""Complaints per order, or per time where no orders are known."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from alerts.decision import Decision
from alerts.detectors.spikes.arrays import Bools, Floats, Ids
from alerts.detectors.spikes.attribution import Tally
from alerts.detectors.spikes.config import KindSettings, SpikeConfig
from alerts.detectors.spikes.dedupe import OWN_POWER
from alerts.detectors.spikes.exposure import LONGEST_GUESS_MS
from alerts.detectors.spikes.incidents import UNCLEAR_MS, Incident
from alerts.detectors.spikes.orders import LEAST_LEFT, OrderWatch
from alerts.detectors.spikes.pane import Pane
from alerts.detectors.spikes.recent import Rows
from alerts.detectors.spikes.sequential import complaint_gains
from alerts.detectors.spikes.series import ALL, SliceTable
from schemas.results import PANE_MS, AlertKind

LONGEST_PANE_MS: Final = 60_000
NEWEST_MS: Final = 2 * 60_000
PATIENCE_MS: Final = 30 * 60_000  # so long an open incident waits for orders


class ComplaintWatch(OrderWatch):
    """Kind `complaint_spike`."""

    kind: AlertKind = "complaint_spike"
    trusted = False

    def __init__(self, table: SliceTable, settings: KindSettings, config: SpikeConfig) -> None:
        super().__init__(table, settings, config)
        self.pane_ms = self.end_ms = 0  # the length and the end of the last pane
        self.heard_ms = 0  # the newest complaint of any slice

    def pane(self, pane: Pane, orders: Pane, now_ms: int, *, reviews: int) -> list[Decision]:
        """Take up a pane's complaints and orders; decisions at its end. `reviews`: how many there were."""
        self.pane_ms, self.end_ms = min(LONGEST_PANE_MS, max(PANE_MS, now_ms - self.end_ms)), now_ms
        # What an incident brings is no growth of the volume: it would hide itself, and all others.
        usual = float(self.incidents.usual(pane.at, pane.sids).sum())
        self.volume.add(now_ms, reviews=reviews, complaints=usual)
        self.surge.add(now_ms, usual)
        if not self.first_ms:
            self._begin_at(now_ms)
        self._choose_denominator(orders, now_ms)
        if len(orders.at) and not self.by_time:
            self._take_orders(orders)
        if len(pane.at) or self.incidents.known:
            self.exposure.growth = self.volume.growth(self.exposure.newest_ms)
        if now_ms - self.minute_ms >= 60_000:
            if self.by_time:
                self._take_orders(self._minutes_row(now_ms))
            self._pass_common(now_ms)
            self.minute(now_ms)
            self.measure(now_ms)
        touched = self._take(pane, now_ms) if len(pane.at) else np.zeros(0, np.int64)
        self._note_incidents(pane, now_ms)
        if self.by_time is False and now_ms - self.exposure.newest_ms > LONGEST_GUESS_MS:
            self.sequential.reset(touched)  # orders are silent, or hours behind: nobody knows what is due
            return self.follow(now_ms)
        return self.follow(now_ms) + self.judge(touched, now_ms)

    def gains(self, rows: Rows, due: Floats) -> Floats:
        """Log-likelihood ratios of complaints and of what orders let expect."""
        return complaint_gains(rows.got * rows.weight, due, self.ratios)

    def tally(
        self, column: int, rows: Rows, *, due: Floats, heard: Floats, alarm: Bools, since_ms: int, now_ms: int
    ) -> Tally:
        """Sums over the slices of a column."""
        here, size = heard[:, column], len(self.table)
        weight = rows.weight**OWN_POWER if column == self.product else rows.weight
        got = rows.got * weight * here
        ids, places = np.unique(rows.sids[:, column], return_inverse=True)
        ids = ids.astype(np.int64)
        parents, share = self.exposure.parents(ids), self.exposure.share(ids)
        # What a category's incident takes of a shop is not known: a part of everything stays a part of everything.
        here = np.maximum(here, float(self.overlap.shops[column] and not self.exposure.covered(column)))
        orders = np.flatnonzero(rows.trials > 0.0)
        at = rows.at[orders]
        known = (due * here)[orders] * self.intervals.after(at, since_ms - self.pane_ms)
        spread = self._spread(rows.sids[orders], size)
        due_of, shared_of = spread(known), spread(known * alarm[orders])
        owed = due_of[parents]
        for one in self._untold():
            inside = (at >= one.starts_at) & ((at < one.ends_at) if one.ends_at else True)
            if inside.any():
                part = spread(known * inside)[parents]
                owed = np.maximum(LEAST_LEFT * due_of[parents], owed + (self.overlap.factor(one, ids) - 1.0) * part)
        owed = owed * share + self._pending(ids, since_ms - self.pane_ms, now_ms)
        shared = shared_of[parents] * share
        summed = np.bincount(places, got)
        nats = summed[:, None] * np.log(self.ratios) - owed[:, None] * (self.ratios - 1.0)
        return Tally(ids, nats, summed, owed, np.bincount(places, got * alarm), shared)

    def _spread(self, sids: Ids, size: int) -> Callable[[Floats], Floats]:
        """Sums over every series of a value an order."""
        flat, columns = sids.ravel(), self.table.columns
        return lambda due: np.bincount(flat, np.repeat(due, columns), minlength=size)

    def _untold(self) -> list[Incident]:
        """Known incidents in slices that orders do not tell of, so that no order is known to be theirs."""
        known = self.incidents.known
        return [one for one in known if int(self.exposure.parents(np.array([one.sid]))[0]) != one.sid]

    def history(self, one: int, now_ms: int) -> Rows:
        """The slice's complaints of late, and the orders that its expectation comes from, known or guessed."""
        column = int(self.table.column[one])
        own = self.recent.of(column, one)
        if column == self.product:
            own = own._replace(weight=own.weight**OWN_POWER)
        parent = int(self.exposure.parents(np.array([one]))[0])
        if parent in (one, 0):
            return self._sorted(own, self._guessed(one, now_ms))
        share: Any = float(self.exposure.share(np.array([one]))[0])
        around = self.recent.of(int(self.table.column[parent]), parent)
        orders = around.where(around.trials > 0.0)
        if self.overlap.shops[column] and parent == ALL:
            orders = orders._replace(sids=np.zeros_like(orders.sids))
        factor = np.ones(len(orders.at))
        for known in self._untold():
            inside = (orders.at >= known.starts_at) & ((orders.at < known.ends_at) if known.ends_at else True)
            factor = np.where(inside, factor * self.overlap.factor(known, np.array([one]))[0], factor)
        share = share * np.maximum(LEAST_LEFT, factor)
        orders = orders._replace(due=orders.due * share, trials=orders.trials * share)
        return self._sorted(own, orders, self._guessed(one, now_ms))

    def _sorted(self, *parts: Rows) -> Rows:
        both = Rows(*(np.concatenate(values) for values in zip(*parts, strict=True)))
        return both.where(np.argsort(both.at, kind="stable"))

    def uncertainty(self, ids: Ids) -> Floats:
        """The expectation's error: of the orders' rate, and of a share of it."""
        parents = self.exposure.parents(ids)
        result: Floats = super().uncertainty(parents) + self.exposure.uncertainty(ids)
        return result

    def left(self, at: Ids, sids: Ids) -> Floats:
        """The part of the orders that stands beside incidents of which they do not tell: those complaints are gone."""
        narrow, left = np.full(len(at), ALL), np.ones(len(at))
        for column in sorted(range(1, self.table.columns), key=lambda column: float(self.table.rank[column])):
            narrow = np.where(sids[:, column] > 0, sids[:, column], narrow)
        for one in self._untold():
            inside = self._during(one, at)
            if inside.any():
                left[inside] *= self.overlap.left(one, narrow[inside])
        return left

    def unwatched(self, at: Ids) -> Bools:
        """Before the first orders nobody knows what the complaints are to be held against."""
        result: Bools = at <= (0 if self.by_time else self.intervals.since_ms)
        return result

    def unclear(self, at: Ids) -> Bools:
        """The hours of incidents that no order is known to be of: the complaints are gone, and with them a share."""
        found = np.zeros(len(at), bool)
        for one in self._untold():
            found |= self._during(one, at)
        return found

    def _during(self, one: Incident, at: Ids) -> Bools:
        until = min(one.ends_at or at.max() + 1, one.starts_at + UNCLEAR_MS)
        result: Bools = (at >= one.starts_at) & (at < until)
        return result

    def learn_more(self, sids: Ids, got: Floats) -> None:
        """Shares of the complaints."""
        self.exposure.learn_complaints(sids[got > 0.0], got[got > 0.0])
        self.overlap.forget()

    def orders_due(self, one: int, now_ms: int) -> float | None:
        """Complaints to expect of an order in this slice; None where no orders are known."""
        if self.by_time is not False:
            return None
        rows = self.history(one, now_ms)
        known = rows.trials > 0.0
        orders = float(rows.trials[known].sum())
        return float(rows.due[known].sum()) / orders if orders > 0.0 else self.baseline.rate(now_ms)

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        own = {"exposure": self.exposure.dump(), "volume": self.volume.dump(), "by_time": self.by_time,
               "intervals": self.intervals.dump(), "heard": self.heard_ms,
               "overlap": self.overlap.dump()}  # fmt: skip
        return super().dump() | own

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        super().load(state)
        self.exposure.load(state["exposure"])
        self.volume.load(state["volume"])
        self.intervals.load(state["intervals"])
        self.heard_ms = state["heard"]
        self.overlap.load(state["overlap"])
        if state["by_time"]:
            self._count_minutes()
        else:
            self.by_time = state["by_time"]

    def _take(self, pane: Pane, now_ms: int) -> Ids:
        self.exposure.adopt(pane.sids)
        ids, places = pane.ids, pane.places
        before, within = self._passed(ids, now_ms)
        passed = before + within
        weight = np.ones(len(pane.at))
        if self.product is not None:
            burst = self.bursts.weights(ids, pane.sums(pane.got), passed, now_ms=now_ms)
            weight = burst[places.reshape(pane.sids.shape)[:, self.product]]
        _, heard = self.incidents.explain(pane.at, pane.sids, np.zeros(len(pane.at)))
        free = heard.all(axis=1)
        self.common.add(ids, got=pane.sums(pane.got * free), due=np.zeros(len(ids)))
        values = {"got": pane.got, "due": np.zeros(len(pane.at)), "trials": np.zeros(len(pane.at)),
                  "weight": weight, "bad": pane.bad}  # fmt: skip
        self.recent.append(pane.at, pane.sids, values, pane.notes)
        weights = np.repeat(weight[:, None], self.table.columns, axis=1)
        if self.product is not None:
            weights[:, self.product] **= OWN_POWER
        got = np.bincount(places, (pane.got[:, None] * weights * heard).ravel())
        real = ids > 0
        return self._test(ids[real], got[real], before[real], within[real], pane.begin)

    def _passed(self, ids: Ids, now_ms: int) -> tuple[Floats, Floats]:
        """What was to be expected of these series since they were last looked at: before this pane, and in it."""
        before, within = self.exposure.since_mark(ids, now_ms, pane_ms=self.pane_ms)
        factor = np.where(ids > 0, self.common.factor, 0.0)
        return before * factor, within * factor

    def _test(self, ids: Ids, got: Floats, before: Floats, within: Floats, at_ms: int) -> Ids:
        """Time without complaints lets a sum fall to 0; what is due in the pane counts against its complaints."""
        factor = self.beside(ids, self.end_ms - self.pane_ms, self.end_ms)
        before, within = before * factor, within * factor
        self.sequential.drain(ids, before[:, None] * (self.ratios - 1.0), before)
        gain = complaint_gains(got, within, self.ratios)
        self.sequential.add(ids, gain, got=got, due=within, at_ms=at_ms)
        return ids

    def _pass_common(self, now_ms: int) -> None:
        ids = self.common.wide_ids()
        ids = ids[self.exposure.parents(ids) > 0]
        if len(ids):
            share = self.exposure.share(ids)
            for one in self.incidents.open():
                share = share * self.overlap.left(one, ids)
            self.common.add_passed(ids, self.exposure.total(ids, now_ms), share)

    def _note_incidents(self, pane: Pane, now_ms: int) -> None:
        """Follow the open incidents as far as both complaints and orders have been heard of.

        What is only guessed of the orders speaks neither for an incident nor against it: a large one makes the guess
        itself rise. And silence of all complaints is a feed that lags, or that is dead, and no recovery.
        """
        if len(pane.at):
            self.heard_ms = max(self.heard_ms, int(pane.at.max()))
        patient = now_ms - self.exposure.newest_ms <= PATIENCE_MS
        until = min(self.heard_ms, self.exposure.newest_ms) if patient else self.heard_ms
        for one in self.incidents.open():
            if (pane.sids[:, one.column] == one.sid).any():
                one.last_event = max(one.last_event, now_ms)
            since = max(one.raised_at, one.noted_to)
            if until > since:
                one.noted_to = until
                self._note(one, since, until, now_ms)

    def measure(self, now_ms: int) -> None:
        """How large the open incidents are by now, as far as that can be guessed."""
        for one in self.incidents.open():
            rows = self.history(one.sid, now_ms)
            rows = rows.where(rows.at > max(one.starts_at, now_ms - NEWEST_MS))
            one.newest_ratio = (float(rows.got.sum()) + self.settings.min_ratio) / (float(rows.due.sum()) + 1.0)

    def _note(self, one: Incident, since_ms: int, until_ms: int, now_ms: int) -> None:
        rows = self.history(one.sid, now_ms)
        inside = (rows.at > since_ms) & (rows.at <= until_ms)
        part = self.intervals.after(rows.at, since_ms) - self.intervals.after(rows.at, until_ms)
        rows = rows._replace(got=rows.got * inside, due=rows.due * np.where(rows.trials > 0.0, part, inside))
        got, due = rows.got.sum(keepdims=True), rows.due.sum(keepdims=True)
        half = np.array([max(self.settings.min_ratio, one.middle_ratio)])
        relief = -float(complaint_gains(got, due, half)[0, 0])
        count = float((rows.got > 0.0).sum())
        self.incidents.note(one, got=float(got[0]), due=float(due[0]), count=count, relief=relief, at_ms=one.last_event)
