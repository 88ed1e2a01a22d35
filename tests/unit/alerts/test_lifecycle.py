"""The lifecycle's rules, one test each; `test_lifecycle_model.py` holds them together under random use."""

import msgspec
import pytest

from alerts.decision import Decision
from alerts.incident import alert_id
from alerts.lifecycle import Lifecycle
from alerts.rhythm import Rhythm
from alerts.rules import load_rules
from alerts.silences import Silence
from schemas.results import Alert, AlertSeverity
from schemas.rules import Rule, parse_rules

M = 60_000
T0 = 1_793_980_800_000  # 2026-11-07T00:00:00+08:00
PHONE = {"dimension": "category", "value": "手机"}
TICKET = {"ticket_id": "T-1", "clock": "resolution", "policy": "p"}


def spike(**says: object) -> dict[str, object]:
    return {"name": "spike", "kind": "negative_spike", **says}


def rules(*definitions: dict[str, object]) -> tuple[Rule, ...]:
    return parse_rules(list(definitions), source="r")


def decision(
    state: str, at: int, *, rule: str = "spike", severity: AlertSeverity = "warning", labels: dict[str, str] = PHONE,
    value: float = 0.4, reason: str = "", kind: str = "negative_spike", evidence: dict[str, object] | None = None,
) -> Decision:  # fmt: skip
    return Decision(
        rule, kind, state, severity, labels, T0 + at, T0 + at - M, value, 0.1, evidence or {}, reason,  # type: ignore[arg-type]
    )  # fmt: skip


def ticket(state: str, at: int, reason: str = "", **labels: str) -> Decision:
    return decision(
        state, at, rule="late", kind="sla_breach", labels=TICKET | labels, reason=reason, evidence={"target_ms": 5 * M}
    )


