"""The shipped calendar of China's offices agrees with the package that holds the official days."""

import datetime as dt

import chinese_calendar
import pytest
from chinese_calendar.constants import holidays

from scripts import china_calendar
from sla.defaults import default_calendars

DAY_MS = 86_400_000
KNOWN_YEARS = [year for year in china_calendar.YEARS if any(day.year == year for day in holidays)]


@pytest.mark.parametrize("year", KNOWN_YEARS)
def test_open_on_the_working_days_of_the_package_and_on_no_others(year: int) -> None:
    office = default_calendars()["cn-office"]
    day = dt.date(year, 1, 1)
    while day.year == year:
        midnight = round(dt.datetime(day.year, day.month, day.day, tzinfo=china_zone()).timestamp()) * 1000
        hours = office.elapsed_ms(midnight, midnight + DAY_MS) / 3_600_000
        assert hours == (9 if chinese_calendar.is_workday(day) else 0), day
        day += dt.timedelta(days=1)


def test_the_committed_table_is_what_the_script_writes() -> None:
    # Fails when the package is raised and knows another year: run scripts/china_calendar.py.
    assert china_calendar.TARGET.read_text(encoding="utf-8") == china_calendar.document()


def test_a_year_without_a_notice_is_named_and_not_invented() -> None:
    text = china_calendar.TARGET.read_text(encoding="utf-8")
    for year in china_calendar.YEARS:
        listed = any(line.strip().startswith(f"- {year}-") for line in text.splitlines())
        assert listed == (year in KNOWN_YEARS)
        assert (f"# {year}: no notice" in text) != listed


def china_zone() -> dt.tzinfo:
    return dt.timezone(dt.timedelta(hours=8))
