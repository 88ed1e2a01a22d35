"""What people do to alerts, by message: each once, with who and when."""

import pytest

from alerts.actions import (
    Acknowledge,
    Action,
    Actions,
    AddNote,
    BeginSilence,
    EndSilence,
    FalseAlarm,
    Resolve,
    Snooze,
    decode_action,
    encode_action,
    parse_matchers,
    row_of,
)
from alerts.decision import Decision
from alerts.lifecycle import Lifecycle
from schemas.errors import BadEvent
from schemas.results import Alert, AlertAction, AlertSeverity
from schemas.rules import parse_rules

M = 60_000
T0 = 1_793_980_800_000
RULES = parse_rules([{"name": "spike", "kind": "negative_spike"}], source="r")


def decision(state: str, minute: int, severity: AlertSeverity = "warning") -> Decision:
    return Decision(
        "spike", "negative_spike", state, severity, {"dimension": "all", "value": "all"}, T0 + minute * M, T0, 0.4,  # type: ignore[arg-type]
        0.1, {},
    )  # fmt: skip


def firing() -> tuple[Lifecycle, Actions, Alert]:
    lifecycle = Lifecycle(RULES)
    (alert,) = lifecycle.decide(decision("raise", 0))
    return lifecycle, Actions(lifecycle), alert


ALL: list[Action] = [
    Acknowledge(action_id="1", who="li", at=T0, alert_id="a"),
    Snooze(action_id="2", who="li", at=T0, alert_id="a", until=T0 + M),
    Resolve(action_id="3", who="li", at=T0, alert_id="a"),
    FalseAlarm(action_id="4", who="li", at=T0, alert_id="a", text="测试订单"),
    AddNote(action_id="5", who="li", at=T0, alert_id="a", text="已联系仓库"),
    BeginSilence(action_id="6", who="li", at=T0, matchers={"kind": ("negative_spike",)}, until=T0 + M),
    EndSilence(action_id="7", who="li", at=T0, silence_id="6"),
]


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.name)
def test_an_action_survives_the_message(action: Action) -> None:
    assert decode_action(encode_action(action)) == action


@pytest.mark.parametrize(
    ("action", "row"),
    [
        pytest.param(ALL[1], AlertAction("a", T0, "snooze", "li", T0 + M, "", "2"), id="snooze"),
        pytest.param(ALL[3], AlertAction("a", T0, "false_alarm", "li", None, "测试订单", "4"), id="false-alarm"),
        pytest.param(
            ALL[5], AlertAction("6", T0, "silence", "li", T0 + M, "", "6", {"kind": ("negative_spike",)}), id="silence"
        ),
        pytest.param(ALL[6], AlertAction("6", T0, "unsilence", "li", None, "", "7"), id="unsilence"),
    ],
)
def test_the_store_keeps_who_did_what_and_when(action: Action, row: AlertAction) -> None:
    assert row_of(action) == row


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"action":"explode","action_id":"1","who":"li","at":1}', id="unknown-action"),
        pytest.param(b'{"action":"acknowledge","action_id":"1","who":"li","at":1}', id="no-alert"),
        pytest.param(b'{"action":"acknowledge","action_id":"1","who":"","at":1,"alert_id":"a"}', id="nobody"),
        pytest.param(b'{"action":"acknowledge","action_id":"1","who":"li","at":-1,"alert_id":"a"}', id="before-1970"),
        pytest.param(b'{"action":"false_alarm","action_id":"1","who":"li","at":1,"alert_id":"a","text":""}',
                     id="false-alarm-without-reason"),
        pytest.param(b'{"action":"silence","action_id":"1","who":"li","at":1,"matchers":{},"until":2}',
                     id="silence-of-everything"),
    ],
)  # fmt: skip
def test_what_is_no_action_is_a_bad_event(raw: bytes) -> None:
    with pytest.raises(BadEvent):
        decode_action(raw)


def test_an_acknowledged_alert_is_quiet_until_it_gets_worse() -> None:
    lifecycle, actions, alert = firing()
    (said,) = actions.apply(Acknowledge(action_id="1", who="li", at=T0 + M, alert_id=alert.alert_id)).alerts
    assert (said.status, said.reason) == ("updated", "acknowledged")
    assert said.evidence["acknowledged"] == {"who": "li", "at": T0 + M}
    assert lifecycle.decide(decision("update", 30)._replace(value=0.9)) == []
    assert [one.reason for one in lifecycle.decide(decision("update", 31, "critical"))] == ["escalated"]


