"""What orders let expect of complaints: those told of, those not known yet, and minutes where there are none at all.

What the complaints say against it is `complaints.py`'s business.
"""

from typing import Final

import numpy as np

from alerts.detectors.spikes import pane as panes
from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.config import KindSettings, SpikeConfig
from alerts.detectors.spikes.exposure import Exposure
from alerts.detectors.spikes.intervals import Intervals
from alerts.detectors.spikes.overlap import Overlap
from alerts.detectors.spikes.pane import Pane
from alerts.detectors.spikes.recent import Rows
from alerts.detectors.spikes.series import ALL, SliceTable
from alerts.detectors.spikes.volume import Volume
from alerts.detectors.spikes.watch import Watch
from schemas.results import PANE_MS

MINUTE_PRIOR: Final = 2.0  # complaints a minute, before anything was learnt: worth a quarter of a minute only
LEAST_LEFT: Final = 0.05  # of an expectation, however many incidents take their part of it
MOST_MINUTES: Final = 60  # a longer silence was not watched
MOST_GUESSED: Final = 120  # pieces of the time of which no orders are known
NO_ORDERS_MS: Final = 10 * 60_000  # so long without any since the beginning: minutes stand for orders


class OrderWatch(Watch):
    """The orders' side of a watch of complaints."""

    def __init__(self, table: SliceTable, settings: KindSettings, config: SpikeConfig) -> None:
        super().__init__(table, settings, config)
        self.exposure = Exposure(table)
        self.overlap = Overlap(table, self.exposure, self.recent)
        self.by_time: bool | None = None  # None: not known yet
        self.volume, self.intervals = Volume(), Intervals()

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
        self.overlap.forget()

    def beside(self, ids: Ids, since_ms: int, now_ms: int) -> Floats:
        """What the open incidents make of the expectation of these series in the time up to now."""
        factor = np.ones(len(ids))
        for one in self.incidents.open():
            part = max(0, now_ms - max(one.starts_at, since_ms)) / max(1, now_ms - since_ms)
            factor = factor * (1.0 + min(1.0, part) * (self.overlap.factor(one, ids) - 1.0))
        return np.maximum(LEAST_LEFT, factor)

    def _pending(self, ids: Ids, since_ms: int, now_ms: int) -> Floats:
        """What is due since an instant of orders that are not known yet."""
        since_ms = max(since_ms, self.exposure.newest_ms)
        beside = self.beside(ids, since_ms, now_ms)
        part = self.volume.part(self.exposure.newest_ms, since_ms, now_ms)
        return self.exposure.pending(ids, now_ms) * part * self.common.factor * beside

    def _guessed(self, one: int, now_ms: int) -> Rows:
        """What is due of orders that are not known yet, a row a pane, at its end."""
        ids, newest = np.array([one]), self.exposure.newest_ms
        due = float(self.exposure.pending(ids, now_ms)[0]) * self.common.factor
        count = max(1, min(MOST_GUESSED, (now_ms - newest) // PANE_MS)) if due > 0.0 else 0
        none, sids = np.zeros(count), np.zeros((count, self.table.columns), np.int32)
        sids[:, int(self.table.column[one])] = one
        edges = newest + (np.arange(count + 1) * (now_ms - newest) // max(1, count)).astype(np.int64)
        at, parts = edges[1:], self.volume.between(edges) if count > 1 else np.ones(count)
        beside = np.ones(count)
        for known in self.incidents.open():
            beside = np.where(at >= known.starts_at, beside * self.overlap.factor(known, ids)[0], beside)
        parts = due * parts / max(float(parts.sum()), 1e-9) * np.maximum(LEAST_LEFT, beside)
        return Rows(at, sids, none, parts, none, np.ones(count), none)

    def _choose_denominator(self, orders: Pane, now_ms: int) -> None:
        if len(orders.at) and self.by_time is not False:
            if self.by_time:  # a rate a minute says nothing of a rate an order: begin anew
                fresh = type(self)(self.table, self.settings, self.config)
                fresh.reserve()
                fresh.volume, fresh.surge, fresh.recent = self.volume, self.surge, self.recent
                fresh.overlap = Overlap(self.table, fresh.exposure, fresh.recent)
                fresh.recent.drop_trials()
                self.__dict__.update(fresh.__dict__)
                self._begin_at(now_ms)
            self.by_time = False
        elif self.by_time is None and now_ms - self.first_ms >= NO_ORDERS_MS:
            self._count_minutes()

    def _begin_at(self, now_ms: int) -> None:
        self.first_ms = now_ms
        self.intervals.begin(now_ms)

    def _count_minutes(self) -> None:
        self.by_time = True
        self.baseline.prior_rate = MINUTE_PRIOR

    def _minutes_row(self, now_ms: int) -> Pane:
        """The minutes since the last ones, as orders."""
        sids = (ALL, *(0 for _ in range(self.table.columns - 1)))
        minutes = min(MOST_MINUTES, max(1, (now_ms - self.minute_ms) // 60_000)) if self.minute_ms else 1
        return panes.of([(now_ms - 1, sids, 0.0, float(minutes), 0.0, "", "")], self.table.columns)

    def _take_orders(self, orders: Pane) -> None:
        self.intervals.note(orders.at)
        rows, at, part = self.intervals.pieces(orders.at, self.volume.between)
        instants, places = np.unique(at, return_inverse=True)
        rate = np.array([self.baseline.rate(int(one) - 1) for one in instants])
        trials = orders.trials[rows] * part
        plain = trials * rate[places] * self.baseline.effects(orders.sids)[rows]
        whole = orders.trials * self.baseline.rate(int(orders.at[-1]) - 1) * self.baseline.effects(orders.sids)
        whole[rows] = 0.0
        whole += np.bincount(rows, plain, minlength=len(orders.at))
        self.exposure.add_orders(orders.at, orders.sids, orders.trials, whole)
        self.exposure.adopt(orders.sids)
        none = np.zeros(len(rows))
        values = {"got": none, "due": plain * self.common.factor, "trials": trials, "weight": none + 1.0, "bad": none}
        self.recent.append(at, orders.sids[rows], values, [])
