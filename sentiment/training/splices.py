"""Texts whose clauses were joined anew inside, where two of them share two symbols.

客服态度很好 and 物流速度很慢 share 度很 and so give 客服态度很慢. Decides which ones are made, always the same for the
same texts. They break up the phrases that a pupil would learn by heart, and give it pairs that differ in a word; texts
are folded (`fold` of hints.py).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sentiment.training.pieces import clauses_of

_SPLICES, _SEEDS = 400_000, (13, 14, 15, 16)  # so many for each seed
_MOST_CLAUSES = 5
_SPLICED, _THINNED = 0.5, 0.15  # of the clauses: joined with another one; one to three symbols left out
_LONGEST, _LONGEST_CLAUSE, _SHORTEST = 160, 40, 4
Numbers = npt.NDArray[np.int64]


def splices(folded: Sequence[str]) -> list[str]:
    """One to five neighbouring clauses of a text, about half of them joined with another one from anywhere."""
    texts = [found for found in map(clauses_of, folded) if found]
    if not texts:
        return []
    stock = _Stock([clause for found in texts for clause in found])
    made = set()
    for seed in _SEEDS:
        chance = np.random.default_rng(seed)
        for drawn in chance.integers(len(texts), size=min(_SPLICES, 10 * len(folded))).tolist():
            found = texts[drawn]
            count = int(chance.integers(1, min(len(found), _MOST_CLAUSES) + 1))
            first = int(chance.integers(0, len(found) - count + 1))
            spliced = "".join(_changed(chance, clause, stock) for clause in found[first : first + count])[:_LONGEST]
            if len(spliced) >= _SHORTEST:
                made.add(spliced)
    return sorted(made)


def _changed(chance: np.random.Generator, clause: str, stock: "_Stock") -> str:
    way = chance.random()
    if way < _SPLICED and len(clause) >= 4:
        at = int(chance.integers(len(clause) - 2))
        clause = clause[:at] + stock.tail(clause[at : at + 2], chance)
    elif way < _SPLICED + _THINNED and len(clause) >= 4:
        at = int(chance.integers(len(clause) - 2))
        clause = clause[:at] + clause[at + int(chance.integers(1, 4)) :]
    return clause[:_LONGEST_CLAUSE]


class _Stock:
    """All clauses, found again by two symbols that follow each other in them."""

    def __init__(self, clauses: Sequence[str]) -> None:
        self._all = "".join(clauses)
        lengths = np.array([len(clause) for clause in clauses], dtype=np.int64)
        self._ends = np.repeat(np.cumsum(lengths), lengths)
        pairs = self._codes(self._all)
        self._order = np.argsort(pairs, kind="stable")
        self._sorted = pairs[self._order]

    def tail(self, pair: str, chance: np.random.Generator) -> str:
        """What a clause drawn by chance that holds the pair has from there on."""
        code = self._codes(pair)[0]
        first, last = np.searchsorted(self._sorted, code), np.searchsorted(self._sorted, code, side="right")
        place = int(self._order[chance.integers(first, last)])
        return self._all[place : max(place + 2, int(self._ends[place]))]

    @staticmethod
    def _codes(text: str) -> Numbers:
        symbols = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
        return symbols[:-1] << 21 | symbols[1:]
