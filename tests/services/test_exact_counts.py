"""None missing, none doubled: workers are killed, stopped, paused and joined while a reader adds up."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents import broker as brokers
from agents.claims import Fence, decode_stamp
from agents.pagestore import PageStore, topic_spec

if TYPE_CHECKING:
    from tests.services.conftest import Broker

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(150)]

ROOT: Final = Path(__file__).parents[2]
RECORDS: Final = 60_000
KEYS: Final = 200
PARTITIONS: Final = 3
OUT_PARTITIONS: Final = 2
STATE_PARTITIONS: Final = 2


class Arena:
    """The topics of one test, its workers, and the reader that adds up."""

    def __init__(self, broker: "Broker", folder: Path) -> None:
        self.bootstrap = broker.bootstrap
        self.group = broker.name("counting")
        self.source, self.out, self.state = (broker.name(base) for base in ("source", "out", "state"))
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.read: Counter[str] = Counter()
        self.accepted = self.refused = 0
        self._fences = [Fence() for _ in range(OUT_PARTITIONS)]
        self._at = [0] * OUT_PARTITIONS

    async def fill(self) -> None:
        """Make the topics and put the records into the source."""
        await brokers.ensure_topics(
            self.bootstrap,
            [
                brokers.TopicSpec.kept(self.source, partitions=PARTITIONS, retention_ms=brokers.DAY_MS),
                brokers.TopicSpec.kept(self.out, partitions=OUT_PARTITIONS, retention_ms=brokers.DAY_MS),
                topic_spec(topic=self.state, partitions=STATE_PARTITIONS),
            ],
        )
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=20) as producer:
            for number in range(RECORDS):
                await producer.send(
                    self.source, b"%d" % number, key=b"k%d" % (number % KEYS), partition=number % PARTITIONS
                )
            await producer.flush()

    def start(self, *, fail_at: int = -1) -> subprocess.Popen[bytes]:
        """One more worker."""
        options: dict[str, Any] = {
            "bootstrap": self.bootstrap, "group": self.group, "source": self.source, "out": self.out,
            "state": self.state, "fail-at": fail_at, "datadir": self.folder / f"worker{len(self.workers)}",
            "out-partitions": OUT_PARTITIONS, "state-partitions": STATE_PARTITIONS, "chunk": 100, "delay-ms": 4,
        }  # fmt: skip
        command = [sys.executable, str(Path(__file__).with_name("counting_worker.py"))]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        with (self.folder / f"worker{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )
        self.workers.append(worker)
        return worker

    async def read_until(self, holds: Callable[[], bool], *, within_s: float) -> None:
        """Add up what counts until `holds`; fails with the workers' last words when it does not in time."""
        tps = [TopicPartition(self.out, partition) for partition in range(OUT_PARTITIONS)]
        deadline = time.monotonic() + within_s
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=100
        ) as consumer:
            consumer.assign(tps)
            for tp in tps:
                consumer.seek(tp, self._at[tp.partition])
            while not holds():
                if time.monotonic() > deadline:
                    pytest.fail(f"{self.accepted} of {RECORDS} after {within_s} s\n{self.last_words()}")
                for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                    for record in records:
                        self._take(tp.partition, record)

    async def read_to(self, share: float) -> None:
        """Add up until so much of all has counted."""
        await self.read_until(lambda: self.accepted >= share * RECORDS, within_s=40)

    def _take(self, partition: int, record: Any) -> None:
        self._at[partition] = record.offset + 1
        stamp = decode_stamp(record.headers)
        if self._fences[partition].accepts(stamp):
            counts = msgspec.json.decode(record.value, type=dict[str, int])
            self.read.update(counts)
            self.accepted += sum(counts.values())
        elif stamp.kind == "batch":
            self.refused += 1

    async def check(self) -> None:
        """Every record counted once, by the reader and in the saved states."""
        await self.read_until(lambda: self.accepted >= RECORDS, within_s=60)
        settled = time.monotonic() + 1.5
        await self.read_until(lambda: time.monotonic() > settled, within_s=10)
        expected = {f"k{key}": RECORDS // KEYS for key in range(KEYS)}
        assert self.read == expected
        for worker in self.workers:
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self.workers:
            await asyncio.to_thread(worker.wait, 20)
        assert await self._saved() == expected

    async def _saved(self) -> Counter[str]:
        total: Counter[str] = Counter()
        async with brokers.open_producer(self.bootstrap) as producer:
            store = PageStore(producer, bootstrap=self.bootstrap, topic=self.state, partitions=STATE_PARTITIONS)
            for partition in range(PARTITIONS):
                snapshot = await store.load("counting", partition)
                assert snapshot is not None
                assert snapshot.root["position"] == RECORDS // PARTITIONS
                for page in snapshot.pages.values():
                    total.update(msgspec.json.decode(page, type=dict[str, int]))
        return total

    def last_words(self) -> str:
        return "\n".join(
            f"--- {log.name}\n{log.read_text()[-2500:]}" for log in sorted(self.folder.glob("worker*.log"))
        )


@pytest.fixture
async def arena(broker: "Broker", tmp_path: Path) -> AsyncIterator[Arena]:
    arena = Arena(broker, tmp_path)
    await arena.fill()
    yield arena
    for worker in arena.workers:
        worker.kill()
        worker.wait()


async def test_killed_workers_neither_lose_nor_double(arena: Arena) -> None:
    for share in (0.25, 0.6):
        worker = arena.start()
        await arena.read_to(share)
        worker.kill()
    arena.start()
    await arena.check()


async def test_joining_and_ending_workers_neither_lose_nor_double(arena: Arena) -> None:
    first = arena.start()
    await arena.read_to(0.15)
    second = arena.start()
    await arena.read_to(0.5)
    first.terminate()
    await arena.read_to(0.75)
    second.terminate()
    assert await asyncio.to_thread(first.wait, 20) == 0
    assert await asyncio.to_thread(second.wait, 20) == 0
    arena.start()
    await arena.check()


async def test_agent_that_fails_on_a_chunk_takes_up_where_it_was(arena: Arena) -> None:
    arena.start(fail_at=100)
    await arena.check()


async def test_paused_worker_that_comes_back_changes_nothing(arena: Arena) -> None:
    paused = arena.start()
    await arena.read_to(0.2)
    paused.send_signal(signal.SIGSTOP)
    arena.start()
    await arena.read_to(0.5)
    paused.send_signal(signal.SIGCONT)
    await arena.check()
