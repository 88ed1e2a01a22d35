"""The built-in judge: texts in, calibrated scores and labels out, a batch at a time.

Decides nothing about validity, aspects or privacy; those are the neighbours' questions.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sentiment.calibration import Floats, joined, label_of, probability, rounded
from sentiment.model import Weights, read_weights

# Texts are judged in groups of about so many characters: large enough that Python's cost a call vanishes, small
# enough that the arrays stay in the processor's cache.
_GROUP_CHARACTERS = 120_000
_LINES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Columns of the input's length; scores are P(positive), 0 … 1, rounded to 6 digits."""

    text_score: list[float]
    score: list[float]
    label: list[str]


class Judge:
    """Judges by the weights it is given; keeps no state between calls, so one judge serves many threads."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
        """Promises a verdict for any `str`, in order, the same whatever else is in the batch.

        `ratings` are normalised to 0 … 1; None (one or all) means that the text decides alone. Raises ValueError
        when the lengths differ.
        """
        if ratings is not None and len(ratings) != len(texts):
            raise ValueError(f"{len(ratings)} ratings for {len(texts)} texts: there must be one for each")
        log_odds = self.log_odds(texts)
        text_score = rounded(probability(log_odds))
        if ratings is None:
            score = text_score
        else:
            stars = np.array([np.nan if rating is None else rating for rating in ratings], dtype=np.float64)
            score = rounded(probability(joined(log_odds, stars)))
        return Verdicts(text_score=text_score, score=score, label=[label_of(one) for one in score])

    def log_odds(self, texts: Sequence[str]) -> Floats:
        """Calibrated log-odds of each text; 0 where a text holds nothing that was ever seen."""
        parts = [self._group_log_odds(group) for group in _groups(texts)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def statements(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text was taken for one that only states facts, which keeps its score in the neutral band."""
        found: list[bool] = []
        for group in _groups(texts):
            batch = self.weights.normalizer.batch(group)
            found += (self.weights.statements(batch) & batch.has_words()).tolist()
        return found

    def _group_log_odds(self, texts: Sequence[str]) -> Floats:
        batch = self.weights.normalizer.batch(texts)
        return np.where(batch.has_words(), self.weights.log_odds(batch), 0.0)


def load() -> Judge:
    """Reads the committed weights. Raises OSError or ValueError when they are missing or broken."""
    return Judge(read_weights())


def score_lines(judge: Judge, lines: Iterable[bytes | str]) -> Iterator[str]:
    """One `score<TAB>label` (no line end) for every line, in order; bytes that are not UTF-8 are read as U+FFFD.

    A line's own end is taken off; nothing else splits or skips a line.
    """
    waiting: list[str] = []
    for line in lines:
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        waiting.append(text.removesuffix("\n"))
        if len(waiting) == _LINES_AT_ONCE:
            yield from _scored(judge, waiting)
            waiting = []
    if waiting:
        yield from _scored(judge, waiting)


def _scored(judge: Judge, texts: Sequence[str]) -> Iterator[str]:
    verdicts = judge.judge_batch(texts)
    for score, label in zip(verdicts.score, verdicts.label, strict=True):
        yield f"{score:.6f}\t{label}"


def _groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first = characters = 0
    for place, text in enumerate(texts):
        if characters and characters + len(text) > _GROUP_CHARACTERS:
            yield texts[first:place]
            first, characters = place, 0
        characters += len(text) + 1
    if first < len(texts):
        yield texts[first:]
