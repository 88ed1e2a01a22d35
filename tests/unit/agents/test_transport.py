import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import faust
import pytest
from aiokafka.consumer.fetcher import Fetcher
from faust.exceptions import ImproperlyConfigured
from faust.transport.drivers import TRANSPORTS

from agents.transport import driver
from agents.transport.chunks import Chunk, ChunkSchema
from agents.transport.ledger import Delivery, Ledger


class Rec:
    timestamp = 1_700_000_000_123
    timestamp_type = 0
    key = value = b""
    headers: Sequence[tuple[str, bytes]] = ()

    def __init__(self, offset: int) -> None:
        self.offset = offset


@pytest.fixture
async def app() -> AsyncIterator[faust.App]:
    """An app that never starts; its consumer made an event loop for its thread."""
    driver.register()
    app = faust.App("test", broker="kafkachunk://localhost:9092", **driver.APP_SETTINGS)
    yield app
    consumer: Any = app.consumer
    consumer._thread.thread_loop.close()


def test_scheme_is_known_only_once_it_is_registered() -> None:
    TRANSPORTS.aliases.pop(driver.SCHEME, None)
    with pytest.raises(ModuleNotFoundError):
        TRANSPORTS.by_url("kafkachunk://localhost:9092")
    driver.register()
    driver.register()
    assert TRANSPORTS.by_url("kafkachunk://localhost:9092") is driver.Transport


async def test_every_server_of_a_bootstrap_list_is_in_the_url() -> None:
    driver.register()
    assert driver.broker_url("a:1, b:2") == "kafkachunk://a:1;kafkachunk://b:2"
    transport: Any = faust.App("test", broker=driver.broker_url("a:1,b:2")).transport
    assert [(url.host, url.port) for url in transport.url] == [("a", 1), ("b", 2)]


async def test_asking_for_the_consumer_on_another_transport_is_a_clear_error() -> None:
    app = faust.App("test", broker="kafka://localhost:9092")
    with pytest.raises(ImproperlyConfigured, match="is not kafkachunk://"):
        driver.consumer_of(app)
    other: Any = app.consumer
    other._thread.thread_loop.close()


async def test_topic_cannot_be_chunked_and_plain(app: faust.App) -> None:
    consumer = driver.consumer_of(app)
    app.topics.add(app.topic("reviews", schema=ChunkSchema()))
    consumer._find_chunked_topics()
    app.topics.add(app.topic("reviews"))
    with pytest.raises(ImproperlyConfigured, match="chunked and plain: reviews"):
        consumer._find_chunked_topics()


async def test_settling_a_partition_that_is_not_ours_is_refused(app: faust.App) -> None:
    consumer = driver.consumer_of(app)
    tp: Any = faust.types.TP("reviews", 0)
    assert not consumer.settle(tp, 5)
    assert consumer.delivered(tp) is None


async def test_settled_offset_is_what_faust_commits(app: faust.App) -> None:
    consumer = driver.consumer_of(app)
    tp: Any = faust.types.TP("reviews", 0)
    chunk = Chunk("reviews", 0, 0, [Rec(offset) for offset in range(10)])
    ledger = consumer._ledgers[tp] = Ledger("reviews", 0, at=0)
    ledger.deliver(chunk, Delivery(chunk.end))
    assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {}
    assert consumer.settle(tp, 7)
    assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {tp: 7}


async def test_chunk_that_waits_to_be_settled_does_not_keep_its_records(app: faust.App) -> None:
    consumer = driver.consumer_of(app)
    tp: Any = faust.types.TP("reviews", 0)
    records = [Rec(offset) for offset in range(10)]
    gone = weakref.ref(records[0])
    message = consumer._to_message(tp, Chunk("reviews", 0, 0, records))
    assert isinstance(message, driver.ChunkMessage)
    assert (message.offset, message.timestamp) == (9, 1_700_000_000.123)
    ledger = consumer._ledgers[tp] = Ledger("reviews", 0, at=0)
    chunk: Any = message.value
    ledger.deliver(chunk, message.delivery)
    consumer.track_message(message)
    del records, chunk, message
    gc.collect()
    assert (ledger.unsettled, gone(), len(consumer.unacked)) == (1, None, 0)


