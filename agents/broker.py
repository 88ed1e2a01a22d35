"""What is asked of the broker itself: topics, and where a partition really ends.

Decides how internal topics are kept; which there are, and how many partitions each has, the caller says.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, NodeNotReadyError, for_code
from aiokafka.protocol.transaction import InitProducerIdRequest

from schemas.errors import ConfigError, TransientError

Partition = tuple[str, int]
Options = Mapping[str, Any]  # keyword arguments for any aiokafka client: security, mostly

DAY_MS: Final = 86_400_000
# No record younger than this is compacted away: whoever takes a partition over sees in which order the last
# owners wrote, see docs/transport.md.
COMPACTION_LAG_MS: Final = 600_000

FETCH_MAX_WAIT_MS: Final = 100  # how long a poll on idle partitions may take

_TOPIC_EXISTS: Final = 36
_MAX_BATCH_BYTES: Final = 256 * 1024
_PRODUCER_ID_TIMEOUT_MS: Final = 30_000
_PRODUCER_ID_TRIES: Final = 100


class TopicSpec(NamedTuple):
    """A topic as it should be."""

    name: str
    partitions: int
    replication: int = 1
    config: Mapping[str, str] = {}

    @classmethod
    def kept(cls, name: str, *, partitions: int, retention_ms: int, replication: int = 1) -> Self:
        """A topic whose records go after `retention_ms`."""
        config = {"cleanup.policy": "delete", "retention.ms": str(retention_ms)}
        return cls(name, partitions, replication, config)

    @classmethod
    def compacted(cls, name: str, *, partitions: int, replication: int = 1) -> Self:
        """A topic that keeps the last record of each key for ever."""
        config = {
            "cleanup.policy": "compact",
            "min.compaction.lag.ms": str(COMPACTION_LAG_MS),
            "min.cleanable.dirty.ratio": "0.2",  # the state is read whole at a take-over: keep it short
            "segment.bytes": str(64 * 1024 * 1024),  # the segment in use is never compacted
            "delete.retention.ms": str(DAY_MS),
        }
        return cls(name, partitions, replication, config)


async def ensure_topics(
    bootstrap: str, specs: Sequence[TopicSpec], *, timeout_ms: int = 30_000, options: Options | None = None
) -> list[str]:
    """Create what is missing, wait until all can be used, and name what was created.

    Raises `ConfigError` with every topic that exists with another number of partitions (keys would go
    astray) or that the broker refuses; `TransientError` when the broker is not there in time.
    """
    admin = AIOKafkaAdminClient(request_timeout_ms=timeout_ms, **client_options(bootstrap, options))
    try:
        await admin.start()
        missing = _missing(specs, await _partition_counts(admin, specs))
        if missing:
            _check_created(await admin.create_topics([_new_topic(spec) for spec in missing]))
        await _wait_usable(admin, specs, timeout_ms=timeout_ms)
    except KafkaError as error:
        raise away(bootstrap, error) from error
    finally:
        await admin.close()
    return [spec.name for spec in missing]


@contextlib.asynccontextmanager
async def open_producer(
    bootstrap: str, *, linger_ms: int = 5, options: Options | None = None
) -> AsyncIterator[AIOKafkaProducer]:
    """A producer for what must not be lost: every replica acknowledges, and a retry doubles nothing.

    The embedded broker has no idempotent producers; there a retry may double a record, which the fence of
    `claims` leaves out. Raises `TransientError` when the broker is not there.
    """
    try:
        producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=await has_idempotence(bootstrap, options=options),
            linger_ms=linger_ms,
            max_batch_size=_MAX_BATCH_BYTES,
            **client_options(bootstrap, options),
        )
    except KafkaError as error:
        raise away(bootstrap, error) from error
    try:
        await _started(producer.start(), bootstrap)
        yield producer
    finally:
        await _stopped(producer)  # also when it did not start: it holds connections and tasks then


@contextlib.asynccontextmanager
async def open_consumer(
    bootstrap: str, *, options: Options | None = None, **settings: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, for reading partitions from a known place; commits nothing.

    Raises `TransientError` when the broker is not there.
    """
    consumer = AIOKafkaConsumer(
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # also where retention has taken the place to begin from
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        **settings,
        **client_options(bootstrap, options),
    )
    try:
        await _started(consumer.start(), bootstrap)
        yield consumer
    finally:
        await _stopped(consumer)


