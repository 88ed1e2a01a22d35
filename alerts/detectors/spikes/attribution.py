"""One name for one cause: of all slices that share the alarm's events, the one with the largest evidence.

The true slice holds all of the evidence; a wider one dilutes it, a narrower one has only a part of it. Ties go to
the more specific slice.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from alerts.detectors.spikes.arrays import Bools, Floats, Ids

SPECIFIC_NATS: Final = 0.3  # a slice more specific by one is preferred up to this loss of evidence
CHANCE: Final = 1.0  # of the logarithm of the number of a column's slices is taken from the evidence of each
OVERLAP: Final = 0.5  # of the lesser excess must lie in both slices


class Tally(NamedTuple):
    """Slices of one column over a span of time: evidence on each alternative, negatives and expectation."""

    ids: Ids
    nats: Floats  # [slices, alternatives]
    got: Floats
    due: Floats
    shared_got: Floats  # of this, in the slice that gave alarm
    shared_due: Floats


class Candidate(NamedTuple):
    """A slice that may carry the alert."""

    sid: int
    column: int
    nats: float  # after over-dispersion: whether it is one
    plain: float  # before: whether it is this one, since a wide slice is no less likely for being wide
    alternative: int
    got: float
    due: float
    rivals: int = 1  # slices of its column that it was chosen among


def tally(ids: Ids, gains: Floats, got: Floats, due: Floats, alarm: Bools) -> Tally:
    """Sum each column's slices; rows are events."""
    unique, places = np.unique(ids, return_inverse=True)
    nats = np.column_stack([np.bincount(places, gains[:, j]) for j in range(gains.shape[1])])
    sums = [np.bincount(places, values) for values in (got, due, got * alarm, due * alarm)]
    return Tally(unique.astype(np.int64), nats, *sums)


def candidates(tally: Tally, column: int, *, uncertainty: Floats, alarm_excess: float, rivals: int) -> list[Candidate]:
    """The slices of a column whose excess overlaps with the alarm's; `rivals`: how many slices the column has."""
    nats = tally.nats / (1.0 + tally.due * uncertainty)[:, None]
    best = nats.argmax(axis=1)
    excess, shared = tally.got - tally.due, tally.shared_got - tally.shared_due
    enough = shared >= OVERLAP * np.minimum(np.maximum(excess, 0.0), alarm_excess)
    found = np.flatnonzero(enough & (tally.ids > 0) & (nats.max(axis=1) > 1.0))
    return [
        Candidate(int(tally.ids[i]), column, float(nats[i, best[i]]), float(tally.nats[i].max()), int(best[i]),
                  float(tally.got[i]), float(tally.due[i]), rivals)
        for i in found
    ]  # fmt: skip


def merit(one: Candidate, rank: Floats) -> float:
    """How well a slice explains the alarm, in nats: the best of many owes more of its evidence to chance."""
    return float(one.plain + SPECIFIC_NATS * rank[one.column] - CHANCE * math.log(one.rivals))


def most_specific(found: list[Candidate], rank: Floats) -> Candidate | None:
    """The one to name, if there is any."""
    return max(found, key=lambda one: (merit(one, rank), -one.sid), default=None)


def change_point(at: Ids, gains: Floats) -> int:
    """The instant after which the evidence only grew: the start's maximum likelihood; rows by event time."""
    total = np.concatenate([[0.0], np.cumsum(gains)])
    begin = int(total[:-1].argmin()) if len(at) else 0
    end = begin + int(total[begin:].argmax())
    if end == len(total) - 1 or begin == 0:
        return int(at[begin])
    return int(at[min(begin, len(at) - 1)])
