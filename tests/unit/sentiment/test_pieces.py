from sentiment.training.pieces import crossings, pieces

FOLDED = ["质量很好，物流很快，下次再来。", "客服不理人！等了三天，退货", "一般"]
BOOKS = ["好看，纸张也好", "印刷差，字太小"]


def test_pieces_are_the_same_each_time_and_stand_in_the_texts() -> None:
    cut = pieces(FOLDED)
    assert cut == pieces(FOLDED)
    assert len(cut) == len(set(cut)) > 20
    assert any(piece in FOLDED[0] for piece in cut)
    assert any(piece.startswith("客服不理人，") and "很好" in piece for piece in cut)
    assert pieces([]) == []


def test_crossings_take_clauses_from_the_same_category_only() -> None:
    made = crossings([*FOLDED, *BOOKS], ["衣服"] * len(FOLDED) + ["书"] * len(BOOKS))
    assert made == crossings([*FOLDED, *BOOKS], ["衣服"] * len(FOLDED) + ["书"] * len(BOOKS))
    assert len(made) == len(set(made)) > 20
    assert any("物流很快" in text and "退货" in text for text in made)
    assert not any(("纸张" in text or "印刷" in text) and ("物流" in text or "退货" in text) for text in made)
    assert crossings(["一般", "好看"], ["书", "书"]) == []
