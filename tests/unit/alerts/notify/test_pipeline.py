"""What people are told over an alert's life, and that nothing is told twice."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from alerts.notify.errors import SendError
from alerts.notify.message import Message
from alerts.notify.pipeline import Notifier
from schemas.notify import Channel, Escalation, NotifyConfig, Person, Roster, Rotation, Route, Secret, Step
from schemas.results import Alert
from tests.suites.notifier_suite import AT, Log, ManualClock, spike

MINUTE = 60_000


class Post:
    """A sender that keeps what it is given, or fails as told."""

    def __init__(self, channel: Channel, clock: ManualClock) -> None:
        self.channel = channel
        self.clock = clock
        self.sent: list[Message] = []
        self.at: list[int] = []
        self.failures: list[Exception] = []
        self.tries = 0

    def fits(self, message: Message) -> bool:
        return len(message.body.encode()) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        self.at.append((self.clock.now - AT) // MINUTE)


class Bench:
    """A notifier whose senders are kept here."""

    def __init__(self, config: NotifyConfig, http: aiohttp.ClientSession) -> None:
        self.clock, self.log, self.config, self.http = ManualClock(), Log(), config, http
        self.posts = {name: Post(one, self.clock) for name, one in config.channels.items()}
        self.notifier = self.fresh()

    def fresh(self) -> Notifier:
        notifier = Notifier(self.config, clock=self.clock, http=self.http, record=self.log, chance=random.Random(1))
        notifier._senders = dict(self.posts)
        return notifier

    async def run(self, minutes: float, *, step_ms: int = 1000) -> None:
        for _ in range(int(minutes * MINUTE / step_ms)):
            self.clock.now += step_ms
            await self.notifier.tick(self.clock.now)

    async def say(self, alert: Alert, status: Any = "updated", **changes: Any) -> Alert:
        changed = alert._replace(status=status, at=self.clock.now, **changes)
        await self.notifier.notify(changed)
        return changed

    def titles(self, name: str = "a") -> list[str]:
        return [one.title for one in self.posts[name].sent]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def channel(name: str, **changes: Any) -> Channel:
    values: dict[str, Any] = {"limits": ((20, MINUTE),), "reserve": 5, "max_bytes": 20_000}
    return Channel(name=name, kind="dingtalk", url=Secret("https://x.example.com"), **(values | changes))


def config(*channels: Channel, routes: tuple[Route, ...] = (), steps: tuple[Step, ...] = ()) -> NotifyConfig:
    def always(name: str) -> Roster:
        return Roster(name=name, rotations=(Rotation(people=(name,), start_wall=0, every_ms=86_400_000),))

    return NotifyConfig(
        people={one: Person(name=one, phone="1") for one in ("first", "second", "lead")},
        rosters={one: always(one) for one in ("first", "lead")},
        channels={one.name: one for one in channels or (channel("a"),)},
        escalations={"esc": Escalation(name="esc", steps=steps)} if steps else {},
        routes=routes or (Route(channels=("a",), roster="first", escalation="esc" if steps else ""),),
    )  # fmt: skip


def muted(alert: Alert, by: str = "silence") -> dict[str, Any]:
    return alert.evidence | {"muted": {"by": by, "until": None}}


async def test_a_transition_handed_in_twice_is_told_once(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    for _ in range(3):
        await bench.notifier.notify(spike())
    assert len(bench.titles()) == 1
    assert bench.log.outcomes() == ["sent"]


async def test_it_is_told_once_over_a_restart_from_the_dump(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    await bench.notifier.notify(spike())
    dumped = json.loads(json.dumps(bench.notifier.dump()))
    bench.notifier = bench.fresh()
    bench.notifier.load(dumped)
    await bench.notifier.notify(spike())
    await bench.run(1)
    assert len(bench.titles()) == 1


async def test_it_is_told_once_over_a_restart_from_the_delivery_log_alone(http: aiohttp.ClientSession) -> None:
    """One channel got it before the crash, the other did not: only the other is told."""
    bench = Bench(config(channel("a"), channel("b"), routes=(Route(channels=("a", "b")),)), http)
    bench.posts["b"].failures = [SendError("busy", "x")]
    await bench.notifier.notify(spike())
    assert bench.log.outcomes() == ["sent", "retry"]
    bench.notifier = bench.fresh()
    bench.notifier.remember(bench.log.rows)
    await bench.notifier.notify(spike())
    await bench.say(spike(), "resolved", ends_at=AT)
    assert (len(bench.titles("a")), len(bench.titles("b"))) == (2, 2)
    assert [row.attempt for row in bench.log.rows if row.channel == "b" and row.status == "firing"] == [1, 2]


async def test_a_waiting_message_survives_a_restart(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    bench.posts["a"].failures = [SendError("connection", "x")]
    await bench.notifier.notify(spike())
    dumped = json.loads(json.dumps(bench.notifier.dump()))
    bench.notifier = bench.fresh()
    bench.notifier.load(dumped)
    await bench.run(1)
    assert len(bench.titles()) == 1


async def test_a_muted_alert_is_noted_and_not_sent(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(steps=(Step(after_ms=MINUTE, roster="lead"),)), http)
    await bench.notifier.notify(spike(evidence=muted(spike())))
    await bench.run(5)
    await bench.say(spike(), "resolved", ends_at=AT)
    assert bench.titles() == []
    assert [(row.outcome, row.detail) for row in bench.log.rows] == [
        ("muted", "silence"), ("skipped", "nobody was told that it fired"),
    ]  # fmt: skip


async def test_when_the_mute_ends_people_are_told_and_named(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    await bench.notifier.notify(spike(evidence=muted(spike(), "quiet_hours")))
    await bench.run(1)
    await bench.say(spike(), reason="unmuted")
    assert [[one.name for one in told.mentions] for told in bench.posts["a"].sent] == [["first"]]


async def test_nobody_hears_that_it_is_over_who_did_not_hear_that_it_began(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(channel("a", limits=((1, MINUTE),), reserve=0)), http)
    await bench.notifier.notify(spike(1, severity="warning"))
    await bench.notifier.notify(spike(2, severity="warning"))
    await bench.say(spike(2, severity="warning"), "resolved", ends_at=AT)
    await bench.run(3)
    assert len(bench.titles()) == 1
    assert bench.log.outcomes() == ["sent", "superseded", "skipped"]


async def test_it_escalates_from_person_to_second_to_lead_until_somebody_claims_it(http: aiohttp.ClientSession) -> None:
    steps = (
        Step(after_ms=5 * MINUTE, people=("second",)),
        Step(after_ms=10 * MINUTE, roster="lead"),
        Step(after_ms=20 * MINUTE, people=("lead",)),
    )
    bench = Bench(config(steps=steps), http)
    await bench.notifier.notify(spike())
    await bench.run(12)
    claim = spike().evidence | {"acknowledged": {"who": "second", "at": bench.clock.now}}
    await bench.say(spike(), reason="acknowledged", evidence=claim)
    await bench.run(20)
    told = [[one.name for one in message.mentions] for message in bench.posts["a"].sent]
    assert told == [["first"], ["second"], ["lead"], []]
    assert bench.posts["a"].at == [0, 5, 10, 12]
    assert bench.titles()[1].startswith("📢 5 分钟无人认领：")
    assert "已认领** second" in bench.posts["a"].sent[3].body


async def test_a_step_that_time_brought_is_something_to_save_and_is_not_told_again_after_a_restart(
    http: aiohttp.ClientSession,
) -> None:
    bench = Bench(config(steps=(Step(after_ms=5 * MINUTE, people=("second",)),)), http)
    await bench.say(spike(), "firing")
    bench.clock.now += MINUTE
    assert await bench.notifier.tick(bench.clock.now) is False
    bench.clock.now += 5 * MINUTE
    assert await bench.notifier.tick(bench.clock.now) is True
    again = bench.fresh()
    again.load(json.loads(json.dumps(bench.notifier.dump())))
    bench.clock.now += MINUTE
    assert await again.tick(bench.clock.now) is False
    assert len(bench.titles()) == 2


@pytest.mark.parametrize("end", ["resolved", "snoozed"])
async def test_it_does_not_escalate_when_it_is_over_or_snoozed(http: aiohttp.ClientSession, end: str) -> None:
    bench = Bench(config(steps=(Step(after_ms=5 * MINUTE, people=("second",)),)), http)
    await bench.notifier.notify(spike())
    await bench.run(1)
    if end == "resolved":
        await bench.say(spike(), "resolved", ends_at=AT)
    else:
        await bench.say(spike(), reason="snoozed", evidence=muted(spike(), "snooze"))
    await bench.run(20)
    assert not [title for title in bench.titles() if "无人认领" in title]


async def test_a_persons_own_channel_is_used_when_it_escalates_to_him(http: aiohttp.ClientSession) -> None:
    made = config(channel("a"), channel("phone"), steps=(Step(after_ms=5 * MINUTE, people=("lead",)),))
    made.people["lead"] = Person(name="lead", channels=("phone",))  # type: ignore[index]
    bench = Bench(made, http)
    await bench.notifier.notify(spike())
    await bench.run(6)
    assert (len(bench.titles("a")), len(bench.titles("phone"))) == (2, 1)


async def test_tickets_of_one_queue_are_one_message(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(routes=(Route(channels=("a",), bundle_ms=MINUTE),)), http)
    for number in range(30):
        labels = {"ticket_id": f"T-{number}", "clock": "resolution", "policy": "p"}
        evidence = {"queue": "退款", "target_ms": 3_600_000}
        await bench.notifier.notify(
            spike(number, severity="warning", kind="sla_breach", labels=labels, evidence=evidence, at=AT + number)
        )
    await bench.run(3)
    assert bench.titles() == ["🟠 退款 队列 30 张工单解决超时"]
    assert bench.log.outcomes() == ["sent"] * 30
    assert bench.log.rows[0].detail == "one of 30 in one message"
    assert "T-29" in bench.posts["a"].sent[0].body


async def test_under_pressure_the_critical_ones_go_first_and_the_rest_as_a_digest(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    for number in range(40):
        await bench.notifier.notify(spike(number, severity="warning", at=AT + number))
    for number in range(4):
        await bench.notifier.notify(spike(100 + number, at=AT + 100 + number))
    assert [one.severity for one in bench.posts["a"].sent] == ["warning"] * 15 + ["critical"] * 4
    await bench.run(2)
    assert len(bench.titles()) == 20
    assert bench.titles()[-1].startswith("🟠 25 条告警，最重：")
    assert bench.log.outcomes().count("sent") == 44


async def test_a_channel_that_takes_nothing_hands_over_to_the_next(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(channel("a", failover=("b", "c")), channel("b", failover=("a",)), channel("c")), http)
    bench.posts["a"].failures = [SendError("denied", "x")]
    bench.posts["b"].failures = [SendError("refused", "x")]
    await bench.notifier.notify(spike())
    await bench.run(1)
    assert [len(bench.titles(name)) for name in "abc"] == [0, 0, 0]
    assert bench.log.outcomes() == ["failover", "failed"]  # b's own list leads back to a, which failed
    bench.posts["a"].failures = [SendError("denied", "x")]
    await bench.notifier.notify(spike(2))
    assert [len(bench.titles(name)) for name in "abc"] == [0, 1, 0]


async def test_a_hand_over_does_not_repeat_what_the_route_told_the_other_channel(http: aiohttp.ClientSession) -> None:
    made = config(channel("a", failover=("b",)), channel("b"), routes=(Route(channels=("a", "b")),))
    bench = Bench(made, http)
    bench.posts["a"].failures = [SendError("denied", "x")]
    await bench.notifier.notify(spike())
    await bench.run(1)
    assert len(bench.titles("b")) == 1
    assert sorted(bench.log.outcomes()) == ["failed", "sent"]


async def test_critical_alerts_leave_a_channel_that_is_shut_and_others_wait(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(channel("a", failover=("b",)), channel("b")), http)
    bench.posts["a"].failures = [SendError("throttled", "x", retry_after_ms=10 * MINUTE)]
    await bench.notifier.notify(spike(1, severity="warning"))
    await bench.notifier.notify(spike(2))
    assert (len(bench.titles("a")), len(bench.titles("b"))) == (0, 1)
    await bench.run(9.9, step_ms=6000)
    assert bench.posts["a"].tries == 1
    await bench.run(1)
    assert (len(bench.titles("a")), len(bench.titles("b"))) == (1, 1)


async def test_a_months_quota_that_is_used_up_hands_over(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(channel("a", monthly_quota=3, failover=("b",)), channel("b")), http)
    for number in range(5):
        await bench.notifier.notify(spike(number, at=AT + number))
    assert (len(bench.titles("a")), len(bench.titles("b"))) == (3, 2)
    assert bench.notifier.figures().channels["a"].month_sent == 3


async def test_what_may_have_arrived_is_not_sent_again_to_the_same_place(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    bench.posts["a"].failures = [SendError("unsure", "x")]
    await bench.notifier.notify(spike())
    await bench.run(5)
    assert (bench.posts["a"].tries, bench.log.outcomes()) == (1, ["unsure"])


async def test_there_is_an_end_to_tries_and_it_is_logged(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    bench.posts["a"].failures = [SendError("busy", "x") for _ in range(50)]
    await bench.notifier.notify(spike())
    await bench.run(10)
    assert bench.log.outcomes() == ["retry"] * 5 + ["failed"]
    assert [row.attempt for row in bench.log.rows] == [1, 2, 3, 4, 5, 6]


async def test_a_message_that_breaks_the_sender_holds_up_no_other(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    bench.posts["a"].failures = [KeyError("secret")]
    await bench.notifier.notify(spike(1))
    await bench.notifier.notify(spike(2))
    assert [(row.outcome, row.detail) for row in bench.log.rows] == [("failed", "broken: KeyError"), ("sent", "")]


async def test_rows_that_the_log_did_not_take_are_written_later_and_nothing_is_sent_again(
    http: aiohttp.ClientSession,
) -> None:
    bench = Bench(config(), http)
    rows, broken = bench.log.rows, [True]

    async def record(found: Any) -> None:
        if broken.pop() if broken else False:
            raise ConnectionError
        rows.extend(found)

    bench.notifier._record = record
    with pytest.raises(ConnectionError):
        await bench.notifier.notify(spike())
    await bench.notifier.notify(spike())
    assert (len(bench.titles()), bench.log.outcomes()) == (1, ["sent"])


async def test_an_alert_that_no_route_takes_is_logged(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(routes=(Route(match={"kind": frozenset({"threshold"})}, channels=("a",)),)), http)
    await bench.notifier.notify(spike())
    assert bench.log.outcomes() == ["unrouted"]


async def test_a_phases_roster_stands_in_for_the_routes(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    phased = Notifier(
        bench.config, clock=bench.clock, http=http, record=bench.log, phase_roster=lambda at: "lead" if at == AT else ""
    )
    phased._senders = dict(bench.posts)
    await phased.notify(spike())
    assert [one.name for one in bench.posts["a"].sent[0].mentions] == ["lead"]


async def test_a_channel_that_is_gone_hands_its_messages_to_the_route(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    bench.posts["a"].failures = [SendError("connection", "x")]
    await bench.notifier.notify(spike())
    dumped = bench.notifier.dump()
    other = Bench(config(channel("b"), routes=(Route(channels=("b",)),)), http)
    other.notifier.load(dumped)
    await other.run(0.1)
    assert len(other.titles("b")) == 1


async def test_a_phase_s_roster_stands_in_for_the_route_s_own_also_when_it_escalates(
    http: aiohttp.ClientSession,
) -> None:
    steps = (Step(after_ms=MINUTE, roster="first"), Step(after_ms=2 * MINUTE, roster="other"))
    made = config(steps=steps)

    def always(name: str) -> Roster:
        return Roster(name=name, rotations=(Rotation(people=(name,), start_wall=0, every_ms=86_400_000),))

    made = replace(
        made, people={**made.people, "n": Person(name="n", phone="2"), "other": Person(name="other", phone="3")},
        rosters={**made.rosters, "n": always("n"), "other": always("other")},
    )  # fmt: skip
    bench = Bench(made, http)
    bench.notifier = Notifier(
        made, clock=bench.clock, record=bench.log, senders=dict(bench.posts), phase_roster=lambda _: "n"
    )
    await bench.notifier.notify(spike())
    await bench.run(3)
    named = [[person.name for person in one.mentions] for one in bench.posts["a"].sent]
    assert named == [["n"], ["n"], ["other"]]
