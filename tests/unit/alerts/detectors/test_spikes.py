"""What must hold of spike detection, on small seeded streams."""

import random
from collections.abc import Iterator

import pytest

from alerts.decision import Decision
from alerts.detectors.spikes import NEGATIVE, SpikeConfig, SpikeDetector
from schemas.errors import ConfigError
from schemas.results import Observation
from tests.suites.spike_streams import Batch, run

START_MS = 1_794_067_200_000
MINUTE_MS = 60_000


def stream(
    minutes: int, *, seed: int = 1, spike: tuple[int, int, float] | None = None, complaint_spike: bool = False,
    volume: float = 1.0, orders: bool = True,
) -> Iterator[Batch]:  # fmt: skip
    """Batches of ten seconds: about 5 reviews each, a complaint now and then; a spike in 手机 from minute to minute."""
    chance = random.Random(seed)
    for pane in range(minutes * 6):
        at = START_MS + pane * 10_000
        minute = pane // 6
        batch = []
        for _ in range(int(5 * volume)):
            category = chance.choice(["手机", "服饰", "家电", "食品"])
            channel, region = chance.choice(["app", "web", "wechat"]), chance.choice(["华东", "华南", "华北"])
            dims = (category, channel, region, "", "", f"{category}-{chance.randrange(20)}")
            on = spike is not None and spike[0] <= minute < spike[1] and category == "手机"
            factor = spike[2] if on and spike else 1.0
            negative = chance.random() < 0.12 * (1.0 if complaint_spike else factor)
            score = chance.uniform(0.85, 1.0) if negative else chance.uniform(0.0, 0.1)
            moment, who = at + chance.randrange(10_000), f"c{chance.randrange(10**9)}"
            text = "质量太差" if negative else ""
            batch.append(Observation("review", moment, dims, 1, score, negative, who, f"r{pane}", text))
            if chance.random() < 0.08 * (factor if complaint_spike else 1.0):
                who = f"k{chance.randrange(10**9)}"
                batch.append(Observation("complaint", at, dims, 1, 0.0, False, who, f"c{pane}", "投诉"))
        if orders and pane % 6 == 0 and pane >= 12:
            for category in ("手机", "服饰", "家电", "食品"):
                told = (category, "", "", "", "", "")
                batch.append(Observation("orders", at - 60_000, told, int(75 * volume), 0.0, False, "", "", ""))
        yield at + 9_999, batch


def raised(decisions: list[Decision]) -> list[Decision]:
    return [one for one in decisions if one.state == "raise"]


def test_a_spike_is_named_once_by_its_slice_and_cleared_after_it() -> None:
    decisions = run(SpikeDetector(SpikeConfig()), stream(270, spike=(200, 240, 4.0)))
    (alert,) = raised(decisions)
    assert alert.kind == "negative_spike"
    assert alert.labels == {"dimension": "category", "value": "手机"}
    assert START_MS + 200 * MINUTE_MS < alert.at < START_MS + 215 * MINUTE_MS
    assert abs(alert.starts_at - START_MS - 200 * MINUTE_MS) < 5 * MINUTE_MS
    assert alert.value is not None
    assert alert.baseline is not None
    assert alert.value > 2 * alert.baseline
    cleared = [one for one in decisions if one.state == "clear"]
    assert [one.labels for one in cleared] == [alert.labels]
    assert START_MS + 240 * MINUTE_MS < cleared[0].at < START_MS + 270 * MINUTE_MS


def test_what_the_stream_asked_for_is_told_as_it_was_when_the_alert_was_raised() -> None:
    """The alert itself makes the next one less of a surprise; its own threshold does not change by that."""
    decisions = run(SpikeDetector(SpikeConfig()), stream(270, spike=(200, 240, 4.0)))
    (alert,) = raised(decisions)
    later = [one.evidence["stream_nats"] for one in decisions if one.state in ("update", "clear")]
    assert alert.evidence["stream_nats"] == NEGATIVE.calm
    assert set(later) == {NEGATIVE.calm}


def test_the_next_incident_of_a_slice_is_told_with_its_own_start() -> None:
    first, second = stream(235, spike=(200, 230, 4.0)), stream(290, seed=2, spike=(245, 290, 4.0))
    batches = [*first, *[(newest, batch) for newest, batch in second if newest >= START_MS + 235 * MINUTE_MS]]
    alerts = raised(run(SpikeDetector(SpikeConfig()), iter(batches)))
    assert [one.labels["value"] for one in alerts] == ["手机", "手机"]
    assert abs(alerts[1].starts_at - START_MS - 245 * MINUTE_MS) < 5 * MINUTE_MS


