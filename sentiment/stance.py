"""Which short texts only state facts (收到了, 给妈妈买的, 几点上班？), so that no label would be fair to them.

Decides what is done about such a text: its log-odds are cut into the neutral band, on the side where they were. What a
statement looks like was learnt apart from what is good and bad (sentiment/training/stancefit.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sentiment.features import TABLE_BITS, Places
from sentiment.normalize import SymbolBatch

Floats = npt.NDArray[np.float64]
STANCE_BITS: Final = 18
SHIFT: Final = TABLE_BITS - STANCE_BITS  # the table has a place for so many (as a power of two) of the n-grams' table
# Longer texts nearly always take a stance; of texts that the n-grams are surer of than this one is known already.
LONGEST_STATEMENT: Final = 40
SUREST: Final = 4.0
# Log-odds that a statement keeps at most: a score of 0.38 to 0.62, well within the neutral band.
KEPT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Stance:
    """A text states facts only where unit · Σ evidence + bias exceeds the distance of the n-grams' log-odds from 0."""

    evidence: npt.NDArray[np.int8]
    longest: int
    unit: float
    bias: float

    def statements(self, first: Floats, batch: SymbolBatch, places: Sequence[Places]) -> npt.NDArray[np.int64]:
        """The numbers of such texts, upwards. `first` are the n-grams' log-odds, `places` those of ngram_places."""
        sizes = np.diff(batch.starts)
        asked = np.flatnonzero((sizes > 1) & (sizes <= LONGEST_STATEMENT + 1) & (np.abs(first) < SUREST))
        if not len(asked):
            return asked
        sizes = sizes[asked]
        begins = np.cumsum(sizes) - sizes
        source = np.arange(int(sizes.sum())) + np.repeat(batch.starts[asked] - begins, sizes)
        sums = np.zeros(len(source), dtype=np.int32)
        for place in places[: self.longest]:
            sums += self.evidence[place[source] >> SHIFT]
        found = self.unit * np.add.reduceat(sums, begins, dtype=np.int64) + self.bias
        return asked[found > np.abs(first[asked])]


def cut(log_odds: Floats) -> Floats:
    """Within ±KEPT, in the same order and on the same side."""
    return KEPT * np.tanh(log_odds / KEPT)
