"""What is normal: the rate of an event by its category, channel, region, product …, hour and promotion phase.

One model gives every event its own expectation, a product of effects, each shrunk to 1 by a prior; a slice's
expectation is the sum over its events, so that a change of the mix moves no slice. What is learnt is old enough
(`baseline_lag_ms`) and lies in no incident; the caller sees to both.
"""

from typing import Any, Final

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.config import KindSettings, SpikeConfig
from alerts.detectors.spikes.grown import Grown
from alerts.detectors.spikes.series import SliceTable

HOUR_STRENGTH: Final = 60.0
PHASE_STRENGTH: Final = 20.0
PEAK_WEIGHT: Final = 3.0  # a batch counts at most like three usual ones: hours are weighed, not events
HOUR_MS: Final = 3_600_000


class Baseline:
    """Expected negatives a review, or complaints an order."""

    def __init__(self, table: SliceTable, settings: KindSettings, config: SpikeConfig) -> None:
        self._table, self._settings, self._config = table, settings, config
        self._seen = Grown({"got": (np.float64, 0), "due": (np.float64, 0), "effect": (np.float64, 0)})
        self._seen["effect"][:] = 1.0
        self._base = [0.0, 0.0]  # events, trials
        self._hours = np.zeros((2, 48))
        self._phases: dict[str, list[float]] = {}
        self._usual = 0.0
        self._learnt_ms = 0

    def reserve(self) -> None:
        """Make room for the table's newest series."""
        old = self._seen.rows
        if self._seen.reserve(len(self._table)):
            self._seen["effect"][old:] = 1.0

    def forget(self, ids: Ids) -> None:
        """These ids stand for other series from now on."""
        self._seen.clear(ids)
        self._seen["effect"][ids] = 1.0

    def rate(self, at_ms: int) -> float:
        """The rate of an event of which no dimension is known."""
        return self._base_rate() * self._hour_effect(at_ms) * self._phase_effect(at_ms)

    def effects(self, sids: Ids) -> Floats:
        """What each event's dimensions multiply the rate by."""
        product: Floats = self._seen["effect"][sids].prod(axis=1)
        return product

    @property
    def learnt(self) -> float:
        """Negatives (complaints) learnt from in all."""
        return self._base[0]

    def uncertainty(self, ids: Ids) -> Floats:
        """Squared relative error of each series' expectation: its own effect's, the base's, and the drift."""
        strength = self._table.strength[self._table.column[ids]]
        own: Floats = 1.0 / (strength + self._seen["due"][ids])
        return own + 1.0 / (self._settings.prior_strength + self._base[0]) + self._settings.drift**2

    def learn(self, at_ms: int, sids: Ids, got: Floats, trials: Floats) -> None:
        """Take up a batch of events of about one time, from the widest effect to the narrowest."""
        self._decay(at_ms)
        expected = trials * self.rate(at_ms) * self.effects(sids)
        total = float(expected.sum())
        weight = min(1.0, PEAK_WEIGHT * self._usual / total) if self._usual > 0.0 and total > 0.0 else 1.0
        share = min(1.0, 0.002 + (1.0 if self._usual == 0.0 else 0.0))
        self._usual += share * (total - self._usual)
        got = got * weight
        expected = expected * (weight / self._base_rate())
        self._base[0] += float(got.sum())
        self._base[1] += float(expected.sum())
        expected *= self._base_rate()
        expected = self._learn_hour(at_ms, got, expected)
        expected = self._learn_phase(at_ms, got, expected)
        for column in range(1, self._table.columns):
            expected = self._learn_column(column, sids[:, column], got, expected)

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"seen": self._seen.dump(), "base": self._base, "hours": self._hours.tolist(),
                "phases": self._phases, "usual": self._usual, "learnt": self._learnt_ms}  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._seen.load(state["seen"])
        self._base, self._hours = list(state["base"]), np.array(state["hours"])
        self._phases = {name: list(pair) for name, pair in state["phases"].items()}
        self._usual, self._learnt_ms = state["usual"], state["learnt"]

    def _base_rate(self) -> float:
        strength = self._settings.prior_strength
        return (self._base[0] + strength) / (self._base[1] + strength / self._settings.prior_rate)

    def _hour_effect(self, at_ms: int) -> float:
        got, due = self._hours[:, _hour_of_week_part(at_ms + self._config.zone_offset_ms)]
        return float((got + HOUR_STRENGTH) / (due + HOUR_STRENGTH))

    def _phase_effect(self, at_ms: int) -> float:
        got, due = self._phases.get(self._phase(at_ms), (0.0, 0.0))
        return (got + PHASE_STRENGTH) / (due + PHASE_STRENGTH)

    def _phase(self, at_ms: int) -> str:
        peak_at = self._config.peak_at
        return (peak_at(at_ms) if peak_at else None) or ""

    def _learn_hour(self, at_ms: int, got: Floats, expected: Floats) -> Floats:
        before = self._hour_effect(at_ms)
        hour = _hour_of_week_part(at_ms + self._config.zone_offset_ms)
        self._hours[0, hour] += got.sum()
        self._hours[1, hour] += expected.sum() / before
        return expected * (self._hour_effect(at_ms) / before)

    def _learn_phase(self, at_ms: int, got: Floats, expected: Floats) -> Floats:
        phase = self._phase(at_ms)
        if not phase:
            return expected
        before = self._phase_effect(at_ms)
        pair = self._phases.setdefault(phase, [0.0, 0.0])
        pair[0] += float(got.sum())
        pair[1] += float(expected.sum()) / before
        return expected * (self._phase_effect(at_ms) / before)

    def _learn_column(self, column: int, ids: Ids, got: Floats, expected: Floats) -> Floats:
        effect = self._seen["effect"]
        plain = expected / effect[ids]
        unique, places = np.unique(ids, return_inverse=True)
        strength = self._table.strength[column]
        self._seen["got"][unique] += np.bincount(places, got)
        self._seen["due"][unique] += np.bincount(places, plain)
        effect[unique] = (self._seen["got"][unique] + strength) / (self._seen["due"][unique] + strength)
        self._seen["got"][0] = self._seen["due"][0] = 0.0
        effect[0] = 1.0
        result: Floats = plain * effect[ids]
        return result

    def _decay(self, at_ms: int) -> None:
        if self._learnt_ms:
            kept = 0.5 ** (max(0, at_ms - self._learnt_ms) / self._config.baseline_half_life_ms)
            self._seen["got"][:] *= kept
            self._seen["due"][:] *= kept
            self._base = [one * kept for one in self._base]
        self._learnt_ms = max(self._learnt_ms, at_ms)


def _hour_of_week_part(local_ms: int) -> int:
    """0 to 23 on working days, 24 to 47 on Saturday and Sunday (the epoch was a Thursday)."""
    day, rest = divmod(local_ms, 24 * HOUR_MS)
    return rest // HOUR_MS + (24 if (day + 3) % 7 >= 5 else 0)
