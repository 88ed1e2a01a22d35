"""The second look at doubtful texts: a small convolution over characters, in whole numbers.

Decides how a text is laid out for it and what it computes; what it was taught is sentiment/training's business. Every
sum runs over whole numbers below 2**24, which float32 adds without rounding, so a text gets the same figure alone, in
any batch and from any matrix library.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sentiment.features import Places
from sentiment.normalize import SymbolBatch

Whole = npt.NDArray[np.float32]  # whole numbers, carried as float32 for the matrix library's sake
Numbers = npt.NDArray[np.int64]

# Of a longer text the first and the last half of so many symbols are looked at: beginnings and ends tell most.
LONGEST_LOOK: Final = 256
NOTHING: Final = 0
UNKNOWN: Final = 1
# Activations stay below this, table and kernel entries within ±127: 3 · 128 · 255 · 127 < 2**24.
CEILING: Final = 255
WIDEST: Final = 128
# Parts of one for the averages; like the activations they enter the last sum as whole numbers.
MEAN_STEPS: Final = 8
_AT_ONCE: Final = 4_000


class Sheet(NamedTuple):
    """Texts one after the other, each at a multiple of four and followed by at least four places of NOTHING."""

    characters: npt.NDArray[np.uint16]
    pairs: npt.NDArray[np.uint16]
    starts: Numbers
    lengths: Numbers


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`characters[symbol]` and `pairs[place of the 2-gram]` are rows of the tables; 0 is nothing, 1 an unknown one."""

    characters: npt.NDArray[np.uint16]
    pairs: npt.NDArray[np.uint16]

    def sheet(self, batch: SymbolBatch, pair_places: Places, which: Numbers) -> Sheet:
        """The texts `which` of the batch (at least one); `pair_places` are those of ngram_places for n = 2."""
        begins = batch.starts[which] + 1
        full = batch.starts[which + 1] - begins
        lengths = np.minimum(full, LONGEST_LOOK)
        rooms = (lengths + 7) // 4 * 4
        starts = 4 + np.concatenate(([0], np.cumsum(rooms[:-1])))
        first_of = np.cumsum(lengths) - lengths
        inside = np.arange(int(lengths.sum())) - np.repeat(first_of, lengths)
        skipped = np.where(inside >= LONGEST_LOOK // 2, np.repeat(full - lengths, lengths), 0)
        source = np.repeat(begins, lengths) + inside + skipped
        target = np.repeat(starts, lengths) + inside
        size = int(starts[-1] + rooms[-1]) + 4
        characters, pairs = np.zeros(size, np.uint16), np.zeros(size, np.uint16)
        characters[target] = self.characters[batch.symbols[source]]
        pairs[target] = self.pairs[pair_places[source]]
        return Sheet(characters, pairs, starts, np.maximum(lengths, 1))


@dataclass(frozen=True, slots=True)
class Net:
    """Whole-number weights: `tables` by character (before, at, behind a place), `pairs` by 2-gram, then two levels.

    A level takes the larger of two neighbours, then adds what a kernel of width three makes of three of those. At the
    end the largest and the average of each channel are weighed by `out`; `unit` turns the sum into log-odds.
    """

    vocabulary: Vocabulary
    tables: tuple[npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]]
    pairs: npt.NDArray[np.int8]
    offset: npt.NDArray[np.int16]
    kernels: tuple[Whole, ...]  # channels x (3 · channels): before, at, behind
    offsets: tuple[Whole, ...]
    scales: tuple[float, ...]
    out: npt.NDArray[np.float64]
    unit: float
    bias: float

    def log_odds(self, batch: SymbolBatch, pair_places: Places, which: Numbers) -> npt.NDArray[np.float64]:
        """Uncalibrated log-odds of the texts `which`, in their order."""
        sizes = np.minimum(np.diff(batch.starts)[which], LONGEST_LOOK) + 8
        group = np.cumsum(sizes) // _AT_ONCE
        cuts = np.flatnonzero(np.diff(group)) + 1
        sheets = (self.vocabulary.sheet(batch, pair_places, part) for part in np.split(which, cuts) if len(part))
        sums = [self._pooled(sheet) @ self.out for sheet in sheets]
        return np.concatenate(sums) * self.unit + self.bias if sums else np.zeros(0)

    def shares(self, batch: SymbolBatch, pair_places: Places, text: int) -> npt.NDArray[np.float64]:
        """By how much each symbol of the text raises its log-odds, against an unknown one in its place.

        Zero for the middle of a text that is longer than what is looked at. The shares need not add up.
        """
        sheet = self.vocabulary.sheet(batch, pair_places, np.array([text]))
        length, first = int(sheet.lengths[0]), int(sheet.starts[0])
        whole = float((self._pooled(sheet) @ self.out)[0])
        result = np.zeros(int(batch.starts[text + 1] - batch.starts[text]) - 1)
        for place in range(min(length, len(result))):
            characters, pairs = sheet.characters.copy(), sheet.pairs.copy()
            characters[first + place] = UNKNOWN
            pairs[first + place - 1 : first + place + 1] = 0
            less = float((self._pooled(sheet._replace(characters=characters, pairs=pairs)) @ self.out)[0])
            result[place if place < LONGEST_LOOK // 2 else place - length] = (whole - less) * self.unit
        return result

    def _pooled(self, sheet: Sheet) -> npt.NDArray[np.float64]:
        """Largest and average of each channel, a row a text."""
        found: npt.NDArray[Any]
        found, filled = self._first(sheet)
        for kernel, offset, scale in zip(self.kernels, self.offsets, self.scales, strict=True):
            found, filled = _level(found, filled, kernel, offset, scale)
        shrunk = 1 << len(self.kernels)
        segments = sheet.starts // shrunk
        places = (sheet.lengths + shrunk - 1) // shrunk
        largest = np.maximum.reduceat(found, segments, axis=0)
        means = np.add.reduceat(found, segments, axis=0) / places[:, None].astype(np.float32)
        return np.concatenate([largest, np.rint(means * np.float32(MEAN_STEPS))], axis=1).astype(np.float64)

    def _first(self, sheet: Sheet) -> tuple[npt.NDArray[np.int16], Whole]:
        before, at, behind = self.tables
        sums = at[sheet.characters]
        sums[1:] += before[sheet.characters[:-1]]
        sums[:-1] += behind[sheet.characters[1:]]
        sums += self.pairs[sheet.pairs]
        sums += self.offset
        np.clip(sums, 0, CEILING, out=sums)
        empty = sheet.characters == NOTHING
        sums[empty] = 0
        return sums, (~empty).astype(np.float32)


def _level(found: npt.NDArray[Any], filled: Whole, kernel: Whole, offset: Whole, scale: float) -> tuple[Whole, Whole]:
    even = len(found) // 2 * 2
    halved = np.maximum(found[0:even:2], found[1:even:2]).astype(np.float32, copy=False)
    filled = np.maximum(filled[0:even:2], filled[1:even:2])
    channels = halved.shape[1]
    parts = halved @ kernel
    sums = parts[:, channels : 2 * channels] + offset
    sums[1:] += parts[:-1, :channels]
    sums[:-1] += parts[1:, 2 * channels :]
    sums *= np.float32(scale)
    np.rint(sums, out=sums)
    np.maximum(sums, 0, out=sums)
    sums *= filled[:, None]
    sums += halved
    return np.minimum(sums, CEILING, out=sums), filled
