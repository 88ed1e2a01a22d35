from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment import words


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> None:
    words.load()  # before hypothesis looks at the clock


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_the_words_of_a_text_joined_are_the_text(text: str) -> None:
    assert "".join(words.segment([text])[0]) == text


def test_a_lone_surrogate_is_cut_as_the_replacement_sign() -> None:
    assert "".join(words.segment(["差\ud800评"])[0]) == "差\ufffd评"


@pytest.mark.parametrize("word", ["七天无理由", "假一赔十", "踢皮球", "蚌埠住了", "快递柜", "虚假发货"])
def test_a_word_of_the_projects_own_dictionary_stays_whole(word: str) -> None:
    assert word in words.segment([f"说好{word}，结果呢"])[0]


def test_content_words_come_once_and_in_order_of_appearance() -> None:
    assert words.content_words(["屏幕碎了，屏幕真的碎了，客服不理"]) == [["屏幕", "碎", "客服", "不理"]]


@pytest.mark.parametrize("text", ["", "的了吗呢", "12345678", "！！！😡", "[手机号]", "我们都是这样的"])
def test_what_says_nothing_has_no_content_words(text: str) -> None:
    assert words.content_words([text]) == [[]]


def test_a_mask_is_no_word_and_glues_nothing_together() -> None:
    assert words.content_words(["打[手机号]没人接，送到[地址]"]) == words.content_words(["打，没人接，送到，"])


def test_upper_case_is_the_same_word() -> None:
    assert words.content_words(["WIFI断流"]) == words.content_words(["wifi断流"])


def test_what_is_left_of_a_new_term_is_joined_again() -> None:
    assert "塌房" in words.load().candidates(["主播塌房了能退吗"])[0]


def test_a_candidate_contains_no_stop_word_and_no_sign() -> None:
    assert not any("的" in term or "，" in term for term in words.load().candidates(["塌，房的塌房"])[0])


def test_a_list_is_words_without_comments(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# a comment\n甲 乙\n\n丙\n", "utf-8")
    assert words.read_list(path) == ["甲", "乙", "丙"]
