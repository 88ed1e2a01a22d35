import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.keywords import Background, emerging, over_represented

HOUR = 3_600_000
USUAL = Counter({"屏幕": 400, "客服": 900, "快递": 1200, "电池": 300, "发霉": 5, "价格": 700, "味道": 500})


def test_the_word_of_the_incident_leads_however_rare_it_usually_is() -> None:
    now = Counter({"快递": 60, "客服": 45, "价格": 35, "味道": 25, "发霉": 30, "电池": 15})
    first = over_represented(now, USUAL)[0]
    assert first.word == "发霉"
    assert first.now == 30
    assert first.baseline_share < first.now_share


def test_a_frequent_word_at_its_usual_share_does_not_stand_out() -> None:
    assert over_represented(Counter({word: count // 5 for word, count in USUAL.items()}), USUAL) == []


def test_a_word_that_is_said_less_does_not_stand_out() -> None:
    assert "快递" not in [k.word for k in over_represented(Counter({"快递": 3, "发霉": 60, "客服": 50}), USUAL)]


@pytest.mark.parametrize("background", [Counter(), Background()])
def test_nothing_stands_out_against_nothing(background: Counter[str] | Background) -> None:
    assert over_represented(Counter({"发霉": 9, "臭": 4}), background) == []


def test_nothing_said_gives_no_keyword() -> None:
    assert over_represented(Counter(), USUAL) == []
    assert emerging(Counter(), USUAL) == []


def test_the_measure_is_the_published_one() -> None:
    # Computed by hand from equations 15, 19 and 20 with a = prior × (30 + 5) / (210 + 4005).
    now, before, prior = Counter({"发霉": 30, "客服": 180}), Counter({"发霉": 5, "客服": 4000}), 100.0
    a = prior * 35 / 4215
    difference = math.log((30 + a) / (210 + prior - 30 - a)) - math.log((5 + a) / (4005 + prior - 5 - a))
    expected = difference / math.sqrt(1 / (30 + a) + 1 / (5 + a))
    assert over_represented(now, before, prior=prior)[0].z == pytest.approx(expected, abs=0.001)


def test_k_is_the_most_and_ties_go_by_the_word() -> None:
    now = Counter({"乙": 30, "甲": 30, "丙": 30, "快递": 100})
    found = over_represented(now, USUAL | Counter({"甲": 1, "乙": 1, "丙": 1}), k=2)
    assert [keyword.word for keyword in found] == sorted("甲乙丙")[:2]


def test_a_new_term_emerges_and_its_parts_do_not() -> None:
    now = Counter({"塌房": 14, "主播塌房": 12, "播塌": 12, "快递": 60})
    assert [keyword.word for keyword in emerging(now, USUAL)] == ["主播塌房"]


def test_a_part_that_is_said_much_more_than_the_whole_emerges_too() -> None:
    now = Counter({"塌房": 40, "主播塌房": 6, "快递": 60})
    assert [keyword.word for keyword in emerging(now, USUAL)] == ["塌房", "主播塌房"]


def test_a_term_said_before_at_a_twentieth_of_its_share_is_not_new() -> None:
    assert emerging(Counter({"客服": 30, "快递": 30}), USUAL) == []


def test_background_halves_in_a_half_life() -> None:
    background = Background(half_life_ms=HOUR)
    background.add({"发霉": 8}, at_ms=10 * HOUR)
    background.add({"客服": 1}, at_ms=12 * HOUR)
    assert background["发霉"] == pytest.approx(2.0)
    assert background.total == pytest.approx(3.0)


def test_late_words_count_as_of_the_newest_time() -> None:
    background = Background(half_life_ms=HOUR)
    background.add({"客服": 1}, at_ms=12 * HOUR)
    background.add({"发霉": 8}, at_ms=2 * HOUR)
    assert background["发霉"] == pytest.approx(8.0)


def test_background_stays_exact_over_years() -> None:
    background = Background(half_life_ms=HOUR)
    for hour in range(24 * 365):
        background.add({"客服": 1}, at_ms=hour * HOUR)
    assert background["客服"] == pytest.approx(2.0)


def test_background_keeps_the_most_said_when_it_is_full() -> None:
    background = Background(max_words=10)
    background.add({f"词{number}": number for number in range(1, 22)}, at_ms=HOUR)
    assert len(background) == 10
    assert "词21" in background
    assert "词1" not in background


def test_a_dumped_background_goes_on_exactly_where_it_was() -> None:
    one, two = Background(half_life_ms=HOUR), Background(half_life_ms=HOUR)
    one.add({"客服": 7, "发霉": 3}, at_ms=5 * HOUR)
    one.add({"客服": 1}, at_ms=5 * HOUR + 7)
    two.load(json.loads(json.dumps(one.dump())))
    for background in (one, two):
        background.add({"发霉": 2}, at_ms=6 * HOUR)
    assert two.dump() == one.dump()


@pytest.mark.parametrize(
    "dumped", [{"at_ms": "0", "scale": 1, "counts": {}, "total": 0}, {"at_ms": 0, "scale": 1, "counts": [], "total": 0}]
)
def test_what_is_no_dump_is_refused(dumped: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="not the dump"):
        Background().load(dumped)


@given(
    st.dictionaries(st.sampled_from("甲乙丙丁"), st.integers(0, 1000)),
    st.dictionaries(st.sampled_from("甲乙丙丁"), st.integers(0, 1000)),
)
def test_any_counts_give_finite_figures(now: dict[str, int], before: dict[str, int]) -> None:
    for keyword in over_represented(now, before, k=9) + emerging(now, before):
        assert math.isfinite(keyword.z)


def test_a_background_that_could_hold_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Background(max_words=0)
