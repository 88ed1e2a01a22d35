"""What evidence a run of a series owes, or is let off, for how many like it chance brings.

A threshold of so many nats gives every chance the same false alarms, but a day has more chances for short runs than
for long ones, and a stream more for runs in which little is due than for those in which much is; and what is looked
for lasts minutes to an hour, and reaches its evidence within. So the threshold moves by the logarithms of both.
"""

import math
from typing import Final

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.config import KindSettings

USUAL_RUN_MS: Final = 15 * 60_000
LONG_RUN_MS: Final = 30 * 60_000
LONG_NATS: Final = 1.5  # a factor e beyond that
USUAL_DUE: Final = 5.0  # negatives (complaints)
BUSY: Final = 2.0  # incidents told of late (half-life a day) from which on the next one is no surprise
USUAL_A_DAY: Final = 8_000.0  # negatives (complaints) of a stream for which the thresholds are as set
LEAST_DUE, MOST_DUE = 0.5, 10.0  # beyond them it makes no more difference


def owed(settings: KindSettings, run_ms: Ids, due: Floats) -> Floats:
    """Nats to be added to the threshold for runs of this length, with so much due in them; below 0 for large ones."""
    run = np.maximum(run_ms, 1000.0)
    short, long = np.log(USUAL_RUN_MS / run), np.log(run / LONG_RUN_MS)
    result: Floats = settings.haste * np.maximum(0.0, short) + LONG_NATS * np.maximum(0.0, long)
    return result + by_size(settings, due)


def by_size(settings: KindSettings, due: Floats | float) -> Floats:
    """The part of it that rests on what was due."""
    result: Floats = settings.size * np.log(USUAL_DUE / np.clip(due, LEAST_DUE, MOST_DUE))
    return result


def by_volume(settings: KindSettings, a_day: float, rank: float) -> float:
    """What a large stream owes, by the negatives (complaints) that are usual in a day: it has more chances.

    In its narrow slices above all: in a usual stream many of these hold too few events to bring any. So what wide ones
    owe beyond them (`KindSettings.wanted`) fades.
    """
    grown = max(1.0, a_day / USUAL_A_DAY)
    spread = settings.wanted(rank) - settings.evidence_nats
    return settings.volume * math.log(grown) - spread * (1.0 - 1.0 / grown)


def by_calm(settings: KindSettings, told: float) -> float:
    """What a stream owes in which few incidents were told of late: chance is then the likelier cause."""
    return settings.calm * max(0.0, 1.0 - told / BUSY)


def most_let_off(settings: KindSettings) -> float:
    """How far below its threshold an alarm may lie at most."""
    return max(0.0, -float(by_size(settings, MOST_DUE)))
