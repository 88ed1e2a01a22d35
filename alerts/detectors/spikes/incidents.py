"""Incidents that are open, or were of late: whose events they claim, how large they are, and when they are over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Bools, Floats, Ids
from alerts.detectors.spikes.config import KindSettings, SpikeConfig
from alerts.detectors.spikes.series import SliceTable
from schemas.results import AlertSeverity

MEMORY_MS: Final = 15 * 60_000
LATELY_MS: Final = 86_400_000
SIDE_MS: Final = 10 * 60_000
PART: Final = 0.2  # of an incident's excess, at least, must be another one's if they are one
OUTGROWN: Final = 2.0  # times the excess of an incident that ended: what was taken for a side of it is told
MARGIN: Final = 1.1  # an incident's events are expected at its ratio and a little more
UNCLEAR_MS: Final = 3 * 3_600_000  # an incident that lasts longer may rest on a wrong expectation: it is learnt again


@dataclass(slots=True)
class Incident:
    """One cause, named once."""

    sid: int
    column: int
    starts_at: int
    raised_at: int
    ratio: float
    severity: AlertSeverity
    got: float  # since the start
    due: float
    count: float
    told_at: int
    last_event: int
    fast_got: float = 0.0  # of the last minutes, fading
    fast_due: float = 0.0
    newest_ratio: float = 0.0  # of complaints: with orders that are only guessed yet
    relief: float = 0.0  # evidence that it is over
    noted_to: int = 0  # up to here `got` and `due` are known
    ends_at: int = 0  # 0: open
    evidence: float = 0.0
    stream_nats: float = 0.0  # what of the threshold the stream as a whole asked for when it was raised
    folded: bool = False  # a further side of an incident that was told already: takes its events, tells nothing
    side_of: int = 0  # that incident's slice

    @property
    def middle_ratio(self) -> float:
        """Between normal and the incident's size: what the events of an incident that is over lie below."""
        return float(((self.got + 1.0) / (self.due + 1.0)) ** 0.75)

    @property
    def expected_ratio(self) -> float:
        """What the slices within it must exceed: it grows itself before the orders tell of it."""
        return max(self.ratio, self.newest_ratio) * MARGIN

    def excess(self) -> float:
        """Negatives (complaints) beyond the expectation."""
        return self.got - self.due


