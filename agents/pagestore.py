"""States kept in Kafka as pages (`pages`), each saved as a whole: the edge that writes and reads the log.

It has producers and consumers of its own rather than Faust's: a save must know that the broker has every
record before it commits, a load must read to a place that it knows, and neither may depend on rebalances.
"""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from agents.broker import FETCH_MAX_WAIT_MS, Options, Partition, TopicSpec, end_offsets, open_consumer
from agents.claims import new_owner
from agents.pages import Log, Pages, Reading, Snapshot
from schemas.errors import PermanentError, TransientError

TOPIC: Final = "peakwatch-state"

_FETCH_BYTES: Final = 8 * 1024 * 1024
_SENT_AT_ONCE_BYTES: Final = 16 * 1024 * 1024


def topic_spec(*, partitions: int, replication: int = 1, topic: str = TOPIC) -> TopicSpec:
    """The topic that a store needs, for `broker.ensure_topics`."""
    return TopicSpec.compacted(topic, partitions=partitions, replication=replication)


class PageStore:
    """The states in one topic. A state is named by its owner's key and a partition.

    One task at a time for each state; different states may be saved at once.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        *,
        bootstrap: str,
        partitions: int,
        topic: str = TOPIC,
        options: Options | None = None,
    ) -> None:
        self._producer = producer
        self._bootstrap = bootstrap
        self._options = options
        self._partitions = partitions
        self._topic = topic
        self._owned: dict[tuple[str, int], Pages] = {}
        self._sizes: dict[tuple[str, int], dict[str, int]] = {}
        self.written_bytes: Counter[str] = Counter()  # by owner key, what changed, since the process began

    async def take_over(
        self,
        owner_key: str,
        partition: int,
        *,
        generation: int,
        confirm: Callable[[], Awaitable[None]],
        timeout_ms: int = 60_000,
    ) -> Snapshot | None:
        """The last state that was saved, which from now on only we can replace; None when there is none.

        `generation` and `confirm`: see `takeover.take_over`. The state is written anew under our token before
        this returns, so it costs its size. Raises `TransientError` when the broker is not there or the group
        has given the state to another, `PermanentError` when the state is damaged.
        """
        at = self._place(owner_key, partition)
        while True:
            token = new_owner().hex()
            ours = Pages(owner_key, partition, token)
            reading = Reading(owner_key, partition)
            await self._write(at, ours.claim(generation))
            await self._read(at, reading, until_token=token, end=None, timeout_ms=timeout_ms)
            if reading.claimed_by(token):
                break
            await confirm()
            generation = reading.generation
        snapshot = reading.snapshot()
        self._owned[owner_key, partition] = ours
        if snapshot is not None:
            await self.save(owner_key, partition, snapshot.pages, snapshot.root)
        await self._write(at, reading.leftovers(token=token))
        return snapshot

    async def save(
        self, owner_key: str, partition: int, pages: Mapping[str, bytes | None], root: Mapping[str, Any]
    ) -> None:
        """Replace these pages (None: take it away) and the root at once; on return they are safe.

        `root` holds what msgpack can. Raises `TransientError` when the broker did not acknowledge it all:
        whether it was saved is unknown then, and the state must be taken over again before the next save.
        """
        ours = self._owned.pop((owner_key, partition), None)
        if ours is None:
            raise PermanentError(f"state {owner_key}/{partition}: not taken over, or a save of it failed")
        at = self._place(owner_key, partition)
        plan = ours.plan(pages, root)
        await self._write(at, plan.pages)
        await self._write(at, plan.commit)
        await self._write(at, plan.leftovers)
        self._owned[owner_key, partition] = plan.after
        sizes = {name: len(page or b"") for name, page in pages.items()}
        self.written_bytes[owner_key] += sum(len(part or b"") for _, part in plan.pages)
        self._sizes.setdefault((owner_key, partition), {}).update(sizes)

    def give_up(self, owner_key: str, partition: int) -> None:
        """Forget a state that is no longer ours."""
        self._owned.pop((owner_key, partition), None)
        self._sizes.pop((owner_key, partition), None)

    def size_bytes(self, owner_key: str, partition: int) -> int:
        """What the pages of a state take that were saved here; 0 for one that is not ours."""
        return sum(self._sizes.get((owner_key, partition), {}).values())

    async def load(self, owner_key: str, partition: int, *, timeout_ms: int = 60_000) -> Snapshot | None:
        """The last state that was saved, without taking it over; None when there is none."""
        at = self._place(owner_key, partition)
        reading = Reading(owner_key, partition)
        ends = await end_offsets(self._bootstrap, [at], options=self._options)
        await self._read(at, reading, until_token=None, end=ends[at], timeout_ms=timeout_ms)
        return reading.snapshot()

    def _place(self, owner_key: str, partition: int) -> Partition:
        return self._topic, zlib.crc32(f"{owner_key}/{partition}".encode()) % self._partitions

    async def _write(self, at: Partition, log: Log) -> None:
        try:
            waiting: list[asyncio.Future[Any]] = []
            size = 0
            for key, value in log:
                waiting.append(await self._producer.send(at[0], value, key=key, partition=at[1]))
                size += len(value or b"")
                if size > _SENT_AT_ONCE_BYTES:
                    await asyncio.gather(*waiting)
                    waiting, size = [], 0
            await asyncio.gather(*waiting)
        except KafkaError as error:
            raise TransientError(f"kafka: cannot write to {at[0]}/{at[1]}: {error!r}") from error

    async def _read(
        self, at: Partition, reading: Reading, *, until_token: str | None, end: int | None, timeout_ms: int
    ) -> None:
        tp = TopicPartition(*at)
        deadline = time.monotonic() + timeout_ms / 1000
        try:
            async with open_consumer(
                self._bootstrap, options=self._options, max_partition_fetch_bytes=_FETCH_BYTES
            ) as consumer:
                consumer.assign([tp])
                await consumer.seek_to_beginning(tp)
                while end is None or await consumer.position(tp) < end:
                    if time.monotonic() > deadline:
                        raise TransientError(f"kafka: {at[0]}/{at[1]} was not read within {timeout_ms} ms")
                    for record in (await consumer.getmany(tp, timeout_ms=FETCH_MAX_WAIT_MS)).get(tp, ()):
                        reading.apply(record.key, record.value)
                        if until_token is not None and reading.claimed_by(until_token) is not None:
                            return
        except KafkaError as error:
            raise TransientError(f"kafka: cannot read {at[0]}/{at[1]}: {error!r}") from error


class Saved:
    """The store for one state, as the stages know it."""

    def __init__(self, store: PageStore, owner_key: str, partition: int) -> None:
        self._store = store
        self._place = owner_key, partition

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None:
        """Replace these pages; an empty one is taken away."""
        await self._store.save(*self._place, {name: page or None for name, page in pages.items()}, root)
