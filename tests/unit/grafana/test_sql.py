"""The pieces of SQL that panels share."""

import pytest

from grafana import sql


def test_a_filter_is_none_when_all_are_chosen() -> None:
    assert sql.only("value", "category") == "$__conditionalAll(value IN (${category:singlequote}), $category)"


def test_lines_of_all_are_one_line_and_of_a_dimension_one_a_value() -> None:
    assert ", value" not in sql.line("negative_share")
    assert "GROUP BY time, value" in sql.line("negative_share", dimension="category")


@pytest.mark.parametrize("seconds", [60, 3600])
def test_windows_that_touch_are_of_one_length_and_grouped_by_it(seconds: int) -> None:
    text = sql.touching(("reviews",), seconds=seconds, dimension="all")
    assert f"INTERVAL {seconds} SECOND" in text
    assert f"window_seconds = {seconds} " in text