class Incidents:
    """The open ones, and the closed ones for as long as their events may still be looked at."""

    def __init__(self, table: SliceTable, settings: KindSettings, config: SpikeConfig) -> None:
        self._table, self._settings, self._config = table, settings, config
        self.known: list[Incident] = []
        self.lately = 0.0  # incidents told, half of them forgotten in a day
        self._faded_ms = 0

    def open(self) -> list[Incident]:
        """Those not over, oldest first."""
        return [one for one in self.known if not one.ends_at]

    def add(self, one: Incident) -> None:
        """A new one; `folded` says whether it is told."""
        self.known.append(one)
        self.lately += 0.0 if one.folded else 1.0

    def forget(self, before_ms: int) -> None:
        """Drop those that ended before."""
        self.known = [one for one in self.known if not one.ends_at or one.ends_at >= before_ms]

    def claimed(self, at: Ids, sids: Ids) -> Bools:
        """Which events lie in an incident, and so teach nothing."""
        claimed = np.zeros(len(at), bool)
        for one in self.known:
            claimed |= _mine(one, at, sids) & (at < one.starts_at + UNCLEAR_MS)
        return claimed

    def usual(self, at: Ids, sids: Ids) -> Floats:
        """The part of each event that would have come without the incidents; 1 outside of them."""
        part = np.ones(len(at))
        for one in self.known:
            mine = _mine(one, at, sids) & (at < one.starts_at + UNCLEAR_MS)
            part[mine] = np.minimum(part[mine], (one.due + 0.5) / max(one.got + 0.5, one.due + 0.5))
        return part

    def explain(self, at: Ids, sids: Ids, due: Floats) -> tuple[Floats, Floats]:
        """The expectation given the incidents, and in which columns each event still says something (0 or 1).

        An incident's events leave all series but those of slices within it, where they must exceed its ratio.
        """
        heard, raised = np.ones(sids.shape), due.copy()
        columns: dict[int, list[Incident]] = {}
        for one in self.known:
            columns.setdefault(one.column, []).append(one)
        for column, several in columns.items():
            named = np.zeros(len(self._table), bool)
            named[[one.sid for one in several]] = True
            rows = np.flatnonzero(named[sids[:, column]])
            for one in several if len(rows) else []:
                mine = rows[_mine(one, at[rows], sids[rows])]
                heard[mine] *= self._table.refines[column]
                raised[mine] = np.maximum(raised[mine], due[mine] * one.expected_ratio)
        return raised, heard

    def fold(self, new: Incident, at: Ids, sids: Ids, got: Floats) -> None:
        """Fold a new incident into the one told already that it is a side of, if there is any."""
        inside = sids[:, new.column] == new.sid
        for one in self.known:
            theirs = (sids[:, one.column] == one.sid) & (at >= one.starts_at)
            both, its, ours = (float(got[rows].sum()) for rows in (inside & theirs, theirs, inside))
            if self._is_side(new, one, both, (its, ours)):
                new.folded, new.side_of = True, one.side_of if one.folded else one.sid
                return

    @contextmanager
    def beside(self, one: Incident) -> Iterator[None]:
        """As if this one, and what was folded into it, were not known."""
        known, self.known = self.known, self._others(one)
        try:
            yield
        finally:
            self.known = known

    def drop(self, one: Incident) -> None:
        """Forget this one, and what was folded into it: it goes by another name from now on."""
        self.known = self._others(one)
        self.lately = max(0.0, self.lately - 1.0)

    def _others(self, one: Incident) -> list[Incident]:
        return [other for other in self.known if other is not one and not (other.folded and other.side_of == one.sid)]

    def outgrows(self, one: Incident) -> bool:
        """Whether a folded incident outlives the one within its slice that it was a side of, and is far larger."""
        told = next((other for other in self.known[::-1] if other.sid == one.side_of and not other.folded), None)
        if told is None or not told.ends_at or one.got + 0.5 < self._settings.min_ratio * (one.due + 0.5):
            return False
        around = one.sid == told.sid or bool(self._table.refines[one.column, told.column])
        return around and one.excess() >= OUTGROWN * max(1.0, told.excess())

    def _is_side(self, new: Incident, one: Incident, both: float, sums: tuple[float, float]) -> bool:
        """Whether a new incident is one already told, seen from a wider, narrower or crossing slice.

        Where one slice lies within the other, half of the negatives of one must lie in the other, and it must have
        begun before the other was told, or little later; what begins afterwards is an incident of its own and is told,
        unless it shows what began within one that ended just now. Crossing slices must be nearly the same: what is
        unusual in one of them without the other's events was not explained by the other's name.
        """
        inside_it = new.sid == one.sid or self._table.refines[one.column, new.column]
        nested = new.sid == one.sid or self._table.nested(one.column, new.column)
        again = inside_it and new.starts_at < one.ends_at
        if new.starts_at > one.raised_at + (SIDE_MS if nested else 0) and not again:
            return False
        if one.ends_at and new.raised_at > one.ends_at + 2 * SIDE_MS:
            return False
        return both >= max(0.5 * (min(sums) if nested else max(sums)), PART * new.excess())

    def severity(self, ratio: float, excess: float) -> AlertSeverity:
        """How bad it is."""
        settings = self._settings
        critical = ratio >= settings.critical_ratio and excess >= settings.critical_excess
        return "critical" if critical or excess >= 8 * settings.critical_excess else "warning"

    def fade(self, at_ms: int) -> None:
        """Let time pass for the ratio of the last minutes, and for what was told of late."""
        kept = float(np.exp((self._faded_ms - at_ms) / MEMORY_MS)) if self._faded_ms else 1.0
        if self._faded_ms:
            self.lately *= 0.5 ** ((at_ms - self._faded_ms) / LATELY_MS)
        self._faded_ms = at_ms
        for one in self.open():
            one.fast_got *= kept
            one.fast_due *= kept

    def note(self, one: Incident, *, got: float, due: float, count: float, relief: float, at_ms: int) -> None:
        """What came in an open incident's slice: negatives, expectation, evidence against the incident."""
        one.got += got
        one.due += due
        one.count += count
        one.fast_got += got
        one.fast_due += due
        one.relief = max(0.0, one.relief + relief)
        one.last_event = max(one.last_event, at_ms)
        floor = self._settings.min_ratio
        one.ratio = max(floor, (one.fast_got + floor) / (one.fast_due + 1.0))

    def is_over(self, one: Incident, now_ms: int) -> bool:
        """Whether its end is evident, or nothing was heard for long."""
        if now_ms - one.last_event >= self._config.quiet_ms:
            return True
        return one.relief >= self._config.clear_nats and now_ms - one.raised_at >= self._config.hold_ms

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"known": [asdict(one) for one in self.known], "faded": self._faded_ms, "lately": self.lately}

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self.known = [Incident(**one) for one in state["known"]]
        self._faded_ms, self.lately = state["faded"], state["lately"]


def _mine(one: Incident, at: Ids, sids: Ids) -> Bools:
    mine: Bools = (sids[:, one.column] == one.sid) & (at >= one.starts_at)
    return mine & (at < one.ends_at) if one.ends_at else mine
