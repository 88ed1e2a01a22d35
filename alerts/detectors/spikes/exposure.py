"""How many complaints were to be expected of each slice up to now, from orders that arrive later than complaints.

Orders known so far count exactly; the time since the last of them is filled with the rate of the last minutes.
A slice whose dimensions orders do not carry takes a share of the narrowest slice around it that they do; the
share is first guessed from its reviews, and from how many complaints its category, region … bring for theirs. Where
no orders are known at all, a minute stands for an order.
"""

from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Bools, Floats, Ids
from alerts.detectors.spikes.config import Slice
from alerts.detectors.spikes.grown import Grown
from alerts.detectors.spikes.series import ALL, SliceTable

RATE_MS: Final = 10 * 60_000
FIRST_INTERVAL_MS: Final = 5 * 60_000  # what a series' first orders are taken to stand for
LONGEST_GUESS_MS: Final = 60 * 60_000
MOMENT_MS: Final = 10_000  # orders this close count as of one moment
LEAST_CHARGE: Final = 0.7
COVERED: Final = 0.5
MOST_AROUND: Final = 2
LEANING_STRENGTH: Final = 12.0  # a quiet hour of a small category is not yet what is usual of all slices within it
UNHEARD: Final = 50.0  # complaints that outweigh that a slice (a hotline, say) has no reviews at all
UNTOLD: Final = 0.1  # orders that let expect so few of a slice's complaints do not tell of it
COVERAGE_ORDERS: Final = 1e5  # how many orders the memory of their dimensions goes back


