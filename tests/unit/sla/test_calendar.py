"""Calendars: what their YAML means (K1 to K3) and which mistakes are told (P3)."""

from datetime import datetime
from typing import Any

import pytest

from schemas.errors import ConfigError
from sla.calendar import ALWAYS, Calendar, load_calendars, parse_calendars

H = 3_600_000
CONTRACT = """
calendars:
  cn-office:
    timezone: Asia/Shanghai
    hours:
      mon-fri: 09:00-18:00
      sat: [09:00-12:00, 13:30-18:00]
    holidays: [2026-10-01..2026-10-07]
    workdays: [2026-09-20, 2026-10-10]
    special: {2026-11-01..2026-11-11: 08:00-24:00, 2026-11-13: closed}
"""


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def calendar(**definition: Any) -> Calendar:
    return parse_calendars({"c": definition}, source="")["c"]


@pytest.fixture(scope="module")
def office() -> Calendar:
    return load_calendars(CONTRACT, "cal.yaml")["cn-office"]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param("2026-09-14", 9, id="a-monday"),
        pytest.param("2026-09-19", 7.5, id="a-saturday-with-its-break"),
        pytest.param("2026-09-13", 0, id="a-sunday-is-closed-as-no-hours-name-it"),
        pytest.param("2026-10-01", 0, id="k1-holiday-before-weekly-hours"),
        pytest.param("2026-09-20", 9, id="k2-moved-sunday-has-mondays-hours"),
        pytest.param("2026-10-10", 9, id="k2-moved-saturday-has-mondays-hours-not-saturdays"),
        pytest.param("2026-11-01", 16, id="k1-special-sunday"),
        pytest.param("2026-11-11", 16, id="special-to-midnight"),
        pytest.param("2026-11-12", 9, id="the-day-after"),
        pytest.param("2026-11-13", 0, id="k1-special-closed"),
    ],
)
def test_hours_of_a_day(office: Calendar, day: str, hours: float) -> None:
    midnight = at(f"{day}T00:00:00+08:00")
    assert office.elapsed_ms(midnight, midnight + 24 * H) == hours * H


@pytest.mark.parametrize(
    ("more", "hours"),
    [
        ({"special": {"2026-10-05": "10:00-11:00"}}, 1),
        ({}, 9),
        ({"workdays": []}, 0),
    ],
    ids=["special-before-workdays", "workdays-before-holidays", "holidays-before-hours"],
)
def test_k1_precedence_on_one_date(more: dict[str, Any], hours: int) -> None:
    base = {"timezone": "UTC", "hours": {"mon-fri": "09:00-18:00"}, "holidays": ["2026-10-05"],
            "workdays": ["2026-10-05"]}  # fmt: skip
    midnight = at("2026-10-05T00:00:00Z")
    assert calendar(**(base | more)).elapsed_ms(midnight, midnight + 24 * H) == hours * H


def test_k2_the_first_day_of_the_week_that_has_hours() -> None:
    late = calendar(timezone="UTC", hours={"mon": "closed", "wed": "10:00-12:00", "thu": "08:00-20:00"},
                    workdays=["2026-10-03"])  # fmt: skip
    midnight = at("2026-10-03T00:00:00Z")
    assert late.elapsed_ms(midnight, midnight + 24 * H) == 2 * H


@pytest.mark.parametrize(
    ("zone", "hours", "start", "end", "elapsed"),
    [
        pytest.param("Europe/Berlin", "00:00-24:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25,
                     id="a-day-of-25-hours"),
        pytest.param("Europe/Berlin", "00:00-24:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23,
                     id="a-day-of-23-hours"),
        pytest.param("Europe/Berlin", "02:00-03:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 2,
                     id="the-repeated-hour-counts-twice"),
        pytest.param("Europe/Berlin", "02:00-03:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 0,
                     id="the-skipped-hour-not-at-all"),
        pytest.param("Europe/Berlin", "01:30-02:30", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 0.5,
                     id="a-span-that-ends-in-the-skipped-hour"),
        pytest.param("America/New_York", "01:30-03:00", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", 2,
                     id="a-span-that-begins-in-the-repeated-hour-is-open-twice"),
        pytest.param("America/St_Johns", "00:00-00:30", "2005-10-29T00:30:00-02:30", "2005-10-30T12:00:00-03:30",
                     31 / 60, id="clocks-put-back-over-midnight"),
        pytest.param("Pacific/Apia", "09:00-10:00", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", 2,
                     id="a-date-that-never-was"),
        pytest.param("Asia/Kathmandu", "10:00-11:00", "2026-05-05T10:15:00+05:45", "2026-05-05T10:30:00+05:45", 0.25,
                     id="an-offset-of-quarter-hours"),
    ],
)  # fmt: skip
def test_k3_open_when_the_wall_clock_says_so(zone: str, hours: str, start: str, end: str, elapsed: float) -> None:
    assert calendar(timezone=zone, hours={"mon-sun": hours}).elapsed_ms(at(start), at(end)) == round(elapsed * H)