def test_evidence_lets_somebody_act() -> None:
    (alert,) = raised(run(SpikeDetector(SpikeConfig()), stream(240, spike=(200, 240, 4.0))))
    told = alert.evidence
    assert told["negative"] <= told["count"]
    assert told["ratio"] > 1.4
    assert 0 < len(told["sample_event_ids"]) <= 5
    assert told["texts"] == ["质量太差"]
    assert 0 < len(told["sample_texts"]) <= 50
    assert all(set(one) >= {"dimension", "value", "share_of_excess"} for one in told["contributions"])


@pytest.mark.parametrize("orders", [True, False], ids=["per-order", "per-time"])
def test_complaints_rise_is_found(orders: bool) -> None:
    batches = stream(260, spike=(200, 250, 5.0), complaint_spike=True, orders=orders)
    found = raised(run(SpikeDetector(SpikeConfig()), batches))
    assert [(one.kind, one.labels["value"]) for one in found] == [("complaint_spike", "手机")]


def test_complaints_that_come_minutes_after_the_orders_do_not_end_an_incident() -> None:
    def in_lumps() -> Iterator[Batch]:
        held: list[Observation] = []
        for newest, batch in stream(240, spike=(200, 240, 5.0), complaint_spike=True):
            mine = [one for one in batch if one.kind == "complaint"]
            held += mine
            others = [one for one in batch if one.kind != "complaint"]
            lump, held = (held, []) if newest // 10_000 % 24 == 0 else ([], held)
            yield newest, others + lump

    decisions = [one for one in run(SpikeDetector(SpikeConfig()), in_lumps()) if one.kind == "complaint_spike"]
    assert len(raised(decisions)) == 1
    assert [one.at for one in decisions if one.state == "clear"] == []


def test_complaints_without_their_orders_wake_nobody() -> None:
    """All but the complaints is hours behind, and the evening brings three times as many: nobody knows of what."""
    behind_from = START_MS + 200 * MINUTE_MS

    def others_behind(*, evening: int) -> Iterator[Batch]:
        usual, busy = stream(420, complaint_spike=True), stream(420, complaint_spike=True, volume=3.0)
        for (newest, batch), (_, more) in zip(usual, busy, strict=True):
            late = newest >= START_MS + evening * MINUTE_MS
            yield newest, [one for one in (more if late else batch) if one.kind == "complaint" or one.at < behind_from]

    assert raised(run(SpikeDetector(SpikeConfig()), others_behind(evening=280))) == []


def test_first_hour_without_any_baseline_wakes_nobody() -> None:
    for seed in range(3):
        assert raised(run(SpikeDetector(SpikeConfig()), stream(60, seed=seed))) == []


def test_more_of_everything_wakes_nobody() -> None:
    detector = SpikeDetector(SpikeConfig())
    calm = list(stream(150))
    loud = [
        (newest + 150 * MINUTE_MS, [one._replace(at=one.at + 150 * MINUTE_MS) for one in batch])
        for newest, batch in stream(40, seed=2, volume=6.0)
    ]
    assert raised(run(detector, iter(calm + loud))) == []


def test_five_related_negatives_of_one_product_are_no_incident() -> None:
    detector = SpikeDetector(SpikeConfig())
    batches = list(stream(200))
    newest, batch = batches[1000]
    dims = ("食品", "app", "华东", "", "", "食品-1")
    for one in range(5):
        batch.append(Observation("review", newest - one, dims, 1, 0.99, True, f"b{one}", f"b{one}", "坏的"))
    assert raised(run(detector, iter(batches))) == []


def test_one_customers_anger_counts_once() -> None:
    detector = SpikeDetector(SpikeConfig())
    batches = list(stream(200))
    dims = ("食品", "app", "华东", "", "", "食品-1")
    for pane in range(900, 960):
        newest, batch = batches[pane]
        batch.append(Observation("review", newest, dims, 1, 0.99, True, "angry", f"a{pane}", "坏的"))
    assert raised(run(detector, iter(batches))) == []


def test_a_restart_from_the_dump_decides_the_same() -> None:
    batches = list(stream(240, spike=(200, 240, 4.0)))
    whole = run(SpikeDetector(SpikeConfig()), iter(batches))
    first, second = SpikeDetector(SpikeConfig()), SpikeDetector(SpikeConfig())
    before = run(first, iter(batches[:1230]))
    second.load(first.dump())
    assert second.dump() == first.dump()
    assert before + run(second, iter(batches[1230:])) == whole
    assert raised(whole)


def test_a_tick_twice_or_back_changes_nothing() -> None:
    detector = SpikeDetector(SpikeConfig())
    run(detector, stream(10))
    before = detector.dump()
    assert detector.advance(START_MS + 5 * MINUTE_MS) == []
    assert detector.dump() == before


def test_an_absent_value_is_never_named() -> None:
    for alert in raised(run(SpikeDetector(SpikeConfig()), stream(240, spike=(200, 240, 4.0)))):
        assert alert.labels["value"] != ""


def test_all_mistakes_of_the_settings_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        SpikeConfig(dimensions=("colour", "region", "region"))
    assert len(caught.value.mistakes) == 2
