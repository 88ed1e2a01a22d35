import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.normalize import BOUNDARY, NEGATIVE_SIGN, POSITIVE_SIGN, Normalizer

NORMALIZER = Normalizer(traditional="爛買", simplified="烂买")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        pytest.param("東西爛", "東西烂", id="traditional characters of the table"),
        pytest.param("ＡＢＣ１２", "abc12", id="full width and case"),
        pytest.param("太太太太差", "太太差", id="a run of characters becomes two"),
        pytest.param("差！！！！！！", "差！！！", id="a run of marks becomes three"),
        pytest.param("好 \t\u3000 \n用", "好   用", id="blanks are marks, a run becomes three"),
        pytest.param("送\u0f35来\u200b了\ufe0f", "送来了", id="invisible marks go"),
        pytest.param("好\ud800", "好\ue004", id="a lone surrogate is a rare character"),
        pytest.param("\ue000\ue001", "\ue004\ue004", id="nobody can type our own symbols"),
        pytest.param("a\x00b", "a b", id="NUL parts words"),
        pytest.param("👍🏿", chr(POSITIVE_SIGN), id="emoji without skin tone"),
        pytest.param("😡", chr(NEGATIVE_SIGN), id="angry emoji"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_is_typed_differently_reads_alike(typed: str, read: str) -> None:
    assert NORMALIZER.text(typed) == read


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=30), max_size=8))
def test_a_text_reads_the_same_alone_and_among_others(texts: list[str]) -> None:
    batch = NORMALIZER.batch(texts)
    assert len(batch) == len(texts)
    assert (batch.symbols[batch.starts] == BOUNDARY).all()
    for place, text in enumerate(texts):
        inner = batch.symbols[batch.starts[place] + 1 : batch.starts[place + 1]]
        assert "".join(map(chr, inner.tolist())) == NORMALIZER.text(text)


def test_marks_alone_are_no_words() -> None:
    assert NORMALIZER.batch(["", "！！", " ", "好", "😡", "7"]).has_words().tolist() == [
        False, False, False, True, True, True
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "origins"),
    [
        ("太太太太差", [0, 1, 4]),
        ("差！！！！！", [0, 1, 2, 3]),
        ("\u200b好👍🏿用", [1, 2, 4]),
        ("", []),
        ("\u200b", []),
    ],
)
def test_a_symbol_comes_from_the_first_character_that_it_stands_for(typed: str, origins: list[int]) -> None:
    assert NORMALIZER.origins(typed).tolist() == origins


@given(st.text(st.characters(exclude_categories=())))
def test_every_symbol_has_an_origin(typed: str) -> None:
    read = [NORMALIZER.text(typed[place]) for place in NORMALIZER.origins(typed)]
    assert "".join(read) == NORMALIZER.text(typed)


def test_a_text_is_simplified_in_place_and_kept_otherwise() -> None:
    assert NORMALIZER.simplified("東西爛，ＡＢＣ\ud800 買") == "東西烂，ＡＢＣ\ud800 买"
