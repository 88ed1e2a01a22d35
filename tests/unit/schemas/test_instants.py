"""Instants: RFC 3339 and milliseconds, both ways (SLA.md, rule T1)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import MAX_MS, MIN_MS, check_range, format_instant, parse_instant


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t08:00:00+08:00", 0),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("1970-01-01T00:00:00.1z", 100),
        ("2026-11-11T00:12:10+08:00", 1_794_327_130_000),
        ("2026-11-10T16:12:10.999999999-00:00", 1_794_327_130_999),
        ("2024-02-29T23:59:59-05:30", 1_709_270_999_000),
        ("9999-12-31T23:59:59.999Z", MAX_MS),
    ],
)
def test_an_instant_with_an_offset_is_milliseconds_with_finer_digits_cut_off(text: str, at_ms: int) -> None:
    assert parse_instant(text) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-11", "2026-11-11 00:00:00Z", "2026-11-11T00:00:00", "2026-11-11T00:00Z", "2026-11-11T00:00:60Z",
        "2026-11-11T24:00:00Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-11T00:00:00+0800",
        "2026-11-11T00:00:00+24:00", "2026-11-11T00:00:00+08:60", "2026-11-11T00:00:00.Z", "1762790400000",
        "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z", "２０２６-11-11T00:00:00Z",
        "2026-11-11T00:00:00Z\n", " 2026-11-11T00:00:00Z",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)


@given(st.integers(MIN_MS, MAX_MS), st.integers(-23 * 60, 23 * 60))
def test_what_is_written_reads_back_as_the_same_instant(at_ms: int, offset: int) -> None:
    local = at_ms + offset * 60_000
    if local >= MIN_MS:
        assert parse_instant(format_instant(at_ms, offset_minutes=offset)) == at_ms


@given(st.datetimes(dt.datetime(1970, 1, 3), dt.datetime(9999, 12, 29)), st.integers(-23 * 60, 23 * 60))
def test_reading_agrees_with_datetime(local: dt.datetime, offset: int) -> None:
    aware = local.replace(tzinfo=dt.timezone(dt.timedelta(minutes=offset)))
    exact = (aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
    assert parse_instant(aware.isoformat()) == exact


def test_the_last_hours_of_9999_are_written_in_utc_and_nothing_later_exists() -> None:
    assert format_instant(MAX_MS) == "9999-12-31T23:59:59.999+00:00"
    assert format_instant(MAX_MS + 1) == "9999-12-31T23:59:59.999+00:00"


@pytest.mark.parametrize("at_ms", [-1, MAX_MS + 1, 10**30])
def test_milliseconds_outside_the_years_are_refused(at_ms: int) -> None:
    with pytest.raises(ValueError):
        check_range(at_ms)
