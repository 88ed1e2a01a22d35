"""Complaints per order, or per time where no orders are known."""

from typing import Any, Final

import numpy as np

from alerts.decision import Decision
from alerts.detectors.spikes import pane as panes
from alerts.detectors.spikes.arrays import Bools, Floats, Ids
from alerts.detectors.spikes.attribution import Tally
from alerts.detectors.spikes.config import KindSettings, SpikeConfig
from alerts.detectors.spikes.exposure import Exposure
from alerts.detectors.spikes.incidents import Incident
from alerts.detectors.spikes.pane import Pane
from alerts.detectors.spikes.recent import Rows
from alerts.detectors.spikes.sequential import complaint_gains
from alerts.detectors.spikes.series import ALL, SliceTable
from alerts.detectors.spikes.volume import Volume
from alerts.detectors.spikes.watch import Watch
from schemas.results import AlertKind

MINUTE_PRIOR: Final = 2.0  # complaints a minute, before anything was learnt: worth a quarter of a minute only
MOST_MINUTES: Final = 60  # a longer silence was not watched
NO_ORDERS_MS: Final = 10 * 60_000  # so long without any since the beginning: minutes stand for orders


class ComplaintWatch(Watch):
    """Kind `complaint_spike`."""

    kind: AlertKind = "complaint_spike"
    trusted = False

    def __init__(self, table: SliceTable, settings: KindSettings, config: SpikeConfig) -> None:
        super().__init__(table, settings, config)
        self.exposure = Exposure(table)
        self.by_time: bool | None = None  # None: not known yet
        self.volume = Volume()
        self.passed: dict[int, float] = {}

    @property
    def learning(self) -> bool:
        """Whether there is something that was not yet learnt from; minutes, where they stand for orders, always."""
        return bool(self.by_time) or super().learning

    def reserve(self) -> None:
        """Make room for the table's newest series."""
        super().reserve()
        self.exposure.reserve()

    def forget(self, ids: Ids) -> None:
        """These ids stand for other series from now on."""
        super().forget(ids)
        self.exposure.forget(ids)

    def pane(self, pane: Pane, orders: Pane, now_ms: int, *, reviews: int) -> list[Decision]:
        """Take up a pane's complaints and orders; decisions at its end. `reviews`: how many there were."""
        self.volume.add(now_ms, reviews=reviews, complaints=len(pane.at))
        if not self.first_ms:
            self.first_ms = now_ms
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
        touched = self._take(pane, now_ms) if len(pane.at) else np.zeros(0, np.int64)
        self._note_incidents(pane, now_ms)
        return self.follow(now_ms) + self.judge(touched, now_ms)

    def gains(self, rows: Rows, due: Floats) -> Floats:
        """Log-likelihood ratios of complaints and of what orders let expect."""
        return complaint_gains(rows.got * rows.weight, due, self.ratios)

    def tally(self, column: int, rows: Rows, *, due: Floats, heard: Floats, alarm: Bools, now_ms: int) -> Tally:
        """Sums over the slices of a column."""
        here, size = heard[:, column], len(self.table)
        weight = 1.0 if column == self.product else rows.weight
        got = rows.got * weight * here
        ids, places = np.unique(rows.sids[:, column], return_inverse=True)
        ids = ids.astype(np.int64)
        parents = self.exposure.parents(ids)
        share = self.exposure.share(ids)
        flat = rows.sids.ravel()
        spread = np.repeat((due * here), self.table.columns)
        # A part of everything stays a part of everything: whom an incident takes out of it is not known.
        whole = parents == ALL
        due_of = np.bincount(flat, spread, minlength=size)[parents]
        due_of[whole & (ids != ALL)] = due.sum()
        owed = due_of * share + self.pending(ids, now_ms)
        shared = np.bincount(flat, spread * np.repeat(alarm, self.table.columns), minlength=size)[parents] * share
        summed = np.bincount(places, got)
        nats = summed[:, None] * np.log(self.ratios) - owed[:, None] * (self.ratios - 1.0)
        return Tally(ids, nats, summed, owed, np.bincount(places, got * alarm), shared)

    def history(self, one: int) -> Rows:
        """The slice's complaints of late, and the orders that its expectation comes from."""
        column = int(self.table.column[one])
        own = self.recent.of(column, one)
        if column == self.product:
            own = own._replace(weight=np.ones(len(own.at)))
        parent = int(self.exposure.parents(np.array([one]))[0])
        if parent in (one, 0):
            return own
        share = float(self.exposure.share(np.array([one]))[0])
        around = self.recent.of(int(self.table.column[parent]), parent)
        orders = around.where(around.trials > 0.0)
        if parent == ALL:  # what an incident takes out of everything is not this slice's
            orders = orders._replace(sids=np.zeros_like(orders.sids))
        orders = orders._replace(due=orders.due * share, trials=orders.trials * share)
        both = Rows(*(np.concatenate([mine, theirs]) for mine, theirs in zip(own, orders, strict=True)))
        return both.where(np.argsort(both.at, kind="stable"))

    def pending(self, ids: Ids, now_ms: int) -> Floats:
        """What is due of orders that are not known yet."""
        result: Floats = self.exposure.pending(ids, now_ms) * self.common.factor
        return result

    def uncertainty(self, ids: Ids) -> Floats:
        """The expectation's error: of the orders' rate, and of a share of it."""
        parents = self.exposure.parents(ids)
        result: Floats = self.baseline.uncertainty(parents) + self.exposure.uncertainty(ids)
        return result

    def learn_more(self, sids: Ids, got: Floats) -> None:
        """Shares of the complaints."""
        self.exposure.learn_complaints(sids[got > 0.0], got[got > 0.0])

    def orders_due(self, one: int, now_ms: int) -> float | None:
        """Complaints to expect of an order in this slice; None where no orders are known."""
        if self.by_time is not False:
            return None
        rows = self.history(one)
        orders = float(rows.trials.sum())
        return float(rows.due.sum()) / orders if orders > 0.0 else self.baseline.rate(now_ms)

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        own = {"exposure": self.exposure.dump(), "volume": self.volume.dump(), "by_time": self.by_time}
        return super().dump() | own

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        super().load(state)
        self.exposure.load(state["exposure"])
        self.volume.load(state["volume"])
        if state["by_time"]:
            self._count_minutes()
        else:
            self.by_time = state["by_time"]

    def _choose_denominator(self, orders: Pane, now_ms: int) -> None:
        if len(orders.at) and self.by_time is not False:
            if self.by_time:  # a rate a minute says nothing of a rate an order: begin anew
                fresh = ComplaintWatch(self.table, self.settings, self.config)
                fresh.reserve()
                fresh.volume = self.volume
                self.__dict__.update(fresh.__dict__)
                self.first_ms = now_ms
            self.by_time = False
        elif self.by_time is None and now_ms - self.first_ms >= NO_ORDERS_MS:
            self._count_minutes()

    def _count_minutes(self) -> None:
        self.by_time = True
        self.baseline.prior_rate = MINUTE_PRIOR

    def _minutes_row(self, now_ms: int) -> Pane:
        """The minutes since the last ones, as orders."""
        sids = (ALL, *(0 for _ in range(self.table.columns - 1)))
        minutes = min(MOST_MINUTES, max(1, (now_ms - self.minute_ms) // 60_000)) if self.minute_ms else 1
        return panes.of([(now_ms - 1, sids, 0.0, float(minutes), 0.0, "", "")], self.table.columns)

    def _take_orders(self, orders: Pane) -> None:
        rate = np.array([self.baseline.rate(int(orders.at[-1]))])
        plain = orders.trials * rate * self.baseline.effects(orders.sids)
        self.exposure.add_orders(orders.at, orders.sids, orders.trials, plain)
        self.exposure.adopt(orders.sids)
        values = {"got": orders.got, "due": plain * self.common.factor, "trials": orders.trials,
                  "weight": np.ones(len(plain)), "bad": orders.bad}  # fmt: skip
        self.recent.append(orders.at, orders.sids, values, [])

    def _take(self, pane: Pane, now_ms: int) -> Ids:
        self.exposure.adopt(pane.sids)
        ids, places = pane.ids, pane.places
        passed = self.exposure.since_mark(ids, now_ms) * self.common.factor
        passed[ids == 0] = 0.0
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
            weights[:, self.product] = 1.0
        got = np.bincount(places, (pane.got[:, None] * weights * heard).ravel())
        self.passed = dict(zip(ids.tolist(), passed.tolist(), strict=True)) if self.incidents.known else {}
        return self._test(ids, got, passed, int(pane.at.min()))

    def _test(self, ids: Ids, got: Floats, passed: Floats, at_ms: int) -> Ids:
        real = ids > 0
        ids, got, passed = ids[real], got[real], passed[real]
        scale = self._incident_scale(ids)
        self.sequential.drain(ids, (passed * scale)[:, None] * (self.ratios - 1.0), passed * scale)
        self.sequential.add(ids, got[:, None] * np.log(self.ratios), got=got, due=np.zeros(len(ids)), at_ms=at_ms)
        return ids

    def _incident_scale(self, ids: Ids) -> Floats:
        """Slices within an incident must exceed its ratio."""
        scale = np.ones(len(ids))
        for one in self.incidents.open():
            within = self.table.refines[one.column][self.table.column[ids]]
            if within.any():
                rows = self.recent.rows(one.starts_at)
                inside = np.unique(rows.sids[rows.sids[:, one.column] == one.sid])
                scale = np.where(within & np.isin(ids, inside), np.maximum(scale, one.ratio), scale)
        return scale

    def _pass_common(self, now_ms: int) -> None:
        ids = self.common.wide_ids()
        ids = ids[self.exposure.parents(ids) > 0]
        if len(ids):
            self.common.add_passed(ids, self.exposure.total(ids, now_ms), self.exposure.share(ids))

    def _note_incidents(self, pane: Pane, now_ms: int) -> None:
        for one in self.incidents.open():
            mine = pane.sids[:, one.column] == one.sid
            due = self.passed.pop(one.sid, 0.0)
            due += float(self.exposure.since_mark(np.array([one.sid]), now_ms)[0]) * self.common.factor
            got = float(pane.got[mine].sum())
            self._note(one, got=got, due=due, count=float(mine.sum()), now_ms=now_ms)

    def _note(self, one: Incident, *, got: float, due: float, count: float, now_ms: int) -> None:
        half = np.array([max(self.settings.min_ratio, one.middle_ratio)])
        relief = -float(complaint_gains(np.array([got]), np.array([due]), half)[0, 0])
        at_ms = now_ms if count else one.last_event
        self.incidents.note(one, got=got, due=due, count=count, relief=relief, at_ms=at_ms)
