"""Turns texts into one array of symbols: what customers type differently but mean alike becomes the same symbol.

Decides the folding of characters (traditional, full-width, case, emoji, runs, invisible marks) and nothing about
their meaning. Works on a whole batch at once, because per-character work in Python would cost a hundredfold.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sentiment.lexicon import NEGATIVE_EMOJI, POSITIVE_EMOJI

Symbols = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]

# Symbols of the private use area: customers cannot type them, because the table folds that area away.
BOUNDARY = 0xE000
POSITIVE_SIGN = 0xE001
NEGATIVE_SIGN = 0xE002
OTHER_SIGN = 0xE003
RARE_CHARACTER = 0xE004
SPACE = 0x20
# As many boundaries stand before the first text and after the last as the longest n-gram has symbols.
MARGIN = 8

_DROPPED = 0
_CODE_POINTS = 0x110000


@dataclass(frozen=True, slots=True)
class SymbolBatch:
    """A batch as one row of symbols: `| text | text | … |`, where `|` is BOUNDARY.

    `starts[k]` is the place of the boundary before text k; `starts` has one place more than there are texts.
    """

    symbols: Symbols
    starts: Positions

    def __len__(self) -> int:
        return len(self.starts) - 1

    def has_words(self) -> npt.NDArray[np.bool_]:
        """Whether a text holds any letter, figure or sign at all; without one there is nothing to judge."""
        telling = _telling_table()[self.symbols[: self.starts[-1]]]
        return np.add.reduceat(telling, self.starts[:-1], dtype=np.int64) > 0


class Normalizer:
    """Folds batches of texts by one table over all code points. Takes any `str`, lone surrogates included."""

    def __init__(self, *, traditional: str, simplified: str) -> None:
        """`traditional[i]` is read as `simplified[i]`; both come with the weights, see sentiment/train.py."""
        self._table = _folding_table().copy()
        self._table[_code_points(traditional)] = self._table[_code_points(simplified)]
        self._simplified = str.maketrans(traditional, simplified)

    def batch(self, texts: Sequence[str]) -> SymbolBatch:
        """Promises one text a segment, in order, in time linear in the characters."""
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        borders = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum(lengths + 1, out=borders[1:])
        borders += MARGIN
        raw = _code_points("".join((" " * (MARGIN + 1), " ".join(texts), " " * (MARGIN + 1))))
        symbols = self._table[raw]
        symbols[: MARGIN + 1] = BOUNDARY
        symbols[borders] = BOUNDARY
        symbols[-MARGIN:] = BOUNDARY
        if not len(texts):
            return SymbolBatch(symbols.astype(np.uint32), borders)
        kept = symbols != _DROPPED
        symbols, borders = _squeeze(symbols, borders, kept)
        symbols, borders = _squeeze(symbols, borders, _not_a_long_run(symbols))
        return SymbolBatch(symbols.astype(np.uint32), borders)

    def origins(self, text: str) -> Positions:
        """Where in the text each symbol of `batch([text])` between its boundaries comes from, upwards."""
        symbols = self._table[_code_points(f" {text} ")]
        symbols[[0, -1]] = BOUNDARY
        kept = np.flatnonzero(symbols != _DROPPED)
        kept = kept[_not_a_long_run(symbols[kept])]
        return kept[1:-1] - 1

    def simplified(self, text: str) -> str:
        """The text, same length, in simplified characters and otherwise as it was written."""
        return text if text.isascii() else text.translate(self._simplified)

    def text(self, text: str) -> str:
        """The folded form of one text, for people to look at."""
        folded = self.batch([text])
        inner = folded.symbols[folded.starts[0] + 1 : folded.starts[1]]
        return "".join(map(chr, inner.tolist()))


def _squeeze(
    symbols: npt.NDArray[np.uint16], borders: Positions, kept: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.uint16], Positions]:
    if kept.all():
        return symbols, borders
    places = np.cumsum(kept)
    return symbols[kept], places[borders] - 1


def _not_a_long_run(symbols: npt.NDArray[np.uint16]) -> npt.NDArray[np.bool_]:
    """Keeps two of a run of letters or signs (太太太差 reads as 太太差), three of other marks; boundaries all stay."""
    same = symbols[1:] == symbols[:-1]
    twice = same[1:] & same[:-1]
    kept = np.ones(len(symbols), dtype=np.bool_)
    kept[2:] = ~(twice & _telling_table()[symbols[2:]])
    kept[3:] &= ~(twice[1:] & twice[:-1])
    kept |= symbols == BOUNDARY
    return kept


def _code_points(text: str) -> Symbols:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@lru_cache(maxsize=1)
def _folding_table() -> npt.NDArray[np.uint16]:
    """What each code point becomes, before traditional characters are folded; 0 is dropped."""
    table = np.full(_CODE_POINTS, RARE_CHARACTER, dtype=np.uint16)
    table[:0x10000] = np.arange(0x10000, dtype=np.uint16)
    table[0xD800:0x10000][: 0xF900 - 0xD800] = RARE_CHARACTER  # surrogates and private use
    table[0x1F000:0x20000] = OTHER_SIGN
    table[0x2600:0x27C0] = OTHER_SIGN
    for first, last in _INVISIBLE:
        table[first : last + 1] = _DROPPED
    for code in _FOLDED_ONE_BY_ONE:
        table[code] = _fold(code)
    for first, last in _SPACES:
        table[first : last + 1] = SPACE
    for sign, emoji in ((POSITIVE_SIGN, POSITIVE_EMOJI), (NEGATIVE_SIGN, NEGATIVE_EMOJI)):
        table[_code_points(emoji)] = sign
    return table


@lru_cache(maxsize=1)
def _telling_table() -> npt.NDArray[np.bool_]:
    telling = np.fromiter((chr(code).isalnum() for code in range(0x10000)), dtype=np.bool_, count=0x10000)
    telling[[POSITIVE_SIGN, NEGATIVE_SIGN, OTHER_SIGN]] = True
    return telling


def _fold(code: int) -> int:
    """Full width to half width, case away; a character that would become several stays as it is.

    Punctuation stays too: the width of a comma tells something of the writer (0.2 points on the reviews).
    """
    if unicodedata.category(chr(code))[0] in "PZ":
        return code
    folded = unicodedata.normalize("NFKC", chr(code)).casefold()
    return ord(folded) if len(folded) == 1 and ord(folded) < 0x10000 else code


# Controls and separators read as a space: a tab or a NUL parts words as well as a blank does.
_SPACES = (
    (0x00, 0x20),
    (0x7F, 0xA0),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
)
# Marks without a width of their own: joiners, directions, variation selectors, combining accents, skin tones.
# Letters are decorated with them to slip past filters.
_INVISIBLE = (
    (0xAD, 0xAD),
    (0x300, 0x36F),
    (0x483, 0x489),
    (0xF35, 0xF39),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x20D0, 0x20F0),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0x1F3FB, 0x1F3FF),
    (0xE0000, 0xE0FFF),
)
# Where one code point is worth another: Latin, Greek, Cyrillic, compatibility and full-width forms.
_FOLDED_ONE_BY_ONE = (
    *range(0x21, 0x590),
    *range(0x1E00, 0x2000),
    *range(0x2100, 0x2190),
    *range(0x2460, 0x2500),
    *range(0x2E80, 0x2FE0),
    *range(0x3220, 0x3400),
    *range(0xF900, 0xFB00),
    *range(0xFE30, 0xFEFF),
    *range(0xFF01, 0xFFEF),
)
