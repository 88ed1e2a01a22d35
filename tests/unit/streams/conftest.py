"""What the stream's tests share: a judge that costs nothing. The real one is `sentiment`'s business."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from streams.judging import Judging


@dataclass(frozen=True)
class Verdicts:
    text_score: list[float]
    score: list[float]
    label: list[str]


class FirstCharacterJudge:
    """Judges by the first character: 好 is good, 差 is bad."""

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
        scores = [0.9 if text.startswith("好") else 0.1 if text.startswith("差") else 0.5 for text in texts]
        labels = ["positive" if score > 0.6 else "negative" if score < 0.4 else "neutral" for score in scores]
        return Verdicts(scores, scores, labels)


@pytest.fixture(scope="session")
def judging() -> Judging:
    return Judging(FirstCharacterJudge(), lambda texts: ["" if text else "empty" for text in texts])
