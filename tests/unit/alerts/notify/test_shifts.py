"""Who is on call."""

import pytest

from alerts.notify.shifts import on_call
from schemas.instants import parse_instant
from schemas.notify import Override, Roster, Rotation

DAY, HOUR = 86_400_000, 3_600_000
MONDAY = parse_instant("2026-11-02T00:00:00Z")  # as a wall clock

DAILY = Rotation(people=("a", "b", "c"), start_wall=MONDAY + 9 * HOUR, every_ms=DAY)
NIGHTS = Rotation(people=("n", "m"), start_wall=MONDAY + 21 * HOUR, every_ms=DAY, minutes=(21 * 60, 9 * 60))
WEEKEND = Rotation(
    people=("w",), start_wall=MONDAY, every_ms=DAY, minutes=(9 * 60, 18 * 60), weekdays=frozenset({5, 6})
)


@pytest.mark.parametrize(
    ("rotation", "at", "who"),
    [
        pytest.param(DAILY, "2026-11-02T08:59:59+08:00", (), id="before it begins"),
        pytest.param(DAILY, "2026-11-02T09:00:00+08:00", ("a",), id="the first"),
        pytest.param(DAILY, "2026-11-03T08:59:59+08:00", ("a",), id="to the last second"),
        pytest.param(DAILY, "2026-11-03T09:00:00+08:00", ("b",), id="handover"),
        pytest.param(DAILY, "2026-11-05T12:00:00+08:00", ("a",), id="round again"),
        pytest.param(NIGHTS, "2026-11-02T20:59:00+08:00", (), id="night: not yet"),
        pytest.param(NIGHTS, "2026-11-02T21:00:00+08:00", ("n",), id="night: begins"),
        pytest.param(NIGHTS, "2026-11-03T08:59:00+08:00", ("n",), id="night: the same person until morning"),
        pytest.param(NIGHTS, "2026-11-03T09:00:00+08:00", (), id="night: over"),
        pytest.param(NIGHTS, "2026-11-03T21:00:00+08:00", ("m",), id="night: the next"),
        pytest.param(NIGHTS, "2026-11-02T03:00:00+08:00", (), id="night: the one before the first is nobody's"),
        pytest.param(WEEKEND, "2026-11-06T12:00:00+08:00", (), id="friday"),
        pytest.param(WEEKEND, "2026-11-07T12:00:00+08:00", ("w",), id="saturday"),
    ],
)
def test_a_turn_belongs_to_one(rotation: Rotation, at: str, who: tuple[str, ...]) -> None:
    assert on_call(Roster(name="r", rotations=(rotation,)), parse_instant(at)) == who


def test_an_override_stands_in_and_the_later_written_wins() -> None:
    start, end = parse_instant("2026-11-10T20:00:00+08:00"), parse_instant("2026-11-11T08:00:00+08:00")
    first = Override(people=("x",), start_ms=start, end_ms=end)
    overrides = (first, Override(people=("y",), start_ms=start, end_ms=start + 1))
    roster = Roster(name="r", rotations=(DAILY,), overrides=overrides)
    assert [on_call(roster, at) for at in (start, start + 1, end)] == [("y",), ("x",), ("c",)]


def test_a_handover_is_at_one_wall_clock_time_when_the_clock_changes() -> None:
    sunday = parse_instant("2026-03-28T00:00:00Z")
    rotation = Rotation(people=("a", "b"), start_wall=sunday + 9 * HOUR, every_ms=DAY)
    roster = Roster(name="r", timezone="Europe/Berlin", rotations=(rotation,))
    found = [on_call(roster, parse_instant(at)) for at in ("2026-03-29T08:59:59+02:00", "2026-03-29T09:00:00+02:00")]
    assert found == [("a",), ("b",)]
