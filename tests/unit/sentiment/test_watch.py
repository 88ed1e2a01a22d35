import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment import watch
from sentiment.watch import counts, divergence, figures, merge

ratings = st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
reviews = st.lists(st.tuples(st.floats(0, 1), ratings, st.text("甲乙丙丁a\n", max_size=5)), max_size=12)


def count(batch: list[tuple[float, float | None, str]]) -> list[int]:
    return counts([one[2] for one in batch], text_scores=[one[0] for one in batch], ratings=[one[1] for one in batch])


@pytest.mark.parametrize(
    ("score", "stars", "starred", "agreed"),
    [
        (0.9, 1.0, 1, 1),
        (0.9, 0.75, 1, 1),
        (0.1, 0.0, 1, 1),
        (0.1, 0.25, 1, 1),
        (0.9, 0.0, 1, 0),
        (0.1, 1.0, 1, 0),
        (0.9, 0.5, 0, 0),
        (0.9, None, 0, 0),
        (0.5, 1.0, 0, 0),
    ],
)
def test_stars_and_text_agree_when_both_praise_or_both_blame(
    score: float, stars: float | None, starred: int, agreed: int
) -> None:
    counted = counts(["一般"], text_scores=[score], ratings=[stars])
    assert (counted[watch.STARRED], counted[watch.AGREED]) == (starred, agreed)


@given(reviews, reviews)
def test_counts_of_two_batches_add_up_to_those_of_both_in_any_order(
    one: list[tuple[float, float | None, str]], other: list[tuple[float, float | None, str]]
) -> None:
    assert merge(count(one), count(other)) == merge(count(other), count(one)) == count(other + one)
    assert all(type(number) is int for number in count(one))


def test_a_pair_of_characters_counts_within_a_text_and_between_chinese_characters_only() -> None:
    assert sum(count([(0.5, None, "客服"), (0.5, None, "差a评"), (0.5, None, "屏幕碎")])[4:]) == 3


def test_figures_are_shares_of_what_was_counted() -> None:
    counted = counts(["差"] * 4, text_scores=[0.9, 0.1, 0.5, 0.5], ratings=[1.0, 1.0, None, 1.0])
    got = figures(counted, least_starred=2)
    assert (got.judged, got.uncertain_share, got.starred, got.agreement) == (4, 0.5, 2, 0.5)


def test_too_little_gives_no_figure() -> None:
    got = figures(count([(0.9, 1.0, "屏幕")]), [0] * watch.SIZE)
    assert (got.agreement, got.drift) == (None, None)
    assert figures([0] * watch.SIZE).uncertain_share is None


def test_other_words_are_a_drift_and_the_same_words_are_none() -> None:
    usual = count([(0.5, None, "屏幕碎了客服不理我要退货" * 200)])
    other = count([(0.5, None, "直播间说好送赠品" * 300)])
    assert figures(usual, usual).drift == 0.0
    drift = figures(other, usual).drift
    assert drift is not None
    assert drift > 0.5


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="must be as many"):
        counts(["好"], text_scores=[], ratings=[None])


def test_divergence_is_one_without_anything_in_common_and_the_published_value_between() -> None:
    assert divergence([5, 0], [0, 9]) == 1.0
    # By hand: p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4).
    expected = math.sqrt(0.5 * (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2)) + 0.5 * math.log2(4 / 3))
    assert divergence([1, 1], [7, 0]) == pytest.approx(expected)


def test_divergence_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        divergence([0, 0], [1, 0])


def test_a_pair_has_one_bucket_for_ever() -> None:
    # The reference is stored; a bucket that moved would look like drift.
    assert [count([(0.5, None, pair)])[4:].index(1) for pair in ("屏幕", "客服", "退款")] == [43, 46, 0]


def test_the_pairs_of_each_text_are_those_of_all_of_them() -> None:
    texts = ["质量很好", "", "好", "ok", "差！差评", "物流很慢\n换行", "𠀀好用"]
    apart = [watch.pair_buckets([text])[0] for text in texts]
    assert watch.pair_buckets(texts) == apart
    assert [len(one) for one in apart] == [3, 0, 0, 0, 1, 4, 1]
    counted = watch.counts(texts, text_scores=[0.5] * len(texts), ratings=[None] * len(texts))
    assert watch.count_pairs(b"".join(apart)).tolist() == counted[4:]
    assert watch.pair_buckets([]) == []


def test_too_few_pairs_have_no_drift() -> None:
    little, much = [999, 0], [0, 1000]
    assert watch.drift(little, much) is None
    assert watch.drift(much, little) is None
    assert watch.drift(much, [1000, 0]) == 1.0
