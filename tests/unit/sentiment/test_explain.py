import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.explain import explain
from sentiment.features import ngram_places
from sentiment.judge import Judge, load

JUDGE: Judge = load()


def pieces_of(text: str) -> dict[str, float]:
    return {text[piece.begin : piece.end]: piece.log_odds for piece in explain(JUDGE, text)}


def test_the_bad_word_pulls_down_and_the_good_one_up() -> None:
    pieces = pieces_of("包装精美很满意，客服垃圾太失望")
    assert min(pieces.values()) < 0 < max(pieces.values())
    assert any("失望" in piece for piece, weight in pieces.items() if weight < 0)
    assert any("满意" in piece for piece, weight in pieces.items() if weight > 0)


def test_the_strongest_comes_first() -> None:
    weights = [abs(piece.log_odds) for piece in explain(JUDGE, "东西不错但是客服太差，等了三天")]
    assert weights == sorted(weights, reverse=True)
    assert weights


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("客服態度惡劣", "惡劣"), ("ＹＹＤＳ", "ＹＹＤＳ"), ("😡", "😡"), ("很好👍🏽", "👍🏽"), ("T_T", "T_T"),
        ("质量太\u200b差了", "太\u200b差"), ("太太太太太差了", "太太太太太差了"),
    ],
)  # fmt: skip
def test_a_piece_is_the_text_as_it_was_written(text: str, piece: str) -> None:
    assert any(piece in one for one in pieces_of(text))


@pytest.mark.parametrize("text", ["不是不好", "也不是说不好用，就是贵", "客服态度也不是不行"])
def test_the_nets_shares_add_up_to_what_they_say_beyond_unknown_characters(text: str) -> None:
    unknown = ("\u9f98\u4dae" * len(text))[: len(text)]
    batch = JUDGE.weights.normalizer.batch([text, unknown])
    places = ngram_places(batch, longest=JUDGE.weights.linear.longest)
    for look in JUDGE.weights.looks:
        said, nothing = look.net.log_odds(batch, places, np.array([0, 1]))
        assert look.net.shares(batch, places, 0).sum() == pytest.approx(said - nothing)


@pytest.mark.parametrize("text", ["", "！！！", " "])
def test_nothing_to_judge_is_nothing_to_explain(text: str) -> None:
    assert explain(JUDGE, text) == []


@settings(deadline=None)  # what a text costs is measured elsewhere
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_can_be_explained_by_pieces_of_it_that_do_not_overlap(text: str) -> None:
    pieces = sorted(explain(JUDGE, text))
    ends = [0, *(piece.end for piece in pieces)]
    assert all(
        end <= piece.begin < piece.end <= len(text) and math.isfinite(piece.log_odds)
        for end, piece in zip(ends, pieces, strict=False)
    )
