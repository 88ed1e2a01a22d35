"""What every judge behind the seam promises. A subclass gives the fixture `judge`; its name begins with Test."""

import pytest

from sentiment.seam import LABELS, JudgeProtocol, is_answer

TEXTS = (
    "质量很好，非常满意",
    "垃圾，用了一天就坏了，客服不理人",
    "",
    "   ",
    "yyds",
    "😡😡😡",
    "\ud800 lone surrogate",
    "\x00\x01\u200b",
    "很差" * 500,
    "rubbish",
    "手机13812345678",
    "第一行\n第二行\t\"引号\" \\ 反斜杠",
)  # fmt: skip


class JudgeSuite:
    """The suite. Scores themselves are the judge's own business; their shape is not."""

    def test_gives_columns_of_scores_and_labels_in_the_length_of_the_batch(self, judge: JudgeProtocol) -> None:
        assert is_answer(judge.judge_batch(TEXTS), len(TEXTS))

    def test_an_empty_batch_has_an_empty_answer(self, judge: JudgeProtocol) -> None:
        assert is_answer(judge.judge_batch([]), 0)

    def test_a_text_is_judged_the_same_whatever_else_is_in_the_batch(self, judge: JudgeProtocol) -> None:
        together = judge.judge_batch(TEXTS)
        alone = [judge.judge_batch([text]) for text in TEXTS]
        assert together.score == pytest.approx([one.score[0] for one in alone], abs=1e-4)

    def test_answers_come_in_the_order_of_the_texts(self, judge: JudgeProtocol) -> None:
        forwards = judge.judge_batch(TEXTS).text_score
        backwards = judge.judge_batch(TEXTS[::-1]).text_score
        assert forwards == pytest.approx(backwards[::-1], abs=1e-4)

    def test_praise_scores_above_blame(self, judge: JudgeProtocol) -> None:
        praise, blame = judge.judge_batch(TEXTS[:2]).score
        assert praise > blame

    def test_ratings_may_be_missing_for_some(self, judge: JudgeProtocol) -> None:
        ratings = [None if number % 2 else 0.5 for number in range(len(TEXTS))]
        assert is_answer(judge.judge_batch(TEXTS, ratings), len(TEXTS))

    def test_no_ratings_is_the_same_as_none_for_each(self, judge: JudgeProtocol) -> None:
        none_each = judge.judge_batch(TEXTS, [None] * len(TEXTS))
        assert judge.judge_batch(TEXTS).score == pytest.approx(none_each.score, abs=1e-4)

    def test_as_many_ratings_as_texts_are_required(self, judge: JudgeProtocol) -> None:
        with pytest.raises(ValueError, match="ratings for"):
            judge.judge_batch(["好", "差"], [1.0])

    def test_labels_are_the_three(self, judge: JudgeProtocol) -> None:
        assert set(judge.judge_batch(TEXTS).label) <= LABELS
