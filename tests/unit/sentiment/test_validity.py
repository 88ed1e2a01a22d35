import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.validity import REASONS, validity, validity_batch

INVALID = {
    "empty": ("", "   ", "\u3000\u3000", "\n\t", "\u200b\u200b", "\ufeff", "\x00\x07 \ufe0f"),
    "default_praise": (
        "此用户没有填写评价",
        "此用户没有填写评价。",
        "此用户没有填写评论!",
        "该用户未填写评价内容",
        "用户未填写评价",
        "此用戶沒有填寫評價",
        "系统默认好评",
        "系统默认好评！",
        "【系统默认好评】",
        "默认好评",
        "系统默认评价",
        "评价方未及时做出评价,系统默认好评!",
        "用户未及时评价，系统自动默认好评",
        "买家未作出评价",
        "此用户未发表评价内容",
        "该用户没有填写文字评价",
        "这个用户没有填写评价",
        "用户默认好评",
        "系统自动好评",
        "该用户觉得商品非常好，给出了5星好评",
        "15天内买家未作出评价，系统默认好评",
        "用户未在规定时间内评价，系统自动默认好评",
        "\ufeff此用户没有填写评价",
        "系统默认好评\u200b\u200b",
        "**此用户没有填写评价**",
    ),
    "ad": (
        "加微信 abc12345 领优惠券",
        "全网最低价，加V：qwe9988 批发",
        "兼职日结，想做的加我QQ 123456789",
        "好评返现群，扫码进群领红包",
        "厂家直销一手货源，诚招代理",
        "淘宝搜XX旗舰店，免费领，私聊我",
        "代开发票，联系电话13800000000",
        "加我微信wx88888",
        "诚招代理，一件代发，v：abc99999",
    ),
    "link": (
        "http://example.com/abc?id=1",
        "https://m.example.cn/item/123 点击",
        "www.example.net",
        "看这里 example.top/x1",
    ),
    "noise": (
        "。", "......", "？？？", "!!!", "———", "123456", "1111111111", "啊啊啊啊啊啊", "asdfghjkl",
        "qwerqwer", "嗯嗯嗯嗯嗯", "，，，，",
    ),
}  # fmt: skip

VALID = (
    "好", "差", "不错", "good", "very good product", "yyds", "yyyyds", "666", "6666666", "👍👍👍👍",
    "😡😡😡😡😡", "T_T", "^_^", ":(",
    "好好好好好好好", "差差差差差", "太太太太差了", "哈哈哈哈哈哈哈", "垃圾垃圾垃圾垃圾",
    "退钱退钱退钱退钱", "100分", "5星好评",
    "商家自动给我默认好评，恶心", "我没有填写评价怎么就显示好评了", "评价方式太麻烦",
    "为什么系统默认好评？我明明给的差评",
    "客服让我加微信 abc12345 转账，骗子", "卖家叫我加QQ 123456 返现，结果不认账",
    "说好评返现，联系我又不给", "刷单的店，小心",
    "这优惠券根本用不了", "微信支付失败", "用微信联系不上人",
    "看图 http://example.com/a.jpg 屏幕全碎了，你们怎么包装的",
    "给公司批发采购的，挺划算", "代购的质量也比这个好", "rubbish, broken on arrival", "最悪です", "плохо",
    "재구매 의사 없음",
    "啊啊啊啊烂", "啊啊啊啊啊好", "嗯嗯嗯嗯嗯😡", "扫码领红包是假的", "加微信领红包，套路", "进群领优惠券？打不开",
    "质量差。。。。。。。。。。。。。", "不好用啊啊啊啊啊啊啊", "strength", "包装ok",
)  # fmt: skip


@pytest.mark.parametrize(("reason", "text"), [(r, t) for r, texts in INVALID.items() for t in texts])
def test_a_text_that_is_no_customers_own_words_is_recognised_with_its_reason(reason: str, text: str) -> None:
    assert validity_batch([text]) == [reason]


@pytest.mark.parametrize("text", VALID)
def test_what_a_customer_says_is_valid_however_short_or_angry(text: str) -> None:
    assert validity_batch([text]) == [""]


@given(st.lists(st.text(max_size=60) | st.sampled_from([t for ts in INVALID.values() for t in ts]), max_size=8))
def test_a_batch_says_of_each_text_what_it_says_alone(texts: list[str]) -> None:
    reasons = validity_batch(texts)
    assert reasons == [validity_batch([text])[0] for text in texts]
    assert set(reasons) <= {"", *REASONS}


@pytest.mark.parametrize("text", [*VALID, *(t for texts in INVALID.values() for t in texts)])
def test_the_short_cut_changes_no_verdict(text: str) -> None:
    assert validity_batch([text]) == [validity(text)]


def test_no_text_gives_no_verdict() -> None:
    assert validity_batch([]) == []


@pytest.mark.parametrize(
    "unit", ["啊", "默认好评", "系统", "5星", "a.", "1", "http://", "加微信", "http://a.com ", "未"]
)
def test_a_long_text_costs_no_more_than_its_length(unit: str) -> None:
    assert len(validity_batch([unit * 20_000])) == 1
