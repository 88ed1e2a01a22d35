import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.calibration import NEUTRAL_FROM, NEUTRAL_TO, label_of, probability
from sentiment.explain import explain
from sentiment.judge import Judge, load
from sentiment.stance import KEPT, LONGEST_STATEMENT, cut

JUDGE: Judge = load()
BARE = Judge(replace(JUDGE.weights, stance=None))


@given(st.floats(-60, 60), st.floats(-60, 60))
def test_what_is_cut_is_neutral_on_its_side_and_in_its_order(one: float, other: float) -> None:
    kept = cut(np.array([one, other]))
    assert np.sign(kept).tolist() == np.sign([one, other]).tolist()
    assert one > other or kept[0] <= kept[1]
    assert all(NEUTRAL_FROM <= score <= NEUTRAL_TO for score in probability(np.array([-KEPT, KEPT])))
    assert all(label_of(score) == "neutral" for score in probability(kept))


def test_statements_are_neutral_and_a_clause_with_a_stance_undoes_that() -> None:
    stated = ["收到了", "给妈妈买的", "昨天下单，今天到的", "客服几点上班？"]
    assert JUDGE.statements(stated) == [True] * 4
    assert JUDGE.judge_batch(stated).label == ["neutral"] * 4
    taking = ["收到了，质量太差", "给妈妈买的，非常满意", "昨天下单，到的是烂的，太失望了", "客服几点上班？态度恶劣"]
    assert JUDGE.statements(taking) == [False] * 4
    assert JUDGE.judge_batch(taking).label == ["negative", "positive", "negative", "negative"]


def test_no_text_changes_sides_and_only_statements_move() -> None:
    texts = ["收到了", "质量很好", "还没用，先放着", "太差了", "一般", "", "给爸爸买的，很好用", "物流慢"]
    stated, found, before = JUDGE.statements(texts), JUDGE.log_odds(texts), BARE.log_odds(texts)
    assert found.tolist() == np.where(stated, cut(before), before).tolist()


def test_long_texts_are_not_asked_about() -> None:
    assert JUDGE.statements(["昨天下单，今天到的。" * (LONGEST_STATEMENT // 4)]) == [False]


def test_the_pieces_of_a_statement_shrink_with_its_score() -> None:
    text = "收到了"
    small, large = explain(JUDGE, text), explain(BARE, text)
    share = float(cut(BARE.log_odds([text]))[0] / BARE.log_odds([text])[0])
    assert 0 < share < 1
    assert [(piece.begin, piece.end) for piece in small] == [(piece.begin, piece.end) for piece in large]
    assert all(
        math.isclose(one.log_odds, share * other.log_odds, abs_tol=2e-4)
        for one, other in zip(small, large, strict=True)
    )


@settings(deadline=None)  # what a text costs is measured elsewhere
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=50), max_size=6))
def test_whether_a_text_is_a_statement_does_not_hang_on_its_neighbours(texts: list[str]) -> None:
    assert JUDGE.statements(texts) == [JUDGE.statements([text])[0] for text in texts]
