"""What others wrote is no markup anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notify.markup import safe_address
from alerts.notify.plain import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("等了 2.5 天，差评", "等了 2.5 天，差评", id="ordinary text stays"),
        pytest.param("@all @13800000001", "＠all ＠13800000001", id="mentions"),
        pytest.param("<at id=all></at>", "＜at id=all＞＜/at＞", id="tags"),
        pytest.param("[x](https://a.b)", "［x］（https：//a．b）", id="links"),
        pytest.param("www.evil.com/a", "www．evil．com/a", id="bare addresses"),
        pytest.param("**粗** `码` ~~删~~ # 题", "＊＊粗＊＊ ｀码｀ ～～删～～ ＃ 题", id="markup"),
        pytest.param("一\n> 二\r\n\t三", "一 ＞ 二 三", id="one line"),
        pytest.param("- 项", "－ 项", id="a list's mark at the start"),
        pytest.param("1. 项", "1． 项", id="a number at the start"),
        pytest.param("a\u202eb\u200bc\x00d", "abcd", id="hidden characters"),
        pytest.param("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", id="an emoji family stays one"),
        pytest.param("first_response _x_", "first_response ＿x＿", id="underscores only where they mean something"),
    ],
)
def test_markup_becomes_its_full_width_look_alike(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(max_size=80))
def test_nothing_that_a_platform_reads_as_markup_is_left(text: str) -> None:
    found = plain(text)
    assert not set(found) & set("@<>[](){}*`~|\\#&!\n\r\u2028")
    assert "://" not in found
    assert plain(found) == found


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://wiki.example.com/a?b=1#c", "https://wiki.example.com/a?b=1#c"),
        ("https://wiki.example.com/a b)[c](d", "https://wiki.example.com/a%20b%29%5Bc%5D%28d"),
        ("javascript:alert(1)", ""),
        ("", ""),
        ("http://[broken", ""),
    ],
)
def test_an_address_is_http_and_cannot_end_its_link(address: str, safe: str) -> None:
    assert safe_address(address) == safe
