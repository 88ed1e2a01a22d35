"""The lifecycle under random use, against what must hold whatever happens.

A twin is dumped and loaded before every step: state that `dump` forgets would make it speak differently.
"""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from alerts.actions import Acknowledge, Actions, BeginSilence, FalseAlarm, Resolve, Snooze
from alerts.decision import Decision
from alerts.incident import key_of
from alerts.lifecycle import Lifecycle
from alerts.rhythm import Rhythm
from schemas.results import Alert, AlertSeverity
from schemas.rules import Rule, parse_rules

M = 60_000
T0 = 1_793_980_800_000
LONG = 3 * 86_400_000
VALUES = ("手机", "家电", "app")
RHYTHM = Rhythm(storm_more_than=3)

severities = st.sampled_from(["info", "warning", "critical"])


def make_rules(for_minutes: int, cooldown_minutes: int) -> tuple[Rule, ...]:
    spike = {
        "name": "spike", "kind": "negative_spike", "for": f"{for_minutes}m", "cooldown": f"{cooldown_minutes}m",
        "quiet_hours": {"from": "02:00", "to": "03:00"},
    }  # fmt: skip
    return parse_rules([spike, {"name": "silent", "kind": "feed_silent"}], source="r")


class LifecycleMachine(RuleBasedStateMachine):
    """Decisions, ticks and people's actions in any order that time allows."""

    @initialize(for_minutes=st.sampled_from([0, 0, 3]), cooldown_minutes=st.sampled_from([0, 10, 90]))
    def begin(self, for_minutes: int, cooldown_minutes: int) -> None:
        self.in_force = make_rules(for_minutes, cooldown_minutes)
        self.now = T0
        self.lifecycle = Lifecycle(self.in_force, rhythm=RHYTHM)
        self.actions = Actions(self.lifecycle)
        self.holds: dict[str, bool] = {}  # what the detector said last, by value
        self.closed: set[str] = set()  # closed by a person, and not cleared since
        self.silent = False
        self.told: list[Alert] = []
        self.asked: list[Decision] = []
        self.action_ids = 0

    def restart(self) -> None:
        """Go on with a lifecycle that knows only what was dumped."""
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.lifecycle.dump()))
        pages = self.lifecycle.pages()
        seen = self.actions.dump()
        self.lifecycle = Lifecycle(self.in_force, rhythm=RHYTHM)
        self.lifecycle.load(state, pages)
        self.actions = Actions(self.lifecycle)
        self.actions.load(seen)

    def hear(self, alerts: list[Alert]) -> None:
        self.told += alerts

    def last(self) -> dict[str, Alert]:
        return {alert.alert_id: alert for alert in self.told}

    @rule(minutes=st.integers(0, 40), tick=st.booleans())
    def time_passes(self, minutes: int, tick: bool) -> None:
        self.now += minutes * M + 1
        if tick:
            twin = Lifecycle(self.in_force, rhythm=RHYTHM)
            twin.load(self.lifecycle.dump(), self.lifecycle.pages())
            expected = twin.advance(self.now)
            found = self.lifecycle.advance(self.now)
            assert found == expected
            assert self.lifecycle.advance(self.now) == []
            self.hear(found)

    @rule(value=st.sampled_from(VALUES), severity=severities, level=st.sampled_from([0.2, 0.4, 0.9]))
    def it_holds(self, value: str, severity: AlertSeverity, level: float) -> None:
        self.restart()
        self.hear(self.lifecycle.advance(self.now))
        self.decide("update" if self.holds.get(value) else "raise", value, severity=severity, level=level)
        self.holds[value] = True

    @rule(value=st.sampled_from(VALUES))
    def it_clears(self, value: str) -> None:
        self.restart()
        self.hear(self.lifecycle.advance(self.now))
        self.decide("clear", value)
        self.holds[value] = False
        self.closed.discard(value)

    def decide(self, state: Any, value: str, *, severity: AlertSeverity = "warning", level: float = 0.4) -> None:
        self.now += 1
        labels = {"dimension": "channel" if value == "app" else "category", "value": value}
        decision = Decision("spike", "negative_spike", state, severity, labels, self.now, self.now, level, 0.1, {})
        self.asked.append(decision)
        self.hear(self.lifecycle.decide(decision))

    @rule(silent=st.booleans())
    def the_feed_falls_silent_or_speaks(self, silent: bool) -> None:
        self.now += 1
        self.hear(self.lifecycle.advance(self.now))
        labels = {"topic": "reviews", "channel": "app"}
        evidence = {"inhibits": [{"kind": "negative_spike", "channel": "app"}]}
        self.hear(self.lifecycle.decide(Decision(
            "silent", "feed_silent", "raise" if silent else "clear", "warning", labels, self.now, self.now, 300.0,
            None, evidence,
        )))  # fmt: skip
        self.silent = silent

    @rule(data=st.data())
    def a_decision_is_replayed(self, data: st.DataObject) -> None:
        """What was the last word on its labels says nothing when it comes again."""
        latest = {key_of(one.rule, one.labels): one for one in self.asked}
        if latest:
            again = data.draw(st.sampled_from(sorted(latest.values(), key=lambda one: one.labels["value"])))
            self.hear(self.lifecycle.advance(self.now))
            said = self.lifecycle.decide(again)
            assert said == []

    @rule(data=st.data(), what=st.sampled_from(["acknowledge", "snooze", "resolve", "false_alarm"]))
    def a_person_acts(self, data: st.DataObject, what: str) -> None:
        self.hear(self.lifecycle.advance(self.now))
        firing = [one for one in self.lifecycle.running() if one.stage == "firing" and one.rule == "spike"]
        if not firing:
            return
        incident = data.draw(st.sampled_from(firing))
        self.action_ids += 1
        name, alert, value = f"a{self.action_ids}", incident.alert_id, incident.labels["value"]
        if what == "acknowledge":
            outcome = self.actions.apply(Acknowledge(action_id=name, who="li", at=self.now, alert_id=alert))
        elif what == "snooze":
            until = self.now + 30 * M
            outcome = self.actions.apply(Snooze(action_id=name, who="li", at=self.now, alert_id=alert, until=until))
        elif what == "resolve":
            outcome = self.actions.apply(Resolve(action_id=name, who="li", at=self.now, alert_id=alert))
        else:
            outcome = self.actions.apply(
                FalseAlarm(action_id=name, who="li", at=self.now, alert_id=alert, text="a test order")
            )
        assert outcome.refused == ""
        assert [one.reason for one in outcome.alerts] == [
            {"acknowledge": "acknowledged", "snooze": "snoozed", "resolve": "resolved"}.get(what, what)
        ]
        if what in ("resolve", "false_alarm") and self.holds[value]:
            self.closed.add(value)
        self.hear(outcome.alerts)

    @rule(value=st.sampled_from(VALUES))
    def a_person_silences(self, value: str) -> None:
        self.hear(self.lifecycle.advance(self.now))
        self.action_ids += 1
        self.hear(self.actions.apply(BeginSilence(
            action_id=f"a{self.action_ids}", who="li", at=self.now, until=self.now + 20 * M,
            matchers={"value": (value,)},
        )).alerts)  # fmt: skip

    @rule()
    def the_rules_are_read_again(self) -> None:
        assert self.lifecycle.reconfigure(self.in_force) == []

    @rule()
    def all_comes_to_rest(self) -> None:
        """After days without a change an alert fires if, and only if, its condition holds and nothing keeps it back."""
        self.now += LONG
        self.asked = []  # nothing is replayed after days
        self.hear(self.lifecycle.advance(self.now))
        firing = {one.labels["value"] for one in self.lifecycle.running()
                  if one.stage == "firing" and one.rule == "spike"}  # fmt: skip
        held_back = {"app"} if self.silent else set()
        true = {value for value, holds in self.holds.items() if holds}
        assert firing - true == set()
        assert true - firing - self.closed - held_back == set()

    @invariant()
    def an_alert_fires_before_it_is_updated_or_resolved(self) -> None:
        state: dict[str, str] = {}
        for alert in getattr(self, "told", []):
            before = state.get(alert.alert_id, "none")
            if alert.status == "firing":
                assert before in ("none", "resolved"), alert
            else:
                assert before in ("firing", "updated"), alert
            state[alert.alert_id] = alert.status

    @invariant()
    def no_transition_is_told_twice(self) -> None:
        seen = [(one.alert_id, one.status, one.at, one.reason) for one in getattr(self, "told", [])
                if one.status != "updated"]  # fmt: skip
        assert len(seen) == len(set(seen))

    @invariant()
    def time_never_runs_back_within_an_alert(self) -> None:
        latest: dict[str, int] = {}
        for alert in getattr(self, "told", []):
            assert alert.at >= latest.get(alert.alert_id, 0)
            # A word in the same millisecond as the last one is told as the next.
            assert alert.starts_at <= alert.at <= self.now + self.action_ids
            assert (alert.ends_at is not None) == (alert.status == "resolved")
            latest[alert.alert_id] = alert.at

    @invariant()
    def what_runs_is_what_was_told(self) -> None:
        if hasattr(self, "lifecycle"):
            running = {one.alert_id for one in self.lifecycle.running() if one.stage == "firing"}
            assert running == {key for key, alert in self.last().items() if alert.status != "resolved"}

    @invariant()
    def flapping_is_damped(self) -> None:
        """No alert of a slice changes more than four times within an hour, but by a person's hand or for the worse."""
        changes: dict[str, list[int]] = {}
        for alert in getattr(self, "told", []):
            if alert.status == "updated" or alert.reason in ("resolved", "false_alarm") or alert.rule != "spike":
                continue
            times = changes.setdefault(alert.labels["value"], [])
            times.append(alert.at)
            assert len([at for at in times if at > alert.at - 60 * M]) <= 5, alert


LifecycleMachine.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestLifecycle = LifecycleMachine.TestCase
