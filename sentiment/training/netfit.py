"""Teaching the second look (sentiment/net.py): plain gradient descent with Adam, by hand, in numpy.

Decides the net's vocabulary, its float weights and how they become whole numbers. Same texts, targets, settings and
library versions give the same net. Kingma and Ba, "Adam" (2015); Srivastava et al., "Dropout" (2014).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment.features import NOWHERE, TABLE_SIZE, ngram_places
from sentiment.net import CEILING, MEAN_STEPS, UNKNOWN, Net, Sheet, Vocabulary, laid_out
from sentiment.normalize import Normalizer

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
_TABLES = ("before", "at", "behind")


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Chosen on a development part; docs/sentiment.md has the table."""

    channels: int = 96
    levels: int = 2
    rounds: int = 4
    batch: int = 128
    rate: float = 2e-3
    table_share: float = 0.7  # of that rate for the rows of characters, of which some are rare,
    gram_share: float = 0.5  # and for those of n-grams, of which most are
    kept: float = 0.75  # of the pooled channels, while learning
    blanked: float = 0.1  # of the characters and of the n-grams, while learning
    decay: float = 0.01
    character_in: int = 4  # characters in fewer texts than this are unknown ones
    grams_in: tuple[int, ...] = (45,)  # 2-grams (3-grams, …) in fewer texts than this are unknown
    seed: int = 20261122


@dataclass(frozen=True, slots=True)
class Coded:
    """Texts as rows of the tables; text k has places `cuts[k]` to `cuts[k + 1]`."""

    characters: npt.NDArray[np.uint16]
    grams: tuple[npt.NDArray[np.uint16], ...]
    cuts: Numbers

    def sheet(self, which: Numbers, cell: int) -> Sheet:
        lengths = (self.cuts[1:] - self.cuts[:-1])[which]
        starts, size = laid_out(lengths, cell)
        inside = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        source, target = np.repeat(self.cuts[which], lengths) + inside, np.repeat(starts, lengths) + inside
        characters, grams = np.zeros(size, np.uint16), tuple(np.zeros(size, np.uint16) for _ in self.grams)
        for rows, known in ((characters, self.characters), *zip(grams, self.grams, strict=True)):
            rows[target] = known[source]
        return Sheet(characters, grams, starts, np.maximum(lengths, 1))


def learn_vocabulary(normalizer: Normalizer, texts: Sequence[str], settings: NetSettings) -> Vocabulary:
    """Numbers the characters and 2-grams that stand in enough texts."""
    longest = 1 + len(settings.grams_in)
    in_texts = [np.zeros(0x10000, np.int64), *(np.zeros(TABLE_SIZE, np.int64) for _ in settings.grams_in)]
    for first in range(0, len(texts), 5000):
        batch = normalizer.batch(texts[first : first + 5000])
        begin, end = int(batch.starts[0]), int(batch.starts[-1])
        row = np.repeat(np.arange(len(batch)), np.diff(batch.starts))
        real = np.ones(end - begin, np.bool_)
        real[batch.starts[:-1] - begin] = False
        found = [batch.symbols, *ngram_places(batch, longest=longest)[1:]]
        for one, counts in zip(found, in_texts, strict=True):
            once = np.unique(row[real] * TABLE_SIZE + one[begin:end][real]) % TABLE_SIZE
            counts += np.bincount(once, minlength=len(counts))
    characters = np.full(0x10000, UNKNOWN, np.uint16)
    known = np.flatnonzero(in_texts[0] >= settings.character_in)
    characters[known] = np.arange(UNKNOWN + 1, UNKNOWN + 1 + len(known))
    grams = []
    for counts, enough in zip(in_texts[1:], settings.grams_in, strict=True):
        counts[NOWHERE] = 0
        known = np.flatnonzero(counts >= enough)[: 0xFFFF - 1]
        rows = np.zeros(TABLE_SIZE, np.uint16)
        rows[known] = np.arange(1, 1 + len(known))
        grams.append(rows)
    return Vocabulary(characters, tuple(grams))


