"""`elapsed_ms` and `instant_after` are inverse, whatever the zone, the hours and the year."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.calendar import Calendar, parse_calendars
from tests.unit.sla.nasty import CALENDARS

MAX_MS = 253_402_300_799_999
NAMES = sorted(CALENDARS)
PARSED = parse_calendars(CALENDARS, source="")

near = st.integers(1_767_000_000_000, 1_830_000_000_000)
far = st.integers(0, 4_000_000_000_000)
instants = st.one_of(near, near, far)
work = st.one_of(st.integers(1, 200 * 3_600_000), st.integers(1, 40 * 3600).map(lambda seconds: seconds * 1000))


@given(st.sampled_from(NAMES), instants, work)
@settings(max_examples=400, deadline=None)
def test_instant_after_is_the_earliest_instant_at_which_the_work_is_done(name: str, start: int, wanted: int) -> None:
    calendar = PARSED[name]
    reached = calendar.instant_after(start, wanted)
    assert reached is not None
    assert calendar.elapsed_ms(start, reached) == wanted
    assert calendar.elapsed_ms(start, reached - 1) == wanted - 1


@given(st.sampled_from(NAMES), instants, instants, instants)
@settings(max_examples=150, deadline=None)
def test_elapsed_adds_up_and_never_exceeds_real_time(name: str, a: int, b: int, c: int) -> None:
    calendar = PARSED[name]
    first, middle, last = sorted((a, b, c))
    parts = calendar.elapsed_ms(first, middle) + calendar.elapsed_ms(middle, last)
    assert parts == calendar.elapsed_ms(first, last)
    assert 0 <= parts <= last - first


@given(
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/Santiago", "Africa/Casablanca", "Asia/Tehran"]),
    st.dictionaries(
        st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
        st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda span: span[0] < span[1]),
                 min_size=1, max_size=3),
        min_size=1,
    ),
    instants,
    work,
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_hours_are_inverse(zone: str, week: dict[str, list[tuple[int, int]]], start: int, wanted: int) -> None:
    hours = {day: [f"{_clock(opens)}-{_clock(closes)}" for opens, closes in spans] for day, spans in week.items()}
    calendar = parse_calendars({"c": {"timezone": zone, "hours": hours}}, source="")["c"]
    reached = calendar.instant_after(start, wanted)
    assert reached is not None
    assert calendar.elapsed_ms(start, reached) == wanted
    assert calendar.elapsed_ms(start, reached - 1) == wanted - 1


@pytest.mark.parametrize(
    "definition",
    [{"hours": {}}, {"hours": {"mon-sun": "closed"}}, {"special": {"2026-01-05": "09:00-10:00"}}],
    ids=["no-hours", "closed", "one-day"],
)
def test_work_that_is_never_done_has_no_instant(definition: dict[str, Any]) -> None:
    calendar = parse_calendars({"c": {"timezone": "Asia/Shanghai", **definition}}, source="")["c"]
    assert calendar.instant_after(1_767_000_000_000, 3_600_001) is None
    assert calendar.elapsed_ms(0, MAX_MS) in (0, 3_600_000)


def test_the_ends_of_time_are_within_reach() -> None:
    calendar: Calendar = PARSED["berlin-day"]
    whole = calendar.elapsed_ms(0, MAX_MS)
    assert whole == calendar.elapsed_ms(0, 10**14) + calendar.elapsed_ms(10**14, MAX_MS)
    assert calendar.instant_after(MAX_MS, 10**11) is None
    reached = calendar.instant_after(0, whole)
    assert reached is not None
    assert calendar.elapsed_ms(0, reached) == whole


def test_far_years_repeat_as_the_zone_does() -> None:
    calendar: Calendar = PARSED["new-york"]
    start = 4_133_980_800_000  # 2101-01-01
    four_centuries = 146_097 * 86_400_000
    near_work = calendar.elapsed_ms(start, start + four_centuries)
    assert near_work == calendar.elapsed_ms(start + four_centuries, start + 2 * four_centuries)
    by_year = sum(calendar.elapsed_ms(start + day * 86_400_000, start + (day + 1) * 86_400_000)
                  for day in range(365))  # fmt: skip
    assert by_year == calendar.elapsed_ms(start, start + 365 * 86_400_000)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