def told(alerts: list[Alert]) -> list[tuple[str, int, str]]:
    """Status, minutes since T0, reason."""
    return [(alert.status, (alert.at - T0) // M, alert.reason) for alert in alerts]


def test_a_raise_fires_at_once_and_a_clear_resolves() -> None:
    lifecycle = Lifecycle(rules(spike()))
    (fired,) = lifecycle.decide(decision("raise", 5 * M))
    assert (fired.status, fired.at, fired.starts_at, fired.ends_at) == ("firing", T0 + 5 * M, T0 + 4 * M, None)
    (ended,) = lifecycle.decide(decision("clear", 9 * M))
    assert (ended.status, ended.ends_at, ended.alert_id) == ("resolved", T0 + 9 * M, fired.alert_id)


def test_the_alert_id_is_the_same_on_every_run() -> None:
    ids = {Lifecycle(rules(spike())).decide(decision("raise", M))[0].alert_id for _ in range(2)}
    assert ids == {alert_id("spike", PHONE, T0 + M)}


@pytest.mark.parametrize(
    ("cleared_after", "expected"),
    [
        pytest.param(4, [], id="shorter"),
        pytest.param(5, [], id="exactly-as-long"),
        pytest.param(6, [("firing", 5, ""), ("resolved", 6, "")], id="longer"),
    ],
)
@pytest.mark.parametrize("ticked", [True, False], ids=["with-ticks", "without-a-tick"])
def test_for_must_be_outlasted(cleared_after: int, expected: list[tuple[str, int, str]], ticked: bool) -> None:
    lifecycle = Lifecycle(rules(spike(**{"for": "5m"})))
    out = lifecycle.decide(decision("raise", 0))
    for minute in range(1, cleared_after) if ticked else ():
        out += lifecycle.advance(T0 + minute * M)
    out += lifecycle.decide(decision("clear", cleared_after * M))
    out += lifecycle.advance(T0 + 60 * M)
    assert told(out) == expected


def test_an_update_is_said_only_when_it_is_news() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    assert told(lifecycle.decide(decision("update", 2 * M, value=0.8))) == []  # too soon
    assert told(lifecycle.decide(decision("update", 12 * M, value=0.41))) == []  # nothing new
    assert told(lifecycle.decide(decision("update", 13 * M, value=0.8))) == [("updated", 13, "worse")]
    assert told(lifecycle.decide(decision("update", 24 * M, value=0.3))) == []  # better is no news
    more = decision("update", 25 * M, value=0.8, evidence={"texts": ["屏幕碎了"]})
    assert told(lifecycle.decide(more)) == []  # new quotes alone wait for half an hour
    assert told(lifecycle.decide(more._replace(at=T0 + 43 * M))) == [("updated", 43, "quotes")]
    assert told(lifecycle.decide(more._replace(at=T0 + 90 * M))) == []


def test_an_escalation_is_said_at_once_and_never_taken_back() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    (worse,) = lifecycle.decide(decision("update", M, severity="critical"))
    assert (worse.severity, worse.reason) == ("critical", "escalated")
    assert told(lifecycle.decide(decision("update", 2 * M))) == []
    (ended,) = lifecycle.decide(decision("clear", 3 * M))
    assert ended.severity == "critical"


def test_within_the_cooldown_it_is_the_same_incident_and_waits() -> None:
    lifecycle = Lifecycle(rules(spike(cooldown="10m")))
    (first,) = lifecycle.decide(decision("raise", 0))
    lifecycle.decide(decision("clear", 5 * M))
    assert lifecycle.decide(decision("raise", 7 * M)) == []
    (again,) = lifecycle.advance(T0 + 60 * M)
    assert told([again]) == [("firing", 15, "again")]
    assert again.alert_id == first.alert_id


def test_what_clears_within_the_cooldown_is_never_told() -> None:
    lifecycle = Lifecycle(rules(spike(cooldown="10m")))
    for state, minute in (("raise", 0), ("clear", 5), ("raise", 7), ("clear", 9)):
        out = lifecycle.decide(decision(state, minute * M))
    assert out == []
    assert lifecycle.advance(T0 + 600 * M) == []


def test_the_cooldown_does_not_hold_back_what_got_worse() -> None:
    lifecycle = Lifecycle(rules(spike(cooldown="10m")))
    lifecycle.decide(decision("raise", 0))
    lifecycle.decide(decision("clear", 5 * M))
    assert told(lifecycle.decide(decision("raise", 7 * M, severity="critical"))) == [("firing", 7, "again")]


def test_after_the_cooldown_it_is_a_new_incident() -> None:
    lifecycle = Lifecycle(rules(spike(cooldown="10m")))
    (first,) = lifecycle.decide(decision("raise", 0))
    lifecycle.decide(decision("clear", 5 * M))
    (second,) = lifecycle.decide(decision("raise", 15 * M))
    assert (second.status, second.reason) == ("firing", "")
    assert second.alert_id != first.alert_id


def test_the_fourth_change_within_an_hour_is_held_and_said_once() -> None:
    lifecycle = Lifecycle(rules(spike()))
    out = []
    for i, state in enumerate(["raise", "clear"] * 5):
        out += lifecycle.decide(decision(state, i * 5 * M))
    assert told(out) == [("firing", 0, ""), ("resolved", 5, ""), ("firing", 10, ""), ("updated", 15, "flapping")]
    # The last change was at minute 45; three hours later it is long calm.
    assert [status for status, _, _ in told(lifecycle.advance(T0 + 180 * M))] == ["resolved"]


def test_a_flapping_alert_that_holds_goes_on_firing() -> None:
    lifecycle = Lifecycle(rules(spike()))
    for i, state in enumerate(["raise", "clear", "raise", "clear", "raise"]):
        lifecycle.decide(decision(state, i * 5 * M))
    assert lifecycle.advance(T0 + 180 * M) == []
    assert [one.stage for one in lifecycle.running()] == ["firing"]
    assert told(lifecycle.decide(decision("clear", 200 * M))) == [("resolved", 200, "")]


@pytest.mark.parametrize("state", ["raise", "update", "clear"])
def test_a_decision_seen_twice_says_nothing_new(state: str) -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    lifecycle.decide(decision(state, M))
    assert lifecycle.decide(decision(state, M)) == []


def test_a_replayed_raise_of_an_incident_that_is_over_says_nothing() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    lifecycle.decide(decision("clear", 5 * M))
    assert lifecycle.decide(decision("raise", 0)) == []


def test_the_end_of_a_replay_resolves_nothing_that_still_holds() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    assert lifecycle.advance(T0 + 30 * 86_400_000) == []
    assert len(lifecycle.running()) == 1


def test_a_tick_late_missing_or_doubled_changes_nothing() -> None:
    def run(ticks: list[int]) -> list[Alert]:
        lifecycle = Lifecycle(rules(spike(**{"for": "5m", "cooldown": "10m"})))
        out = lifecycle.decide(decision("raise", 0))
        for minute in ticks:
            out += lifecycle.advance(T0 + minute * M)
        out += lifecycle.decide(decision("clear", 20 * M))
        out += lifecycle.decide(decision("raise", 21 * M))
        return out + lifecycle.advance(T0 + 100 * M)

    assert run([]) == run([5]) == run([1, 2, 3, 4, 5, 5, 4, 19]) == run([19])


def test_state_survives_a_restart() -> None:
    first = Lifecycle(rules(spike(cooldown="10m"), {"name": "late", "kind": "sla_breach"}))
    first.decide(decision("raise", 0))
    first.decide(ticket("raise", M))
    first.decide(decision("clear", 2 * M))
    first.decide(decision("raise", 3 * M))
    first.silences.add(Silence("s", {"kind": ("sla_breach",)}, T0, T0 + 9 * M, "li"))
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump()))
    second = Lifecycle(rules(spike(cooldown="10m"), {"name": "late", "kind": "sla_breach"}))
    second.load(state, first.pages())
    assert second.dump() == first.dump()
    assert second.advance(T0 + 30 * M) == first.advance(T0 + 30 * M) != []
    assert second.decide(ticket("clear", 31 * M)) == first.decide(ticket("clear", 31 * M)) != []


