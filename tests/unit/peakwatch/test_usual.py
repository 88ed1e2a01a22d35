"""What was usual before a spike, learnt anew from groups of rows: shrunk, by hour and level, by the slice's share."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from alerts.detectors.spikes.config import COMPLAINT, NEGATIVE
from peakwatch.explaining.usual import hours_of, of_complaints, of_reviews
from schemas.instants import parse_instant
from storage.past import Group

ODDS: Final = 4.0  # a judge that is nearly sure
ZONE_MS: Final = 8 * 3_600_000
PHONE: Final = {"category": "手机"}
EVENING: Final = 20


def reviews(share: float, *, count: float, match: tuple[int, ...] = (1,), hour: int = EVENING) -> Iterator[Group]:
    """So many reviews with so many negatives among them, none of them of late."""
    for odds, part in ((-ODDS, share), (ODDS, 1.0 - share)):
        yield Group(match, hour, odds, count * part, count * part, 0.0)


def share_of(*groups: Iterator[Group], hours: list[int] | None = None, parts: Mapping[str, str] = PHONE) -> Any:
    rows = [group for several in groups for group in several]
    return of_reviews(rows, parts, hours=hours or [EVENING], settings=NEGATIVE, prior=0.4)


def test_a_slice_that_is_well_known_is_what_its_rows_say() -> None:
    found = share_of(reviews(0.30, count=5_000), reviews(0.10, count=20_000, match=(0,)))
    assert found.rate == pytest.approx(0.30, rel=0.05)
    assert found.same_hours == pytest.approx(0.30, rel=0.05)
    assert found.trials == 5_000
    assert found.uncertainty < 0.01


def test_a_slice_that_is_hardly_known_is_what_the_stream_is() -> None:
    found = share_of(reviews(1.0, count=2), reviews(0.10, count=20_000, match=(0,)))
    assert 0.10 < found.rate < 0.16
    assert found.uncertainty > 0.2


def test_a_bad_hour_of_the_day_is_usual_in_that_hour_only() -> None:
    def rate(hour: int) -> float:
        worse = reviews(0.30, count=5_000, match=(0,), hour=EVENING)
        return float(share_of(worse, reviews(0.10, count=50_000, match=(0,), hour=9), hours=[hour]).rate)

    assert rate(9) == pytest.approx(0.10, rel=0.1)
    assert rate(EVENING) > 0.22


def test_what_the_last_hours_brought_moves_the_level() -> None:
    before = list(reviews(0.10, count=50_000, match=(0,)))
    late = [group._replace(level=group.long) for group in reviews(0.20, count=3_000, match=(0,))]
    found = of_reviews([*before, *late], PHONE, hours=[EVENING], settings=NEGATIVE, prior=0.4)
    assert found is not None
    assert found.rate > 0.14


def test_a_joined_slice_is_first_what_each_of_its_values_is() -> None:
    joined = {"category": "手机", "region": "华东"}
    found = share_of(
        reviews(0.30, count=5_000, match=(1, 0)), reviews(0.10, count=20_000, match=(0, 0)),
        reviews(0.10, count=5_000, match=(0, 1)), parts=joined,
    )  # fmt: skip
    assert found.rate == pytest.approx(0.30, rel=0.1)
    assert found.trials == 0


def test_nothing_stored_is_nothing_usual() -> None:
    assert share_of() is None


def complaints_of(**given: Any) -> Any:
    since = {"since_ms": 0, "until_ms": 86_400_000, "zone_ms": ZONE_MS}
    return of_complaints(given["complaints"], given["orders"], PHONE, hours=[EVENING], settings=COMPLAINT, **since)


def group(count: float, *, match: int) -> Group:
    return Group((match,), EVENING, 0.0, count, count, 0.0)


def test_complaints_are_counted_to_the_orders_of_the_slice() -> None:
    complaints, orders = [group(400, match=1), group(100, match=0)], [group(10_000, match=1), group(10_000, match=0)]
    found, told = complaints_of(complaints=complaints, orders=orders)
    assert told == PHONE
    assert (found.rate, found.share) == (pytest.approx(0.04, rel=0.05), 1.0)


def test_where_orders_do_not_tell_the_slice_it_has_its_part_of_all_complaints() -> None:
    complaints, orders = [group(400, match=1), group(100, match=0)], [group(20_000, match=-1)]
    found, told = complaints_of(complaints=complaints, orders=orders)
    assert told == {}
    assert (found.rate, found.share) == (pytest.approx(0.025, rel=0.05), pytest.approx(0.8, rel=0.01))


def test_without_orders_a_minute_is_one() -> None:
    thursday = []
    for age in range(24):  # two a minute, one of them in the slice
        hour, count = (8 - age) % 24, 60.0
        faded = count * 0.5 ** ((age + 0.5) / 72), count * 0.5 ** ((age + 0.5) / 3)
        thursday += [Group((match,), hour, 0.0, count, *faded) for match in (0, 1)]
    found, told = complaints_of(complaints=thursday, orders=[])
    assert told is None
    assert found.share == pytest.approx(0.5, rel=0.01)
    assert found.rate == pytest.approx(2.0, rel=0.05)


def test_the_hours_of_a_run_are_local_and_those_of_weekends_their_own() -> None:
    friday, saturday = parse_instant("2026-11-13T23:50:00+08:00"), parse_instant("2026-11-14T00:10:00+08:00")
    assert hours_of(friday, saturday, zone_ms=ZONE_MS) == [23, 24]
    assert hours_of(friday, friday, zone_ms=ZONE_MS) == [23]
