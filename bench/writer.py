"""How many rows a second reach ClickHouse: through the writer, and by the driver's plain `INSERT … VALUES`?

`python -m bench.writer [--rows N] [--batch N] [--runs N]`: one JSON line. Both write the same seeded rows into the same
tables of an embedded server (a process of its own), batches of the same size; the best of several runs counts.
`writer_cpu_us_per_row` is the processor time of the writer's process alone, without the server's.
`loop_lag_ms` is how late a timer of 5 ms in the writer's event loop was: half of the time, and one in a hundred times.
"""

import argparse
import asyncio
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import clickhouse_driver

from embedded import clickhouse
from schemas.results import ReviewRow, WindowRow
from storage.client import ClickHouse, ClickHouseSettings
from storage.migrate import migrate
from storage.rows import Row, to_block
from storage.spool import DiskSpool
from storage.writer import Writer, WriterSettings

SEED: Final = 5
START_MS: Final = 1_762_790_400_000
WORDS: Final = (
    "物流很快",
    "质量不错",
    "客服态度差",
    "包装破损",
    "电池不耐用",
    "性价比高",
    "颜色和图片不一样",
    "会回购",
)
CATEGORIES: Final = ("手机", "家电", "服饰", "食品", "美妆", "图书")
REGIONS: Final = ("华东", "华北", "华南", "西南", "西北", "东北")
CHUNK: Final = 2_000  # rows handed in at a time, about what a chunk of records brings


class RealClock:
    """The time as it is."""

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def sleep(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)


def reviews(count: int) -> list[Row]:
    """Made-up judged reviews of about 40 characters."""
    chance = random.Random(SEED)
    return [
        ReviewRow(
            f"e{i:012d}", START_MS + i * 7, START_MS + i * 7 + 900, i % 4, i // 4, chance.choice(CATEGORIES), "app",
            chance.choice(REGIONS), "gold", f"s{i % 300}", f"p{chance.randrange(5_000)}", f"c{i:016x}", f"o{i:016x}",
            f"r{i}", chance.choice((None, 0.0, 0.25, 0.5, 0.75, 1.0)), "，".join(chance.choices(WORDS, k=6)),
            chance.random(), chance.random(), chance.choice(("negative", "neutral", "positive")), "", 0, False,
        )
        for i in range(count)
    ]  # fmt: skip


def windows(count: int) -> list[Row]:
    """Made-up rows of windows; every other one has a sketch of 60 buckets."""
    chance = random.Random(SEED)
    rows: list[Row] = []
    for i in range(count):
        busy = i % 2 == 0
        sketch = {chance.randrange(300, 800): chance.randrange(1, 9) for _ in range(60)} if busy else {}
        rows.append(WindowRow(
            (60, 300, 900, 3600, 86400)[i % 5], START_MS + i // 500 * 10_000, "product_id", f"p{i % 500}", i, 100, 98,
            12, 9, 0.1224, chance.random(), 0.8, 0.77, 3, 900, 3.333, 5, 40,
            (60_000, 200_000, 900_000) if busy else None, None, 1, 30, 0.0322, 0, 0.9, sketch, {},
        ))  # fmt: skip
    return rows


async def by_writer(server: ClickHouseSettings, rows: Sequence[Row], batch: int) -> tuple[float, list[float]]:
    """Seconds until all is in ClickHouse, and how late the event loop's timer was, in ms."""
    late: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            late.append((time.perf_counter() - began - 0.005) * 1000)

    with tempfile.TemporaryDirectory() as directory:
        settings = WriterSettings(database=server.database, batch_rows=batch)
        writer = Writer(ClickHouse(server), DiskSpool(Path(directory)), clock=RealClock(), settings=settings)
        await writer.start()
        beating = asyncio.create_task(beat())
        began = time.perf_counter()
        for start in range(0, len(rows), CHUNK):
            await writer.write(rows[start : start + CHUNK])
        await writer.flush()
        seconds = time.perf_counter() - began
        beating.cancel()
        figures = writer.snapshot()
        await writer.close()
    if figures.spooled_rows or sum(figures.rows.values()) != len(rows):
        raise RuntimeError(f"not all rows went straight into ClickHouse: {figures}")
    return seconds, late


def by_rows(server: ClickHouseSettings, rows: Sequence[Row], batch: int) -> float:
    """Seconds of the plain way: the driver is given rows, a batch a call, and waits for each."""
    block = to_block(rows[:1])
    plain = [tuple(values) for values in zip(*to_block(rows).columns, strict=True)]
    sql = f"INSERT INTO {server.database}.{block.table} ({', '.join(f'`{name}`' for name in block.names)}) VALUES"
    client = clickhouse_driver.Client(server.host, port=server.port, compression="lz4")
    client.execute("SELECT 1")
    began = time.perf_counter()
    for start in range(0, len(plain), batch):
        client.execute(sql, plain[start : start + batch])
    seconds = time.perf_counter() - began
    client.disconnect()
    return seconds


def measure(server: ClickHouseSettings, rows: list[Row], *, batch: int, runs: int) -> dict[str, Any]:
    """The best of several runs of both ways, taken in turns."""
    ours: list[float] = []
    theirs: list[float] = []
    late: list[float] = []
    cpu: list[float] = []
    for _ in range(runs):
        began = time.process_time()
        seconds, lag = asyncio.run(by_writer(server, rows, batch))
        cpu.append(time.process_time() - began)
        ours.append(seconds)
        late += lag
        theirs.append(by_rows(server, rows, batch))
    late.sort()
    return {
        "writer_rows_per_second": round(len(rows) / min(ours)),
        "plain_rows_per_second": round(len(rows) / min(theirs)),
        "ratio": round(min(theirs) / min(ours), 2),
        "writer_cpu_us_per_row": round(1e6 * min(cpu) / len(rows), 1),
        "loop_lag_ms": {"p50": round(statistics.median(late), 1), "p99": round(late[int(len(late) * 0.99)], 1)},
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory, clickhouse.start(Path(directory)) as running:
        server = ClickHouseSettings(host=running.host, port=running.port, database="bench")
        client = ClickHouse(server)
        migrate(client, database="bench")
        client.close()
        found = {
            kind: measure(server, make(arguments.rows), batch=arguments.batch, runs=arguments.runs)
            for kind, make in (("reviews", reviews), ("windows", windows))
        }
    print(json.dumps({
        "bench": "writer", "rows": arguments.rows, "batch": arguments.batch, **found,
        "python": platform.python_version(), "machine": platform.machine(),
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
