"""What an incident makes of the complaints to expect of other slices, where orders cannot tell.

An incident's complaints leave all other series, and with them must go what was to be expected of them. Of a slice
with other values nothing lies in the incident, of one within it everything; of all others the part that the incident
usually has of what both have in common, as if the remaining dimensions had nothing to do with each other. Shops and
what is sold have: of these counts what of late, before the incident, was complained of in both.
"""

from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Bools, Floats, Ids
from alerts.detectors.spikes.exposure import Exposure
from alerts.detectors.spikes.incidents import Incident
from alerts.detectors.spikes.recent import Recent
from alerts.detectors.spikes.series import ALL, SliceTable
from schemas.events import DIMENSIONS

MOST: Final = 0.9  # of a slice that is not within the incident
MOST_KEPT: Final = 100  # incidents
FEW: Final = 12.0  # complaints by which the part that shops and goods have in common is drawn to 0


class Overlap:
    """Factors on the expectation of slices beside an incident."""

    def __init__(self, table: SliceTable, exposure: Exposure, recent: Recent) -> None:
        self._table, self._exposure, self._recent = table, exposure, recent
        self._bits = 1 << np.arange(len(DIMENSIONS))
        shops = np.array(["shop_id" in joined and "product_id" not in joined for joined in table.slices])
        goods = np.array(["category" in joined or "product_id" in joined for joined in table.slices])
        self._akin = np.outer(shops, goods) | np.outer(goods, shops)
        self.shops = shops
        self._known: dict[int, tuple[Bools, Floats]] = {}  # of an incident's slice, for all series
        # Of shops' and goods' incidents by slice and start: series and parts, as they were when first asked for.
        self._common: dict[tuple[int, int], tuple[list[int], list[float]]] = {}

    def forget(self) -> None:
        """The usual shares are others from now on."""
        self._known.clear()

    def factor(self, incident: Incident, ids: Ids) -> Floats:
        """What the incident multiplies each series' expectation by: its ratio within it, less than 1 beside it."""
        within, part = self._within(incident, ids)
        return np.where(within, incident.expected_ratio, 1.0 - part)

    def left(self, incident: Incident, ids: Ids) -> Floats:
        """The part of each series' expectation that does not lie in the incident."""
        within, part = self._within(incident, ids)
        return np.where(within | (ids == incident.sid), 0.0, 1.0 - part)

    def _within(self, incident: Incident, ids: Ids) -> tuple[Bools, Floats]:
        """Which series lie in the incident, and the part of all others that does."""
        size, known = len(self._table), self._known.get(incident.sid)
        if known is None or len(known[0]) < size:
            known = self._known[incident.sid] = self._all_within(incident, np.arange(size))
        return known[0][ids], known[1][ids]

    def _all_within(self, incident: Incident, ids: Ids) -> tuple[Bools, Floats]:
        codes, own = self._table.codes[ids], self._table.codes[incident.sid]
        both = (codes > 0) & (own > 0)
        other = (both & (codes != own)).any(axis=1)
        within = self._table.refines[incident.column][self._table.column[ids]] & ~other & (ids > 0)
        part = np.zeros(len(ids))
        shared = both @ self._bits
        akin = self._akin[incident.column][self._table.column[ids]]
        if akin.any():
            related = akin & ~other & ~within & (ids > 0)
            part[related] = self._in_common(incident, len(ids))[ids[related]]
        beside = ~other & ~within & ~akin & (ids > 0) & (ids != incident.sid)
        for mask in np.unique(shared[beside]):
            around = self._around(incident.sid, int(mask))
            part[beside & (shared == mask)] = min(MOST, self._exposure.part(incident.sid, around))
        return within, part

    def dump(self) -> list[Any]:
        """What cannot be worked out again, as plain values."""
        return [[*key, *values] for key, values in self._common.items()]

    def load(self, state: list[Any]) -> None:
        """Take up what `dump` gave."""
        self._common = {(sid, starts_at): (ids, parts) for sid, starts_at, ids, parts in state}
        self._known.clear()

    def _in_common(self, incident: Incident, size: int) -> Floats:
        """Of each series the part of its complaints before the incident that was in the incident's slice.

        Counted once: rows of before the incident still come, and go, while it lasts.
        """
        key = (incident.sid, incident.starts_at)
        if key not in self._common:
            sids = self._recent.complaints(incident.starts_at)
            mine = sids[:, incident.column] == incident.sid
            whole, both = (np.bincount(some.ravel(), minlength=size) for some in (sids, sids[mine]))
            found = np.flatnonzero(both)
            self._common[key] = found.tolist(), np.minimum(MOST, both / (whole + FEW))[found].tolist()
            for old in list(self._common)[:-MOST_KEPT]:
                del self._common[old]
        ids, parts = self._common[key]
        result = np.zeros(size)
        result[ids] = parts
        return result

    def _around(self, one: int, mask: int) -> int:
        """The slice of an incident's values in these dimensions, or the narrowest watched around it."""
        names = {name for place, name in enumerate(DIMENSIONS) if mask >> place & 1}
        table = self._table
        columns = [column for column, joined in enumerate(table.slices) if joined and set(joined) <= names]
        for column in sorted(columns, key=lambda column: -table.rank[column]):
            places = [DIMENSIONS.index(name) for name in table.slices[column]]
            mine = np.flatnonzero(table.column[: len(table)] == column)
            same = mine[(table.codes[mine][:, places] == table.codes[one, places]).all(axis=1)]
            same = same[same > ALL]
            if len(same):
                return int(same[0])
        return ALL