def test_b1_the_target_is_reached_at_closing_time_not_at_the_next_opening(office: Calendar) -> None:
    assert office.instant_after(at("2026-09-14T16:00:00+08:00"), 2 * H) == at("2026-09-14T18:00:00+08:00")
    assert office.instant_after(at("2026-09-14T16:00:00+08:00"), 2 * H + 1) == at("2026-09-15T09:00:00.001+08:00")


def test_work_that_starts_outside_hours_waits_for_the_opening(office: Calendar) -> None:
    assert office.instant_after(at("2026-09-14T23:00:00+08:00"), H) == at("2026-09-15T10:00:00+08:00")


def test_no_minute_is_lost_at_midnight() -> None:
    full = calendar(timezone="Asia/Shanghai", hours={"mon-sun": "00:00-24:00"})
    start = at("2026-11-10T12:34:56.789+08:00")
    assert full.elapsed_ms(start, start + 777 * H + 1) == 777 * H + 1
    assert full.instant_after(start, 777 * H + 1) == start + 777 * H + 1


def test_a_range_of_days_may_run_over_the_weekend() -> None:
    weekend = calendar(timezone="UTC", hours={"fri-mon": "00:00-01:00"})
    monday = at("2026-09-14T00:00:00Z")
    assert weekend.elapsed_ms(monday, monday + 168 * H) == 4 * H


def test_overlapping_spans_count_once() -> None:
    double = calendar(timezone="UTC", hours={"mon": ["09:00-12:00", "11:00-13:00", "13:00-14:00"]})
    monday = at("2026-09-14T00:00:00Z")
    assert double.elapsed_ms(monday, monday + 24 * H) == 5 * H


def test_always_is_built_in() -> None:
    assert parse_calendars({}, source="") == {"always": ALWAYS}
    assert (ALWAYS.elapsed_ms(5, 9), ALWAYS.elapsed_ms(9, 5), ALWAYS.instant_after(5, 4)) == (4, 0, 9)


