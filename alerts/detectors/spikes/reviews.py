"""The negative share of reviews: every review is a trial with an expectation of its own."""

import numpy as np

from alerts.decision import Decision
from alerts.detectors.spikes import attribution
from alerts.detectors.spikes.arrays import Bools, Floats, Ids
from alerts.detectors.spikes.attribution import Tally
from alerts.detectors.spikes.dedupe import OWN_POWER
from alerts.detectors.spikes.pane import Pane
from alerts.detectors.spikes.recent import Rows
from alerts.detectors.spikes.sequential import review_gains
from alerts.detectors.spikes.watch import Watch
from schemas.results import AlertKind

LOWEST, HIGHEST = 0.005, 0.7
DOUBT = 0.003  # no verdict is surer than this


def posterior(negativity: Floats, expected: Floats, *, prior: float) -> Floats:
    """The probability that each review is negative where so many are expected to be.

    A judge is calibrated where a share of `prior` is negative; elsewhere the same text says less, or more: Bayes' rule
    with the likelihood ratio that the verdict stands for. Fair under `expected`, and nearer to the log-likelihood ratio
    of the text itself.
    """
    sure = np.clip(negativity, DOUBT, 1.0 - DOUBT)
    odds = sure / (1.0 - sure) * ((1.0 - prior) / prior) * expected / (1.0 - expected)
    result: Floats = odds / (1.0 + odds)
    return result


class ReviewWatch(Watch):
    """Kind `negative_spike`."""

    kind: AlertKind = "negative_spike"

    def pane(self, pane: Pane, now_ms: int) -> list[Decision]:
        """Take up a pane's reviews; decisions at its end."""
        if not self.first_ms:
            self.first_ms = now_ms
        self.surge.add(now_ms, len(pane.at))
        if now_ms - self.minute_ms >= 60_000:
            self.minute(now_ms)
        touched = self._take(pane, now_ms) if len(pane.at) else np.zeros(0, np.int64)
        return self.follow(now_ms) + self.judge(touched, now_ms)

    def gains(self, rows: Rows, due: Floats) -> Floats:
        """Bets on each review; a burst's negatives count less."""
        gains = review_gains(rows.got, due, self.ratios)
        result: Floats = np.where(gains > 0.0, gains * rows.weight[:, None], gains)
        return result

    def tally(
        self, column: int, rows: Rows, *, due: Floats, heard: Floats, alarm: Bools, since_ms: int, now_ms: int
    ) -> Tally:
        """Sums over the slices of a column."""
        if column == self.product:
            rows = rows._replace(weight=rows.weight**OWN_POWER)
        here = heard[:, column]
        gains = self.gains(rows, due) * here[:, None]
        return attribution.tally(rows.sids[:, column], gains, rows.got * rows.weight * here, due * here, alarm)

    def history(self, one: int, now_ms: int) -> Rows:
        """The slice's reviews of late."""
        column = int(self.table.column[one])
        rows = self.recent.of(column, one)
        return rows._replace(weight=rows.weight**OWN_POWER) if column == self.product else rows

    def _take(self, pane: Pane, now_ms: int) -> Ids:
        plain = self.baseline.rate(now_ms) * self.baseline.effects(pane.sids)
        due = np.clip(plain * self.common.factor, LOWEST, HIGHEST)
        got = posterior(pane.got / pane.trials, due, prior=self.config.judge_prior) * pane.trials
        pane = pane._replace(got=got)
        weight = np.ones(len(due))
        if self.product is not None:
            burst = self.bursts.weights(pane.ids, pane.sums(pane.got), pane.sums(due), now_ms=now_ms)
            weight = burst[pane.places.reshape(pane.sids.shape)[:, self.product]]
        raised, heard = self.incidents.explain(pane.at, pane.sids, due)
        free = heard.all(axis=1)
        self.common.add(pane.ids, got=pane.sums(pane.got * free), due=pane.sums(plain * free))
        self._note_incidents(pane, due, now_ms)
        values = {"got": pane.got, "due": due, "trials": pane.trials, "weight": weight, "bad": pane.bad}
        self.recent.append(pane.at, pane.sids, values, pane.notes)
        return self._test(pane, raised, heard, weight, now_ms)

    def _test(self, pane: Pane, due: Floats, heard: Floats, weight: Floats, now_ms: int) -> Ids:
        gains = review_gains(pane.got, due, self.ratios)
        weights = np.repeat(weight[:, None], self.table.columns, axis=1)
        if self.product is not None:
            weights[:, self.product] **= OWN_POWER
        weights *= heard
        ids, places = pane.ids, pane.places
        bad, good = np.maximum(gains, 0.0), np.minimum(gains, 0.0)
        summed = [
            np.bincount(places, (bad[:, [j]] * weights + good[:, [j]] * heard).ravel()) for j in range(len(self.ratios))
        ]
        got = np.bincount(places, (pane.got[:, None] * weights).ravel())
        owed = np.bincount(places, (due[:, None] * heard).ravel())
        real = ids > 0
        ids = ids[real].astype(np.int64)
        self.sequential.add(ids, np.column_stack(summed)[real], got=got[real], due=owed[real], at_ms=pane.begin)
        return ids

    def _note_incidents(self, pane: Pane, due: Floats, now_ms: int) -> None:
        for one in self.incidents.open():
            mine = pane.sids[:, one.column] == one.sid
            if mine.any():
                got, owed = pane.got[mine], due[mine]
                half = np.array([max(self.settings.min_ratio, one.middle_ratio)])
                relief = -float(review_gains(got, owed, half).sum())
                sums = {"got": float(got.sum()), "due": float(owed.sum()), "count": float(mine.sum())}
                self.incidents.note(one, **sums, relief=relief, at_ms=now_ms)
