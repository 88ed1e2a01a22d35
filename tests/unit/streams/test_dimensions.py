"""The keys under which an event counts."""

from streams.dimensions import Dimensions

CELL = ("手机", "app", "华东", "gold", "s1", "p1")


def test_a_joined_dimension_has_its_values_joined_by_a_bar() -> None:
    assert Dimensions(("all", "category", "category+region")).keys(CELL) == [
        ("all", ""), ("category", "手机"), ("category+region", "手机|华东"),
    ]  # fmt: skip


def test_an_absent_value_counts_under_the_empty_one() -> None:
    assert Dimensions(("channel", "channel+region")).keys(("", "", "华东", "", "", "")) == [
        ("channel", ""), ("channel+region", "|华东"),
    ]  # fmt: skip