def test_the_version_follows_what_the_calendar_says_and_nothing_else() -> None:
    base: dict[str, Any] = {"timezone": "UTC", "hours": {"mon-fri": "09:00-18:00"}}
    spelled = {"timezone": "UTC", "hours": {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}
    versions = [calendar(**definition).version for definition in (
        base, spelled, base | {"timezone": "Europe/Berlin"}, base | {"holidays": ["2026-10-05"]},
    )]  # fmt: skip
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


MISTAKES: list[tuple[str, Any, list[str]]] = [
    ("no-mapping", [], ["calendars: [] is not a mapping of names to calendars"]),
    ("definition-no-mapping", {"c": 3},
     ["calendars.c: 3 is not a mapping with timezone, hours, holidays, workdays, special"]),
    ("always-is-taken", {"always": {}}, ["calendars.always: the name is taken, always is built in"]),
    ("unknown-key", {"c": {"timezone": "UTC", "hours": {}, "hour": 1}},
     ["calendars.c: hour is unknown, not one of timezone, hours, holidays, workdays, special"]),
    ("no-zone", {"c": {"hours": {}}}, ["calendars.c.timezone: nothing is not the name of an IANA time zone"]),
    *[(f"zone-{zone}", {"c": {"timezone": zone, "hours": {}}},
       [f"calendars.c.timezone: {zone} is not the name of an IANA time zone"])
      for zone in ("Mars/Phobos", "Europe", "../etc/passwd", "UTC+8")],
    ("no-hours", {"c": {"timezone": "UTC"}},
     ["calendars.c.hours: missing: a calendar needs hours, special or both"]),
    ("ends-earlier", {"c": {"timezone": "UTC", "hours": {"mon": "18:00-09:00"}}},
     ["calendars.c.hours.mon: 18:00-09:00 does not end later on the same day; a span over midnight is two"]),
    ("ends-at-its-start", {"c": {"timezone": "UTC", "hours": {"mon": "09:00-09:00"}}},
     ["calendars.c.hours.mon: 09:00-09:00 does not end later on the same day; a span over midnight is two"]),
    *[(f"span-{span}", {"c": {"timezone": "UTC", "hours": {"mon": span}}},
       [f"calendars.c.hours.mon: {span} is not HH:MM-HH:MM, a list of them, or closed"])
      for span in ("9-18", "09:00-24:01", "24:00-24:00", "09:60-10:00", "9:00-18:00", "open", False, 540)],
    ("day-twice", {"c": {"timezone": "UTC", "hours": {"mon-fri": "09:00-18:00", "fri": "closed"}}},
     ["calendars.c.hours.fri: fri is given twice"]),
    ("unknown-day", {"c": {"timezone": "UTC", "hours": {"monday": "closed"}}},
     ["calendars.c.hours.monday: monday is not a day or a range of days of mon, tue, wed, thu, fri, sat, sun"]),
    *[(f"date-{day}", {"c": {"timezone": "UTC", "hours": {}, "holidays": [day]}},
       [f"calendars.c.holidays: {day} is not a date YYYY-MM-DD or a range of two, A..B"])
      for day in ("2026-02-30", "20261001", 2026, "2026-10-01..", datetime(2026, 10, 1))],
    ("range-backwards", {"c": {"timezone": "UTC", "hours": {}, "workdays": ["2026-10-02..2026-10-01"]}},
     ["calendars.c.workdays: 2026-10-02..2026-10-01 ends before it begins"]),
    ("range-too-long", {"c": {"timezone": "UTC", "hours": {}, "holidays": ["2026-10-02..9026-10-01"]}},
     ["calendars.c.holidays: 2026-10-02..9026-10-01 is longer than a hundred years"]),
    ("special-twice", {"c": {"timezone": "UTC", "special": {"2026-10-01..2026-10-03": "closed",
                                                             "2026-10-02": "09:00-10:00"}}},
     ["calendars.c.special.2026-10-02: 2026-10-02 has other hours already"]),
    ("all-at-once", {"a": {"timezone": "X", "hours": {"mon": "1-2"}}, "b": 1},
     ["calendars.a.timezone: X is not the name of an IANA time zone",
      "calendars.a.hours.mon: 1-2 is not HH:MM-HH:MM, a list of them, or closed",
      "calendars.b: 1 is not a mapping with timezone, hours, holidays, workdays, special"]),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "mistakes"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_p3_every_mistake_is_told_with_its_place(raw: Any, mistakes: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_calendars(raw, source="")
    assert list(caught.value.mistakes) == mistakes


def test_anchors_may_share_lists_and_stand_in_lists() -> None:
    text = """
x-days: &days [2026-10-05, 2026-10-06..2026-10-07]
calendars:
  a: {timezone: UTC, hours: {mon-fri: 09:00-10:00}, holidays: *days}
  b: {timezone: UTC, hours: {mon-fri: 09:00-10:00}, holidays: [*days, 2026-10-08]}
"""
    loaded = load_calendars(text, "cal.yaml")
    monday = at("2026-10-05T00:00:00Z")
    assert [loaded[name].elapsed_ms(monday, monday + 168 * H) // H for name in "ab"] == [2, 1]


def test_a_calendar_file_has_calendars_and_nothing_else() -> None:
    with pytest.raises(ConfigError, match="calendar: unknown, not calendars"):
        load_calendars("calendar: {}\ncalendars: {}\n", "cal.yaml")
    with pytest.raises(ConfigError, match=r"cal\.yaml: nothing is not a mapping"):
        load_calendars("", "cal.yaml")
