"""How many records a second reach an agent: by chunks, by plain Faust, by aiokafka alone?

Prints one JSON line. Every contender runs in a process of its own on one embedded broker (or `--bootstrap`),
reads the same seeded records and decodes each as JSON; the best of `--runs` counts, from the first record to
the last one.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import faust
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agents import broker
from agents.transport import driver
from agents.transport.chunks import Chunk, ChunkSchema
from embedded import kafka

PARTITIONS: Final = 4
SEED: Final = 11


def records(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of made-up reviews of about 135 bytes."""
    chance = random.Random(SEED)
    for number in range(count):
        product = f"p{chance.randrange(5_000)}"
        value = {
            "event_id": f"e{number}",
            "event_time": 1_700_000_000_000 + number,
            "product_id": product,
            "review_id": f"r{number}",
            "rating": chance.randint(1, 5),
            "text": "物流很快,包装完好" * chance.randint(0, 2),
        }
        yield product.encode(), json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def fill(bootstrap: str, topic: str, count: int) -> None:
    """Put the records into a new topic."""
    await broker.ensure_topics(
        bootstrap, [broker.TopicSpec.kept(topic, partitions=PARTITIONS, retention_ms=broker.DAY_MS)]
    )
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=256 * 1024) as out:
        for key, value in records(count):
            last = await out.send(topic, value, key=key)
        await last
        await out.flush()


class Count:
    """Counts records; when all are there, tells the rate and ends the process."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._seen = 0
        self._began_ns = 0
        self._decode = msgspec.json.Decoder().decode

    def see(self, values: Sequence[bytes | None]) -> None:
        """So many more records."""
        if not self._began_ns:
            self._began_ns = time.perf_counter_ns()
        decode = self._decode
        for value in values:
            decode(value or b"null")
        self._seen += len(values)
        if self._seen >= self._total:
            seconds = (time.perf_counter_ns() - self._began_ns) / 1e9
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            line = json.dumps({"per_second": round(self._seen / seconds), "peak_mb": peak_mb})
            os.write(1, f"\n{line}\n".encode())  # Faust takes print() for its log
            os._exit(0)  # how long Faust takes to stop is not the question


def run_chunked(bootstrap: str, name: str, count: Count) -> None:
    """The transport of this project."""
    driver.register()
    app = faust.App(f"{name}-{uuid.uuid4().hex}", broker=driver.broker_url(bootstrap), **_APP, **driver.APP_SETTINGS)
    topic = app.topic(name, schema=ChunkSchema(), maxsize=16)

    @app.agent(topic)
    async def reviews(stream: Any) -> None:
        async for event in stream.noack().events():
            chunk: Chunk = event.value
            count.see(chunk.values)
            event.ack()

    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


def run_plain(bootstrap: str, name: str, count: Count) -> None:
    """Faust as it comes."""
    app = faust.App(
        f"{name}-{uuid.uuid4().hex}",
        broker=f"kafka://{bootstrap}",
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        topic_disable_leader=True,
        broker_max_poll_records=8_000,
        **_APP,
    )
    topic = app.topic(name, value_serializer="raw", key_serializer="raw")

    @app.agent(topic)
    async def reviews(stream: Any) -> None:
        async for value in stream:
            count.see((value,))

    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


def run_aiokafka(bootstrap: str, name: str, count: Count) -> None:
    """No Faust: the upper limit."""

    async def consume() -> None:
        async with AIOKafkaConsumer(
            name, bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_poll_records=8_000
        ) as consumer:
            while True:
                for batch in (await consumer.getmany(timeout_ms=1_000)).values():
                    count.see([record.value for record in batch])

    asyncio.run(consume())


_APP: Final[dict[str, Any]] = {
    "web_enabled": False,
    "broker_session_timeout": 6.0,
    "broker_heartbeat_interval": 1.0,
    "topic_partitions": PARTITIONS,
}
CONTENDERS: Final[dict[str, Callable[[str, str, Count], None]]] = {
    "chunked": run_chunked,
    "plain": run_plain,
    "aiokafka": run_aiokafka,
}


def measure(name: str, *, bootstrap: str, topic: str, count: int) -> dict[str, int]:
    """One run of one contender, in a fresh process."""
    command = [
        sys.executable, "-m", "bench.transport", "--contender", name, "--bootstrap", bootstrap,
        "--topic", topic, "--records", str(count),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        surroundings = {**os.environ, "APP_DATADIR": folder}  # Faust would leave one of its own where we are
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300, env=surroundings)
    result: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(*, bootstrap: str, count: int, runs: int) -> dict[str, Any]:
    """The best run of each contender, and how they stand to each other."""
    topic = f"bench-transport-{uuid.uuid4().hex[:8]}"
    asyncio.run(fill(bootstrap, topic, count))
    best = {
        name: max(
            (measure(name, bootstrap=bootstrap, topic=topic, count=count) for _ in range(runs)),
            key=lambda run: run["per_second"],
        )
        for name in CONTENDERS
    }
    rate = {name: run["per_second"] for name, run in best.items()}
    return {
        "bench": "transport",
        "records": count,
        "runs": runs,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        **best,
        "chunked_to_plain": round(rate["chunked"] / rate["plain"], 1),
        "chunked_to_aiokafka": round(rate["chunked"] / rate["aiokafka"], 2),
    }


def main() -> None:
    """Read the arguments and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bootstrap", help="host:port of a broker; left out: the embedded one")
    parser.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--topic", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contender:
        sys.argv = [sys.argv[0], "worker"]
        CONTENDERS[args.contender](args.bootstrap, args.topic, Count(args.records))
        return
    if args.bootstrap:
        print(json.dumps(compare(bootstrap=args.bootstrap, count=args.records, runs=args.runs)))
        return
    with kafka.start() as server:
        print(json.dumps(compare(bootstrap=server.bootstrap, count=args.records, runs=args.runs)))


if __name__ == "__main__":
    main()
