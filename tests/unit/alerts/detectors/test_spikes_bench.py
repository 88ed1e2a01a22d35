"""The benchmark of spike detection must not rot: once, small; and its ruler must be straight."""

import json

import numpy as np
import pytest

from alerts.detectors.spikes import SpikeConfig
from bench.alerts import ours, rivals
from bench.alerts.generate import REVIEW, Stream, make
from bench.alerts.observe import observations, simulated_negativity
from bench.alerts.score import Fired, score
from bench.alerts.truth import Incident, detectable_at
from bench.alerts.world import Plan

PLAN = Plan(
    seed=5, days=0.25, reviews=4000, complaints=800, incidents=3, batches=2, orders_by=("category",), products=50
)


@pytest.fixture(scope="module")
def stream() -> Stream:
    return make(PLAN)


def test_the_same_seed_gives_the_same_stream(stream: Stream) -> None:
    again = make(PLAN)
    assert np.array_equal(again.arrival, stream.arrival)
    assert np.array_equal(again.negative, stream.negative)
    assert again.incidents == stream.incidents


def test_ours_and_the_rivals_run_over_it(stream: Stream) -> None:
    negativity = simulated_negativity(stream)
    fired, _, _ = ours.run(stream, negativity, SpikeConfig())
    assert score(stream, fired).days == PLAN.days
    assert set(rivals.run(observations(stream, negativity), stream.plan)) == set(rivals.RIVALS)


def test_duplicates_and_late_events_reach_nobody(stream: Stream) -> None:
    seen = [one.sample for _, batch in observations(stream, simulated_negativity(stream)) for one in batch]
    assert len(seen) == len(set(seen))
    assert len(set(stream.number.tolist())) < len(stream.number)


def test_twelve_nats_come_with_the_hits_and_not_without() -> None:
    one = Incident("review", (("category", 0),), 0.0, 1000.0, 4.0, 0.0)
    seconds, rates = np.arange(100.0), np.full(100, 0.1)
    reached = detectable_at(one, seconds, rates, np.ones(100))
    assert reached == 8.0  # the ninth hit: 8 x log 4 are 11.1 nats, 9 x log 4 are 12.5
    assert detectable_at(one, seconds, rates, np.zeros(100)) is None


@pytest.mark.parametrize(
    ("dimension", "value", "after_s", "kind", "right"),
    [
        ("region", "华东", 60.0, "review", True),
        ("category+region", "手机|华东", 60.0, "review", True),
        ("all", "", 60.0, "review", True),
        ("region", "华南", 60.0, "review", False),
        ("channel", "app", 60.0, "review", False),
        ("region", "华东", 60.0, "complaint", False),
        ("region", "华东", -120.0, "review", False),
        ("region", "华东", 3000.0, "review", False),
    ],
    ids=["same", "within", "around", "other-value", "other-dimension", "other-kind", "too-early", "too-late"],
)
def test_an_alert_matches_by_slice_kind_and_time(
    stream: Stream, dimension: str, value: str, after_s: float, kind: str, right: bool
) -> None:
    incident = Incident("review", (("region", 0),), 3600.0, 5400.0, 3.0, 0.0)
    ruled = Stream(**{**stream.__dict__, "incidents": [incident], "detectable": [3700.0]})
    found = score(ruled, [Fired(kind, dimension, value, 3600.0 + after_s)])
    assert (found.found, found.false) == ((1, 0) if right else (0, 1))


@pytest.mark.parametrize("told", ["shop_id", "category"])
def test_a_shop_that_sells_of_one_category_lies_within_it(stream: Stream, told: str) -> None:
    world = stream.world
    sold = [
        np.unique(world.product_category[world.product_shop == shop]) for shop in range(len(world.names["shop_id"]))
    ]
    shop = next(number for number, categories in enumerate(sold) if len(categories) == 1)
    slices = {"shop_id": shop, "category": int(sold[shop][0])}
    other = next(name for name in slices if name != told)
    incident = Incident("review", ((other, slices[other]),), 3600.0, 5400.0, 3.0, 0.0)
    ruled = Stream(**{**stream.__dict__, "incidents": [incident], "detectable": [3700.0]})
    found = score(ruled, [Fired("review", told, world.names[told][slices[told]], 3700.0)])
    assert (found.found, found.false, found.exact) == (1, 0, 0)


def test_lines_are_the_contracts(stream: Stream) -> None:
    from bench.alerts.contract import lines
    from schemas.events import decode_event

    kinds = set()
    for number, line in enumerate(lines(stream)):
        topic = json.loads(line)["topic"]
        event, _ = decode_event(topic, line.encode())
        kinds.add(type(event).__name__)
        if number > 2000:
            break
    assert kinds == {"Review", "Complaint", "Orders"}
    assert (stream.kind == REVIEW).sum() >= PLAN.reviews