async def test_acknowledging_a_message_settles_its_chunk(app: faust.App) -> None:
    consumer = driver.consumer_of(app)
    tp: Any = faust.types.TP("reviews", 0)
    message = consumer._to_message(tp, Chunk("reviews", 0, 0, [Rec(0), Rec(1)]))
    assert isinstance(message, driver.ChunkMessage)
    ledger = consumer._ledgers[tp] = Ledger("reviews", 0, at=0)
    chunk: Any = message.value
    ledger.deliver(chunk, message.delivery)
    message.incref()
    assert message.ack(consumer) in (True, False)
    assert ledger.committable() == 2


@pytest.fixture
def sought(app: faust.App, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """To where the consumer was put."""
    offsets: list[int] = []

    async def seek_wait(partitions: dict[Any, int]) -> None:
        offsets.extend(partitions.values())

    consumer: Any = app.consumer
    monkeypatch.setattr(consumer._thread, "seek_wait", seek_wait)
    return offsets


def _delivered(consumer: driver.Consumer, ledger: Ledger, offsets: Sequence[int]) -> list[Chunk]:
    fetched = ledger.fetched([Rec(offset) for offset in offsets], max_records=5)
    assert isinstance(fetched, list)
    return [chunk for chunk in fetched if ledger.deliver(chunk, Delivery(chunk.end))]


async def test_chunks_that_lie_ready_behind_a_missed_one_do_not_tell_that_its_records_are_gone(
    app: faust.App, sought: list[int]
) -> None:
    """The second of them did, and was taken: what had been missed was never counted."""
    consumer = driver.consumer_of(app)
    tp: Any = faust.types.TP("reviews", 0)
    ledger = consumer._ledgers[tp] = Ledger("reviews", 0, at=0)
    _missed, second, third, fourth = _delivered(consumer, ledger, range(20))
    assert [await consumer.follows(tp, chunk, taken=0) for chunk in (second, third, fourth)] == [False] * 3
    assert sought == [0]
    again = _delivered(consumer, ledger, range(20))
    assert [await consumer.follows(tp, chunk, taken=chunk.start) for chunk in again] == [True] * 4
    assert sought == [0]


@pytest.mark.parametrize(("begins", "told"), [(12, "reviews/0: records 10 to 11 are gone"), (0, "")])
async def test_records_that_the_broker_keeps_no_more_are_told_and_a_hole_is_not(
    app: faust.App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, begins: int, told: str
) -> None:
    async def earliest_offsets(*partitions: Any) -> dict[Any, int]:
        return dict.fromkeys(partitions, begins)

    consumer: Any = driver.consumer_of(app)
    monkeypatch.setattr(consumer._thread, "earliest_offsets", earliest_offsets)
    tp = faust.types.TP("reviews", 0)
    assert await consumer.follows(tp, Chunk("reviews", 0, 10, [Rec(12)]), taken=10)
    assert told in caplog.text
    assert bool(caplog.records) == bool(told)


async def test_the_end_does_not_wait_for_a_fetcher_that_took_its_cancellation_for_its_requests() -> None:
    """aiokafka's in a rebalance; a worker hung there until it was ended for its slowness."""
    refused = 0

    async def fetch() -> None:
        nonlocal refused
        while True:
            try:
                await asyncio.Future()
            except asyncio.CancelledError:
                if refused:
                    raise
                refused += 1

    fetcher = Fetcher.__new__(Fetcher)
    fetcher._fetch_task = asyncio.create_task(fetch())
    fetcher._fetch_waiters, fetcher._pending_tasks = set(), set()
    await asyncio.sleep(0)

    class Consumer:
        _fetcher = fetcher

        async def stop(self) -> None:
            await fetcher.close()

    thread = driver.ConsumerThread.__new__(driver.ConsumerThread)
    thread._consumer = cast(Any, Consumer())
    await asyncio.wait_for(thread.on_thread_stop(), 20)
    assert refused == 1
    assert fetcher._fetch_task.done()
