"""Watches the judge: do texts and stars agree, how many texts is it unsure of, do customers still write as they did.

All counts are integers in a fixed layout, so that panes add up to the same whatever their order. Leaves to the rules
when a figure is bad, and to `sentiment.labels` how the judge gets better.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sentiment.calibration import NEUTRAL_FROM, NEUTRAL_TO
from sentiment.codepoints import encode

# Stars at or below the first are a complaint, at or above the second praise (ratings normalised to 0 … 1, so 2 and
# 4 of 5); three of five say nothing about the text.
LOW_STARS: Final = 0.25
HIGH_STARS: Final = 0.75
# Words are watched as pairs of neighbouring Chinese characters, which need no cutting, in so many buckets: enough that
# a new product's words show, few enough to keep a count a pane.
BUCKETS: Final = 64
# Chance alone keeps two samples of one distribution apart; below this it would be most of the distance.
LEAST_PAIRS: Final = 1000

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
    neutral: tuple[float, float] = (NEUTRAL_FROM, NEUTRAL_TO),
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
    counted: list[int] = count_pairs(b"".join(pair_buckets(texts))).tolist()
    return counted


def pair_buckets(texts: Sequence[str]) -> list[bytes]:
    """For every text the buckets of its pairs, one byte each: for whoever sorts the texts by something else first."""
    if not texts:
        return []
    codes, starts, _ = encode(texts)
    chinese = (codes >= 0x4E00) & (codes <= 0x9FFF)
    # The last code point closes the last text and begins no pair.
    paired = np.append(chinese[:-1] & chinese[1:], False)
    places = np.flatnonzero(paired)
    buckets = pair_bucket(codes[places], codes[places + 1]).astype(np.uint8).tobytes()
    bounds = [*np.searchsorted(places, starts).tolist(), len(places)]
    return [buckets[start:end] for start, end in pairwise(bounds)]


def count_pairs(buckets: bytes) -> NDArray[np.int64]:
    """`BUCKETS` counts of what `pair_buckets` gave, joined."""
    return np.bincount(np.frombuffer(buckets, np.uint8), minlength=BUCKETS).astype(np.int64, copy=False)


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
    counted: Sequence[int], reference: Sequence[int] = (), *, least_starred: int = 20, least_pairs: int = LEAST_PAIRS
) -> Figures:
    """The window's figures. `reference` holds counts of the same layout from a time that is taken as normal; drift is
    the Jensen–Shannon distance from it (0: the same words, 1: none in common)."""
    judged, starred = counted[JUDGED], counted[STARRED]
    now, usual = counted[_PAIRS_FROM:], reference[_PAIRS_FROM:]
    return Figures(
        judged=judged,
        uncertain_share=counted[UNCERTAIN] / judged if judged else None,
        starred=starred,
        agreement=counted[AGREED] / starred if starred >= least_starred else None,
        drift=drift(now, usual, least_pairs=least_pairs),
    )


def drift(now: Sequence[int], usual: Sequence[int], *, least_pairs: int = LEAST_PAIRS) -> float | None:
    """The distance of the pairs counted now from those that are usual; None where either is too little."""
    if sum(now) < least_pairs or sum(usual) < least_pairs:
        return None
    return divergence(now, usual)


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
