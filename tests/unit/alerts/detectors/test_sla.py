"""From clocks' transitions to alerts of tickets, and one alert for a wave of them."""

from typing import Any, NamedTuple

import msgspec
import pytest

from alerts.detectors.sla import SlaDetector
from alerts.lifecycle import Lifecycle
from alerts.rules import load_rules
from schemas.results import Alert
from schemas.rules import parse_rules

T0 = 1_793_980_800_000
M = 60_000


class Moment(NamedTuple):
    kind: Any
    minute: int = 0
    corrects: str | None = None
    ticket_id: str = "T-1"
    clock: str = "resolution"
    cycle: int = 0
    policy: str = "p"
    target_ms: int = 30 * M
    priority: str = "urgent"

    @property
    def at_ms(self) -> int:
        return T0 + self.minute * M

    @property
    def elapsed_ms(self) -> int:
        return self.minute * M

    @property
    def dims(self) -> tuple[str, ...]:
        return ("手机", "app", "", "", "", "", self.priority, "returns")


RULES = load_rules(None, source="")


def told(*moments: Moment) -> list[tuple[str, str, int, str]]:
    """What comes of transitions by the rules that ship: kind, status, minute, reason."""
    detector, lifecycle = SlaDetector(RULES), Lifecycle(RULES)
    alerts: list[Alert] = []
    for moment in moments:
        for decision in detector.on_transition(moment):
            alerts += lifecycle.decide(decision)
    return [(one.kind, one.status, (one.at - T0) // M, one.reason) for one in alerts]


WARNED = Moment("warning", 24)
BREACHED = Moment("breach", 30)


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        pytest.param([WARNED, Moment("met", 26)],
                     [("sla_warning", "firing", 24, ""), ("sla_warning", "resolved", 26, "")], id="met"),
        pytest.param([WARNED, BREACHED, Moment("stopped", 40)],
                     [("sla_warning", "firing", 24, ""), ("sla_breach", "firing", 30, ""),
                      ("sla_warning", "resolved", 40, ""), ("sla_breach", "resolved", 40, "")],
                     id="the-warning-goes-on-beside-the-breach"),
        pytest.param([BREACHED, Moment("corrected", 30, "breach")],
                     [("sla_breach", "firing", 30, ""), ("sla_breach", "resolved", 30, "corrected")], id="corrected"),
        pytest.param([WARNED, BREACHED, Moment("corrected", 30, "breach"), Moment("met", 29)],
                     [("sla_warning", "firing", 24, ""), ("sla_breach", "firing", 30, ""),
                      ("sla_breach", "resolved", 30, "corrected"), ("sla_warning", "resolved", 29, "")],
                     id="only-the-breach-is-taken-back"),
        pytest.param([BREACHED, Moment("stopped", 40), Moment("corrected", 40, "stopped"), Moment("stopped", 50)],
                     [("sla_breach", "firing", 30, ""), ("sla_breach", "resolved", 40, ""),
                      ("sla_breach", "updated", 40, "corrected"), ("sla_breach", "resolved", 50, "")],
                     id="the-stop-is-taken-back"),
        pytest.param([Moment("met", 5)], [], id="nothing-was-told"),
        pytest.param([Moment("corrected", 5, "met")], [], id="nothing-to-take-back"),
        pytest.param([BREACHED, BREACHED], [("sla_breach", "firing", 30, "")], id="twice"),
    ],
)  # fmt: skip
def test_an_alert_follows_its_clock(moments: list[Moment], expected: list[tuple[str, str, int, str]]) -> None:
    assert told(*moments) == expected


def test_the_instant_labels_and_start_are_the_contracts() -> None:
    detector, lifecycle = SlaDetector(RULES), Lifecycle(RULES)
    (decision,) = detector.on_transition(BREACHED)
    (alert,) = lifecycle.decide(decision)
    assert alert.labels == {"ticket_id": "T-1", "clock": "resolution", "policy": "p"}
    assert (alert.at, alert.starts_at, alert.severity) == (T0 + 30 * M, T0 + 30 * M, "critical")
    assert alert.evidence["queue"] == "returns"


def test_a_cycle_is_a_label_of_its_own() -> None:
    (decision,) = SlaDetector(RULES).on_transition(Moment("breach", clock="next_response", cycle=2))
    assert decision.labels["cycle"] == "2"


@pytest.mark.parametrize(
    ("match", "rule"),
    [
        pytest.param({"priority": "urgent"}, "first", id="priority"),
        pytest.param({"queue": ["refund", "returns"]}, "first", id="queue"),
        pytest.param({"clock": "first_response"}, "rest", id="another-clock"),
        pytest.param({"policy": "q"}, "rest", id="another-policy"),
        pytest.param({"region": ""}, "first", id="absent-is-empty"),
    ],
)
def test_the_first_rule_that_matches_counts(match: dict[str, Any], rule: str) -> None:
    rules = parse_rules(
        [{"name": "first", "kind": "sla_breach", "match": match}, {"name": "rest", "kind": "sla_breach"}], source="r"
    )
    assert [one.rule for one in SlaDetector(rules).on_transition(BREACHED)] == [rule]


def test_what_was_told_resolves_also_after_the_rules_changed() -> None:
    detector = SlaDetector(parse_rules([{"name": "old", "kind": "sla_breach"}], source="r"))
    detector.on_transition(BREACHED)
    detector.reconfigure(parse_rules([{"name": "new", "kind": "sla_breach"}], source="r"))
    assert [(one.rule, one.state) for one in detector.on_transition(Moment("stopped", 40))] == [("old", "clear")]


def test_state_survives_a_restart() -> None:
    first = SlaDetector(RULES)
    first.on_transition(BREACHED)
    first.on_forecast(T0, {("returns", "resolution", 900_000): 47})
    second = SlaDetector(RULES)
    second.load(msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
    assert second.dump() == first.dump()
    assert second.on_transition(Moment("stopped", 40)) == first.on_transition(Moment("stopped", 40)) != []


def test_a_stopped_clock_is_forgotten_in_time() -> None:
    detector = SlaDetector(RULES)
    detector.on_transition(BREACHED)
    detector.on_transition(Moment("stopped", 40))
    detector.advance(T0 + 40 * M + 6 * 60 * M)
    assert detector.dump() == SlaDetector(RULES).dump()


def wave(*counts: int) -> list[tuple[str, float | None]]:
    detector = SlaDetector(RULES)
    out = []
    for i, count in enumerate(counts):
        forecast = {("returns", "resolution", 900_000): count, ("returns", "resolution", 3_600_000): 500}
        out += detector.on_forecast(T0 + i * M, forecast)
    return [(one.state, one.value) for one in out]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param([20], [], id="not-more-than-the-bound"),
        pytest.param([21], [("raise", 21.0)], id="one-more"),
        pytest.param([21, 47, 47], [("raise", 21.0), ("update", 47.0)], id="grows"),
        pytest.param([21, 11, 10], [("raise", 21.0), ("update", 11.0), ("clear", 10.0)], id="ebbs-at-half"),
    ],
)
def test_a_breach_wave_is_one_alert_a_queue(counts: list[int], expected: list[tuple[str, float]]) -> None:
    assert wave(*counts) == expected