def test_of_a_thousand_alerts_one_that_ends_changes_one_page() -> None:
    lifecycle = Lifecycle(rules({"name": "late", "kind": "sla_breach"}))
    for number in range(1000):
        lifecycle.decide(ticket("raise", number, ticket_id=f"t{number}"))
    before = lifecycle.pages()
    assert len(before) == 4
    lifecycle.decide(ticket("clear", 2 * M, ticket_id="t300"))
    after = lifecycle.pages()
    assert [name for name in before if before[name] != after[name]] == ["1"]


# --- tickets


def test_a_corrected_breach_resolves_with_its_reason() -> None:
    lifecycle = Lifecycle(rules({"name": "late", "kind": "sla_breach"}))
    (fired,) = lifecycle.decide(ticket("raise", 10 * M))
    (taken_back,) = lifecycle.decide(ticket("clear", 10 * M, "corrected"))
    assert (taken_back.status, taken_back.reason, taken_back.alert_id) == ("resolved", "corrected", fired.alert_id)
    assert lifecycle.decide(ticket("clear", 10 * M, "corrected")) == []


def test_a_breach_taken_back_after_its_clock_stopped_is_corrected_too() -> None:
    lifecycle = Lifecycle(rules({"name": "late", "kind": "sla_breach"}))
    lifecycle.decide(ticket("raise", 10 * M))
    lifecycle.decide(ticket("clear", 20 * M))
    assert told(lifecycle.decide(ticket("clear", 10 * M, "corrected"))) == [("resolved", 20, "corrected")]


def test_a_stop_taken_back_reopens_the_alert_under_its_id() -> None:
    lifecycle = Lifecycle(rules({"name": "late", "kind": "sla_breach"}))
    (fired,) = lifecycle.decide(ticket("raise", 10 * M))
    lifecycle.decide(ticket("clear", 20 * M))
    (open_again,) = lifecycle.decide(ticket("update", 20 * M, "corrected"))
    assert (open_again.status, open_again.reason, open_again.ends_at) == ("updated", "corrected", None)
    assert open_again.alert_id == fired.alert_id
    assert told(lifecycle.decide(ticket("clear", 30 * M))) == [("resolved", 30, "")]


def test_a_ticket_that_breaches_at_another_instant_is_another_alert() -> None:
    lifecycle = Lifecycle(rules({"name": "late", "kind": "sla_breach"}))
    (first,) = lifecycle.decide(ticket("raise", 10 * M))
    lifecycle.decide(ticket("clear", 10 * M, "corrected"))
    (second,) = lifecycle.decide(ticket("raise", 8 * M))
    assert second.alert_id != first.alert_id
    assert second.at == T0 + 8 * M


# --- inhibition, silences, quiet hours, storms, reload


def silent(state: str, at: int) -> Decision:
    evidence: dict[str, object] = {"inhibits": [{"kind": "negative_spike", "channel": "app"}]}
    return decision(
        state, at, rule="silent", kind="feed_silent", labels={"topic": "reviews", "channel": "app"}, evidence=evidence
    )


@pytest.mark.parametrize(
    ("labels", "held"),
    [
        pytest.param({"dimension": "channel", "value": "app"}, True, id="its-channel"),
        pytest.param({"dimension": "category+channel", "value": "手机|app"}, True, id="joined-with-it"),
        pytest.param({"dimension": "channel", "value": "web"}, False, id="another-channel"),
        pytest.param(PHONE, False, id="another-dimension"),
    ],
)
def test_a_silent_feed_holds_back_the_spikes_that_rest_on_it(labels: dict[str, str], held: bool) -> None:
    lifecycle = Lifecycle(rules(spike(), {"name": "silent", "kind": "feed_silent"}))
    lifecycle.decide(silent("raise", 0))
    out = lifecycle.decide(decision("raise", M, labels=labels))
    assert (out == []) == held
    over = lifecycle.decide(silent("clear", 5 * M))
    assert told(over) == [("resolved", 5, "")] + [("firing", 5, "")] * held


def test_a_spike_that_was_held_back_and_cleared_is_never_told() -> None:
    lifecycle = Lifecycle(rules(spike(), {"name": "silent", "kind": "feed_silent"}))
    lifecycle.decide(silent("raise", 0))
    labels = {"dimension": "channel", "value": "app"}
    assert lifecycle.decide(decision("raise", M, labels=labels)) == []
    assert lifecycle.decide(decision("clear", 2 * M, labels=labels)) == []
    assert told(lifecycle.decide(silent("clear", 5 * M))) == [("resolved", 5, "")]


