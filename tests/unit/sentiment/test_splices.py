from sentiment.training.splices import splices

FOLDED = ["客服态度很好，下次再来。", "物流速度很慢！", "一般", "😊"] * 20


def test_splices_are_the_same_each_time_and_join_clauses_where_they_share_two_symbols() -> None:
    made = splices(FOLDED)
    assert made == splices(FOLDED)
    assert len(made) == len(set(made)) > 5
    assert any(text.startswith("客服态度很慢！") for text in made)
    assert any(text.startswith("物流速度很好，") for text in made)


def test_splices_hold_nothing_but_the_clauses_and_are_never_too_short() -> None:
    made = splices(FOLDED)
    assert {symbol for text in made for symbol in text} <= set("".join(FOLDED))
    assert min(map(len, made)) >= 4


def test_without_a_clause_there_is_nothing_to_splice() -> None:
    assert splices([]) == splices(["", "，。"]) == []