def code(vocabulary: Vocabulary, normalizer: Normalizer, texts: Sequence[str]) -> Coded:
    characters, lengths = [], []
    grams: list[list[npt.NDArray[np.uint16]]] = [[] for _ in vocabulary.grams]
    for first in range(0, len(texts), 5000):
        batch = normalizer.batch(texts[first : first + 5000])
        sheet = vocabulary.sheet(batch, ngram_places(batch, longest=1 + len(grams)), np.arange(len(batch)), 1)
        filled = sheet.characters != 0
        characters.append(sheet.characters[filled])
        for parts, rows in zip(grams, sheet.grams, strict=True):
            parts.append(rows[filled])
        lengths.append(np.add.reduceat(filled, sheet.starts, dtype=np.int64))
    cuts = np.concatenate(([0], np.cumsum(np.concatenate(lengths))))
    return Coded(np.concatenate(characters), tuple(np.concatenate(parts) for parts in grams), cuts)


def teach(coded: Coded, targets: Floats, importance: Floats, vocabulary: Vocabulary, settings: NetSettings,
          told: Callable[[str], None] = lambda line: None) -> Net:  # fmt: skip
    """A net that gives text k log-odds near `targets[k]`, a probability; `importance` weighs the texts."""
    pupil = Pupil(int(vocabulary.characters.max()) + 1, [int(rows.max()) + 1 for rows in vocabulary.grams], settings)
    number = np.flatnonzero(np.diff(coded.cuts) > 0)
    steps = settings.rounds * -(-len(number) // settings.batch)
    step = 0
    for turn in range(settings.rounds):
        order, loss = pupil.chance.permutation(number), 0.0
        for first in range(0, len(order), settings.batch):
            which = order[first : first + settings.batch]
            step += 1
            rate = settings.rate * min(1.0, step / 100) * max(0.02, 1 - step / steps)
            loss += pupil.step(coded.sheet(which, 1 << settings.levels), targets[which], importance[which], rate) * len(
                which
            )
        told(f"{settings.levels} levels, round {turn + 1}: loss {loss / max(1, len(order)):.4f}")
    return pupil.in_whole_numbers(vocabulary)


class Pupil:
    """The net in floats while it learns. Padding (row 0 of the tables) stays zero."""

    def __init__(self, characters: int, grams: Sequence[int], settings: NetSettings) -> None:
        self.settings = settings
        self.chance = np.random.default_rng(settings.seed)
        width = settings.channels
        self.parameters: dict[str, Floats] = {name: self._drawn(0.12, characters, width) for name in _TABLES}
        self._grams = [f"grams{length}" for length in range(2, 2 + len(grams))]
        self.parameters |= {name: self._drawn(0.02, rows, width) for name, rows in zip(self._grams, grams, strict=True)}
        self._rate_shares = dict.fromkeys(_TABLES, settings.table_share)
        self._rate_shares |= dict.fromkeys(self._grams, settings.gram_share)
        self.parameters |= {"offset": np.zeros(width, np.float32)}
        for name in (*_TABLES, *self._grams):
            self.parameters[name][0] = 0
        for level in range(settings.levels):
            self.parameters[f"kernel{level}"] = self._drawn(0.7 / (3 * width) ** 0.5, 3, width, width)
            self.parameters[f"offset{level}"] = np.zeros(width, np.float32)
        self.parameters |= {"out": self._drawn(0.03, 2 * width), "bias": np.zeros(1, np.float32)}
        self._means = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._squares = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._steps = 0

    def step(self, sheet: Sheet, targets: Floats, importance: Floats, rate: float) -> float:
        """One step down the cross-entropy; returns it."""
        loss, gradients, rows = self.gradients(self._blanked(sheet), targets, importance)
        self._steps += 1
        for name, gradient in gradients.items():
            self._adam(name, slice(None), gradient, rate)
        for name, (ids, gradient) in rows.items():
            real = np.flatnonzero(ids)
            real = real[np.argsort(ids[real], kind="stable")]
            sorted_ids = ids[real]
            if len(real):
                first = np.flatnonzero(np.concatenate(([True], sorted_ids[1:] != sorted_ids[:-1])))
                self._adam(name, sorted_ids[first], np.add.reduceat(gradient[real], first, axis=0), rate)
        return loss

    def gradients(
        self, sheet: Sheet, targets: Floats, importance: Floats
    ) -> tuple[float, dict[str, Floats], dict[str, tuple[Any, Floats]]]:
        """The loss, the gradients of the small parameters, and those of the tables, a row a place of the sheet."""
        known, width = self.parameters, self.settings.channels
        first, levels, pooled, segments = self._forward(sheet)
        kept = np.float32(self.settings.kept)
        mask = (self.chance.random(pooled.shape, dtype=np.float32) < kept) / kept
        used = pooled * mask
        log_odds = used @ known["out"] + known["bias"]
        loss = float((importance * (np.logaddexp(0, log_odds) - targets * log_odds)).mean())
        wrong = importance * (1 / (1 + np.exp(-log_odds)) - targets) / np.float32(len(targets))
        found: dict[str, Any] = {"out": used.T @ wrong, "bias": wrong.sum(keepdims=True)}
        back = wrong[:, None] * known["out"] * mask
        last = levels[-1][3]
        sizes = np.diff(np.append(segments, len(last)))
        text = np.repeat(np.arange(len(targets)), sizes)
        places = ((sheet.lengths + (1 << len(levels)) - 1) >> len(levels)).astype(pooled.dtype)
        flow = np.zeros_like(last)
        largest, mean = back[:, :width], back[:, width:] / places[:, None]
        flow[segments[0] :] = (last[segments[0] :] == pooled[text, :width]) * largest[text] + mean[text]
        for level in reversed(range(len(levels))):
            left_won, halved, added, _ = levels[level]
            kernel = known[f"kernel{level}"]
            through = flow * (added > 0)
            found[f"kernel{level}"] = np.stack(
                [halved[:-1].T @ through[1:], halved.T @ through, halved[1:].T @ through[:-1]]
            )
            found[f"offset{level}"] = through.sum(axis=0)
            inner = flow + through @ kernel[1].T
            inner[:-1] += through[1:] @ kernel[0].T
            inner[1:] += through[:-1] @ kernel[2].T
            flow = np.zeros_like(first if level == 0 else levels[level - 1][3])
            even = 2 * len(halved)
            flow[0:even:2], flow[1:even:2] = inner * left_won, inner * ~left_won
        flow *= first > 0
        found["offset"] = flow.sum(axis=0)
        characters = sheet.characters
        rows = {
            "at": (characters, flow),
            "before": (characters[:-1], flow[1:]),
            "behind": (characters[1:], flow[:-1]),
        }
        rows |= {name: (ids, flow) for name, ids in zip(self._grams, sheet.grams, strict=True)}
        return loss, found, rows

    def log_odds(self, sheet: Sheet) -> Floats:
        pooled = self._forward(sheet)[2]
        result: Floats = pooled @ self.parameters["out"] + self.parameters["bias"]
        return result

    def in_whole_numbers(self, vocabulary: Vocabulary) -> Net:
        """Rounds the weights to steps that keep every sum of sentiment.net below 2**24."""
        known, width = self.parameters, self.settings.channels
        step = max(float(np.abs(known[name]).max()) for name in (*_TABLES, *self._grams)) / 127
        step = max(step, 4.0 / CEILING)  # activations above 4 are as good as 4
        kernels, offsets, scales = [], [], []
        for level in range(self.settings.levels):
            kernel = known[f"kernel{level}"]
            fine = float(np.abs(kernel).max()) / 127
            kernels.append(np.rint(np.concatenate(list(kernel), axis=1) / fine).astype(np.float32))
            offsets.append(np.rint(known[f"offset{level}"] / (fine * step)).astype(np.float32))
            scales.append(fine)
        out = known["out"].astype(np.float64)
        out[width:] /= MEAN_STEPS
        fine = float(np.abs(out).max()) / 32_000
        before, at, behind = (np.rint(known[name] / step).astype(np.int16) for name in _TABLES)
        return Net(
            vocabulary=vocabulary,
            tables=(before, at, behind),
            grams=tuple(np.rint(known[name] / step).astype(np.int8) for name in self._grams),
            offset=np.rint(known["offset"] / step).astype(np.int16),
            kernels=tuple(kernels),
            offsets=tuple(offsets),
            scales=tuple(scales),
            out=np.rint(out / fine),
            unit=fine * step,
            bias=float(known["bias"][0]),
        )

    def _forward(self, sheet: Sheet) -> tuple[Floats, list[tuple[Any, Floats, Floats, Floats]], Floats, Numbers]:
        known = self.parameters
        sums = known["at"][sheet.characters]
        sums[1:] += known["before"][sheet.characters[:-1]]
        sums[:-1] += known["behind"][sheet.characters[1:]]
        for name, ids in zip(self._grams, sheet.grams, strict=True):
            sums += known[name][ids]
        sums += known["offset"]
        filled = (sheet.characters != 0).astype(sums.dtype)
        first = found = np.maximum(sums, 0) * filled[:, None]
        levels = []
        for level in range(self.settings.levels):
            even = len(found) // 2 * 2
            left, right = found[0:even:2], found[1:even:2]
            filled = np.maximum(filled[0:even:2], filled[1:even:2])
            halved = np.maximum(left, right)
            kernel = known[f"kernel{level}"]
            added = halved @ kernel[1]
            added[1:] += halved[:-1] @ kernel[0]
            added[:-1] += halved[1:] @ kernel[2]
            added += known[f"offset{level}"]
            np.maximum(added, 0, out=added)
            added *= filled[:, None]
            found = halved + added
            levels.append((left >= right, halved, added, found))
        segments = sheet.starts >> self.settings.levels
        places = ((sheet.lengths + (1 << self.settings.levels) - 1) >> self.settings.levels).astype(sums.dtype)
        largest = np.maximum.reduceat(found, segments, axis=0)
        mean = np.add.reduceat(found, segments, axis=0) / places[:, None]
        return first, levels, np.concatenate([largest, mean], axis=1), segments

    def _blanked(self, sheet: Sheet) -> Sheet:
        blank = self.chance.random(len(sheet.characters)) < self.settings.blanked
        characters = np.where(blank & (sheet.characters != 0), np.uint16(UNKNOWN), sheet.characters)
        grams = []
        for rows in sheet.grams:
            blank = blank | np.append(blank[1:], False)  # an n-gram with a blanked character is unknown
            alone = self.chance.random(len(rows)) < self.settings.blanked
            grams.append(np.where(blank | alone, np.uint16(0), rows))
        return sheet._replace(characters=characters, grams=tuple(grams))

    def _adam(self, name: str, rows: Any, gradient: Floats, rate: float) -> None:
        mean = self._means[name][rows] * np.float32(0.9) + np.float32(0.1) * gradient
        square = self._squares[name][rows] * np.float32(0.999) + np.float32(0.001) * gradient * gradient
        self._means[name][rows], self._squares[name][rows] = mean, square
        fair_mean = mean / np.float32(1 - 0.9**self._steps)
        fair_square = np.sqrt(square / np.float32(1 - 0.999**self._steps))
        value = self.parameters[name][rows]
        decay = np.float32(self.settings.decay if name.startswith(("kernel", "out")) else 0)
        rate *= self._rate_shares.get(name, 1.0)
        step = fair_mean / (fair_square + np.float32(1e-8)) + decay * value
        self.parameters[name][rows] = value - np.float32(rate) * step

    def _drawn(self, spread: float, *shape: int) -> Floats:
        return self.chance.normal(0, spread, shape).astype(np.float32)
