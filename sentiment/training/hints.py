"""What a large model thinks of the training texts and of pieces cut out of them: softer targets for the second look.

The large model is not part of the project: its opinions are, in hints.npz, found again by a hash of the text.
docs/sentiment.md tells where the opinions come from; sentiment/training/pieces.py cuts the pieces.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sentiment.normalize import NEGATIVE_SIGN, OTHER_SIGN, POSITIVE_SIGN, RARE_CHARACTER, Normalizer

HINTS = Path(__file__).parent / "hints.npz"
STEPS = 8  # a hint is log-odds in eighths
LIMIT = 15.0
_KEY_BYTES = 5

_SIGNS = {POSITIVE_SIGN: "😊", NEGATIVE_SIGN: "😡", OTHER_SIGN: None, RARE_CHARACTER: None}


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
        return Hints(_keys(stored["gaps"]), stored["steps"])


def write_hints(folded: Sequence[str], log_odds: npt.NDArray[np.float64], path: Path = HINTS) -> None:
    """Opinions by text; of equal texts the first counts."""
    keys, first = np.unique(np.array([key_of(text) for text in folded], dtype=np.uint64), return_index=True)
    steps = np.rint(np.clip(log_odds[first], -LIMIT, LIMIT) * STEPS).astype(np.int8)
    np.savez_compressed(path, gaps=_gaps(keys), steps=steps)


def _gaps(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """The distances of sorted keys, byte by byte, the lowest first: the upper bytes are nearly all zero."""
    gaps = np.diff(keys, prepend=np.uint64(0))
    return np.ascontiguousarray(gaps.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :_KEY_BYTES].T)


def _keys(gaps: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    whole = np.zeros((gaps.shape[1], 8), np.uint8)
    whole[:, :_KEY_BYTES] = gaps.T
    return np.cumsum(whole.view("<u8")[:, 0], dtype=np.uint64)


def key_of(folded: str) -> int:
    return int.from_bytes(hashlib.sha256(folded.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES], "big")


def fold(normalizer: Normalizer, texts: Sequence[str]) -> list[str]:
    """The texts as the large model was shown them: folded, emoji as one glad and one angry face."""
    return [normalizer.text(text).translate(_SIGNS) for text in texts]
