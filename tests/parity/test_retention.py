"""A worker that was away for longer than the broker keeps what came says what is lost, and goes on behind it."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Final

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from schemas.topics import REVIEWS
from tests.parity.arena import Arena
from tests.parity.evening import ORIGIN_MS, Message

# The embedded broker keeps everything.
pytestmark = [pytest.mark.kafka, pytest.mark.broker, pytest.mark.timeout(150)]

TAKEN: Final = 300
LOST: Final = 200
KEPT: Final = 1_800  # more than a chunk


def test_what_the_broker_keeps_no_more_is_told_and_the_rest_is_counted(arena: Arena) -> None:
    arena.set_clock(ahead_ms=0, speed=1, idle="10m")
    arena.feed(list(_reviews(0, TAKEN)))
    arena.start()
    _wait_for(arena, TAKEN)
    assert arena.stop() == [0], arena.last_words()
    begins = TAKEN + LOST
    arena.feed(list(_reviews(TAKEN, begins + KEPT)))
    asyncio.run(_forget(arena.bootstrap, before=begins))
    arena.start()
    _wait_for(arena, TAKEN + KEPT)
    assert arena.stop() == [0], arena.last_words()
    assert _ids(arena) == {f"e{number}" for number in (*range(TAKEN), *range(begins, begins + KEPT))}
    said = f"records {TAKEN} to {begins - 1} are gone"
    assert arena.last_words().count(said) == 1, arena.last_words()


def _reviews(first: int, end: int) -> Iterator[Message]:
    for number in range(first, end):
        event = {
            "topic": REVIEWS, "event_id": f"e{number}", "event_time": ORIGIN_MS + number, "review_id": f"r{number}",
            "customer_id": f"c{number}", "product_id": "p1", "text": "不错，很喜欢", "rating": 5, "category": "手机",
        }  # fmt: skip
        yield Message(ORIGIN_MS + number, REVIEWS, "p1", json.dumps(event, ensure_ascii=False).encode())


async def _forget(bootstrap: str, *, before: int) -> None:
    """As retention would, in the partition that has the reviews."""
    consumer, admin = AIOKafkaConsumer(bootstrap_servers=bootstrap), AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await consumer.start()
    await admin.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(REVIEWS, partition) for partition in (0, 1)])
        (where,) = (partition for partition, end in ends.items() if end)
        assert await admin.delete_records({where: RecordsToDelete(before)}) == {where: before}
    finally:
        await admin.close()
        await consumer.stop()


def _ids(arena: Arena) -> set[str]:
    return {row[0] for row in arena.rows("SELECT event_id FROM {db}.reviews_v")}


def _wait_for(arena: Arena, rows: int) -> None:
    deadline = time.monotonic() + 40
    while len(_ids(arena)) < rows:
        assert time.monotonic() < deadline, f"{len(_ids(arena))} of {rows}\n{arena.last_words()}"
        time.sleep(0.5)
