from sentiment.training.corpora import same_text_key
from sentiment.training.facts import fact_clauses
from sentiment.training.told import told_clauses
from tests.unit.sentiment.sentiment_cases import HARD_CASES, LATER_CASES, STANCE_CASES


def test_every_frame_is_filled_and_no_clause_comes_twice() -> None:
    clauses = [clause for _, clause in fact_clauses()]
    assert len(clauses) == len(set(clauses)) > 5000
    assert not [clause for clause in clauses if set(clause) & set("{}|")]


def test_clauses_come_in_one_order() -> None:
    assert list(fact_clauses()) == list(fact_clauses())
    assert list(told_clauses()) == list(told_clauses())


def test_no_clause_is_both_a_fact_and_a_stance() -> None:
    told = list(told_clauses())
    assert len(told) == len(set(told)) > 5000
    assert not [clause for clause in told if set(clause) & set("{}|")]
    assert not set(told) & {clause for _, clause in fact_clauses()}


def test_no_hand_written_case_is_a_clause_word_for_word() -> None:
    known = {same_text_key(clause) for clause in (*(clause for _, clause in fact_clauses()), *told_clauses())}
    assert not [text for _, text, _ in (*LATER_CASES, *STANCE_CASES, *HARD_CASES) if same_text_key(text) in known]
