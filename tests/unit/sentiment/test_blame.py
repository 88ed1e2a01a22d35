"""What a spike's texts blame, and how many of them."""

from hypothesis import given
from hypothesis import strategies as st

from sentiment.blame import Blamed, blamed

SLOW = "快递太慢了，等了五天"
RUDE = "客服态度恶劣"


def test_the_share_of_the_texts_that_blame_it_and_a_text_may_blame_several() -> None:
    assert blamed([SLOW, SLOW, "快递太慢，客服态度恶劣", RUDE]) == [Blamed("logistics", 0.75), Blamed("service", 0.5)]


def test_what_is_praised_in_an_angry_text_is_not_blamed() -> None:
    assert blamed(["东西不错但是客服太差"] * 3) == [Blamed("service", 1.0)]


def test_traditional_characters_blame_as_well() -> None:
    assert blamed(["快遞太慢了", "物流慢死了"]) == [Blamed("logistics", 1.0)]


def test_a_complaint_without_an_opinion_blames_what_it_speaks_of() -> None:
    assert blamed(["我的快递呢", "快递到哪里了"]) == [Blamed("logistics", 1.0)]


def test_one_voice_a_small_share_and_what_nobody_can_name_are_left_out() -> None:
    assert blamed([SLOW, "再也不会买了", "昨天下的单"]) == []
    assert blamed([RUDE, RUDE, *[SLOW] * 30]) == [Blamed("logistics", 0.9375)]
    assert blamed([]) == []


def test_at_most_three_the_most_blamed_first() -> None:
    texts = [SLOW] * 4 + [RUDE] * 3 + ["包装破了"] * 2 + ["价格太贵了"] * 2
    assert [one.name for one in blamed(texts)] == ["logistics", "service", "price"]


@given(st.lists(st.text(max_size=40) | st.sampled_from([SLOW, RUDE, "假货，退钱"]), max_size=20))
def test_any_texts_give_shares_in_order(texts: list[str]) -> None:
    found = blamed(texts)
    assert len(found) <= 3
    assert all(0.1 <= one.share <= 1 for one in found)
    assert found == sorted(found, key=lambda one: -one.share)
