import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.neardup import NearDuplicates, sketches

HOUR = 3_600_000
PRAISE = "宝贝收到了，质量非常好，和描述的一样，物流也很快，五分好评"


def test_the_first_of_its_kind_is_no_copy() -> None:
    assert NearDuplicates().mark(PRAISE, 0, "甲", "p") == (1, False, False)


@pytest.mark.parametrize(
    "copy",
    [
        PRAISE,
        PRAISE + "！！！",
        PRAISE.replace("，", " "),
        PRAISE.replace("非常好", "非常非常好好好"),
        "【" + PRAISE + "】123",
        PRAISE.replace("五分", "全五分"),
        PRAISE.replace("很快", "超快"),
    ],
)
def test_a_text_with_another_word_or_other_signs_is_a_copy(copy: str) -> None:
    seen = NearDuplicates()
    seen.mark(PRAISE, 0, "甲", "p")
    assert seen.mark(copy, 1, "乙", "p").copies == 2


@pytest.mark.parametrize(
    "other",
    ["质量太差，用了一天就坏了，客服也不理人", "很好", "物流也很快", "宝贝收到了，但是屏幕是碎的，申请退款一直不处理"],
)
def test_a_text_that_says_something_else_is_no_copy(other: str) -> None:
    seen = NearDuplicates()
    seen.mark(PRAISE, 0, "甲", "p")
    assert seen.mark(other, 1, "乙", "p").copies == 1


def test_a_short_text_is_a_copy_of_the_same_short_text_only() -> None:
    seen = NearDuplicates()
    assert [seen.mark(text, 0, "", "").copies for text in ("不好用", "不好用！", "好用", "不好")] == [1, 2, 1, 1]


def test_the_same_customer_is_known_again_and_another_is_not() -> None:
    seen = NearDuplicates()
    marks = [seen.mark(PRAISE, 0, customer, "p").same_customer for customer in ("甲", "乙", "甲", "", "")]
    assert marks == [False, False, True, False, False]


def test_a_burst_is_many_copies_for_one_product_in_a_short_time() -> None:
    seen = NearDuplicates(burst_copies=3, burst_ms=60_000)
    assert [seen.mark(PRAISE, at, "", "p").burst for at in (0, 10_000, 20_000)] == [False, False, True]


def test_copies_for_several_products_or_over_a_long_time_are_no_burst() -> None:
    seen = NearDuplicates(burst_copies=3, burst_ms=60_000)
    assert not any(seen.mark(PRAISE, number, "", f"p{number}").burst for number in range(9))
    assert not any(seen.mark(PRAISE, HOUR + number * 30_000, "", "q").burst for number in range(9))


def test_what_everybody_says_is_no_burst() -> None:
    seen = NearDuplicates(burst_copies=3)
    assert not any(seen.mark("很好", number, "", "p").burst for number in range(50))


def test_a_text_is_forgotten_after_the_window() -> None:
    seen = NearDuplicates(window_ms=6 * HOUR)
    seen.mark(PRAISE, 0, "", "p")
    assert seen.mark(PRAISE, 6 * HOUR - 1, "", "p").copies == 2
    assert seen.mark(PRAISE, 12 * HOUR - 1, "", "p").copies == 1


def test_memory_is_bounded_and_the_longest_unheard_of_is_dropped() -> None:
    seen = NearDuplicates(max_groups=3)
    texts = ["屏幕碎了没人管", "快递三天没有动", "客服态度很恶劣"]
    for text in texts:
        seen.mark(text, 0, "", "")
    seen.mark(texts[0], 0, "", "")
    seen.mark("衣服褪色还缩水", 0, "", "")
    assert len(seen) == 3
    assert seen.mark(texts[0], 0, "", "").copies == 3
    assert seen.mark(texts[1], 0, "", "").copies == 1


@pytest.mark.parametrize("text", ["", "。。。", "123", "\u200b"])
def test_a_text_without_letters_is_nobodys_copy(text: str) -> None:
    seen = NearDuplicates()
    assert [seen.mark(text, 0, "甲", "p") for _ in range(9)] == [(1, False, False)] * 9
    assert len(seen) == 0


@given(st.lists(st.text(alphabet="太差了很好。 1a😡\n\ud800", max_size=12), max_size=12))
def test_a_batch_marks_each_text_as_it_would_alone(texts: list[str]) -> None:
    alone, together = NearDuplicates(), NearDuplicates()
    at_ms, names = list(range(len(texts))), ["甲"] * len(texts)
    one_by_one = [alone.mark(text, at, name, "p") for text, at, name in zip(texts, at_ms, names, strict=True)]
    assert together.mark_batch(texts, at_ms, names, ["p"] * len(texts)) == one_by_one


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_a_sketch_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    assert sketches(texts) == [sketches([text])[0] for text in texts]


def test_a_dump_goes_on_where_it_was() -> None:
    one, two = NearDuplicates(burst_copies=3), NearDuplicates(burst_copies=3)
    one.mark_batch([PRAISE, PRAISE, "太差了"], [0, 1, 2], ["甲", "乙", ""], ["p", "p", "p"])
    two.load(json.loads(json.dumps(one.dump())))
    for seen in (one, two):
        assert seen.mark(PRAISE, 3, "乙", "p") == (3, True, True)
        assert seen.mark("太差了", 3, "丙", "p").copies == 2
    assert one.dump() == two.dump()


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError):
        NearDuplicates().mark_batch(["太差了"], [0, 1], ["甲"], ["p"])


def test_settings_that_could_hold_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        NearDuplicates(max_groups=0)


@given(st.lists(st.text(alphabet="太差了很好慢快", min_size=1, max_size=9), max_size=30), st.integers(0, 30))
def test_a_restart_anywhere_changes_no_mark(texts: list[str], restart: int) -> None:
    straight, before, after = (NearDuplicates(max_groups=5, window_ms=20) for _ in range(3))
    expected = [straight.mark(text, at, text[:1], "p") for at, text in enumerate(texts)]
    got = [before.mark(text, at, text[:1], "p") for at, text in enumerate(texts[:restart])]
    after.load(json.loads(json.dumps(before.dump())))
    got += [after.mark(text, restart + at, text[:1], "p") for at, text in enumerate(texts[restart:])]
    assert got == expected