async def end_offsets(
    bootstrap: str,
    partitions: Iterable[Partition],
    *,
    timeout_ms: int = 30_000,
    options: Options | None = None,
) -> dict[Partition, int]:
    """The offset that the next record of each partition gets; `TransientError` when the broker is not there.

    The answer to ListOffsets(latest) is not enough: the embedded broker names the start of the last batch.
    The high watermark in the answer to a Fetch is right on every broker, so that is asked as well.
    """
    wanted = [TopicPartition(*partition) for partition in partitions]
    if not wanted:
        return {}
    try:
        async with open_consumer(bootstrap, options=options, request_timeout_ms=timeout_ms) as consumer:
            consumer.assign(wanted)
            listed = await consumer.end_offsets(wanted)
            for tp in wanted:
                consumer.seek(tp, listed[tp])
            await _wait_highwater(consumer, wanted, timeout_ms=timeout_ms)
            return {(tp.topic, tp.partition): max(listed[tp], consumer.highwater(tp)) for tp in wanted}
    except KafkaError as error:
        raise away(bootstrap, error) from error


def away(bootstrap: str, error: KafkaError) -> TransientError:
    """That the broker does not answer as it should, and what to look at."""
    if isinstance(error, KafkaConnectionError | KafkaTimeoutError | NodeNotReadyError):
        text = f"is the broker up at {bootstrap}? (setting kafka_bootstrap)"
        return TransientError(f"kafka {bootstrap}: not reached: {text} ({error!r})")
    return TransientError(f"kafka {bootstrap}: {error!r}")


async def _started(starting: Awaitable[None], bootstrap: str) -> None:
    try:
        await starting
    except KafkaError as error:
        raise away(bootstrap, error) from error


async def _stopped(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client, which goes on with that when we are cancelled.

    Awaited as it is, it would take our cancellation for that of its own tasks, and we would go on, too.
    """
    await asyncio.shield(client.stop())


async def has_idempotence(bootstrap: str, *, options: Options | None = None) -> bool:
    """Whether the broker numbers producers' batches, so that a retry doubles nothing; raises `KafkaError`."""
    client = AIOKafkaClient(**client_options(bootstrap, options))
    try:
        await client.bootstrap()
        request = InitProducerIdRequest(None, _PRODUCER_ID_TIMEOUT_MS)
        for _ in range(_PRODUCER_ID_TRIES):
            answer = await client.send(client.get_random_node(), request)
            if not for_code(answer.error_code).retriable:
                break
            await asyncio.sleep(0.1)  # a broker that has just started is loading its transactions
        return not answer.error_code
    finally:
        await client.close()


def client_options(bootstrap: str, options: Options | None) -> dict[str, Any]:
    """What every client is given."""
    return {**(options or {}), "bootstrap_servers": bootstrap}


async def _wait_highwater(consumer: Any, wanted: Sequence[TopicPartition], *, timeout_ms: int) -> None:
    deadline = time.monotonic() + timeout_ms / 1000
    while missing := [tp for tp in wanted if consumer.highwater(tp) is None]:
        if time.monotonic() > deadline:
            raise TransientError(f"kafka: no high watermark of {missing[0]} within {timeout_ms} ms")
        await consumer.getmany(*missing, timeout_ms=FETCH_MAX_WAIT_MS)


async def _partition_counts(admin: Any, specs: Sequence[TopicSpec]) -> dict[str, int]:
    existing = set(await admin.list_topics())
    names = [spec.name for spec in specs if spec.name in existing]
    if not names:
        return {}
    return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(names)}


def _missing(specs: Sequence[TopicSpec], counts: Mapping[str, int]) -> list[TopicSpec]:
    mistakes = [
        f"topic {spec.name}: {counts[spec.name]} partitions, configured are {spec.partitions}"
        for spec in specs
        if spec.name in counts and counts[spec.name] != spec.partitions
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return [spec for spec in specs if spec.name not in counts]


def _new_topic(spec: TopicSpec) -> NewTopic:
    return NewTopic(spec.name, spec.partitions, spec.replication, topic_configs=dict(spec.config))


def _check_created(response: Any) -> None:
    mistakes = []
    for name, code, *rest in response.topic_errors:
        if code and code != _TOPIC_EXISTS:  # another worker was faster
            detail = rest[0] if rest and rest[0] else for_code(code).__name__
            mistakes.append(f"topic {name}: {detail}")
    if mistakes:
        raise ConfigError(mistakes)


async def _wait_usable(admin: Any, specs: Sequence[TopicSpec], *, timeout_ms: int) -> None:
    deadline = time.monotonic() + timeout_ms / 1000
    while missing := _missing(specs, await _partition_counts(admin, specs)):
        if time.monotonic() > deadline:
            raise TransientError(f"kafka: topic {missing[0].name} is not there after {timeout_ms} ms")
        await asyncio.sleep(0.05)
