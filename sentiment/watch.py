"""Watches the judge: do texts and stars agree, how many texts is it unsure of, do customers still write as they did.

All counts are integers in a fixed layout, so that panes add up to the same whatever their order. Leaves to the rules
when a figure is bad, and to `sentiment.labels` how the judge gets better.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sentiment.codepoints import encode

# Stars at or below the first are a complaint, at or above the second praise (ratings normalised to 0 … 1, so 2 and
# 4 of 5); three of five say nothing about the text.
LOW_STARS: Final = 0.25
HIGH_STARS: Final = 0.75
# Words are watched as pairs of neighbouring Chinese characters, which need no cutting, in so many buckets: enough that
# a new product's words show, few enough to keep a count a pane.
BUCKETS: Final = 64

JUDGED: Final = 0
UNCERTAIN: Final = 1
STARRED: Final = 2
AGREED: Final = 3
_PAIRS_FROM: Final = 4
SIZE: Final = _PAIRS_FROM + BUCKETS


def counts(
    texts: Sequence[str],
    *,
    text_scores: Sequence[float],
    ratings: Sequence[float | None],
    neutral: tuple[float, float] = (1 / 3, 2 / 3),
) -> list[int]:
    """`SIZE` integers about a batch: judged, uncertain (text score within `neutral`), starred, agreed, then pairs of
    characters by bucket. Added place by place with those of other batches they are those of all.

    `text_scores` are the text's alone: a score that has the stars in it agrees with them by itself. Raises ValueError
    when the lengths differ.
    """
    if not len(texts) == len(text_scores) == len(ratings):
        raise ValueError(f"{len(texts)} texts, {len(text_scores)} scores, {len(ratings)} ratings: must be as many")
    if not texts:
        return [0] * SIZE
    scores = np.array(text_scores, dtype=np.float64)
    stars = np.array([np.nan if one is None else one for one in ratings], dtype=np.float64)
    uncertain = (scores >= neutral[0]) & (scores <= neutral[1])
    praised, blamed = stars >= HIGH_STARS, stars <= LOW_STARS
    # An unsure text neither agrees nor disagrees with its stars: it is counted as unsure.
    starred = (praised | blamed) & ~uncertain
    agreed = starred & (praised == (scores > neutral[1]))
    shares = [len(texts), *(int(np.count_nonzero(one)) for one in (uncertain, starred, agreed))]
    return shares + _pairs(texts)


def _pairs(texts: Sequence[str]) -> list[int]:
    codes = encode(texts).codes
    chinese = (codes >= 0x4E00) & (codes <= 0x9FFF)
    buckets = pair_bucket(codes[:-1], codes[1:])[chinese[:-1] & chinese[1:]]
    counted: list[int] = np.bincount(buckets, minlength=BUCKETS).tolist()
    return counted


def pair_bucket(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The buckets of pairs of characters, the same on every machine: references are stored."""
    mixed = (first * np.uint32(0x9E3779B1)) ^ (second * np.uint32(0x85EBCA77))
    buckets: NDArray[np.uint32] = (mixed ^ (mixed >> np.uint32(15))) % np.uint32(BUCKETS)
    return buckets


def merge(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The counts of both."""
    return [a + b for a, b in zip(one, other, strict=True)]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the counts of a window say; None where too little was counted."""

    judged: int
    uncertain_share: float | None
    starred: int
    agreement: float | None
    drift: float | None


def figures(
    counted: Sequence[int], reference: Sequence[int] = (), *, least_starred: int = 20, least_pairs: int = 1000
) -> Figures:
    """The window's figures. `reference` holds counts of the same layout from a time that is taken as normal; drift is
    the Jensen–Shannon distance from it (0: the same words, 1: none in common)."""
    judged, starred = counted[JUDGED], counted[STARRED]
    now, usual = counted[_PAIRS_FROM:], reference[_PAIRS_FROM:]
    enough = sum(now) >= least_pairs and sum(usual) >= least_pairs
    return Figures(
        judged=judged,
        uncertain_share=counted[UNCERTAIN] / judged if judged else None,
        starred=starred,
        agreement=counted[AGREED] / starred if starred >= least_starred else None,
        drift=divergence(now, usual) if enough else None,
    )


def divergence(one: Sequence[int], other: Sequence[int]) -> float:
    """The Jensen–Shannon distance of two distributions of counts, base 2: the square root of the divergence of Lin,
    IEEE Transactions on Information Theory 37 (1991). Raises ValueError when one is empty or they differ in length."""
    one_total, other_total = sum(one), sum(other)
    if not (one_total and other_total):
        raise ValueError("divergence: an empty distribution has none")
    bits = 0.0
    for a, b in zip(one, other, strict=True):
        p, q = a / one_total, b / other_total
        middle = (p + q) / 2
        bits += (p * math.log2(p / middle) if p else 0.0) + (q * math.log2(q / middle) if q else 0.0)
    return math.sqrt(min(1.0, max(0.0, bits / 2)))
