"""The macros, as the data source documents them."""

import pytest

from grafana.macros import ALL, Context, expand
from schemas.errors import ConfigError

AT = Context(
    1_415_792_726_123, 1_447_328_726_456, interval_s=20,
    chosen={"all": ALL, "many": ["a", "b"], "one": "x", "none": ""}, offered={"all": ["p", "q"]},
)  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("$__fromTime", "toDateTime(1415792726)"),
        ("$__toTime", "toDateTime(1447328726)"),
        ("$__fromTime_ms", "fromUnixTimestamp64Milli(1415792726123)"),
        ("$__toTime_ms", "fromUnixTimestamp64Milli(1447328726456)"),
        ("$__timeFilter(time)", "time >= toDateTime(1415792726) AND time <= toDateTime(1447328726)"),
        (
            "$__timeFilter_ms(time)",
            "time >= fromUnixTimestamp64Milli(1415792726123) AND time <= fromUnixTimestamp64Milli(1447328726456)",
        ),
        ("$__timeInterval(column)", "toStartOfInterval(toDateTime(column), INTERVAL 20 second)"),
        ("$__interval_s", "20"),
        ("$__conditionalAll(a IN (${many:singlequote}), $many)", "a IN ('a','b')"),
        ("$__conditionalAll(a IN (${all:singlequote}), $all)", "1=1"),
        ("$__conditionalAll(a = ${none:singlequote}, $none)", "1=1"),
        ("a IN (${all:singlequote})", "a IN ('p','q')"),
        ("a IN ($many)", "a IN ('a','b')"),
        ("w = ${one}", "w = x"),
        (
            "$__conditionalAll(f(a, b) > 1, $one) AND $__conditionalAll(c IN (${all:singlequote}), $all)",
            "f(a, b) > 1 AND 1=1",
        ),
    ],
)
def test_a_macro_becomes_what_is_documented(sql: str, expected: str) -> None:
    assert expand(sql, AT) == expected


@pytest.mark.parametrize(
    "sql", ["$__timeFitler(a)", "$other", "$__conditionalAll(a)", "$__conditionalAll(a, b, $one)",
            "$__conditionalAll(a = 1, $other)", "${one:regex}"],
)  # fmt: skip
def test_what_nobody_knows_is_an_error(sql: str) -> None:
    with pytest.raises(ConfigError):
        expand(sql, AT)


def test_quotes_inside_a_value_are_escaped() -> None:
    quoted = Context(0, 1, chosen={"one": "O'Neill"})
    assert expand("${one:singlequote}", quoted) == "'O\\'Neill'"
