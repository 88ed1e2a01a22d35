from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents import broker as brokers
from agents.claims import Fence, Mark, decode_stamp
from agents.pages import MAX_PART_BYTES, Snapshot
from agents.pagestore import PageStore, topic_spec
from agents.takeover import Outputs, decode_journals, encode_journals, take_over
from schemas.errors import BadEvent, PermanentError, TransientError

if TYPE_CHECKING:
    from tests.services.conftest import Broker

pytestmark = [pytest.mark.broker, pytest.mark.embedded]

SOURCE = ("reviews", 0)


class Ground:
    """Two output partitions and a store, for one test."""

    def __init__(self, broker: "Broker", producer: AIOKafkaProducer) -> None:
        self.bootstrap = broker.bootstrap
        self.producer = producer
        self.out, self.state = broker.name("out"), broker.name("state")
        self.outputs = [(self.out, 0), (self.out, 1)]
        self.confirmed = 0

    def store(self) -> PageStore:
        return PageStore(self.producer, bootstrap=self.bootstrap, topic=self.state, partitions=2)

    async def confirm(self) -> None:
        self.confirmed += 1

    async def claim(self, generation: int = 1, since: Outputs | None = None) -> Outputs:
        return await take_over(
            self.producer,
            bootstrap=self.bootstrap,
            source=SOURCE,
            outputs=self.outputs,
            generation=generation,
            confirm=self.confirm,
            check=lambda: None,
            since=decode_journals(encode_journals(since.journals)) if since else None,
        )

    async def counted(self, output: int) -> list[bytes]:
        """What a reader of the whole output partition counts."""
        at = (self.out, output)
        end = (await brokers.end_offsets(self.bootstrap, [at]))[at]
        fence, counted = Fence(), []
        tp = TopicPartition(*at)
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False) as consumer:
            consumer.assign([tp])
            await consumer.seek_to_beginning(tp)
            while await consumer.position(tp) < end:
                for record in (await consumer.getmany(tp, timeout_ms=100)).get(tp, ()):
                    try:
                        stamp = decode_stamp(record.headers)
                    except BadEvent:
                        continue
                    if fence.accepts(stamp):
                        counted.append(record.value)
        return counted


@pytest.fixture
async def ground(broker: "Broker") -> AsyncIterator[Ground]:
    async with brokers.open_producer(broker.bootstrap) as producer:
        ground = Ground(broker, producer)
        await brokers.ensure_topics(
            broker.bootstrap,
            [
                brokers.TopicSpec.kept(ground.out, partitions=2, retention_ms=brokers.DAY_MS),
                topic_spec(topic=ground.state, partitions=2),
            ],
        )
        yield ground


async def test_successor_learns_how_far_each_output_counts(ground: Ground) -> None:
    first = await ground.claim()
    assert first.fences == {output: Mark(0, 0) for output in ground.outputs}
    assert await first.send(ground.outputs[0], b"a", start=0, mark=Mark(10, 0))
    assert await first.send(ground.outputs[1], b"b", start=0, mark=Mark(20, 0))
    assert await first.send(ground.outputs[0], b"c", start=10, mark=Mark(10, 7))
    await first.flush()
    second = await ground.claim(2)
    assert second.fences == {ground.outputs[0]: Mark(10, 7), ground.outputs[1]: Mark(20, 0)}
    assert not await second.send(ground.outputs[0], b"c", start=10, mark=Mark(10, 7))
    assert await second.send(ground.outputs[0], b"d", start=10, mark=Mark(20, 0))
    await second.flush()
    assert await ground.counted(0) == [b"a", b"c", b"d"]
    assert await ground.counted(1) == [b"b"]


async def test_what_a_former_owner_still_writes_does_not_count(ground: Ground) -> None:
    former = await ground.claim(1)
    owner = await ground.claim(2)
    await former.send(ground.outputs[0], b"late", start=0, mark=Mark(10, 0))
    await former.flush()
    await owner.send(ground.outputs[0], b"right", start=0, mark=Mark(10, 0))
    await owner.flush()
    assert await ground.counted(0) == [b"right"]


async def test_journal_saves_reading_the_log_from_its_start(ground: Ground) -> None:
    first = await ground.claim(1)
    for number in range(1, 6):
        await first.send(ground.outputs[0], b"%d" % number, start=number - 1, mark=Mark(number, 0))
    await first.flush()
    second = await ground.claim(2, since=first)
    assert second.fences == first.fences
    third = await ground.claim(3, since=first)  # an old journal is as good as a new one
    assert third.fences == first.fences
    assert second.journals[ground.outputs[0]].offset == 7  # claim, 5 batches, claim


