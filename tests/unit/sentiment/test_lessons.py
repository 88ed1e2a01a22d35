from collections import defaultdict

import pytest

from sentiment.training.corpora import same_text_key
from sentiment.training.facts import fact_clauses
from sentiment.training.told import told_clauses, told_sides
from sentiment.training.twists import twisted
from tests.unit.sentiment.sentiment_cases import HARD_CASES, LATER_CASES, STANCE_CASES

pytest.importorskip("sklearn", reason="only the training needs scikit-learn")

from sentiment.training.lessons import net_lessons


def test_each_clause_has_a_side() -> None:
    sides = dict(told_sides())
    assert list(sides) == list(told_clauses())
    assert [sides[clause] for clause in ("少了一件", "里面是空的", "扫码是正品", "不起球")] == [
        False,
        False,
        True,
        True,
    ]


def test_every_frame_is_filled_and_no_text_is_a_fact() -> None:
    texts = [text for text, _ in twisted()]
    assert len(texts) == len(set(texts)) > 5000
    assert not [text for text in texts if set(text) & set("{}|")]
    assert not set(texts) & {clause for _, clause in fact_clauses()}


def test_praise_and_its_mockery_differ_by_the_fact_alone() -> None:
    texts = dict(twisted())
    assert [texts[text] for text in ("没有不满意的", "没有一个不坑", "谁说不结实", "谁说结实")] == [
        True,
        False,
        True,
        False,
    ]


def test_lessons_come_in_one_order_and_lean_either_way_or_not_at_all() -> None:
    lessons = list(net_lessons())
    assert lessons == list(net_lessons())
    assert {wanted for _, wanted in lessons} == {0.05, 0.5, 0.95}


def test_no_text_is_taught_both_ways() -> None:
    wanted = defaultdict(set)
    for text, probability in net_lessons():
        wanted[text].add(probability)
    assert not [text for text, found in wanted.items() if {0.05, 0.95} <= found]


def test_no_hand_written_case_is_a_lesson_word_for_word() -> None:
    known = {same_text_key(text) for text, _ in net_lessons()}
    assert not [text for _, text, _ in (*LATER_CASES, *STANCE_CASES, *HARD_CASES) if same_text_key(text) in known]
