"""Whatever comes in whatever order, with faults and restarts: told at most once a channel, and all is accounted for."""

import asyncio
import json
import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.notify.bundling import transition_of
from alerts.notify.errors import Reason, SendError
from alerts.notify.message import Message
from alerts.notify.pipeline import Notifier
from alerts.notify.state import FINAL
from schemas.notify import Channel, Escalation, NotifyConfig, Person, Route, Secret, Step
from schemas.results import Alert
from tests.suites.notifier_suite import Log, ManualClock, spike

FAULTS: tuple[Reason, ...] = (
    "connection", "unsure", "throttled", "busy", "quota", "denied", "refused", "too_large", "bad_answer",
)  # fmt: skip
MINUTE = 60_000


class Faulty:
    """Fails as the next of its faults says; keeps what it took."""

    def __init__(self, channel: Channel, clock: ManualClock, faults: list[Reason | None]) -> None:
        self.channel, self._clock, self._faults = channel, clock, faults
        self.taken: Counter[str] = Counter()
        self.times: list[int] = []

    def fits(self, message: Message) -> bool:
        return True

    async def send(self, message: Message, *, now_ms: int) -> None:
        self.times.append(self._clock.now)
        fault = self._faults.pop(0) if self._faults else None
        if fault is not None and fault != "unsure":
            raise SendError(fault, "", retry_after_ms=MINUTE if fault == "throttled" else None)
        if not message.mentions:  # only steps of the escalation name somebody here; they tell again on purpose
            self.taken.update(transition_of(one) for one in message.alerts)
        if fault == "unsure":  # it arrived, and nobody said so
            raise SendError("unsure", "")


def one_step() -> st.SearchStrategy[tuple[Any, ...]]:
    number = st.integers(0, 5)
    say = st.tuples(
        st.just("say"), number, st.sampled_from(["firing", "updated", "resolved"]),
        st.sampled_from(["warning", "critical"]), st.sampled_from(["", "muted", "acknowledged"]), st.booleans(),
    )  # fmt: skip
    wait = st.tuples(st.just("wait"), st.sampled_from([1000, 20_000, 5 * MINUTE]))
    burst = st.tuples(st.just("burst"), st.sampled_from(["warning", "critical"]))
    return st.one_of(say, burst, wait, st.just(("restart",)), st.just(("repeat",)))


faults = st.lists(st.one_of(st.none(), st.sampled_from(FAULTS)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(one_step(), min_size=1, max_size=40), faults, faults)
def test_told_at_most_once_and_all_accounted_for(
    steps: list[tuple[Any, ...]], faults_a: list[Reason | None], faults_b: list[Reason | None]
) -> None:
    asyncio.run(_play(steps, faults_a, faults_b))


def _config() -> NotifyConfig:
    limits = ((4, MINUTE),)
    first = Channel(name="a", kind="wecom", url=Secret("x"), limits=limits, reserve=1, failover=("b",))
    second = Channel(name="b", kind="wecom", url=Secret("y"), limits=limits, reserve=1)
    critical = {"severity": frozenset({"critical"})}
    return NotifyConfig(
        people={"p": Person(name="p", wecom="p")},
        channels={"a": first, "b": second},
        escalations={"e": Escalation(name="e", steps=(Step(after_ms=4 * MINUTE, people=("p",)),))},
        routes=(Route(match=critical, channels=("a", "b"), escalation="e"), Route(channels=("a",), bundle_ms=20_000)),
    )


async def _play(steps: list[tuple[Any, ...]], faults_a: list[Reason | None], faults_b: list[Reason | None]) -> None:
    clock, log, config = ManualClock(), Log(), _config()
    senders = {
        name: Faulty(config.channels[name], clock, faults) for name, faults in (("a", faults_a), ("b", faults_b))
    }

    def fresh() -> Notifier:
        return Notifier(config, clock=clock, record=log, senders=senders, chance=random.Random(1))

    notifier, said = fresh(), list[Alert]()
    for step in steps:
        if step[0] == "say":
            clock.now += 1
            said.append(_alert(step, clock.now))
            await notifier.notify(said[-1])
        elif step[0] == "burst":
            for number in range(6):
                clock.now += 1
                said.append(_alert(("say", number, "firing", step[1], "", False), clock.now))
                await notifier.notify(said[-1])
        elif step[0] == "wait":
            clock.now += step[1]
            await notifier.tick(clock.now)
        elif step[0] == "repeat":
            for alert in said:
                await notifier.notify(alert)
        else:
            dumped = json.loads(json.dumps(notifier.dump()))
            notifier = fresh()
            notifier.load(dumped)
    end = clock.now + 2 * 24 * 60 * MINUTE  # so that a quota that is used up comes back
    while clock.now < end and any(one.waiting for one in notifier.figures().channels.values()):
        clock.now += 20 * MINUTE
        await notifier.tick(clock.now)
    # What a used-up quota holds back for longer than this is still waiting, not lost.
    held = {_place(one["alert"]) for one in notifier.dump()["waiting"]}
    _check(said, senders, log, held)


def _place(alert: Any) -> str:
    if isinstance(alert, dict):
        return f"{alert['alert_id']}|{alert['at']}|{alert['status']}"
    fields = dict(zip(Alert._fields, alert, strict=True))
    return f"{fields['alert_id']}|{fields['at']}|{fields['status']}"


def _alert(step: tuple[Any, ...], at: int) -> Alert:
    _, number, status, severity, extra, ticket = step
    evidence = dict(spike().evidence)
    if extra:
        evidence[extra] = {"by": "silence", "until": None, "who": "x", "at": at}
    labels = {"ticket_id": f"T-{number}", "clock": "resolution"} if ticket else spike().labels
    return spike(
        number, status=status, severity=severity, at=at, evidence=evidence, labels=labels,
        kind="sla_breach" if ticket else "negative_spike",
    )  # fmt: skip


def _check(said: list[Alert], senders: dict[str, Faulty], log: Log, held: set[str]) -> None:
    for sender in senders.values():
        assert not [key for key, times in sender.taken.items() if times > 1]
        for at in sender.times:
            assert sum(at <= one < at + MINUTE for one in sender.times) <= 4
    places = Counter((row.alert_id, row.alert_at, row.status, row.channel, row.attempt) for row in log.rows)
    assert not [place for place, times in places.items() if times > 1]
    ended = {f"{row.alert_id}|{row.alert_at}|{row.status}" for row in log.rows if row.outcome in FINAL}
    assert {transition_of(alert) for alert in said} <= ended | held
