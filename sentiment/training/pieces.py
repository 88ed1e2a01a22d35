"""Texts made of the training texts: more to ask the large model about, and more for the second look to learn from.

Decides which ones are made, always the same for the same texts; these and those are folded (`fold` of hints.py).
"""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

_CLAUSE = re.compile("[^，。！？；,.!?;~～ ]+[，。！？；,.!?;~～ ]*")
_END_MARKS = re.compile("[，。！？,.!? ]+$")
_TURNS = ("", "", "，但是", "，但", "，不过", "，就是", "，而且", "，可是")
_SPANS, _PAIRS, _SEED = 36_000, 24_000, 11
_LONGEST_PIECE = 120
_CROSSINGS, _CROSSING_SEED = 300_000, 12
_LONGEST_CROSSING = 256
_SHORTEST_CROSSING = 4


def clauses_of(folded: str) -> list[str]:
    """A text's clauses, each with the marks behind it."""
    return _CLAUSE.findall(folded)


def pieces(folded: Sequence[str]) -> list[str]:
    """Runs of clauses out of one text, and of two texts joined, often by a turn of phrase."""
    chance = np.random.default_rng(_SEED)
    clauses = [clauses_of(text) for text in folded]
    long = [found for found in clauses if len(found) >= 3]
    any_length = [found for found in clauses if found]
    if not any_length:
        return []

    def run(found: list[str], longest: int) -> str:
        return "".join(_run(chance, found, longest))[:_LONGEST_PIECE]

    cut = [run(long[chance.integers(len(long))], 6) for _ in range(_SPANS if long else 0)]
    for _ in range(_PAIRS):
        one, other = (run(any_length[chance.integers(len(any_length))], 3) for _ in range(2))
        cut.append(_END_MARKS.sub("", one) + (_TURNS[chance.integers(len(_TURNS))] or "，") + other)
    return sorted({piece for piece in cut if len(piece) >= 3})


def crossings(folded: Sequence[str], categories: Sequence[str]) -> list[str]:
    """Texts with clauses left out, put in another order, or taken in from another text of the same category."""
    chance = np.random.default_rng(_CROSSING_SEED)
    clauses = [clauses_of(text) for text in folded]
    same: dict[str, list[list[str]]] = defaultdict(list)
    for found, category in zip(clauses, categories, strict=True):
        if found:
            same[category].append(found)
    several = [k for k, found in enumerate(clauses) if len(found) >= 2]
    if not several:
        return []
    made = set()
    for drawn in chance.integers(len(several), size=min(_CROSSINGS, 10 * len(folded))).tolist():
        k = several[drawn]
        crossed = "".join(_crossed(chance, list(clauses[k]), same[categories[k]]))[:_LONGEST_CROSSING]
        if len(crossed) >= _SHORTEST_CROSSING:
            made.add(crossed)
    return sorted(made)


def _crossed(chance: np.random.Generator, clauses: list[str], others: list[list[str]]) -> list[str]:
    """One text's clauses, changed in one of five ways."""
    way, place = int(chance.integers(5)), int(chance.integers(len(clauses)))
    if way == 0:
        return _shortened(chance, clauses, place)
    if way == 4:
        kept = _run(chance, clauses, 6) if len(clauses) > 6 else clauses
        return [kept[k] for k in chance.permutation(len(kept)).tolist()]
    taken = _run(chance, others[int(chance.integers(len(others)))], way)
    if way == 3:
        return clauses + taken if chance.random() < 0.5 else taken + clauses
    clauses[place : place + (way == 1)] = taken
    return clauses


def _shortened(chance: np.random.Generator, clauses: list[str], place: int) -> list[str]:
    if len(clauses) > 2:
        del clauses[place]
    if len(clauses) > 4 and chance.random() < 0.5:
        del clauses[int(chance.integers(len(clauses)))]
    return clauses


def _run(chance: np.random.Generator, found: list[str], longest: int) -> list[str]:
    count = int(chance.integers(1, min(len(found), longest) + 1))
    first = int(chance.integers(0, len(found) - count + 1))
    return found[first : first + count]
