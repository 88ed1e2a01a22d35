import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.calibration import NEUTRAL_FROM, NEUTRAL_TO, expected_calibration_error, joined, label_of, probability


def join(text: float, rating: float | None) -> float:
    stars = np.array([math.nan if rating is None else rating])
    return float(probability(joined(np.array([text]), stars))[0])


@pytest.mark.parametrize(
    ("text", "rating", "label"),
    [
        pytest.param(-4.5, 1.0, "negative", id="an angry text outweighs five default stars"),
        pytest.param(0.0, 0.0, "negative", id="one star with a bland text"),
        pytest.param(1.5, 0.0, "negative", id="one star with a mildly kind text"),
        pytest.param(0.0, 0.5, "neutral", id="three of five stars say nothing"),
        pytest.param(0.0, 1.0, "positive", id="five stars without a text"),
        pytest.param(3.0, 0.5, "positive", id="three stars leave a kind text"),
        pytest.param(-3.0, None, "negative", id="no rating leaves the text"),
    ],
)
def test_text_and_rating_are_judged_together(text: float, rating: float | None, label: str) -> None:
    assert label_of(join(text, rating)) == label


@given(st.floats(-30, 30), st.floats(0, 1), st.floats(0, 1))
def test_more_stars_never_lower_the_score(text: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert join(text, low) <= join(text, high)


def test_thresholds_belong_to_neutral() -> None:
    assert [label_of(score) for score in (0.0, NEUTRAL_FROM - 1e-9, NEUTRAL_FROM, NEUTRAL_TO, NEUTRAL_TO + 1e-9)] == [
        "negative", "negative", "neutral", "neutral", "positive"
    ]  # fmt: skip


def test_probability_survives_extremes() -> None:
    assert probability(np.array([-1e9, 0.0, 1e9])).tolist() == pytest.approx([0.0, 0.5, 1.0])


def test_calibration_error_is_zero_when_scores_are_shares() -> None:
    scores = np.array([0.25] * 4 + [0.75] * 4)
    truths = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    assert expected_calibration_error(scores, truths) == pytest.approx(0.0)
    assert expected_calibration_error(scores, 1 - truths) == pytest.approx(0.5)
