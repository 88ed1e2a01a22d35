"""What is committed of chunks that are settled late."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiokafka import AIOKafkaProducer

from agents import broker as brokers

if TYPE_CHECKING:
    from tests.services.conftest import Broker

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(120)]

ROOT: Final = Path(__file__).parents[2]
RECORDS: Final = 60_000
CHUNK: Final = 20


def run(broker: "Broker", folder: Path, *, group: str, source: str, settle: int) -> tuple[dict[str, Any], str]:
    """Run a worker to its end: what it told, and what Faust had to say."""
    options = {
        "bootstrap": broker.bootstrap, "group": group, "source": source, "datadir": folder, "records": RECORDS,
        "chunk": CHUNK, "settle": settle,
    }  # fmt: skip
    command = [sys.executable, str(Path(__file__).with_name("holding_worker.py"))]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(told[-1]), done.stdout + done.stderr


async def test_thousands_of_chunks_may_wait_and_the_next_worker_begins_where_they_settled(
    broker: "Broker", tmp_path: Path
) -> None:
    group, source = broker.name("holding"), broker.name("source")
    spec = brokers.TopicSpec.kept(source, partitions=1, retention_ms=brokers.DAY_MS)
    await brokers.ensure_topics(broker.bootstrap, [spec])
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, linger_ms=20) as producer:
        for number in range(RECORDS):
            await producer.send(source, b"%0500d" % number, partition=0)
        await producer.flush()

    told, said = run(broker, tmp_path, group=group, source=source, settle=RECORDS - 30)
    assert told["began"] == 0
    assert told["chunks"] >= RECORDS // CHUNK
    assert told["grew_mb"] < 20  # the records are 30 MB, more than that as objects
    assert "Has not committed" not in said
    assert "ERROR" not in said

    told, _ = run(broker, tmp_path, group=group, source=source, settle=RECORDS)
    assert told["began"] == RECORDS - 30  # within a chunk, and where it was told
