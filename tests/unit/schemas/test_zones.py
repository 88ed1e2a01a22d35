"""Wall clocks of zones, also where the clock changes."""

import pytest

from schemas.instants import parse_instant
from schemas.strict import Mistakes, Node
from schemas.zones import hour_of_week, instant_of_wall, read_wall, wall_ms


@pytest.mark.parametrize(
    ("at", "zone", "hour"),
    [
        pytest.param("2026-11-09T00:00:00+08:00", "Asia/Shanghai", 0, id="monday-begins"),
        pytest.param("2026-11-08T23:59:59+08:00", "Asia/Shanghai", 167, id="sunday-ends"),
        pytest.param("2026-11-08T23:59:59+08:00", "UTC", 6 * 24 + 15, id="another-zone"),
        pytest.param("1970-01-01T00:00:00Z", "UTC", 3 * 24, id="the-epoch-was-a-thursday"),
    ],
)
def test_hours_of_the_week_are_local(at: str, zone: str, hour: int) -> None:
    assert hour_of_week(zone, parse_instant(at)) == hour


@pytest.mark.parametrize(
    ("wall", "zone", "at"),
    [
        pytest.param("2026-11-11", "Asia/Shanghai", "2026-11-10T16:00:00Z", id="china"),
        pytest.param("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z", id="repeated-hour-first"),
        pytest.param("2026-03-29T03:30", "Europe/Berlin", "2026-03-29T01:30:00Z", id="after-the-change"),
        pytest.param("2026-03-29T01:30", "Europe/Berlin", "2026-03-29T00:30:00Z", id="before-the-change"),
    ],
)
def test_a_wall_clock_has_its_instant(wall: str, zone: str, at: str) -> None:
    mistakes = Mistakes("f")
    local = read_wall(Node(wall, "from", mistakes))
    mistakes.stop()
    assert instant_of_wall(zone, local) == parse_instant(at)
    assert wall_ms(zone, parse_instant(at)) == local