def test_a_silenced_alert_fires_muted_and_speaks_up_when_the_silence_ends() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.silences.add(Silence("s", {"value": ("手机",), "rule": ("spike", "other")}, T0, T0 + 30 * M, "li"))
    (fired,) = lifecycle.decide(decision("raise", M))
    assert fired.evidence["muted"] == {"by": "silence", "until": T0 + 30 * M}
    (loud,) = lifecycle.advance(T0 + 60 * M)
    assert told([loud]) == [("updated", 30, "unmuted")]
    assert "muted" not in loud.evidence


def test_quiet_hours_mute_low_severities_only() -> None:
    quiet = {"from": "00:00", "to": "08:00"}
    lifecycle = Lifecycle(rules(spike(quiet_hours=quiet)))
    (low,) = lifecycle.decide(decision("raise", 0))
    assert low.evidence["muted"] == {"by": "quiet_hours", "until": T0 + 480 * M}
    (high,) = lifecycle.decide(decision("update", M, severity="critical"))
    assert "muted" not in high.evidence


def test_a_storm_is_told_as_one_digest_the_worst_first() -> None:
    lifecycle = Lifecycle(rules(spike()), rhythm=Rhythm(storm_more_than=3))
    out = []
    for i in range(6):
        labels = {"dimension": "product_id", "value": str(i)}
        out += lifecycle.decide(
            decision("raise", i * 1000, labels=labels, severity="critical" if i == 5 else "warning")
        )
    digests = [alert for alert in out if alert.evidence.get("storm")]
    assert [(one.status, one.severity, one.reason) for one in digests] == [
        ("firing", "warning", ""), ("updated", "critical", "escalated"),
    ]  # fmt: skip
    assert digests[-1].evidence["worst"][0]["labels"]["value"] == "5"
    assert digests[-1].evidence["by_severity"] == {"critical": 1, "warning": 5}
    assert len({one.alert_id for one in digests}) == 1
    muted = [alert.labels["value"] for alert in out if alert.evidence.get("muted")]
    assert muted == ["3", "4", "5"]
    over = lifecycle.advance(T0 + 60 * M)
    assert [(one.status, bool(one.evidence.get("storm"))) for one in over] == [("resolved", True)]


def test_alerts_of_single_tickets_are_no_storm() -> None:
    lifecycle = Lifecycle(rules({"name": "late", "kind": "sla_breach"}), rhythm=Rhythm(storm_more_than=3))
    out = []
    for i in range(9):
        out += lifecycle.decide(ticket("raise", i)._replace(labels=TICKET | {"ticket_id": str(i)}))
    assert [alert.status for alert in out] == ["firing"] * 9
    assert not any("muted" in alert.evidence for alert in out)


def test_a_reload_drops_no_running_alert() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    lifecycle.advance(T0 + 5 * M)
    assert lifecycle.reconfigure(rules(spike(severity="info"))) == []
    assert told(lifecycle.decide(decision("clear", 6 * M))) == [("resolved", 6, "")]


def test_an_alert_whose_rule_is_gone_says_so_and_ends_in_a_day() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    lifecycle.advance(T0 + 5 * M)
    assert told(lifecycle.reconfigure(())) == [("updated", 5, "rule_removed")]
    assert told(lifecycle.advance(T0 + 3 * 86_400_000)) == [("resolved", 1445, "rule_removed")]


def test_a_rule_that_comes_back_keeps_its_alert() -> None:
    lifecycle = Lifecycle(rules(spike()))
    lifecycle.decide(decision("raise", 0))
    lifecycle.reconfigure(())
    lifecycle.reconfigure(rules(spike()))
    assert lifecycle.advance(T0 + 3 * 86_400_000) == []


def test_labels_owner_and_runbook_go_with_the_alert() -> None:
    lifecycle = Lifecycle(rules(spike(labels={"team": "mobile"}, owner="after-sales", runbook="https://wiki/spike")))
    (fired,) = lifecycle.decide(decision("raise", 0))
    assert fired.labels == {"team": "mobile", **PHONE}
    assert (fired.evidence["owner"], fired.evidence["runbook"]) == ("after-sales", "https://wiki/spike")


def test_the_rules_that_ship_cover_every_ticket_once() -> None:
    tickets = [rule for rule in load_rules(None, source="") if rule.kind in ("sla_breach", "sla_warning")]
    for kind in ("sla_breach", "sla_warning"):
        found = [priority for rule in tickets if rule.kind == kind for priority in rule.match["priority"]]
        assert sorted(found) == ["high", "low", "normal", "urgent"]
