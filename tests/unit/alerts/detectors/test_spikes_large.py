"""What a large incident may not spoil: its own alert, and what is expected of all others."""

import random
from collections.abc import Iterator

import pytest

from alerts.decision import Decision
from alerts.detectors.spikes import SpikeConfig, SpikeDetector
from alerts.detectors.spikes.incidents import Incident
from schemas.events import Dims
from schemas.results import Observation
from tests.suites.spike_streams import Batch, run

START_MS = 1_794_067_200_000
MINUTE_MS = 60_000
RISE, END, LAST = 309, 359, 429  # minutes; orders are told up to 310 two minutes later
SHOPS = {"手机": ("s1", "s2"), "家电": ("s3", "s4"), "食品": ("s5", "s6")}


def stream(dimension: int, value: str, times: int, *, later: int | None = None, seed: int = 7) -> Iterator[Batch]:
    """Minutes of reviews, complaints and, every ten, orders by category; complaints of one value rise for a while."""
    chance = random.Random(seed)

    def drawn() -> Dims:
        category = chance.choice(list(SHOPS))
        tier = chance.choices(("普通", "银卡", "金卡"), (5, 3, 2))[0]
        channel, region = chance.choice(("app", "web")), chance.choice(("华东", "华南", "华北"))
        return category, channel, region, tier, chance.choice(SHOPS[category]), ""

    for minute in range(LAST):
        begin = START_MS + minute * MINUTE_MS
        batch = []
        size = 1 if not RISE <= minute < END else times if later is None or minute < RISE + 24 else later
        for number in range(20 * size):
            dims, at = drawn(), begin + chance.randrange(MINUTE_MS)
            if number < 20:
                batch.append(Observation("review", at, dims, 1, 0.02, False, "", f"r{minute}-{number}", ""))
            if number < 20 or dims[dimension] == value:
                at = begin + chance.randrange(MINUTE_MS)
                batch.append(Observation("complaint", at, dims, 1, 0.0, False, "", f"c{minute}-{number}", "坏了"))
        if minute % 10 == 2 and minute > 10:
            at = begin - 2 * MINUTE_MS
            for category in SHOPS:
                batch.append(Observation("orders", at, (category, "", "", "", "", ""), 7000, 0.0, False, "", "", ""))
        yield begin + MINUTE_MS - 1, batch


def told(decisions: list[Decision]) -> list[tuple[str, str, str]]:
    return [(one.state, one.labels["value"], one.reason) for one in decisions if one.state != "update"]


@pytest.mark.parametrize(("dimension", "value"), [(3, "普通"), (0, "手机")])
def test_it_stays_open_for_as_long_as_it_lasts_and_nothing_else_is_told(dimension: int, value: str) -> None:
    """Half of all complaints five times: neither growth of the volume nor two minutes' orders for half a minute."""
    decisions = run(SpikeDetector(SpikeConfig()), stream(dimension, value, 5))
    assert told(decisions) == [("raise", value, ""), ("clear", value, "")]
    ended = decisions[-1]
    assert END <= (ended.at - START_MS) / MINUTE_MS <= END + 20
    assert ended.evidence["count"] == pytest.approx(4.0 * ended.evidence["expected"], rel=0.3)  # 13 minutes after it


def test_it_grows_for_minutes_before_orders_tell_of_it_and_no_part_of_it_is_told() -> None:
    decisions = run(SpikeDetector(SpikeConfig()), stream(2, "华东", 2, later=9))
    assert told(decisions) == [("raise", "华东", ""), ("clear", "华东", "")]


def test_a_part_that_chance_showed_first_gives_way_when_the_next_one_shows() -> None:
    decisions = run(SpikeDetector(SpikeConfig()), stream(0, "手机", 4, seed=6))
    parts = [("raise", "手机|web", ""), ("raise", "手机", ""), ("clear", "手机|web", "folded"), ("clear", "手机", "")]
    assert told(decisions) == parts
    whole = next(one for one in decisions if one.labels["value"] == "手机")
    assert whole.at < START_MS + (RISE + 8) * MINUTE_MS
    assert whole.starts_at <= START_MS + (RISE + 2) * MINUTE_MS


def test_what_is_usual_of_its_shops_stays_what_it_was() -> None:
    """A category's complaints that are an incident's teach nothing of rates, but its shops have not become smaller."""
    detector = SpikeDetector(SpikeConfig())
    shares = {}
    for minute, (newest, batch) in enumerate(stream(0, "手机", 1)):
        detector.observe(batch)
        detector.advance(newest)
        phones = detector.table.ids(("手机", "app", "华东", "普通", "s1", ""))
        shares[minute] = detector.complaints.exposure.part(phones[5], 1)
        if minute == 240:
            began, ended = START_MS + 190 * MINUTE_MS, START_MS + 240 * MINUTE_MS
            detector.complaints.incidents.add(Incident(
                sid=phones[1], column=1, starts_at=began, raised_at=began, ratio=1.6, severity="warning", got=300.0,
                due=300.0, count=300.0, told_at=began, last_event=ended, ends_at=ended,
            ))  # fmt: skip
    assert detector.table.label(phones[5]) == {"dimension": "shop_id", "value": "s1"}
    assert shares[300] == pytest.approx(shares[229], rel=0.08)  # left out, it would have lost 14 %