async def test_claim_of_an_older_generation_must_be_confirmed(ground: Ground) -> None:
    """A group that was deleted counts its generations anew."""
    await ground.claim(9)
    assert ground.confirmed == 0
    again = await ground.claim(2)
    assert ground.confirmed == 1
    await again.send(ground.outputs[0], b"counts", start=0, mark=Mark(5, 0))
    await again.flush()
    assert await ground.counted(0) == [b"counts"]


async def test_claim_that_is_not_confirmed_takes_nothing(ground: Ground) -> None:
    owner = await ground.claim(9)

    async def refuse() -> None:
        raise TransientError("kafka: no heartbeat acknowledged")

    with pytest.raises(TransientError, match="no heartbeat acknowledged"):
        await take_over(
            ground.producer, bootstrap=ground.bootstrap, source=SOURCE, outputs=ground.outputs, generation=8,
            confirm=refuse, check=lambda: None,
        )  # fmt: skip
    store = ground.store()
    await store.take_over("stage", 0, generation=9, confirm=refuse)
    with pytest.raises(TransientError, match="no heartbeat acknowledged"):
        await store.take_over("stage", 0, generation=8, confirm=refuse)
    await owner.send(ground.outputs[0], b"counts", start=0, mark=Mark(5, 0))
    await owner.flush()
    assert await ground.counted(0) == [b"counts"]


async def test_nothing_is_written_once_the_lease_is_lost(ground: Ground) -> None:
    lost: list[str] = []

    def check() -> None:
        if lost:
            raise TransientError(lost[0])

    outputs = await take_over(
        ground.producer, bootstrap=ground.bootstrap, source=SOURCE, outputs=ground.outputs, generation=1,
        confirm=ground.confirm, check=check,
    )  # fmt: skip
    lost.append("no heartbeat")
    with pytest.raises(TransientError, match="no heartbeat"):
        await outputs.send(ground.outputs[0], b"x", start=0, mark=Mark(1, 0))
    assert await ground.counted(0) == []


async def test_record_of_a_stranger_disturbs_nobody(ground: Ground) -> None:
    await ground.producer.send_and_wait(ground.out, b"hello", partition=0)
    owner = await ground.claim()
    await owner.send(ground.outputs[0], b"counts", start=0, mark=Mark(5, 0))
    await owner.flush()
    assert await ground.counted(0) == [b"counts"]


async def test_state_comes_back_as_it_was_saved(ground: Ground) -> None:
    store = ground.store()
    assert await store.load("stage", 0) is None
    assert await store.take_over("stage", 0, generation=1, confirm=ground.confirm) is None
    big = bytes(range(256)) * (MAX_PART_BYTES // 128)
    await store.save("stage", 0, {"big": big, "small": b"1", "gone": b"2"}, {"position": 5})
    await store.save("stage", 0, {"small": b"3", "gone": None}, {"position": 6})
    expected = Snapshot({"big": big, "small": b"3"}, {"position": 6})
    assert await store.load("stage", 0) == expected
    assert await ground.store().take_over("stage", 0, generation=2, confirm=ground.confirm) == expected
    assert await ground.store().load("stage", 0) == expected
    assert await store.load("stage", 1) is None


async def test_former_owner_cannot_replace_a_state(ground: Ground) -> None:
    former, owner = ground.store(), ground.store()
    await former.take_over("stage", 0, generation=1, confirm=ground.confirm)
    await former.save("stage", 0, {"a": b"old"}, {"position": 1})
    await owner.take_over("stage", 0, generation=2, confirm=ground.confirm)
    for position in (2, 3, 4):
        await former.save("stage", 0, {"a": b"late"}, {"position": position})
    assert await owner.load("stage", 0) == Snapshot({"a": b"old"}, {"position": 1})
    await owner.save("stage", 0, {"a": b"new"}, {"position": 2})
    assert await owner.load("stage", 0) == Snapshot({"a": b"new"}, {"position": 2})


async def test_state_that_was_not_taken_over_cannot_be_saved(ground: Ground) -> None:
    store = ground.store()
    with pytest.raises(PermanentError, match="state stage/0: not taken over"):
        await store.save("stage", 0, {}, {})
    await store.take_over("stage", 0, generation=1, confirm=ground.confirm)
    store.give_up("stage", 0)
    with pytest.raises(PermanentError, match="state stage/0: not taken over"):
        await store.save("stage", 0, {}, {})


async def test_an_output_named_twice_is_refused(ground: Ground) -> None:
    ground.outputs = [(ground.out, 0), (ground.out, 0)]
    with pytest.raises(PermanentError, match="names a partition twice"):
        await ground.claim()
