"""How a worker ends: by a signal with status 0 and everything saved, by an error with status 1 and one line."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.app import topic_specs
from agents.broker import ensure_topics, open_producer
from embedded import kafka
from schemas.settings import Settings

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(120)]

ROOT: Final = Path(__file__).parents[2]
REVIEW: Final = (
    b'{"event_id":"%d","event_time":"2026-11-11T00:00:00+08:00","review_id":"r","text":"\xe5\xbe\x88\xe5\xa5\xbd"}'
)
GROUP: Final = "ends"


class Running:
    """A worker on a broker; its store is away, so that rows go to its spool."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.spool = folder / "spool"
        self._log = folder / "worker.log"
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PEAKWATCH_KAFKA_BOOTSTRAP": bootstrap,
            "PEAKWATCH_KAFKA_SESSION_TIMEOUT": "6s",
            "PEAKWATCH_CLICKHOUSE_PORT": "1",
            "PEAKWATCH_SPOOL_DIR": str(self.spool),
            "PEAKWATCH_PARTITIONS": "1",
            "PEAKWATCH_SNAPSHOT": "10m",
            "PEAKWATCH_GROUP": GROUP,
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "peakwatch.cli", "worker"],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def said(self) -> list[str]:
        return self._log.read_text("utf-8", "replace").splitlines()

    def spooled(self) -> bool:
        """Whether a row is in the spool."""
        return any(path.stat().st_size > 100 for path in self.spool.glob("**/*") if path.is_file())

    def ends(self, *, within_s: float) -> int:
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still there after {within_s} s: {self.said}")


@pytest.fixture
def broker() -> Iterator[kafka.KafkaServer]:
    with kafka.start() as server:
        asyncio.run(ensure_topics(server.bootstrap, topic_specs(Settings(partitions=1))))
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    started: list[Running] = []

    def begin(bootstrap: str) -> Running:
        started.append(Running(bootstrap, tmp_path))
        return started[-1]

    yield begin
    for running in started:
        running.process.kill()
        running.process.wait()


def test_worker_without_a_broker_says_so_in_one_line(start: Callable[[str], Running]) -> None:
    """Budget: 15 s."""
    running = start("127.0.0.1:1")
    assert running.ends(within_s=60) == 1
    (line,) = running.said
    assert line.startswith("peakwatch: kafka 127.0.0.1:1: ")
    assert "is the broker up at 127.0.0.1:1? (setting kafka_bootstrap)" in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_ends_by_a_signal_with_everything_saved(
    broker: kafka.KafkaServer, start: Callable[[str], Running], number: signal.Signals
) -> None:
    """The store is away all the time: rows wait in the spool, which is said once, with what to do. Budget: 30 s."""
    running = start(broker.bootstrap)
    asyncio.run(_send(broker.bootstrap, 50))
    _until(running.spooled, within_s=60, running=running)
    running.process.send_signal(number)
    asked = time.monotonic()
    assert running.ends(within_s=30) == 0
    assert time.monotonic() - asked < 20
    (line,) = running.said
    assert "WARNING" in line
    assert "clickhouse 127.0.0.1:1: not reached" in line
    assert "clickhouse_port" in line
    assert str(running.spool) in line
    assert asyncio.run(_committed(broker.bootstrap)) == 50


def test_worker_that_loses_its_broker_ends_or_waits_but_shows_no_traceback(
    broker: kafka.KafkaServer, start: Callable[[str], Running]
) -> None:
    """It is given 15 s for its end. Budget: 40 s."""
    running = start(broker.bootstrap)
    asyncio.run(_send(broker.bootstrap, 5))
    _until(running.spooled, within_s=60, running=running)
    broker.stop()
    running.process.send_signal(signal.SIGTERM)
    status = running.ends(within_s=60)
    assert "Traceback" not in "\n".join(running.said)
    said = [line for line in running.said if "clickhouse" not in line]
    assert (status, len(said)) in ((0, 0), (1, 1))


async def _send(bootstrap: str, count: int) -> None:
    async with open_producer(bootstrap) as producer:
        for number in range(count):
            await producer.send_and_wait("reviews", REVIEW % number)


async def _committed(bootstrap: str) -> int | None:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=GROUP, enable_auto_commit=False) as consumer:
        consumer.assign([TopicPartition("reviews", 0)])
        offset: int | None = await consumer.committed(TopicPartition("reviews", 0))
        return offset


def _until(holds: Callable[[], bool], *, within_s: float, running: Running) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        if running.process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"it did not begin to work: {running.process.returncode} {running.said}")
        time.sleep(0.1)
