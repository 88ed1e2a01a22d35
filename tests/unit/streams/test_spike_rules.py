"""What a rule says of a spike: how bad it is, and what it asks for in a promotion."""

from typing import Any, Final

import pytest

from alerts.decision import Decision
from schemas.peaks import Peaks, Phase
from schemas.rules import SpikeRule, parse_rules
from streams.spike_rules import by_rule, spike_config

NIGHT: Final = Phase(peak="double-11", name="开门红", title="", start_ms=0, end_ms=10**13)
SPIKE: Final = Decision(
    rule="spike", kind="negative_spike", state="raise", severity="warning",
    labels={"dimension": "category", "value": "手机"}, at=600_000, starts_at=0, value=0.3, baseline=0.1,
    evidence={"expected": 10.0, "ratio": 3.0, "log_likelihood_ratio": 13.0},
)  # fmt: skip
LARGE: Final = SPIKE._replace(severity="critical")
GROWN: Final = SPIKE._replace(
    state="update", value=0.5, evidence={"expected": 40.0, "ratio": 5.0, "log_likelihood_ratio": 13.0}
)


def rule(*, there: dict[str, Any] | None = None, **said: Any) -> SpikeRule:
    """A rule, and what it says instead in the phase."""
    peaks = [{"peak": "double-11", "phase": "开门红", **there}] if there else []
    (found,) = parse_rules([{"name": "spike", "kind": "negative_spike", **said, "peaks": peaks}], source="r")
    assert isinstance(found, SpikeRule)
    return found


def severity(decision: Decision, base: SpikeRule, *, phase: Phase | None = None) -> str:
    found = by_rule(decision, base, phase=phase, running=False)
    return "" if found is None else found.severity


@pytest.mark.parametrize(
    ("said", "small", "large"),
    [
        ({}, "warning", "critical"),
        ({"severity": "info"}, "info", "info"),
        ({"severity": "info", "critical_ratio": 3}, "info", "critical"),
        ({"severity": "critical"}, "critical", "critical"),
    ],
    ids=["shipped", "info", "info-up-to-a-size", "critical"],
)
def test_a_spike_is_as_bad_as_its_rule_says_and_critical_by_size(said: dict[str, Any], small: str, large: str) -> None:
    assert (severity(SPIKE, rule(**said)), severity(LARGE, rule(**said))) == (small, large)


def test_what_is_no_worse_by_the_rule_is_not_told_as_escalated() -> None:
    worse = GROWN._replace(severity="critical", reason="escalated")

    def told(**said: Any) -> tuple[str, str]:
        found = by_rule(worse, rule(**said), phase=None, running=True)
        assert found is not None
        return found.severity, found.reason

    assert told() == ("critical", "escalated")
    assert told(severity="info") == ("info", "")
    assert told(severity="critical") == ("critical", "")


@pytest.mark.parametrize(
    ("there", "speaks"),
    [
        ({"min_ratio": 2.9}, True), ({"min_ratio": 3.1}, False),
        ({"min_events": 30}, True), ({"min_events": 31}, False),
        ({"evidence_nats": 12}, True), ({"evidence_nats": 16}, False), ({"enabled": False}, False),
    ],
    ids=str,
)  # fmt: skip
def test_a_phase_may_ask_for_more(there: dict[str, Any], speaks: bool) -> None:
    base = rule(there=there)
    assert severity(SPIKE, base, phase=NIGHT) == ("warning" if speaks else "")
    assert severity(SPIKE, base) == "warning"


def test_what_the_stream_asks_for_comes_on_top_of_a_phases_own_evidence() -> None:
    busy = SPIKE._replace(evidence={**SPIKE.evidence, "stream_nats": 2.0})
    assert severity(SPIKE, rule(there={"evidence_nats": 12}), phase=NIGHT) == "warning"
    assert severity(busy, rule(there={"evidence_nats": 12}), phase=NIGHT) == ""
    assert severity(busy, rule(there={"evidence_nats": 10}), phase=NIGHT) == "warning"


@pytest.mark.parametrize("there", [{"min_ratio": 4}, {"min_events": 100}, {"evidence_nats": 30}], ids=str)
def test_what_went_unsaid_is_told_once_it_is_large_enough_for_the_phase(there: dict[str, Any]) -> None:
    base = rule(there=there)
    assert by_rule(SPIKE, base, phase=NIGHT, running=False) is None
    assert by_rule(SPIKE._replace(state="update"), base, phase=NIGHT, running=False) is None
    assert by_rule(GROWN, base, phase=NIGHT, running=False) == GROWN


def test_what_was_told_goes_on_and_ends_whatever_the_phase_asks_for() -> None:
    base = rule(there={"min_ratio": 9})
    assert by_rule(GROWN, base, phase=NIGHT, running=True) == GROWN
    over = SPIKE._replace(state="clear")
    assert by_rule(over, base, phase=NIGHT, running=False) == over


def test_the_end_of_a_spike_is_no_worse_than_its_rule_says() -> None:
    over = by_rule(LARGE._replace(state="clear"), rule(severity="info"), phase=None, running=True)
    assert over is not None
    assert (over.state, over.severity) == ("clear", "info")


def test_a_phase_says_from_what_size_on_a_spike_is_critical() -> None:
    assert severity(LARGE, rule(there={"critical_events": 30}), phase=NIGHT) == "warning"
    assert severity(SPIKE, rule(there={"critical_events": 20}), phase=NIGHT) == "critical"


def test_a_rule_speaks_of_the_slices_that_it_matches() -> None:
    assert severity(SPIKE, rule(match={"category": "手机"})) == "warning"
    assert severity(SPIKE, rule(match={"category": "家电"})) == ""


def test_a_slice_that_two_rules_name_in_different_orders_is_watched_once() -> None:
    both: list[dict[str, Any]] = [
        {"name": "n", "kind": "negative_spike", "dimensions": ["category+region", "channel"]},
        {"name": "c", "kind": "complaint_spike", "dimensions": ["region+category", "channel"]},
    ]
    negative, complaint = parse_rules(both, source="r")
    assert isinstance(negative, SpikeRule)
    assert isinstance(complaint, SpikeRule)
    assert spike_config((negative, complaint), Peaks(())).slices == (("category", "region"), ("channel",))
