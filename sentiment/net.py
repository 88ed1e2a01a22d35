"""The second look at doubtful texts: a small convolution over characters, in whole numbers.

Decides how a text is laid out for it and what it computes; what it was taught is sentiment/training's business. Every
sum runs over whole numbers below 2**24, which float32 adds without rounding, so a text gets the same figure alone, in
any batch and from any matrix library.
"""

from collections.abc import Sequence
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
_COPIES: Final = 32


class Sheet(NamedTuple):
    """Texts one after the other, each at a multiple of `cell` and followed by at least so many places of NOTHING.

    `cell` is how many places the last level of a net makes one of: so no text reaches into another.
    """

    characters: npt.NDArray[np.uint16]
    grams: tuple[npt.NDArray[np.uint16], ...]
    starts: Numbers
    lengths: Numbers


def laid_out(lengths: Numbers, cell: int) -> tuple[Numbers, int]:
    """Where texts of these lengths (at least one) begin on a sheet, and how long the sheet is."""
    rooms = (lengths + 2 * cell - 1) // cell * cell
    starts = cell + np.concatenate(([0], np.cumsum(rooms[:-1])))
    return starts, int(starts[-1] + rooms[-1]) + cell


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`characters[symbol]` is a row of the tables: 0 for nothing, 1 for an unknown one; so is `grams[n - 2][place]`.

    There are as many `grams` as lengths of n-grams that the net knows, from 2 on; 0 is an unknown one.
    """

    characters: npt.NDArray[np.uint16]
    grams: tuple[npt.NDArray[np.uint16], ...]

    def sheet(self, batch: SymbolBatch, places: Sequence[Places], which: Numbers, cell: int) -> Sheet:
        """The texts `which` of the batch (at least one); `places` are those of ngram_places."""
        begins = batch.starts[which] + 1
        full = batch.starts[which + 1] - begins
        lengths = np.minimum(full, LONGEST_LOOK)
        starts, size = laid_out(lengths, cell)
        first_of = np.cumsum(lengths) - lengths
        inside = np.arange(int(lengths.sum())) - np.repeat(first_of, lengths)
        skipped = np.where(inside >= LONGEST_LOOK // 2, np.repeat(full - lengths, lengths), 0)
        source = np.repeat(begins, lengths) + inside + skipped
        target = np.repeat(starts, lengths) + inside
        characters = np.zeros(size, np.uint16)
        characters[target] = self.characters[batch.symbols[source]]
        grams = tuple(np.zeros(size, np.uint16) for _ in self.grams)
        for rows, known, place in zip(grams, self.grams, places[1:], strict=False):
            rows[target] = known[place[source]]
        return Sheet(characters, grams, starts, np.maximum(lengths, 1))


@dataclass(frozen=True, slots=True)
class Net:
    """Whole-number weights: `tables` by character (before, at, behind a place), `grams` by n-gram, then levels.

    A level takes the larger of two neighbours, then adds what a kernel of width three makes of three of those. At the
    end the largest and the average of each channel are weighed by `out`; `unit` turns the sum into log-odds.
    """

    vocabulary: Vocabulary
    tables: tuple[npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]]
    grams: tuple[npt.NDArray[np.int8], ...]
    offset: npt.NDArray[np.int16]
    kernels: tuple[Whole, ...]  # channels x (3 · channels): before, at, behind
    offsets: tuple[Whole, ...]
    scales: tuple[float, ...]
    out: npt.NDArray[np.float64]
    unit: float
    bias: float

    @property
    def cell(self) -> int:
        return 1 << len(self.kernels)

    def log_odds(self, batch: SymbolBatch, places: Sequence[Places], which: Numbers) -> npt.NDArray[np.float64]:
        """Uncalibrated log-odds of the texts `which`, in their order."""
        sizes = np.minimum(np.diff(batch.starts)[which], LONGEST_LOOK) + 8
        group = np.cumsum(sizes) // _AT_ONCE
        cuts = np.flatnonzero(np.diff(group)) + 1
        sheets = (self.vocabulary.sheet(batch, places, part, self.cell) for part in np.split(which, cuts) if len(part))
        sums = [self._pooled(sheet) @ self.out for sheet in sheets]
        return np.concatenate(sums) * self.unit + self.bias if sums else np.zeros(0)

    def shares(self, batch: SymbolBatch, places: Sequence[Places], text: int) -> npt.NDArray[np.float64]:
        """By how much each symbol of the text raises its log-odds; together by what the text has over unknown symbols.

        A share is what the text would lose with an unknown symbol in its place. These do not add up (either word of a
        double negation turns all), so what they lack or have too much is laid on them by their size. Zero for the
        middle of a text that is longer than what is looked at.
        """
        sheet = self.vocabulary.sheet(batch, places, np.array([text]), self.cell)
        whole = float((self._pooled(sheet) @ self.out)[0])
        length = int(sheet.lengths[0])
        result = np.zeros(int(batch.starts[text + 1] - batch.starts[text]) - 1)
        for begin in range(0, min(length, len(result)), _COPIES):
            blanked = np.arange(begin, min(begin + _COPIES, length))
            copies = self.vocabulary.sheet(batch, places, np.full(len(blanked), text), self.cell)
            at = copies.starts + blanked
            copies.characters[at] = UNKNOWN
            for before, rows in enumerate(copies.grams, start=1):
                for back in range(before + 1):
                    rows[at - back] = 0
            less = self._pooled(copies) @ self.out
            result[np.where(blanked < LONGEST_LOOK // 2, blanked, blanked - length)] = (whole - less) * self.unit
        sizes = np.abs(result)
        if sizes.any():
            over_unknown = (whole - float((self._pooled(_unknown(sheet)) @ self.out)[0])) * self.unit
            result += sizes * ((over_unknown - result.sum()) / sizes.sum())
        return result

    def _pooled(self, sheet: Sheet) -> npt.NDArray[np.float64]:
        """Largest and average of each channel, a row a text."""
        found: npt.NDArray[Any]
        found, filled = self._first(sheet)
        for kernel, offset, scale in zip(self.kernels, self.offsets, self.scales, strict=True):
            found, filled = _level(found, filled, kernel, offset, scale)
        segments = sheet.starts // self.cell
        places = (sheet.lengths + self.cell - 1) // self.cell
        largest = np.maximum.reduceat(found, segments, axis=0)
        means = np.add.reduceat(found, segments, axis=0) / places[:, None].astype(np.float32)
        return np.concatenate([largest, np.rint(means * np.float32(MEAN_STEPS))], axis=1).astype(np.float64)

    def _first(self, sheet: Sheet) -> tuple[npt.NDArray[np.int16], Whole]:
        before, at, behind = self.tables
        sums = at[sheet.characters]
        sums[1:] += before[sheet.characters[:-1]]
        sums[:-1] += behind[sheet.characters[1:]]
        for table, rows in zip(self.grams, sheet.grams, strict=True):
            sums += table[rows]
        sums += self.offset
        np.clip(sums, 0, CEILING, out=sums)
        empty = sheet.characters == NOTHING
        sums[empty] = 0
        return sums, (~empty).astype(np.float32)


def _unknown(sheet: Sheet) -> Sheet:
    """As many symbols in the same places, none of them known."""
    characters = np.where(sheet.characters == NOTHING, NOTHING, UNKNOWN).astype(np.uint16)
    return sheet._replace(characters=characters, grams=tuple(np.zeros_like(rows) for rows in sheet.grams))


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
