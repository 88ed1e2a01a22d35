"""What the texts of a batch say: validity, score, label, near-duplicates; one call a batch, whoever drives it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from schemas.events import Review
from schemas.masking import pseudonym
from sentiment.neardup import Mark, NearDuplicates
from sentiment.watch import pair_buckets
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
    duplicates: int = 0  # near-duplicates that came before it
    words: bytes = b""  # the buckets of its pairs of characters, see `sentiment.watch`


UNJUDGED: Final = Verdict(0.5, 0.5, "neutral", "empty")
COPY: Final = "copy"
ORIGINAL: Final = Mark(1, same_customer=False, burst=False)


@dataclass(frozen=True, slots=True)
class Judging:
    """How texts are judged. `drop_copies`: what one customer repeats, and bursts of copied praise, are invalid.

    `copies`, `words`: whether anybody asks for the figures of near-duplicates and of the words' drift.
    """

    judge: Judge
    validity: "ValidityOf"
    drop_copies: bool = False
    copies: bool = True
    words: bool = True


def judge_reviews(
    how: Judging, near: NearDuplicates, accepted: Sequence[Accepted], *, salt: bytes
) -> list[Verdict | None]:
    """A verdict for each review of the batch, None for every other event, in order.

    `near` is part of snapshots, so it hears of customers by their pseudonyms.
    """
    places = [i for i, item in enumerate(accepted) if type(item.event) is Review]
    verdicts: list[Verdict | None] = [None] * len(accepted)
    if not places:
        return verdicts
    reviews = [event for i in places if isinstance(event := accepted[i].event, Review)]
    texts = [review.text or "" for review in reviews]
    judged = how.judge.judge_batch(texts, [review.rating_share for review in reviews])
    marks = [ORIGINAL] * len(texts)
    if how.copies or how.drop_copies:
        marks = near.mark_batch(
            texts, [accepted[i].at_ms for i in places],
            [pseudonym(review.customer_id, salt=salt) for review in reviews],
            [review.product_id or "" for review in reviews],
        )  # fmt: skip
    invalid = how.validity(texts)
    words = pair_buckets(texts) if how.words else [b""] * len(texts)
    for n, place in enumerate(places):
        mark, label = marks[n], judged.label[n]
        copied = how.drop_copies and (mark.same_customer or (mark.burst and label == "positive"))
        verdicts[place] = Verdict(
            judged.text_score[n], judged.score[n], label, invalid[n] or (COPY if copied else ""), mark.copies - 1,
            words[n],
        )  # fmt: skip
    return verdicts


class ValidityOf(Protocol):
    """'' for a valid text, else the reason why it is invalid; see `sentiment.validity.validity_batch`."""

    def __call__(self, texts: Sequence[str]) -> Sequence[str]: ...
