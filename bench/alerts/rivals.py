"""What people use today, over the same observations: each watches the same slices by windows, pane by minute.

Static threshold, three sigma and EWMA look at five minutes; the burn rate at one hour and five minutes together,
and six hours and half an hour, as multi-window rules for error budgets are written. All need at least ten events
and fire again only after they were quiet for half an hour; none knows of late orders or of related slices.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from alerts.detectors.spikes.config import DEFAULT_SLICES
from alerts.detectors.spikes.series import SliceTable
from bench.alerts.score import Fired
from bench.alerts.world import Floats, Plan
from schemas.results import Observation

MINUTES: Final = 360
QUIET_S: Final = 1800.0
STEP_S: Final = 60
LEAST_TRIALS: Final = {"review": 10.0, "complaint": 100.0}
LEAST_HITS: Final = 5.0
BUDGET: Final = {"review": 0.15, "complaint": 0.015}  # what a static rule takes as bearable
Rule = Callable[["History", str], Floats]


@dataclass
class History:
    """Hits and trials a minute of every series, the newest last; and running figures of the five-minute share."""

    minutes: deque[tuple[Floats, Floats]] = field(default_factory=lambda: deque(maxlen=MINUTES))
    mean: Floats = field(default_factory=lambda: np.zeros(0))
    square: Floats = field(default_factory=lambda: np.zeros(0))
    count: Floats = field(default_factory=lambda: np.zeros(0))
    smooth: Floats = field(default_factory=lambda: np.zeros(0))

    def window(self, minutes: int) -> tuple[Floats, Floats]:
        """Sums over the last minutes."""
        last = list(self.minutes)[-minutes:]
        size = len(last[-1][0])
        hits, trials = np.zeros(size), np.zeros(size)
        for some_hits, some_trials in last:
            hits[: len(some_hits)] += some_hits
            trials[: len(some_trials)] += some_trials
        return hits, trials


def static(history: History, kind: str) -> Floats:
    """Twice the bearable share in five minutes."""
    hits, trials = history.window(5)
    return _enough(hits, trials, kind) * (hits > 2.0 * BUDGET[kind] * trials)


def three_sigma(history: History, kind: str) -> Floats:
    """Three standard deviations over the mean of the series' own five-minute shares."""
    hits, trials = history.window(5)
    spread = np.sqrt(np.maximum(history.square - history.mean**2, 1e-9))
    known = history.count >= 30
    return _enough(hits, trials, kind) * known * (_share(hits, trials) > history.mean + 3.0 * spread)


def ewma(history: History, kind: str) -> Floats:
    """A smoothed share three standard errors over the mean."""
    hits, trials = history.window(5)
    spread = np.sqrt(np.maximum(history.square - history.mean**2, 1e-9) * 0.3 / 1.7)
    known = history.count >= 30
    return _enough(hits, trials, kind) * known * (history.smooth > history.mean + 3.0 * spread)


def burn_rate(history: History, kind: str) -> Floats:
    """Twice the bearable share in an hour and in five minutes, or 1.5 times in six hours and in thirty minutes."""
    fired = np.zeros(len(history.minutes[-1][0]), bool)
    for long, short, factor in ((60, 5, 2.0), (360, 30, 1.5)):
        hits, trials = history.window(long)
        short_hits, short_trials = history.window(short)
        over = hits > factor * BUDGET[kind] * trials
        fired |= over & (short_hits > factor * BUDGET[kind] * short_trials) & (_enough(hits, trials, kind) > 0)
    return fired.astype(float)


RIVALS: Final[dict[str, Rule]] = {
    "static threshold": static, "three sigma": three_sigma, "EWMA": ewma, "multi-window burn rate": burn_rate,
}  # fmt: skip


def run(batches: Iterable[tuple[int, list[Observation]]], plan: Plan) -> dict[str, list[Fired]]:
    """The alerts of every rival over the same stream."""
    table = SliceTable(DEFAULT_SLICES, max_series=10**9)
    histories = {kind: History() for kind in BUDGET}
    quiet: dict[tuple[str, str, int], float] = {}
    fired: dict[str, list[Fired]] = {name: [] for name in RIVALS}
    cells: list[tuple[str, tuple[int, ...], float, float]] = []
    border = plan.start_ms + STEP_S * 1000
    for newest, batch in batches:
        for one in batch:
            ids = table.ids(one.dims)
            if one.kind == "review":
                cells.append(("review", ids, float(one.negative), 1.0))
            else:
                hit = one.kind == "complaint"
                cells.append(("complaint", ids, float(hit), 0.0 if hit else float(one.count)))
        while newest >= border:
            at = (border - plan.start_ms) / 1000.0
            for kind, history in histories.items():
                _minute(history, [cell for cell in cells if cell[0] == kind], len(table))
                for name, rule in RIVALS.items():
                    for series in np.flatnonzero(rule(history, kind)):
                        _fire(fired[name], quiet, (name, kind, int(series)), table, at)
                _remember(history)
            cells, border = [], border + STEP_S * 1000
    return fired


def _minute(history: History, cells: list[tuple[str, tuple[int, ...], float, float]], size: int) -> None:
    hits, trials = np.zeros(size), np.zeros(size)
    for _, ids, hit, trial in cells:
        for one in ids:
            hits[one] += hit
            trials[one] += trial
    hits[0] = trials[0] = 0.0
    history.minutes.append((hits, trials))
    for name in ("mean", "square", "count", "smooth"):
        old = getattr(history, name)
        setattr(history, name, np.concatenate([old, np.zeros(size - len(old))]))
    share = _share(*history.window(5))
    seen = trials > 0.0
    history.smooth = np.where(seen, history.smooth + 0.3 * (share - history.smooth), history.smooth)


def _remember(history: History) -> None:
    hits, trials = history.window(5)
    seen = history.minutes[-1][1] > 0.0
    history.count = history.count + seen
    weight = np.where(seen, 1.0 / np.minimum(np.maximum(history.count, 1.0), 1440.0), 0.0)
    share = _share(hits, trials)
    history.mean = history.mean + weight * (share - history.mean)
    history.square = history.square + weight * (share**2 - history.square)


def _fire(
    fired: list[Fired],
    quiet: dict[tuple[str, str, int], float],
    key: tuple[str, str, int],
    table: SliceTable,
    at: float,
) -> None:
    again = at - quiet.get(key, -1e9) < QUIET_S
    quiet[key] = at
    if not again:
        label = table.label(key[2])
        fired.append(Fired(key[1], label["dimension"], label["value"], at))


def _share(hits: Floats, trials: Floats) -> Floats:
    share: Floats = hits / np.maximum(trials, 1.0)
    return share


def _enough(hits: Floats, trials: Floats, kind: str) -> Floats:
    enough: Floats = ((trials >= LEAST_TRIALS[kind]) & (hits >= LEAST_HITS)).astype(float)
    return enough
