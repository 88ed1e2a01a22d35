"""The pieces of SQL that panels share."""

import re

import pytest

from grafana import sql
from grafana.macros import ALL, Context, expand


def test_a_filter_is_none_when_all_are_chosen() -> None:
    assert sql.only("value", "category") == "$__conditionalAll(value IN (${category:singlequote}), $category)"


def test_lines_of_a_dimension_are_one_a_value() -> None:
    assert "GROUP BY time, value" in sql.line("negative_share", dimension="category")


@pytest.mark.parametrize(
    ("picks", "dimension", "values"),
    [
        ({}, "'all'", []),
        ({"category": ["手机"]}, "'category'", ["value IN ('手机')"]),
        ({"region": ["华东", "华北"]}, "'region'", ["value IN ('华东','华北')"]),
        (
            {"category": ["手机"], "region": ["华东"]},
            "'category+region'",
            ["splitByChar('|', value)[1] IN ('手机')", "splitByChar('|', value)[2] IN ('华东')"],
        ),
        ({"region": ["华东"], "customer_tier": ["gold"]}, "'region+customer_tier'", []),  # no window has that
        ({"queue": ["A"]}, "'queue'", []),
    ],
)
def test_windows_are_those_of_all_that_is_picked_together(
    picks: dict[str, list[str]], dimension: str, values: list[str]
) -> None:
    picked: dict[str, str | list[str]] = dict.fromkeys((*sql.DIMENSIONS, "queue"), ALL)
    text = expand(sql.chosen(("queue",)), Context(0, 1, chosen={**picked, **picks}))
    assert folded(text.partition("\n")[0]) == f"dimension = {dimension}"
    kept = folded(text.partition("\n")[2])
    assert [one for one in values if one not in kept] == []
    assert "$" not in text


def folded(text: str) -> str:
    """What ClickHouse makes of the constants before it reads anything."""
    names = re.findall(r"if\(NOT \(1 = 0\), '\+(\w+)', ''\)", text)
    text = re.sub(r"ifNull\(nullIf\(substring\(concat\(.*\), 2\), ''\), 'all'\)", f"'{'+'.join(names) or 'all'}'", text)

    def one(match: re.Match[str]) -> str:
        return match[2] if "NOT (1 = 0)" in match[1] else "value"

    return re.sub(
        r"if\(((?:NOT \(1 = [01]\)|NOT \(1=1\)| OR )+), (splitByChar\('\|', value\)\[\d\]), value\)", one, text
    )


@pytest.mark.parametrize("seconds", [60, 3600])
def test_windows_that_touch_are_of_one_length_and_grouped_by_it(seconds: int) -> None:
    text = sql.touching(("reviews",), seconds=seconds, of="dimension = 'all'")
    assert f"INTERVAL {seconds} SECOND" in text
    assert f"window_seconds = {seconds} " in text