class Exposure:
    """Cumulative expected complaints a series; only differences mean anything."""

    def __init__(self, table: SliceTable) -> None:
        self._table = table
        self._series = Grown({
            "known": (np.float64, 0), "recent": (np.float64, 0), "span": (np.float64, 0), "last": (np.int64, 0),
            "mark": (np.float64, 0), "marked": (np.int64, 0), "mark_of": (np.int64, 0), "parent": (np.int64, 0),
            "reviews": (np.float64, 0), "usual": (np.float64, 0), "complaints": (np.float64, 0),
            "around": (np.int64, MOST_AROUND),
        })  # fmt: skip
        self._around = [_around(table, joined) for joined in table.slices]
        self._carried = np.zeros(table.columns)
        self._orders = 0.0
        self.newest_ms = 0
        self.growth = 1.0  # volume now against that of the last minutes, for the guess

    def reserve(self) -> None:
        """Make room for the table's newest series."""
        self._series.reserve(len(self._table))

    def forget(self, ids: Ids) -> None:
        """These ids stand for other series from now on."""
        self._series.clear(ids)

    def covered(self, column: int) -> bool:
        """Whether orders tell the dimensions of this column."""
        return column == 0 or self._carried[column] >= COVERED * max(self._orders, 1e-9)

    def add_orders(self, at: Ids, sids: Ids, orders: Floats, due: Floats) -> None:
        """Orders became known, with the complaints to expect of them."""
        self._note_coverage(sids, orders)
        self.newest_ms = max(self.newest_ms, int(at.max()))
        moments = at - at % MOMENT_MS
        for moment in np.unique(moments):
            rows = moments == moment
            flat, weights = sids[rows].ravel(), np.repeat(due[rows], self._table.columns)
            ids, places = np.unique(flat, return_inverse=True)
            self._add(ids.astype(np.int64), np.bincount(places, weights), int(moment))

    def add_reviews(self, ids: Ids, counts: Floats) -> None:
        """Reviews, from which a product's share of the complaints is first guessed."""
        self._series["reviews"][ids] += counts

    def learn_complaints(self, sids: Ids, counts: Floats) -> None:
        """Complaints old enough to tell each slice's share of the complaints."""
        weights = np.repeat(counts, self._table.columns)
        ids, places = np.unique(sids.ravel(), return_inverse=True)
        self._series["complaints"][ids] += np.bincount(places, weights)
        self._series["usual"][:] = self._series["reviews"]

    def fade(self, kept: float) -> None:
        """Forget a part of what shares were learnt from."""
        self._series["reviews"] *= kept
        self._series["complaints"] *= kept

    def adopt(self, sids: Ids) -> None:
        """Note, for every slice of these events, which one its expectation comes from, and which lie around it."""
        parent, around = self._series["parent"], self._series["around"]
        untold = self._untold(sids)
        for column in range(self._table.columns):
            ids = sids[:, column]
            told = self.covered(column) & ~untold[:, [column, *self._around[column]]].any(axis=1)
            parent[ids] = np.where(told, ids, self._parents(column, sids, untold))
            for place, wider in enumerate(self._around[column]):
                around[ids, place] = np.where(untold[:, wider] | (not self.covered(wider)), sids[:, wider], 0)

    def total(self, ids: Ids, now_ms: int) -> Floats:
        """Complaints to expect from the beginning up to now of the series that each one's expectation comes from."""
        parents = self._series["parent"][ids]
        result: Floats = self._series["known"][parents] + self._guess(parents, now_ms)
        return result

    def since_mark(self, ids: Ids, now_ms: int, *, pane_ms: int) -> tuple[Floats, Floats]:
        """Expected complaints of each series since this was last asked: before the last `pane_ms`, and in them.

        Only what came since is multiplied by the share: one that is learnt better says nothing of what was charged.
        A guess that was too high is paid back slowly, so that time without any expectation never comes.
        """
        series = self._series
        parents, total = series["parent"][ids], self.total(ids, now_ms)
        elapsed = np.clip(now_ms - series["marked"][ids], 0, LONGEST_GUESS_MS)
        usual = self.growth * self._rate(parents) * elapsed
        same = series["mark_of"][ids] == parents
        mark = np.where(same, series["mark"][ids], total - usual)
        passed = np.maximum(LEAST_CHARGE * usual, total - mark) * self.share(ids)
        series["mark"][ids] = np.maximum(mark, total)
        series["marked"][ids], series["mark_of"][ids] = now_ms, parents
        within: Floats = passed * np.minimum(1.0, pane_ms / np.maximum(elapsed, 1))
        return passed - within, within

    def pending(self, ids: Ids, now_ms: int) -> Floats:
        """Of what is to be expected, the part that rests on orders that are not known yet."""
        pending: Floats = self._guess(self._series["parent"][ids], now_ms) * self.share(ids)
        return pending

    def share(self, ids: Ids) -> Floats:
        """A series' share of its parent's complaints; 1 where orders are known of it."""
        parents = self._series["parent"][ids]
        result: Floats = np.where(parents == ids, 1.0, self._share(ids, parents, self._series["reviews"]))
        return result

    def part(self, one: int, around: int) -> float:
        """The share that one slice had of the complaints of one around it when complaints were last learnt."""
        return float(self._share(np.array([one]), np.array([around]), self._series["usual"])[0])

    def _share(self, ids: Ids, parents: Ids, reviews: Floats) -> Floats:
        complaints = self._series["complaints"]
        prior = (reviews[ids] + 0.5) / (reviews[parents] + 1.0)
        for wider in self._series["around"][ids].T:
            prior = prior * np.where((wider > 0) & (wider != parents), self._leaning(wider, reviews), 1.0)
        prior = np.minimum(1.0, prior)
        strength = self._strength(ids, reviews)
        around = np.where(reviews[ids] > 0.0, strength / prior, np.minimum(strength / prior, UNHEARD))
        learnt: Floats = (complaints[ids] + strength) / (complaints[parents] + around)
        return np.minimum(1.0, learnt)

    def _strength(self, ids: Ids, reviews: Floats) -> Floats:
        """Complaints that the first guess of a share is worth: it can be no surer than the reviews that it rests on."""
        result: Floats = 1.0 / (1.0 / self._table.strength[self._table.column[ids]] + 1.0 / (reviews[ids] + 0.5))
        return result

    def _leaning(self, ids: Ids, reviews: Floats) -> Floats:
        """How many times as many complaints these slices bring as their reviews let expect."""
        complaints, parents = self._series["complaints"], self._series["parent"][ids]
        prior = np.minimum(1.0, (reviews[ids] + 0.5) / (reviews[parents] + 1.0))
        strength = np.maximum(LEANING_STRENGTH, self._table.strength[self._table.column[ids]])
        result: Floats = (complaints[ids] + strength) / (complaints[parents] * prior + strength)
        return result

    def parents(self, ids: Ids) -> Ids:
        """The series that each one's expectation comes from."""
        parents: Ids = self._series["parent"][ids]
        return parents

    def uncertainty(self, ids: Ids) -> Floats:
        """Squared relative error of the share, 0 where orders are known."""
        error = 1.0 / (self._strength(ids, self._series["reviews"]) + self._series["complaints"][ids])
        result: Floats = np.where(self.parents(ids) == ids, 0.0, error)
        return result

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"series": self._series.dump(), "carried": self._carried.tolist(), "orders": self._orders,
                "newest": self.newest_ms, "growth": self.growth}  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._series.load(state["series"])
        self._carried, self._orders = np.array(state["carried"]), state["orders"]
        self.newest_ms, self.growth = state["newest"], state["growth"]

    def _note_coverage(self, sids: Ids, orders: Floats) -> None:
        total = float(orders.sum())
        kept = 1.0 / (1.0 + total / COVERAGE_ORDERS)
        self._carried = self._carried * kept + ((sids > 0) * orders[:, None]).sum(axis=0)
        self._orders = self._orders * kept + total

    def _add(self, ids: Ids, due: Floats, at_ms: int) -> None:
        series = self._series
        series["known"][ids] += due
        new = series["last"][ids] == 0
        gap = np.where(new, FIRST_INTERVAL_MS, np.maximum(0, at_ms - series["last"][ids]))
        kept = np.exp(-gap / RATE_MS)
        series["recent"][ids] = series["recent"][ids] * kept + due
        series["span"][ids] = series["span"][ids] * kept + gap
        series["last"][ids] = np.maximum(series["last"][ids], at_ms)

    def _guess(self, ids: Ids, now_ms: int) -> Floats:
        """What is due since the newest orders of all: a series of which they told nothing had none until then."""
        guess: Floats = self._rate(ids) * (max(0, now_ms - self.newest_ms) * self.growth)
        return guess

    def _rate(self, ids: Ids) -> Floats:
        """Expected complaints a ms by the orders of the last minutes."""
        silent = np.maximum(self.newest_ms - self._series["last"][ids], 0)
        kept = np.exp(-silent / RATE_MS)
        rate: Floats = self._series["recent"][ids] * kept / np.maximum(self._series["span"][ids] * kept + silent, 1.0)
        return rate

    def _untold(self, ids: Ids) -> Bools:
        """Slices that complaints come from, but no orders: nobody orders by the hotline, or in a public forum."""
        known, complaints = self._series["known"][ids], self._series["complaints"][ids]
        untold: Bools = (ids > ALL) & (known <= UNTOLD * complaints)
        return untold

    def _parents(self, column: int, sids: Ids, untold: Bools) -> Ids:
        """The narrowest slice around this column's that orders tell of, event by event."""
        found = np.full(len(sids), ALL, np.int32)
        wider = [one for one in range(1, self._table.columns) if self._table.refines[one, column]]
        for one in sorted(wider, key=lambda one: float(self._table.rank[one])):
            if self.covered(one):
                found = np.where((sids[:, one] > 0) & ~untold[:, one], sids[:, one], found)
        return found


def _around(table: SliceTable, joined: Slice) -> list[int]:
    """The columns of the single dimensions that a slice joins; of a product its category."""
    names = joined if len(joined) > 1 else ("category",) if joined == ("product_id",) else ()
    return [table.slices.index((name,)) for name in names if (name,) in table.slices][:MOST_AROUND]
