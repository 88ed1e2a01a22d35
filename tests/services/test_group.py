"""Who is in the group, asked of a real broker: the living are left alone, and a dead one's partitions get an owner."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer

from agents import broker as brokers
from agents.transport.driver import monotonic_ms
from agents.transport.membership import Membership, follow_group

if TYPE_CHECKING:
    from tests.services.conftest import Broker

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(120)]

SESSION_MS = 6_000
PARTITIONS = 4


async def test_the_last_one_alive_gets_what_the_dead_one_had(
    broker: "Broker", monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[int, int]] = []
    real = Membership.seen

    def noted(self: Membership, generation: int, members: list[str]) -> bool:
        seen.append((generation, len(members)))
        return real(self, generation, members)

    monkeypatch.setattr(Membership, "seen", noted)
    topic, group = broker.name("shared"), broker.name("group")
    spec = brokers.TopicSpec.kept(topic, partitions=PARTITIONS, retention_ms=600_000)
    await brokers.ensure_topics(broker.bootstrap, [spec])
    alive, dying = _member(broker, topic, group), _member(broker, topic, group)
    heartbeats: list[int] = []
    await alive.start()
    follow_group(alive._coordinator, sent=heartbeats.append, now_ms=monotonic_ms, every_ms=500)
    await dying.start()
    try:
        await _until(lambda: len(alive.assignment()) == len(dying.assignment()) == PARTITIONS // 2)
        await _until(lambda: [members for _, members in seen[-3:]] == [2, 2, 2])
        assert "joining anew" not in caplog.text
        dying._coordinator._heartbeat_task.cancel()  # no word any more, and no goodbye
        await _until(lambda: len(alive.assignment()) == PARTITIONS)
        assert heartbeats == sorted(heartbeats)
    finally:
        dying._coordinator.generation = -1  # the group knows it no more
        await asyncio.gather(alive.stop(), dying.stop())


def _member(broker: "Broker", topic: str, group: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, group_id=group, enable_auto_commit=False,
        session_timeout_ms=SESSION_MS, heartbeat_interval_ms=500,
    )  # fmt: skip


async def _until(holds: Callable[[], bool], *, within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
