import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents import broker as brokers
from agents.pagestore import topic_spec
from schemas.errors import ConfigError, TransientError

if TYPE_CHECKING:
    from tests.services.conftest import Broker

pytestmark = [pytest.mark.broker, pytest.mark.embedded]


async def test_missing_topics_are_created_once(broker: "Broker") -> None:
    kept, state = broker.name("kept"), broker.name("state")
    specs = [
        brokers.TopicSpec.kept(kept, partitions=3, retention_ms=brokers.DAY_MS),
        topic_spec(topic=state, partitions=2),
    ]
    assert await brokers.ensure_topics(broker.bootstrap, specs) == [kept, state]
    assert await brokers.ensure_topics(broker.bootstrap, specs) == []


async def test_every_topic_with_another_number_of_partitions_is_named(broker: "Broker") -> None:
    names = [broker.name("one"), broker.name("two")]
    day = brokers.DAY_MS
    await brokers.ensure_topics(
        broker.bootstrap, [brokers.TopicSpec.kept(name, partitions=2, retention_ms=day) for name in names]
    )
    with pytest.raises(ConfigError) as caught:
        await brokers.ensure_topics(
            broker.bootstrap, [brokers.TopicSpec.kept(name, partitions=3, retention_ms=day) for name in names]
        )
    assert caught.value.mistakes == tuple(f"topic {name}: 2 partitions, configured are 3" for name in names)


@pytest.mark.kafka
async def test_internal_topics_are_kept_as_asked(broker: "Broker") -> None:
    kept, state = broker.name("kept"), broker.name("state")
    await brokers.ensure_topics(
        broker.bootstrap,
        [brokers.TopicSpec.kept(kept, partitions=1, retention_ms=7_000), topic_spec(topic=state, partitions=1)],
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        answers = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in (kept, state)]
        )
    finally:
        await admin.close()
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    assert configs[kept]["cleanup.policy"] == "delete"
    assert configs[kept]["retention.ms"] == "7000"
    assert configs[state]["cleanup.policy"] == "compact"
    assert configs[state]["min.compaction.lag.ms"] == str(brokers.COMPACTION_LAG_MS)


async def test_true_end_is_found_behind_a_batch_of_many(broker: "Broker") -> None:
    """The embedded broker's ListOffsets names the start of the last batch."""
    topic = broker.name("ends")
    spec = brokers.TopicSpec.kept(topic, partitions=2, retention_ms=brokers.DAY_MS)
    await brokers.ensure_topics(broker.bootstrap, [spec])
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, linger_ms=50) as producer:
        for number in range(500):
            await producer.send(topic, b"%d" % number, partition=0)
        await producer.flush()
    ends = await brokers.end_offsets(broker.bootstrap, [(topic, 0), (topic, 1)])
    assert ends == {(topic, 0): 500, (topic, 1): 0}
    if broker.kind == "embedded":  # or the detour could go
        async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap) as consumer:
            listed = await consumer.end_offsets([TopicPartition(topic, 0)])
        assert listed[TopicPartition(topic, 0)] < 500


async def test_no_partitions_have_no_ends() -> None:
    assert await brokers.end_offsets("127.0.0.1:1", []) == {}


async def test_producer_is_idempotent_where_the_broker_can(broker: "Broker") -> None:
    assert await brokers.has_idempotence(broker.bootstrap) == (broker.kind == "apache")


async def test_broker_that_is_not_there_is_a_transient_error() -> None:
    spec = brokers.TopicSpec.kept("any", partitions=1, retention_ms=1)
    with pytest.raises(TransientError, match=r"kafka 127\.0\.0\.1:1: "):
        await brokers.ensure_topics("127.0.0.1:1", [spec])
    with pytest.raises(TransientError, match=r"kafka 127\.0\.0\.1:1: "):
        await brokers.end_offsets("127.0.0.1:1", [("any", 0)])
    with pytest.raises(TransientError, match=r"kafka 127\.0\.0\.1:1: "):
        async with brokers.open_producer("127.0.0.1:1"):
            pytest.fail("there is no broker")


async def test_a_cancellation_while_a_client_stops_is_ours(broker: "Broker", monkeypatch: pytest.MonkeyPatch) -> None:
    """aiokafka took it for that of its own tasks: a take-over that was called off went on, on closed clients."""
    topic, stopping, stop = broker.name("stopped"), asyncio.Event(), AIOKafkaConsumer.stop
    await brokers.ensure_topics(
        broker.bootstrap, [brokers.TopicSpec.kept(topic, partitions=1, retention_ms=brokers.DAY_MS)]
    )

    async def told(consumer: AIOKafkaConsumer) -> None:
        stopping.set()
        await stop(consumer)

    async def read() -> None:
        async with brokers.open_consumer(broker.bootstrap) as consumer:
            consumer.assign([TopicPartition(topic, 0)])
            await consumer.getmany(timeout_ms=10)

    monkeypatch.setattr(AIOKafkaConsumer, "stop", told)
    for turns in range(8):  # of the event loop, until the cancellation comes
        stopping.clear()
        task = asyncio.create_task(read())
        await stopping.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        if task.cancel():
            await asyncio.wait([task])
            assert task.cancelled(), turns
