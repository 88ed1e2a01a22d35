"""What only the nets are taught of the hand-written clauses: who takes which side without saying so, and who mocks.

Decides how the clauses of told.py, twists.py and facts.py are put together, and which probability is wanted of each
text. The n-grams do not learn them: they cannot tell 真行 before a fact from 真行 alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sentiment.training.facts import fact_clauses
from sentiment.training.stancefit import alone, beside
from sentiment.training.told import told_sides
from sentiment.training.twists import FACETS, MEANT, MOCKING, PRAISE, PROOFS, SCORN, twisted

_SEED = 17
_BESIDE_TOLD, _BESIDE_TWISTED = 3_000, 1_500  # of either side, with one or two facts
_MOCKED, _SCORNED, _MEANT, _STATED = 4_000, 800, 2_000, 5_000
_JOINTS = ("，", "，", "！", "。", " ", "")
_TURNS = (*_JOINTS, "，结果", "？")
_POSITIVE, _NEGATIVE, _UNDECIDED = 0.95, 0.05, 0.5


def net_lessons() -> Iterator[tuple[str, float]]:
    """Texts and the probability of praise that is wanted of each, in a fixed order."""
    chance = np.random.default_rng(_SEED)
    facts = [clause for _, clause in fact_clauses()]
    sides: dict[bool, tuple[list[str], list[str]]] = {True: ([], []), False: ([], [])}
    for place, source in enumerate((told_sides(), twisted())):
        for text, positive in source:
            sides[positive][place].append(text)
    for positive, (told, twists) in sides.items():
        wanted = _POSITIVE if positive else _NEGATIVE
        yield from ((text, wanted) for text in (*told, *twists))
        yield from ((text, wanted) for text in beside(chance, facts, told, _BESIDE_TOLD))
        yield from ((text, wanted) for text in beside(chance, facts, twists, _BESIDE_TWISTED))
    harms = (*sides[False][0], *PROOFS * 3)
    yield from ((text, _NEGATIVE) for text in _joined(chance, PRAISE, harms, _TURNS, _MOCKED))
    praised = [f"{facet}{word}" for facet in FACETS for word in MOCKING]
    yield from ((text, _NEGATIVE) for text in _joined(chance, SCORN, [*praised, *PROOFS], _TURNS, _SCORNED))
    yield from ((text, _POSITIVE) for text in _joined(chance, MEANT, sides[True][0], _JOINTS, _MEANT))
    stated = alone(chance, facts)
    yield from ((stated[k], _UNDECIDED) for k in chance.permutation(len(stated))[:_STATED].tolist())


def _joined(chance: np.random.Generator, words: Sequence[str], facts: Sequence[str], joints: Sequence[str],
            count: int) -> Iterator[str]:  # fmt: skip
    """A word with a fact behind it, or before it one time in three."""
    for _ in range(count):
        word, fact = words[int(chance.integers(len(words)))], facts[int(chance.integers(len(facts)))]
        if chance.random() < 1 / 3:
            yield f"{fact}，{word}"
        else:
            yield f"{word}{joints[int(chance.integers(len(joints)))]}{fact}"
