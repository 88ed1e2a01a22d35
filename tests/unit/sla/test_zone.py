"""Stretches of one offset are what the zone's wall clock shows."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sla.zone import stretches

HOUR = 3_600_000


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Monrovia",
             "Pacific/Apia", "America/Caracas", "Asia/Pyongyang", "Antarctica/Troll", "Asia/Shanghai"],
)  # fmt: skip
@pytest.mark.parametrize("year", [1971, 1987, 2011, 2026])
def test_stretches_cover_the_year_with_the_offset_of_every_hour(name: str, year: int) -> None:
    zone = ZoneInfo(name)
    start = round(datetime(year, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp()) * 1000
    end = start + 365 * 24 * HOUR
    cut = list(stretches(zone, start, end))
    assert cut[0][0] == start
    assert cut[-1][1] == end
    assert all(before[1] == after[0] and before[2] != after[2] for before, after in pairwise(cut))
    places = iter(cut)
    place = next(places)
    for at in range(start, end, HOUR):
        while at >= place[1]:
            place = next(places)
        offset = datetime.fromtimestamp(at // 1000, zone).utcoffset()
        assert offset is not None
        assert place[2] == offset.total_seconds() * 1000
