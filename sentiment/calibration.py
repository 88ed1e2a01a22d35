"""Between evidence (log-odds), probability and label, and how a text and its star rating are joined.

Decides what a number means. The constants say where they come from; docs/sentiment.md holds the tables behind them.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Label = Literal["negative", "neutral", "positive"]

# Below the first a score is negative, above the second positive, between them (both included) neutral: there a
# forced yes or no would be wrong at least one time in three, which is what a calibrated score of 1/3 … 2/3 says.
NEUTRAL_FROM = 1 / 3
NEUTRAL_TO = 2 / 3

# What a rating (0 … 1) adds to the text's log-odds, by reason, since no labelled reviews with both are at hand:
# five stars are often a default and weigh little, few people give one star by default, so one star outweighs words
# that are taken for kind though they are hardly so; three of five say nothing.
RATING_AT = (0.0, 0.25, 0.5, 0.75, 1.0)
RATING_LOG_ODDS = (-4.0, -2.5, 0.0, 1.0, 2.0)
# However long and one-sided a text is, its evidence is limited: so an angry text outweighs five stars by a fair
# margin, while one star outweighs a moderately kind text.
TEXT_LIMIT = 5.0

_DIGITS = 6


def probability(log_odds: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow for any finite x."""
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -60.0, 60.0)))


def joined(text_log_odds: Floats, ratings: Floats) -> Floats:
    """Log-odds of text and rating together; NaN in `ratings` stands for no rating and leaves the text's alone."""
    limited = np.clip(text_log_odds, -TEXT_LIMIT, TEXT_LIMIT)
    stars = np.interp(ratings, RATING_AT, RATING_LOG_ODDS)
    return np.where(np.isnan(ratings), text_log_odds, limited + stars)


def rounded(scores: Floats) -> list[float]:
    """Six digits, so that a score is the same number wherever it is written."""
    result: list[float] = np.round(scores, _DIGITS).tolist()
    return result


def label_of(score: float) -> Label:
    if score < NEUTRAL_FROM:
        return "negative"
    return "positive" if score > NEUTRAL_TO else "neutral"


def expected_calibration_error(scores: Floats, truths: npt.NDArray[np.int64], *, bins: int = 10) -> float:
    """Mean distance between score and share of positives over equal-width bins, weighted by the bins' sizes.

    Guo et al., "On Calibration of Modern Neural Networks" (2017), applied to P(positive).
    """
    bin_of = np.minimum((scores * bins).astype(np.int64), bins - 1)
    sizes = np.bincount(bin_of, minlength=bins)
    predicted = np.bincount(bin_of, weights=scores, minlength=bins)
    positive = np.bincount(bin_of, weights=truths, minlength=bins)
    return float(np.abs(predicted - positive).sum() / max(1, sizes.sum()))
