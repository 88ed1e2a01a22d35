"""Thresholds on window figures, ratios and burn rates; sla_breach_rate is one of them."""

from typing import Any

import msgspec
import pytest

from alerts.detectors.sla_breach_rate import SlaBreachRateDetector
from alerts.detectors.threshold import ThresholdDetector
from schemas.peaks import Phase
from schemas.results import WindowRow
from schemas.rules import Rule, parse_rules

T0 = 1_793_980_800_000
S = 1000


def rules(**says: Any) -> tuple[Rule, ...]:
    return parse_rules([{"name": "t", "kind": "threshold", **says}], source="r")


def row(
    second: int, *, seconds: int = 300, dimension: str = "all", value: str = "all", reviews: int = 100,
    negative: int = 0, complaints: int = 0, orders: int = 0, breaches: int = 0, met: int = 0,
    first_response: tuple[int, int, int] | None = None,
) -> WindowRow:  # fmt: skip
    verdicts = breaches + met
    return WindowRow(
        window_seconds=seconds, window_end=T0 + second * S, dimension=dimension, value=value, version=1,
        reviews=reviews, judged=reviews, negative=negative, neutral=0,
        negative_share=negative / reviews if reviews else None, sentiment_mean=None, rating_mean=None,
        satisfaction=None, complaints=complaints, orders=orders,
        complaints_per_1k_orders=1000 * complaints / orders if orders else None, tickets_created=0,
        tickets_open=0, first_response_ms=first_response, resolution_ms=None, sla_breaches=breaches, sla_met=met,
        sla_breach_rate=breaches / verdicts if verdicts else None, reopened=0, agreement=None,
        first_response_sketch={}, resolution_sketch={},
    )  # fmt: skip


def states(detector: ThresholdDetector, *rows: WindowRow) -> list[str]:
    return [decision.state for one in rows for decision in detector.on_window_row(one)]


@pytest.mark.parametrize(
    ("says", "rows", "expected"),
    [
        pytest.param({"figure": "negative_share", "above": 0.3}, [row(10, negative=30), row(20, negative=31)],
                     ["raise"], id="above-means-above"),
        pytest.param({"figure": "negative_share", "above": 0.3}, [row(10, negative=40), row(20, negative=30)],
                     ["raise", "clear"], id="clears-at-the-bound"),
        pytest.param({"figure": "negative_share", "above": 0.3, "clear_at": 0.2},
                     [row(10, negative=40), row(20, negative=25), row(30, negative=20)],
                     ["raise", "update", "clear"], id="clear-at-is-lower"),
        pytest.param({"figure": "negative_share", "above": 0.3, "min_count": 101}, [row(10, negative=90)], [],
                     id="too-few"),
        pytest.param({"figure": "negative_share", "above": 0.3}, [row(10, reviews=0)], [], id="nothing-to-say"),
        pytest.param({"figure": "reviews", "below": 50}, [row(10), row(20, reviews=49)], ["raise"], id="below"),
        pytest.param({"figure": "complaints", "per": "orders", "above": 0.01},
                     [row(10, complaints=2, orders=100), row(20, complaints=2, orders=0)], ["raise", "clear"],
                     id="ratio-of-two"),
        pytest.param({"figure": "first_response_ms.p90", "above": "15m"},
                     [row(10, first_response=(1, 900_000, 2)), row(20, first_response=(1, 900_001, 2))], ["raise"],
                     id="percentile"),
        pytest.param({"figure": "negative_share", "above": 0.3, "window_seconds": 900}, [row(10, negative=90)], [],
                     id="another-window"),
        pytest.param({"figure": "negative_share", "above": 0.3}, [row(20, negative=40), row(10, negative=0)],
                     ["raise"], id="an-older-window-changed-late"),
        pytest.param({"figure": "negative_share", "above": 0.3}, [row(10, negative=40), row(20, negative=41)],
                     ["raise"], id="no-update-for-a-small-move"),
    ],
)  # fmt: skip
def test_a_bound_is_crossed_and_left(says: dict[str, Any], rows: list[WindowRow], expected: list[str]) -> None:
    assert states(ThresholdDetector(rules(**says)), *rows) == expected


def test_a_decision_names_slice_bound_and_instant() -> None:
    detector = ThresholdDetector(rules(figure="negative_share", above=0.3, dimensions=["category"]))
    (found,) = detector.on_window_row(row(10, negative=40, dimension="category", value="手机"))
    assert found.labels == {"dimension": "category", "value": "手机"}
    assert (found.value, found.baseline, found.at, found.starts_at) == (0.4, 0.3, T0 + 10 * S, T0 - 140 * S)
    assert found.evidence["figure"] == "negative_share"


@pytest.mark.parametrize(("value", "expected"), [("手机", ["raise"]), ("家电", [])], ids=["matches", "does-not"])
def test_only_slices_that_match_are_watched(value: str, expected: list[str]) -> None:
    detector = ThresholdDetector(
        rules(figure="negative_share", above=0.3, dimensions=["category"], match={"category": ["手机"]})
    )
    assert states(detector, row(10, negative=40, dimension="category", value=value)) == expected


