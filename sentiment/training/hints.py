"""What a large model thinks of the training texts and of pieces cut out of them: softer targets for the second look.

The large model is not part of the project: its opinions are, in hints.npz, found again by a hash of the text. Decides
which pieces are cut, always the same ones for the same texts. docs/sentiment.md tells where the opinions come from.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sentiment.normalize import NEGATIVE_SIGN, OTHER_SIGN, POSITIVE_SIGN, RARE_CHARACTER, Normalizer

HINTS = Path(__file__).parent / "hints.npz"
STEPS = 8  # a hint is log-odds in eighths
LIMIT = 15.0

_CLAUSE = re.compile("[^，。！？；,.!?;~～ ]+[，。！？；,.!?;~～ ]*")
_END_MARKS = re.compile("[，。！？,.!? ]+$")
_TURNS = ("", "", "，但是", "，但", "，不过", "，就是", "，而且", "，可是")
_SIGNS = {POSITIVE_SIGN: "😊", NEGATIVE_SIGN: "😡", OTHER_SIGN: None, RARE_CHARACTER: None}
_SPANS, _PAIRS, _SEED = 36_000, 24_000, 11
_LONGEST_PIECE = 120


class Hints:
    """Log-odds that the text is positive, by the text's folded form; NaN where there is no opinion."""

    def __init__(self, keys: npt.NDArray[np.uint64], steps: npt.NDArray[np.int8]) -> None:
        self._known = dict(zip(keys.tolist(), (steps / STEPS).tolist(), strict=True))

    def of(self, folded: Sequence[str]) -> npt.NDArray[np.float64]:
        return np.array([self._known.get(key, np.nan) for key in map(key_of, folded)], dtype=np.float64)


NO_HINTS = Hints(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int8))


def read_hints(path: Path = HINTS) -> Hints:
    """Raises OSError when the file is missing."""
    with np.load(path, allow_pickle=False) as stored:
        return Hints(stored["keys"], stored["steps"])


def write_hints(folded: Sequence[str], log_odds: npt.NDArray[np.float64], path: Path = HINTS) -> None:
    """Opinions by text; of equal texts the first counts."""
    keys, first = np.unique(np.array([key_of(text) for text in folded], dtype=np.uint64), return_index=True)
    steps = np.rint(np.clip(log_odds[first], -LIMIT, LIMIT) * STEPS).astype(np.int8)
    np.savez_compressed(path, keys=keys, steps=steps)


def key_of(folded: str) -> int:
    return int.from_bytes(hashlib.sha256(folded.encode("utf-8", "surrogatepass")).digest()[:5], "big")


def fold(normalizer: Normalizer, texts: Sequence[str]) -> list[str]:
    """The texts as the large model was shown them: folded, emoji as one glad and one angry face."""
    return [normalizer.text(text).translate(_SIGNS) for text in texts]


def pieces(folded: Sequence[str]) -> list[str]:
    """Runs of clauses out of one text, and of two texts joined, often by a turn of phrase."""
    chance = np.random.default_rng(_SEED)
    clauses = [_CLAUSE.findall(text) for text in folded]
    long = [found for found in clauses if len(found) >= 3]
    any_length = [found for found in clauses if found]
    if not any_length:
        return []

    def run(found: list[str], longest: int) -> str:
        count = int(chance.integers(1, min(len(found), longest) + 1))
        first = int(chance.integers(0, len(found) - count + 1))
        return "".join(found[first : first + count])[:_LONGEST_PIECE]

    cut = [run(long[chance.integers(len(long))], 6) for _ in range(_SPANS if long else 0)]
    for _ in range(_PAIRS):
        one, other = (run(any_length[chance.integers(len(any_length))], 3) for _ in range(2))
        cut.append(_END_MARKS.sub("", one) + (_TURNS[chance.integers(len(_TURNS))] or "，") + other)
    return sorted({piece for piece in cut if len(piece) >= 3})
