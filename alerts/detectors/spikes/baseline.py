"""What is normal: the rate of an event by the level of the last hours, hour, promotion phase, category, channel …

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

HOUR_STRENGTH: Final = 150.0
PHASE_STRENGTH: Final = 20.0
LEVEL_STRENGTH: Final = 150.0  # the last hours' level strays by 8 % from the last days'
SETTLED: Final = 150.0  # events learnt before hours and phases are told apart: until then the base itself moves
LEVEL_HALF_LIFE_MS: Final = 3 * 3_600_000
PEAK_WEIGHT: Final = 3.0  # a batch counts at most like three usual ones: hours are weighed, not events
HOUR_MS: Final = 3_600_000
USUAL_MS: Final = 24 * HOUR_MS


class Baseline:
    """Expected negatives a review, or complaints an order."""

    def __init__(self, table: SliceTable, settings: KindSettings, config: SpikeConfig) -> None:
        self._table, self._settings, self._config = table, settings, config
        self._seen = Grown({
            "got": (np.float64, 0), "plain": (np.float64, 0), "late": (np.float64, 2), "due": (np.float64, 0),
            "effect": (np.float64, 0),
        })  # fmt: skip
        self._seen["effect"][:] = 1.0
        self._base = [0.0, 0.0]  # events, trials
        self._hours = np.zeros((2, 48))
        self._hour = [0.0, 0.0, 0.0]  # the one that is not over: which, events, and what was due without it
        self._phases: dict[str, list[float]] = {}
        self._level = [0.0, 0.0]  # of the last hours: events, and trials times all other effects but the base
        self.prior_rate = settings.prior_rate
        self._volume = [[0.0, 0.0], [0.0, 0.0]]  # expected and ms, of the last hour and of the last day
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
        return self._base_rate() * self._level_effect() * self._time_effect(at_ms)

    def effects(self, sids: Ids) -> Floats:
        """What each event's dimensions multiply the rate by."""
        product: Floats = self._seen["effect"][sids].prod(axis=1)
        return product

    @property
    def learnt(self) -> float:
        """Negatives (complaints) learnt from in all."""
        return self._base[0]

    @property
    def trials(self) -> float:
        """Reviews (orders) learnt from in all."""
        return self._base[1]

    @property
    def a_day(self) -> float:
        """Negatives (complaints) that are usual in a day of the last ones."""
        trials, span_ms = self._volume[1]
        return self._base_rate() * trials / max(span_ms, float(HOUR_MS)) * USUAL_MS

    def uncertainty(self, ids: Ids) -> Floats:
        """Squared relative error of each series' expectation: its own effect's, the base's, and the drift."""
        strength = self._table.strength[self._table.column[ids]]
        own: Floats = np.where(self._table.column[ids] == 0, 0.0, 1.0 / (strength + self._seen["due"][ids]))
        return own + 1.0 / (self._settings.prior_strength + self._base[0]) + self._settings.drift**2

    def learn(self, at_ms: int, sids: Ids, got: Floats, trials: Floats) -> None:
        """Take up a batch of events of about one time, from the widest effect to the narrowest.

        An effect's expectation rests on the wider ones only: where narrow ones fed back, both ran away together. On the
        wider ones as they are now: what was due before they were known is not held against the narrow ones.
        """
        passed = self._decay(at_ms)
        unusual = self._unusual(float(trials.sum()), passed)
        weight = min(1.0, PEAK_WEIGHT * unusual)
        got, trials = got * weight, trials * weight
        # What all have in common is learnt by all effects, lest it matter whose events are left out.
        total, due = float(got.sum()), float((trials * self.effects(sids)).sum())
        self._base[0] += total
        self._base[1] += due
        self._learn_level(passed, min(1.0, unusual) / weight, total, due * self._time_effect(at_ms))
        if self._base[0] >= SETTLED:
            due *= self._base_rate() * self._level_effect()
            self._learn_hour(at_ms, total, due * self._phase_effect(at_ms))
            self._learn_phase(at_ms, total, due * self._hour_effect(at_ms))
        expected = plain = trials * self.rate(at_ms)
        late = 0.5 ** (passed / LEVEL_HALF_LIFE_MS)
        self._seen["late"][:] *= late
        for column in self._table.widest_first:
            expected = self._learn_column(column, sids[:, column], got, plain, expected)

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "seen": self._seen.dump(), "base": self._base, "hours": self._hours.tolist(), "hour": self._hour,
            "phases": self._phases, "volume": self._volume,
            "lately": self._level, "learnt": self._learnt_ms,
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._seen.load(state["seen"])
        self._base, self._hours, self._hour = list(state["base"]), np.array(state["hours"]), list(state["hour"])
        self._phases = {name: list(pair) for name, pair in state["phases"].items()}
        self._volume, self._learnt_ms = state["volume"], state["learnt"]
        self._level = list(state["lately"])

    def _base_rate(self) -> float:
        strength = self._settings.prior_strength
        return (self._base[0] + strength) / (self._base[1] + strength / self.prior_rate)

    def _hour_effect(self, at_ms: int) -> float:
        got, due = self._hours[:, _hour_of_week_part(at_ms + self._config.zone_offset_ms)]
        return float((got + HOUR_STRENGTH) / (due + HOUR_STRENGTH))

    def _phase_effect(self, at_ms: int) -> float:
        got, due = self._phases.get(self._phase(at_ms), (0.0, 0.0))
        return (got + PHASE_STRENGTH) / (due + PHASE_STRENGTH)

    def _phase(self, at_ms: int) -> str:
        peak_at = self._config.peak_at
        return (peak_at(at_ms) if peak_at else None) or ""

    def _level_effect(self) -> float:
        got, trials = self._level
        return (got + LEVEL_STRENGTH) / (trials * self._base_rate() + LEVEL_STRENGTH)

    def _time_effect(self, at_ms: int) -> float:
        return self._hour_effect(at_ms) * self._phase_effect(at_ms)

    def _learn_level(self, passed_ms: int, weight: float, got: float, trials: float) -> None:
        """A rate wanders, and what a promotion has changed it leaves behind: half of it is forgotten in three hours.

        Kept without the base: what was wrong with that in the first hours must not stay in the level.
        """
        kept = 0.5 ** (passed_ms / LEVEL_HALF_LIFE_MS)
        self._level = [self._level[0] * kept + got * weight, self._level[1] * kept + trials * weight]

    def _learn_hour(self, at_ms: int, got: float, due: float) -> None:
        """An hour is told apart once it is over: until then what is unusual of it is the level's."""
        hour = _hour_of_week_part(at_ms + self._config.zone_offset_ms)
        if hour != self._hour[0]:
            self._hours[:, int(self._hour[0])] += self._hour[1:]
            self._hour = [float(hour), 0.0, 0.0]
        self._hour[1] += got
        self._hour[2] += due

    def _learn_phase(self, at_ms: int, got: float, due: float) -> None:
        phase = self._phase(at_ms)
        if phase:
            pair = self._phases.setdefault(phase, [0.0, 0.0])
            self._phases[phase] = [pair[0] + got, pair[1] + due]

    def _learn_column(self, column: int, ids: Ids, got: Floats, plain: Floats, expected: Floats) -> Floats:
        seen, effect = self._seen, self._seen["effect"]
        unique, places = np.unique(ids, return_inverse=True)
        strength = self._table.strength[column]
        if not ids.any():  # orders that tell nothing of this dimension
            return expected
        before, now = np.bincount(places, plain), np.bincount(places, expected)
        seen["got"][unique] += np.bincount(places, got)
        seen["plain"][unique] += before
        seen["late"][unique] += np.column_stack([now, before])
        with_wider, without = seen["late"][unique].T
        seen["due"][unique] = seen["plain"][unique] * _ratio(with_wider, without)
        for name in ("got", "plain", "late", "due"):
            seen[name][0] = 0.0
        # Relative to the column's own average: a base that wanders would else be counted in the effects again.
        whole = np.flatnonzero(self._table.column[: len(self._table)] == column)
        level = (seen["got"][whole].sum() + strength) / (seen["due"][whole].sum() + strength)
        effect[unique] = (seen["got"][unique] + strength) / (seen["due"][unique] * level + strength)
        effect[0] = 1.0
        result: Floats = expected * effect[ids]
        return result

    def _unusual(self, total: float, passed_ms: int) -> float:
        """The usual volume over the last hour's, below 1 where more came; smooth, since orders come in heaps."""
        rates = []
        for place, memory_ms in enumerate((HOUR_MS, USUAL_MS)):
            kept = 0.5 ** (passed_ms / memory_ms)
            self._volume[place] = [self._volume[place][0] * kept + total, self._volume[place][1] * kept + passed_ms]
            rates.append(self._volume[place][0] / max(1.0, self._volume[place][1]))
        recent, usual = rates
        return usual / recent if recent > 0.0 else 1.0

    def _decay(self, at_ms: int) -> int:
        passed = max(0, at_ms - self._learnt_ms) if self._learnt_ms else 0
        if self._learnt_ms:
            kept = 0.5 ** (max(0, at_ms - self._learnt_ms) / self._config.baseline_half_life_ms)
            for name in ("got", "plain", "due"):
                self._seen[name][:] *= kept
            self._base = [one * kept for one in self._base]
        self._learnt_ms = max(self._learnt_ms, at_ms)
        return passed


def _ratio(some: Any, of: Any) -> Any:
    """What the wider effects multiply by, 1 where nothing is known of late."""
    return np.where(of > 0.0, some / np.maximum(of, 1e-300), 1.0)


def _hour_of_week_part(local_ms: int) -> int:
    """0 to 23 on working days, 24 to 47 on Saturday and Sunday (the epoch was a Thursday)."""
    day, rest = divmod(local_ms, 24 * HOUR_MS)
    return rest // HOUR_MS + (24 if (day + 3) % 7 >= 5 else 0)
