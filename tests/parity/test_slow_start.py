"""A worker that is slow to get ready misses nothing of what lies there, also when nothing more comes."""

import sys
import time
from pathlib import Path
from typing import Final

import pytest

from schemas.topics import SOURCES
from tests.parity.arena import Arena
from tests.parity.evening import evening

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(90)]

# As where the store answers late: Faust delivers meanwhile.
SLOW: Final = """
import asyncio
from storage.writer import Writer
start = Writer.start
async def late(self):
    await asyncio.sleep(3)
    await start(self)
Writer.start = late
from peakwatch.cli import main
main(["worker"])
"""


def test_a_worker_that_gets_ready_late_takes_what_lies_there(arena: Arena, tmp_path: Path) -> None:
    sent = evening(seed=5, reviews=60, tickets=10)
    arena.feed(sent.messages)
    arena.set_clock(ahead_ms=-60_000, speed=900, idle="60m")
    arena.start(command=(sys.executable, "-c", SLOW))
    found: dict[str, int] = {}
    deadline = time.monotonic() + 40
    while found != (whole := {topic: len(sent.events[topic]) for topic in SOURCES}) and time.monotonic() < deadline:
        time.sleep(0.5)
        found = {topic: arena.rows(f"SELECT count() FROM {{db}}.{topic}_v")[0][0] for topic in SOURCES}
    assert found == whole, arena.last_words()
