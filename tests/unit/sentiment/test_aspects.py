import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.aspects import NAMES, aspects, read_lexicon

# text → what it is about, and how each is meant (-1 blamed, 0 told, 1 praised)
CASES = (
    ("东西不错但是客服太差", {"quality": 1, "service": -1}),
    ("物流很快，就是包装破了", {"logistics": 1, "packaging": -1}),
    ("质量没有问题，快递慢", {"quality": 1, "logistics": -1}),
    ("价格便宜，质量也好", {"price": 1, "quality": 1}),
    ("刚买就降价，客服说不保价", {"price": -1, "service": -1}),
    ("假货！要求退一赔三", {"fraud": -1, "refund": 0}),
    ("申请退款半个月了还没退", {"refund": -1}),
    ("手机用了两天就黑屏，充不进电", {"quality": -1}),
    ("快递员不送货上门，打电话态度恶劣", {"logistics": -1, "service": -1}),
    ("箱子压坏了，瓶子漏液", {"packaging": -1}),
    ("图文不符，虚假宣传", {"fraud": -1}),
    ("客服踢皮球，已读不回", {"service": -1}),
    ("客服呢，太差", {"service": -1}),
    ("包装精美，送货快，服务热情", {"packaging": 1, "logistics": 1, "service": 1}),
    ("不是不好，就是太贵", {"price": -1}),
    ("客服不是很好", {"service": -1}),
    ("说好的赠品少发，找客服没人理", {"packaging": -1, "service": -1}),
    ("打了12315，商家还是不退钱", {"refund": -1, "fraud": -1, "service": -1}),
    ("EMS三天没动静", {"logistics": -1}),
    ("再也不会买了", {"other": -1}),
    ("昨天下的单", {"other": 0}),
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_each_aspect_gets_its_own_polarity(text: str, expected: dict[str, int]) -> None:
    found = {aspect.name: (aspect.polarity > 0) - (aspect.polarity < 0) for aspect in aspects(text)}
    assert found == expected


def test_the_weightiest_comes_first_and_shows_its_clause() -> None:
    first = aspects("东西是假货，高仿的，客服不理")[0]
    assert first.name == "fraud"
    assert first.clause in ("东西是假货", "高仿的")


@pytest.mark.parametrize("text", ["", "。。。", "  ", "！"])
def test_a_text_without_a_word_is_about_nothing(text: str) -> None:
    assert aspects(text) == []


@given(st.text(max_size=80) | st.lists(st.sampled_from([case[0] for case in CASES]), max_size=5).map("，".join))
def test_any_text_gives_known_names_once_and_polarity_within_bounds(text: str) -> None:
    found = aspects(text)
    assert len({aspect.name for aspect in found}) == len(found)
    assert all(aspect.name in NAMES and -1 <= aspect.polarity <= 1 and aspect.weight > 0 for aspect in found)
    assert all(aspect.clause in text for aspect in found)


@pytest.mark.parametrize("unit", ["不", "客服", "太差，", "质量", "a"])
def test_a_long_text_costs_no_more_than_its_length(unit: str) -> None:
    assert len(aspects(unit * 20_000)) == 1


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("aspects: {speed: {bad: 慢}}", "'speed' is not one of"),
        ("aspects: {price: {worse: 贵}}", "'worse' is not one of"),
        ("words: {}", "'words' is not one of"),
        ("[]", "list is not a mapping"),
    ],
)
def test_a_lexicon_with_a_name_that_means_nothing_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_lexicon(source)
