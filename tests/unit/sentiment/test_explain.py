import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.explain import explain
from sentiment.judge import Judge, load

JUDGE: Judge = load()


def test_the_bad_word_pulls_down_and_the_good_one_up() -> None:
    pieces = dict(explain(JUDGE, "包装精美很满意，客服垃圾太失望"))
    assert min(pieces.values()) < 0 < max(pieces.values())
    assert any("失望" in piece for piece, weight in pieces.items() if weight < 0)
    assert any("满意" in piece for piece, weight in pieces.items() if weight > 0)


def test_the_strongest_comes_first() -> None:
    weights = [abs(weight) for _, weight in explain(JUDGE, "东西不错但是客服太差，等了三天")]
    assert weights == sorted(weights, reverse=True)
    assert weights


@pytest.mark.parametrize("text", ["", "！！！", " "])
def test_nothing_to_judge_is_nothing_to_explain(text: str) -> None:
    assert explain(JUDGE, text) == []


@settings(deadline=None)  # what a text costs is measured elsewhere
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_can_be_explained(text: str) -> None:
    assert all(piece and math.isfinite(weight) for piece, weight in explain(JUDGE, text))
