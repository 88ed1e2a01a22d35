"""Durations, and how a message shows a value."""

import pytest

from schemas.errors import ConfigError
from schemas.strict import Mistakes, Node, show, show_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [("90s", 90_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0), ("1d1h1m1s", 90_061_000)],
)
def test_a_duration_is_read_and_shown(text: str, ms: int) -> None:
    mistakes = Mistakes("f")
    assert Node(text, "p", mistakes).duration_ms() == ms
    mistakes.stop()
    assert Node(show_ms(ms), "p", mistakes).duration_ms() == ms


@pytest.mark.parametrize("value", ["", "5", 5, "m", "5m1h", "-5m", "1.5h", "5 m", None, True, "5m\n", "٣m"])
def test_what_is_no_duration_is_a_mistake(value: object) -> None:
    mistakes = Mistakes("f")
    Node(value, "rules[0].for", mistakes).duration_ms()
    with pytest.raises(ConfigError, match="rules") as caught:
        mistakes.stop()
    assert "f: rules[0].for: " in str(caught.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("x", "'x'", id="text"),
        pytest.param(None, "null", id="null"),
        pytest.param(True, "true", id="boolean"),
        pytest.param(7, "7", id="number"),
        pytest.param("长" * 100, "'" + "长" * 56 + "...", id="long"),
        pytest.param("a\nb", "'a\\nb'", id="one-line"),
        pytest.param({"url": "geheim"}, "a mapping", id="mapping"),
        pytest.param(["geheim"], "a list", id="list"),
        pytest.param([], "[]", id="empty-list"),
    ],
)
def test_a_value_is_shown_short_and_on_one_line(value: object, shown: str) -> None:
    assert show(value) == shown
