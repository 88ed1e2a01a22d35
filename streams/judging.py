"""What the texts of a batch say: validity, score, label, near-duplicates; one call a batch, whoever drives it."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from schemas.events import Review
from streams.intake import Accepted


class Verdicts(Protocol):
    """The judge's columns; see `sentiment.judge.Verdicts`."""

    @property
    def text_score(self) -> list[float]: ...
    @property
    def score(self) -> list[float]: ...
    @property
    def label(self) -> list[str]: ...


class Judge(Protocol):
    """Batch in, batch out; ratings are on the scale 0..1."""

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts: ...


class Verdict(NamedTuple):
    """What one review says."""

    text_score: float
    score: float
    label: str
    invalid: str  # '' or why it says nothing


UNJUDGED: Final = Verdict(0.5, 0.5, "neutral", "empty")


def judge_reviews(judge: Judge, validity: "ValidityOf", accepted: Sequence[Accepted]) -> list[Verdict | None]:
    """A verdict for each review of the batch, None for every other event, in order."""
    places = [i for i, item in enumerate(accepted) if type(item.event) is Review]
    verdicts: list[Verdict | None] = [None] * len(accepted)
    if not places:
        return verdicts
    reviews = [accepted[i].event for i in places]
    texts = [review.text or "" for review in reviews if isinstance(review, Review)]
    ratings = [review.rating_share for review in reviews if isinstance(review, Review)]
    judged = judge.judge_batch(texts, ratings)
    for place, *columns in zip(
        places, judged.text_score, judged.score, judged.label, validity(texts), strict=True
    ):
        verdicts[place] = Verdict(*columns)
    return verdicts


class ValidityOf(Protocol):
    """'' for a valid text, else the reason why it is invalid; see `sentiment.validity.validity_batch`."""

    def __call__(self, texts: Sequence[str]) -> Sequence[str]: ...