def test_a_window_that_ran_empty_without_a_row_clears() -> None:
    detector = ThresholdDetector(rules(figure="negative_share", above=0.3))
    assert states(detector, row(10, negative=40)) == ["raise"]
    assert detector.advance({"t": T0 + 309 * S}) == []
    assert detector.advance({}) == []
    assert [one.state for one in detector.advance({"t": T0 + 310 * S})] == ["clear"]
    assert detector.advance({"t": T0 + 320 * S}) == []


BURN = {"above": 0.1, "min_count": 5, "burn_rate": [{"long_seconds": 3600, "short_seconds": 300, "factor": 3}]}


@pytest.mark.parametrize(
    ("long", "short", "expected"),
    [
        pytest.param((31, 69), (4, 6), ["raise"], id="both"),
        pytest.param((31, 69), (3, 7), [], id="only-long"),
        pytest.param((30, 70), (4, 6), [], id="only-short"),
        pytest.param((31, 69), (3, 1), [], id="short-has-too-few"),
    ],
)
def test_a_burn_rate_needs_both_windows(long: tuple[int, int], short: tuple[int, int], expected: list[str]) -> None:
    rule = parse_rules([{"name": "b", "kind": "sla_breach_rate", **BURN}], source="r")
    detector = SlaBreachRateDetector(rule)
    rows = [
        row(10, seconds=3600, breaches=long[0], met=long[1]),
        row(10, seconds=300, breaches=short[0], met=short[1]),
    ]
    assert states(detector, *rows) == expected
    assert ThresholdDetector(rule).on_window_row(rows[0]) == []


def test_a_burn_rate_counts_what_its_rule_counts_only_against_the_least() -> None:
    says = {"figure": "complaints", "above": 1, "dimensions": ["all"],
            "burn_rate": [{"long_seconds": 3600, "short_seconds": 300, "factor": 2}]}  # fmt: skip
    detector = ThresholdDetector(rules(**says))
    rows = [row(10, seconds=seconds, reviews=0, complaints=5) for seconds in (300, 3600)]
    assert states(detector, *rows) == ["raise"]


def test_a_slice_that_ran_empty_is_forgotten() -> None:
    detector = ThresholdDetector(rules(figure="negative_share", above=0.3))
    assert states(detector, row(10, negative=40), row(20, reviews=0), row(30, reviews=0)) == ["raise", "clear"]
    assert detector.dump() == {"readings": [], "holding": []}


def test_the_breach_rate_tells_its_bound_and_windows() -> None:
    detector = SlaBreachRateDetector(parse_rules([{"name": "b", "kind": "sla_breach_rate", **BURN}], source="r"))
    detector.on_window_row(row(10, seconds=3600, breaches=31, met=69))
    (found,) = detector.on_window_row(row(10, seconds=300, breaches=4, met=6))
    assert (found.kind, found.value) == ("sla_breach_rate", 0.4)
    assert found.baseline == pytest.approx(0.3)
    assert found.evidence["windows"] == [
        {"window_seconds": 300, "value": 0.4}, {"window_seconds": 3600, "value": 0.31},
    ]  # fmt: skip


def test_a_promotion_has_its_own_bound_and_severity() -> None:
    phase = Phase(peak="double-11", title="双11", name="", start_ms=T0, end_ms=T0 + 15 * S)
    says = {"figure": "negative_share", "above": 0.3, "peaks": [{"peak": "*", "above": 0.5, "severity": "info"}]}
    detector = ThresholdDetector(
        rules(**says), phase_at=lambda at: phase if phase.start_ms <= at < phase.end_ms else None
    )
    assert states(detector, row(10, negative=40)) == []
    (found,) = detector.on_window_row(row(20, negative=40))
    assert (found.state, found.severity) == ("raise", "warning")


def test_what_a_promotion_ends_is_told_beside_the_bound_that_it_was_beyond() -> None:
    phase = Phase(peak="double-11", title="双11", name="", start_ms=T0 + 15 * S, end_ms=T0 + 900 * S)
    detector = ThresholdDetector(
        rules(figure="negative_share", above=0.3, peaks=[{"peak": "*", "above": 0.5}]),
        phase_at=lambda at: phase if phase.start_ms <= at < phase.end_ms else None,
    )
    assert states(detector, row(10, negative=40)) == ["raise"]
    (found,) = detector.on_window_row(row(20, negative=45))
    assert (found.state, found.value, found.baseline) == ("clear", 0.4, 0.3)


def test_state_survives_a_restart_and_a_reload() -> None:
    says = rules(figure="negative_share", above=0.3)
    first = ThresholdDetector(says)
    assert states(first, row(10, negative=40)) == ["raise"]
    second = ThresholdDetector(says)
    second.load(msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
    assert second.dump() == first.dump()
    second.reconfigure(rules(figure="negative_share", above=0.5))
    assert states(second, row(20, negative=40)) == ["clear"]