def test_a_snoozed_alert_speaks_up_when_the_snooze_ends() -> None:
    lifecycle, actions, alert = firing()
    snooze = Snooze(action_id="1", who="li", at=T0 + M, alert_id=alert.alert_id, until=T0 + 31 * M)
    (said,) = actions.apply(snooze).alerts
    assert said.evidence["muted"] == {"by": "snooze", "until": T0 + 31 * M}
    (loud,) = lifecycle.advance(T0 + 90 * M)
    assert (loud.status, loud.reason, loud.at) == ("updated", "unmuted", T0 + 31 * M)
    assert "muted" not in loud.evidence


@pytest.mark.parametrize("reason", ["resolved", "false_alarm"])
def test_an_alert_closed_by_hand_is_silent_until_it_has_cleared_once(reason: str) -> None:
    lifecycle, actions, alert = firing()
    action: Action = Resolve(action_id="1", who="li", at=T0 + M, alert_id=alert.alert_id)
    if reason == "false_alarm":
        action = FalseAlarm(action_id="1", who="li", at=T0 + M, alert_id=alert.alert_id, text="测试订单")
    (said,) = actions.apply(action).alerts
    assert (said.status, said.reason, said.evidence["notes"][0]["who"]) == ("resolved", reason, "li")
    assert lifecycle.decide(decision("update", 2)) == []
    assert lifecycle.decide(decision("clear", 3)) == []
    (again,) = lifecycle.decide(decision("raise", 4))
    assert again.status == "firing"


def test_what_was_closed_by_hand_comes_back_when_it_is_worse() -> None:
    lifecycle, actions, alert = firing()
    actions.apply(Resolve(action_id="1", who="li", at=T0 + M, alert_id=alert.alert_id))
    (again,) = lifecycle.decide(decision("update", 2, "critical"))
    assert (again.status, again.severity, again.alert_id) == ("firing", "critical", alert.alert_id)


def test_a_note_is_kept_with_the_alert() -> None:
    lifecycle, actions, alert = firing()
    actions.apply(AddNote(action_id="1", who="li", at=T0 + M, alert_id=alert.alert_id, text="已联系仓库"))
    (ended,) = lifecycle.decide(decision("clear", 5))
    assert ended.evidence["notes"] == [{"action": "note", "who": "li", "at": T0 + M, "text": "已联系仓库"}]


def test_a_silence_mutes_what_fires_and_its_end_is_told() -> None:
    lifecycle, actions, _ = firing()
    begin = BeginSilence(action_id="s", who="li", at=T0 + M, matchers={"value": ("all",)}, until=T0 + 90 * M)
    (muted,) = actions.apply(begin).alerts
    assert (muted.reason, muted.evidence["muted"]) == ("muted", {"by": "silence", "until": T0 + 90 * M})
    (loud,) = actions.apply(EndSilence(action_id="e", who="li", at=T0 + 2 * M, silence_id="s")).alerts
    assert (loud.reason, "muted" in loud.evidence) == ("unmuted", False)
    assert lifecycle.advance(T0 + 120 * M) == []


def test_an_action_counts_once_also_over_a_restart() -> None:
    lifecycle, actions, alert = firing()
    note = AddNote(action_id="1", who="li", at=T0 + M, alert_id=alert.alert_id, text="x")
    assert actions.apply(note).alerts
    assert actions.apply(note).refused == "this action was taken already"
    restarted = Actions(lifecycle)
    restarted.load(actions.dump())
    assert restarted.apply(note).alerts == []


@pytest.mark.parametrize(
    ("action", "why"),
    [
        pytest.param(Resolve(action_id="1", who="li", at=T0, alert_id="nope"), "there is no alert nope", id="alert"),
        pytest.param(EndSilence(action_id="1", who="li", at=T0, silence_id="x"), "there is no silence x", id="silence"),
        pytest.param(BeginSilence(action_id="1", who="li", at=T0, matchers={"kind": ("x",)}, until=T0), "ends before",
                     id="silence-without-length"),
    ],
)  # fmt: skip
def test_a_refusal_says_why(action: Action, why: str) -> None:
    _, actions, _ = firing()
    outcome = actions.apply(action)
    assert outcome.alerts == []
    assert why in outcome.refused


def test_what_is_over_cannot_be_acknowledged() -> None:
    lifecycle, actions, alert = firing()
    lifecycle.decide(decision("clear", 5))
    outcome = actions.apply(Acknowledge(action_id="1", who="li", at=T0 + 6 * M, alert_id=alert.alert_id))
    assert outcome.refused == "the alert is over"


def test_matchers_take_a_value_or_a_list() -> None:
    assert parse_matchers({"kind": "x", "value": ["a", "b"]}) == {"kind": ("x",), "value": ("a", "b")}
