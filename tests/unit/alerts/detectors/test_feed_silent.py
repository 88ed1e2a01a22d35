"""A feed is silent when its own learnt cadence says so, and only then."""

import math
import random
from collections import Counter

import msgspec
import pytest

from alerts.decision import Decision
from alerts.detectors.cadence import new_cadence
from alerts.detectors.feed_silent import FeedSilentDetector
from schemas.results import PANE_MS
from schemas.rules import parse_rules
from schemas.zones import DEFAULT_ZONE

T0 = 1_793_980_800_000  # 2026-11-07T00:00:00+08:00, a Saturday
M = 60_000
H = 60 * M
DAY = 24 * H
RULES = parse_rules([{"name": "feed-silent", "kind": "feed_silent"}], source="r")

# topic, channel -> events a minute
Rates = dict[tuple[str, str], float]
SHOP: Rates = {("reviews", "app"): 12.0, ("reviews", "web"): 4.0, ("tickets", "chat"): 6.0}


class Stream:
    """A seeded stream of panes, fed to a detector."""

    def __init__(self, rates: Rates, *, seed: int = 1, detector: FeedSilentDetector | None = None) -> None:
        self.detector = detector or FeedSilentDetector(RULES)
        self.rates = rates
        self.now = T0
        self.random = random.Random(seed)

    def run(self, length_ms: int, *, without: tuple[tuple[str, str], ...] = (), times: float = 1.0) -> list[Decision]:
        out: list[Decision] = []
        for _ in range(length_ms // PANE_MS):
            counts: Counter[tuple[str, str, int]] = Counter()
            for (topic, channel), rate in self.rates.items():
                count = self.poisson(rate * times / 6)
                if count and (topic, channel) not in without:
                    counts[topic, channel, self.now // PANE_MS] = count
            self.now += PANE_MS
            out += self.detector.feed(counts)
            out += self.detector.advance(self.now)
        return out

    def poisson(self, mean: float) -> int:
        limit, product, count = math.exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            count += 1
        return count


def named(decisions: list[Decision]) -> list[tuple[str, str, str]]:
    return [(one.state, one.labels["topic"], one.labels["channel"]) for one in decisions]


def test_a_busy_feed_that_stops_is_an_alarm_within_minutes_and_clears_when_it_speaks() -> None:
    stream = Stream(SHOP)
    assert stream.run(4 * H) == []
    stopped_at = stream.now
    (alarm,) = stream.run(20 * M, without=(("reviews", "app"),))
    assert named([alarm]) == [("raise", "reviews", "app")]
    assert alarm.starts_at <= stopped_at
    assert alarm.at - stopped_at <= 5 * M
    assert alarm.evidence["expected"] > 30
    assert stream.detector.coverage().share == pytest.approx(2 / 3)
    (over,) = stream.run(5 * M)
    assert named([over]) == [("clear", "reviews", "app")]
    assert stream.detector.coverage().share == 1.0


def test_a_slow_feed_is_given_the_time_that_its_cadence_asks_for() -> None:
    stream = Stream({("reviews", "app"): 12.0, ("reviews", "forum"): 0.5})
    assert stream.run(24 * H) == []
    stopped_at = stream.now
    (alarm,) = stream.run(3 * H, without=(("reviews", "forum"),))
    assert 15 * M < alarm.at - stopped_at < 2 * H


def test_an_empty_baseline_is_no_alarm() -> None:
    stream = Stream(SHOP)
    stream.run(90 * M)
    assert stream.run(60 * M, without=(("reviews", "app"),)) == []


def test_a_rate_that_falls_is_no_silence() -> None:
    stream = Stream(SHOP)
    stream.run(3 * H, times=10.0)  # a promotion, and then an ordinary night
    assert stream.run(6 * H, times=0.5) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_ordinary_day_is_no_alarm(seed: int) -> None:
    assert Stream(SHOP, seed=seed).run(DAY) == []


def test_a_topic_that_is_silent_as_a_whole_is_one_alarm() -> None:
    stream = Stream(SHOP)
    stream.run(4 * H)
    alarms = stream.run(30 * M, without=(("reviews", "app"), ("reviews", "web")))
    assert [one for one in named(alarms) if one[0] == "raise"] == [("raise", "reviews", "*")]
    assert stream.detector.coverage().silent == (("reviews", "app"), ("reviews", "web"))


@pytest.mark.parametrize(
    ("feed", "inhibits"),
    [
        pytest.param(("reviews", "app"), [{"kind": "negative_spike", "channel": "app"}], id="reviews"),
        pytest.param(("complaints", "phone"), [{"kind": "complaint_spike", "channel": "phone"}], id="complaints"),
        pytest.param(("orders", "app"), [{"kind": "complaint_spike"}], id="most-orders"),
        pytest.param(("orders", "store"), [{"kind": "complaint_spike", "channel": "store"}], id="few-orders"),
        pytest.param(("tickets", "chat"), [], id="tickets"),
    ],
)
def test_an_alarm_names_the_spikes_that_rest_on_the_feed(feed: tuple[str, str], inhibits: list[dict[str, str]]) -> None:
    rates = SHOP | {("complaints", "phone"): 6.0, ("complaints", "weibo"): 6.0, ("orders", "app"): 40.0,
                    ("orders", "store"): 5.0}  # fmt: skip
    stream = Stream(rates)
    stream.run(4 * H)
    (alarm,) = stream.run(20 * M, without=(feed,))
    assert alarm.evidence["inhibits"] == inhibits


@pytest.mark.parametrize("end", [30 * M, 3 * DAY], ids=["half-an-hour", "three-days"])
def test_what_is_told_does_not_depend_on_the_ticks(end: int) -> None:
    def run(ticks: list[int]) -> list[tuple[str, str, str, str, int]]:
        stream = Stream(SHOP)
        stream.run(4 * H)
        found = [decision for tick in ticks for decision in stream.detector.advance(stream.now + tick)]
        return [(one.state, one.labels["topic"], one.labels["channel"], one.reason, one.at) for one in found]

    fine = [tick * PANE_MS for tick in range(1, 200)]
    assert run([end]) == run([*fine, M, end, end]) != []


def test_rules_choose_topics_and_channels() -> None:
    rules = parse_rules(
        [{"name": "f", "kind": "feed_silent", "topics": ["reviews"], "match": {"channel": "web"}}], source="r"
    )
    stream = Stream(SHOP, detector=FeedSilentDetector(rules))
    stream.run(4 * H)
    assert stream.run(20 * M, without=(("reviews", "app"), ("tickets", "chat"))) == []


def test_a_feed_that_stays_away_is_given_up() -> None:
    stream = Stream({("reviews", "app"): 3.0, ("reviews", "web"): 3.0})
    stream.run(4 * H)
    out = stream.run(49 * H, without=(("reviews", "app"),))
    assert [(one.state, one.reason) for one in out if one.labels["channel"] == "app"] == [
        ("raise", ""), ("clear", "retired"),
    ]  # fmt: skip
    assert stream.detector.coverage().share == 1.0


def test_state_survives_a_restart() -> None:
    stream = Stream(SHOP)
    stream.run(4 * H)
    stream.run(10 * M, without=(("reviews", "app"),))
    second = FeedSilentDetector(RULES)
    second.load(msgspec.msgpack.decode(msgspec.msgpack.encode(stream.detector.dump())))
    assert second.dump() == stream.detector.dump()
    counts = {("reviews", "app", stream.now // PANE_MS): 1}
    assert second.feed(counts) == stream.detector.feed(counts) != []


def test_hours_are_learnt_apart() -> None:
    cadence = new_cadence(T0)
    for day in range(4):
        for minute in range(24 * 60):
            by_day = 8 <= minute // 60 < 22
            if by_day or minute % 20 == 0:
                at = T0 + day * DAY + minute * M
                cadence.seen(at + PANE_MS, 4 if by_day else 1, zone=DEFAULT_ZONE)
    # Half an hour of silence after the last event of the fourth day: nothing at night.
    assert cadence.oddness(cadence.last_at + 30 * M, zone=DEFAULT_ZONE) > 0.01
    for minute in range(10 * 60):
        by_day = minute >= 8 * 60
        if by_day or minute % 20 == 0:
            cadence.seen(T0 + 4 * DAY + minute * M + PANE_MS, 4 if by_day else 1, zone=DEFAULT_ZONE)
    assert cadence.oddness(cadence.last_at + 30 * M, zone=DEFAULT_ZONE) < 1e-9


def test_events_in_clusters_count_less() -> None:
    even, clustered = new_cadence(T0), new_cadence(T0)
    for minute in range(24 * 60):
        even.seen(T0 + minute * M + PANE_MS, 2, zone=DEFAULT_ZONE)
        if minute % 10 == 0:
            clustered.seen(T0 + minute * M + PANE_MS, 20, zone=DEFAULT_ZONE)
    silent = 20 * M
    assert clustered.oddness(clustered.last_at + silent, zone=DEFAULT_ZONE) > 1e-4
    assert even.oddness(even.last_at + silent, zone=DEFAULT_ZONE) < 1e-9
