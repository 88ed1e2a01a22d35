"""What metrics are told of the notifier."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from alerts.notify.errors import SendError
from schemas.notify import Route, Step
from tests.suites.notifier_suite import AT, spike
from tests.unit.alerts.notify.test_pipeline import MINUTE, Bench, channel, config, muted


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_what_a_budget_holds_back_is_told_apart_from_what_waits_its_turn(http: aiohttp.ClientSession) -> None:
    tight = channel("a", limits=((2, MINUTE),), reserve=1, monthly_quota=100)
    bench = Bench(config(tight, routes=(Route(channels=("a",), bundle_ms=10 * MINUTE),)), http)
    for number in range(3):
        await bench.notifier.notify(spike(number, severity="warning"))
    ticket = spike(7, severity="warning", labels={"ticket_id": "T", "clock": "resolution"})
    await bench.notifier.notify(ticket)
    bench.clock.now += 20_000
    found = bench.notifier.figures().channels["a"]
    assert (found.messages, found.sent, found.waiting, found.held_back) == (1, 1, 3, 2)
    assert (found.tokens_left, found.tokens_left_ordinary, found.oldest_held_ms) == (1, 0, 20_000)
    assert (found.month_sent, found.month_quota, found.kind) == (1, 100, "dingtalk")
    await bench.run(2)
    found = bench.notifier.figures().channels["a"]
    assert (found.messages, found.digests, found.sent, found.held_back) == (2, 1, 3, 0)


async def test_failures_are_counted_by_what_follows_from_them(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(channel("a", limits=(), failover=("b",)), channel("b")), http)
    troubles = ("throttled", "busy", "denied", "unsure")
    for number, reason in enumerate(troubles):
        bench.posts["a"].failures = [SendError(reason, "x")]  # type: ignore[arg-type]
        await bench.notifier.notify(spike(number, severity="warning"))
        await bench.run(3)
    await bench.notifier.notify(spike(9, evidence=muted(spike())))
    found = bench.notifier.figures().channels
    assert (found["a"].retried, found["a"].failed_over, found["a"].unsure, found["a"].failed) == (2, 1, 1, 0)
    assert (found["a"].sent, found["a"].muted, found["b"].sent) == (2, 1, 1)
    assert (found["a"].tokens_left, found["b"].tokens_left) == (None, 20)


async def test_a_channel_that_is_shut_says_for_how_long(http: aiohttp.ClientSession) -> None:
    bench = Bench(config(), http)
    bench.posts["a"].failures = [SendError("throttled", "x", retry_after_ms=10 * MINUTE)]
    await bench.notifier.notify(spike())
    found = bench.notifier.figures().channels["a"]
    assert (found.shut_ms, found.tokens_left, found.waiting) == (10 * MINUTE, 0, 1)


async def test_escalations_are_counted_until_somebody_claims(http: aiohttp.ClientSession) -> None:
    steps = (Step(after_ms=MINUTE, people=("second",)), Step(after_ms=2 * MINUTE, people=("lead",)))
    bench = Bench(config(steps=steps), http)
    await bench.notifier.notify(spike())
    await bench.run(3)
    assert (bench.notifier.figures().escalated, bench.notifier.figures().unclaimed) == (2, 1)
    await bench.say(spike(), evidence=spike().evidence | {"acknowledged": {"who": "lead", "at": AT}})
    assert (bench.notifier.figures().escalated, bench.notifier.figures().unclaimed) == (2, 0)
