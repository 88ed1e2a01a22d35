"""Many texts as one array of code points, for whoever looks at every character of a batch without a loop in
Python."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

END: Final = 10  # a newline closes every text, so that no text is empty in the array


class Batch(NamedTuple):
    """The texts' code points one after the other, each text closed by `END`."""

    codes: NDArray[np.uint32]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]  # without the closing `END`


def encode(texts: Sequence[str]) -> Batch:
    """The batch of at least one text."""
    lengths = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts))
    starts = np.zeros(len(texts), dtype=np.intp)
    np.cumsum(lengths[:-1] + 1, out=starts[1:])
    joined = ("\n".join(texts) + "\n").encode("utf-32-le", "surrogatepass")
    return Batch(np.frombuffer(joined, dtype=np.uint32), starts, lengths)


class PairSet:
    """A set of strings, asked for whole batches: may say yes to a text that has none, never no to one that
    has."""

    def __init__(self, strings: Iterable[str]) -> None:
        """Strings of two characters or more; only their first two are looked at."""
        self._hits = np.zeros(1 << _PAIR_BITS, dtype=np.bool_)
        for string in strings:
            first, second = np.uint32(ord(string[0])), np.uint32(ord(string[1]))
            self._hits[_pair_hash(np.array([first]), np.array([second]))] = True

    def in_texts(self, batch: Batch) -> NDArray[np.bool_]:
        """For every text, whether one of the strings may begin in it."""
        hits = np.zeros(len(batch.codes), dtype=np.bool_)
        hits[:-1] = self._hits[_pair_hash(batch.codes[:-1], batch.codes[1:])]
        return np.logical_or.reduceat(hits, batch.starts)


_PAIR_BITS: Final = 18
_PAIR_FACTOR: Final = np.uint32(2654435761)


def _pair_hash(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> NDArray[np.uint32]:
    mixed = (first * np.uint32(65599) + second) * _PAIR_FACTOR
    return mixed >> np.uint32(32 - _PAIR_BITS)
