"""The observations of ten seconds as columns."""

from typing import NamedTuple

import numpy as np

from alerts.detectors.spikes.arrays import Floats, Ids


class Pane(NamedTuple):
    """Rows of one kind; `got` is negativity, complaints, or 0 for orders."""

    at: Ids
    sids: Ids
    got: Floats
    trials: Floats  # reviews or orders
    bad: Floats  # negative by label, or complaints
    notes: list[tuple[int, str, str]]  # row, event id, text


def of(rows: list[tuple[int, tuple[int, ...], float, float, float, str, str]], columns: int) -> Pane:
    """Columns of (at, sids, got, trials, bad, sample, text)."""
    if not rows:
        none = np.zeros(0)
        return Pane(np.zeros(0, np.int64), np.zeros((0, columns), np.int32), none, none, none, [])
    at, sids, got, trials, bad, samples, texts = zip(*rows, strict=True)
    notes = [(row, samples[row], texts[row]) for row, one in enumerate(bad) if one]
    return Pane(
        np.array(at, np.int64), np.array(sids, np.int32), np.array(got, float), np.array(trials, float),
        np.array(bad, float), notes,
    )  # fmt: skip
