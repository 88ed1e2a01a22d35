"""A worker reduced to its storage: writes numbered reviews and prints each number once it is safe. Killed by a test."""

import asyncio
import sys
import time
from pathlib import Path

from storage.client import ClickHouse, ClickHouseSettings
from storage.spool import DiskSpool
from storage.writer import Writer, WriterSettings
from tests.unit.storage.stand_ins import make_review

CHUNK = 100


class WallClock:
    """The time as it is."""

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def sleep(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)


async def work(port: int, directory: Path, first: int, last: int) -> None:
    """Write the chunks `first` to `last`, the end open, telling what is safe; then wait until the spool is empty."""
    settings = WriterSettings(database="pw", batch_age_ms=20, attempts=1, backoff_ms=50, longest_backoff_ms=200)
    server = ClickHouseSettings(port=port, connect_timeout_ms=1_000, timeout_ms=10_000)
    writer = Writer(ClickHouse(server), DiskSpool(directory), clock=WallClock(), settings=settings)
    await writer.start()
    for chunk in range(first, last):
        await writer.safe(await writer.write([make_review(chunk * CHUNK + i) for i in range(CHUNK)]))
        print(chunk, flush=True)
    while writer.snapshot().spool_records:
        await asyncio.sleep(0.02)
    await writer.close()


if __name__ == "__main__":
    asyncio.run(work(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
