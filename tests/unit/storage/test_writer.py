"""Batches, retries, the spool, back-pressure, bad rows."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import PermanentError, TransientError
from storage.client import RowsRefused, ServerRefused
from storage.spool import DiskSpool
from storage.writer import Writer, WriterSettings
from tests.unit.storage.stand_ins import MemoryClickHouse, SteppingClock, make_review, make_window


class Down:
    """Refuses everything until it is switched on."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or TransientError("not reached")
        self.on = False

    def __call__(self, table: str, rows: list[dict[str, Any]]) -> None:
        if not self.on:
            raise self.error


@asynccontextmanager
async def writing(
    clickhouse: MemoryClickHouse, directory: Path, *, clock: SteppingClock | None = None, max_bytes: int = 1 << 20,
    **settings: Any,
) -> AsyncIterator[Writer]:  # fmt: skip
    writer = Writer(
        clickhouse,
        DiskSpool(directory, max_bytes=max_bytes, fsync=False),
        clock=clock or SteppingClock(),
        settings=WriterSettings(**settings),
        chance=random.Random(1),
    )
    await writer.start()
    try:
        yield writer
    finally:
        await writer.close()


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not ready():
            await asyncio.sleep(0)


async def test_a_batch_is_one_insert_a_table(tmp_path: Path) -> None:
    clickhouse = MemoryClickHouse()
    async with writing(clickhouse, tmp_path) as writer:
        await writer.write([make_review(1), make_window(1), make_review(2)])
        await writer.safe(await writer.write([make_review(3)]))
    assert [(table, len(rows)) for table, rows in clickhouse.inserts] == [
        ("peakwatch.reviews", 3),
        ("peakwatch.windows", 1),
    ]


async def test_a_batch_that_does_not_fill_goes_out_when_it_is_old_enough(tmp_path: Path) -> None:
    clickhouse, clock = MemoryClickHouse(), SteppingClock()
    async with writing(clickhouse, tmp_path, clock=clock, batch_age_ms=700) as writer:
        await writer.safe(await writer.write([make_review(1)]))
    assert clock.slept == [700]


async def test_a_full_batch_does_not_wait(tmp_path: Path) -> None:
    clickhouse, clock = MemoryClickHouse(), SteppingClock()
    async with writing(clickhouse, tmp_path, clock=clock, batch_rows=10) as writer:
        await writer.safe(await writer.write([make_review(i) for i in range(10)]))
    assert clock.slept == []


async def test_a_batch_is_cut_between_two_writes(tmp_path: Path) -> None:
    clickhouse = MemoryClickHouse()
    async with writing(clickhouse, tmp_path, batch_rows=4) as writer:
        for start in (0, 3, 6):
            await writer.write([make_review(i) for i in range(start, start + 3)])
        await writer.flush()
    assert [len(rows) for _, rows in clickhouse.inserts] == [6, 3]
    assert clickhouse.ids() == [f"e{i}" for i in range(9)]


async def test_flush_does_not_wait_for_age(tmp_path: Path) -> None:
    clickhouse, clock = MemoryClickHouse(), SteppingClock()
    async with writing(clickhouse, tmp_path, clock=clock) as writer:
        await writer.write([make_review(1)])
        await writer.flush()
        assert clickhouse.ids() == ["e1"]
        await writer.flush()


async def test_nothing_is_safe_before_it_is_stored(tmp_path: Path) -> None:
    down = Down()
    clickhouse = MemoryClickHouse(down)
    async with writing(clickhouse, tmp_path, max_bytes=50) as writer:  # too small a spool for anything
        ticket = await writer.write([make_review(1)])
        waiter = asyncio.ensure_future(writer.safe(ticket))
        await until(lambda: writer.snapshot().state == "blocked")
        assert not waiter.done()
        down.on = True
        await waiter
        assert clickhouse.ids() == ["e1"]


async def test_a_short_failure_is_tried_again_with_growing_waits(tmp_path: Path) -> None:
    failures = iter([TransientError("a"), TransientError("b")])

    def refuse(table: str, rows: list[dict[str, Any]]) -> None:
        if error := next(failures, None):
            raise error

    clickhouse, clock = MemoryClickHouse(refuse), SteppingClock()
    async with writing(clickhouse, tmp_path, clock=clock, batch_rows=1, backoff_ms=200) as writer:
        await writer.safe(await writer.write([make_review(1)]))
        figures = writer.snapshot()
    first, second = clock.slept
    assert 100 <= first <= 200 <= second <= 400
    assert (figures.retries, figures.spooled_rows, figures.state) == (2, 0, "ok")


async def test_while_clickhouse_is_down_rows_are_safe_on_disk_and_drained_in_order(tmp_path: Path) -> None:
    down = Down()
    clickhouse = MemoryClickHouse(down)
    async with writing(clickhouse, tmp_path, batch_rows=2, attempts=2) as writer:
        for start in range(0, 10, 2):
            await writer.safe(await writer.write([make_review(start), make_review(start + 1)]))
        figures = writer.snapshot()
        assert (figures.state, figures.spooled_rows, figures.pending_rows) == ("spooling", 10, 0)
        assert figures.spool_bytes > 0
        assert figures.last_error == "not reached"
        assert clickhouse.ids() == []
        down.on = True
        await until(lambda: writer.snapshot().spool_records == 0 and writer.snapshot().state == "ok")
        await writer.safe(await writer.write([make_review(10), make_review(11)]))
        assert writer.snapshot().spool_age_ms == 0
    assert clickhouse.ids() == [f"e{i}" for i in range(12)]


async def test_what_an_earlier_process_left_behind_is_stored_first(tmp_path: Path) -> None:
    async with writing(MemoryClickHouse(Down()), tmp_path, attempts=1) as writer:
        await writer.safe(await writer.write([make_review(1)]))
    clickhouse = MemoryClickHouse()
    async with writing(clickhouse, tmp_path) as writer:
        await writer.safe(await writer.write([make_review(2)]))
        await until(lambda: len(clickhouse.ids()) == 2)
    assert clickhouse.ids() == ["e1", "e2"]


async def test_what_people_must_mend_waits_in_the_spool(tmp_path: Path) -> None:
    down = Down(ServerRefused("no such table: run `peakwatch migrate`", code=60))
    clickhouse = MemoryClickHouse(down)
    async with writing(clickhouse, tmp_path) as writer:
        await writer.safe(await writer.write([make_review(1), make_review(2)]))
        assert "peakwatch migrate" in writer.snapshot().last_error
        assert clickhouse.calls < 10  # not halved: no row is at fault
        down.on = True
        await until(lambda: writer.snapshot().spool_records == 0)
    assert clickhouse.ids() == ["e1", "e2"]


async def test_write_waits_while_too_much_is_pending_and_nothing_is_lost(tmp_path: Path) -> None:
    down = Down()
    clickhouse = MemoryClickHouse(down)
    async with writing(clickhouse, tmp_path, max_bytes=3000, batch_rows=1, pending_bytes=2400) as writer:
        writes = [asyncio.ensure_future(writer.write([make_review(i)])) for i in range(30)]
        await until(lambda: writer.snapshot().state == "blocked")
        for _ in range(200):
            await asyncio.sleep(0)
        assert sum(write.done() for write in writes) < 30
        assert writer.snapshot().pending_bytes < 4800
        assert writer.snapshot().oldest_pending_ms > 0
        down.on = True
        await writer.safe(max(await asyncio.gather(*writes)))
        await until(lambda: writer.snapshot().spool_records == 0)
        assert writer.snapshot().pending_bytes == 0
    assert sorted(clickhouse.ids()) == sorted(f"e{i}" for i in range(30))


@pytest.mark.parametrize("bad", [{0}, {99}, {3, 4, 50}, set(range(0, 100, 9)), set(range(40))])
@pytest.mark.parametrize("error", [RowsRefused("bad value"), ServerRefused("never heard of", code=12345)])
async def test_bad_rows_become_dead_letters_and_the_others_are_stored(
    tmp_path: Path, bad: set[int], error: PermanentError
) -> None:
    names = {f"e{i}" for i in bad}

    def refuse(table: str, rows: list[dict[str, Any]]) -> None:
        if any(row.get("event_id") in names for row in rows):
            raise error

    clickhouse = MemoryClickHouse(refuse)
    async with writing(clickhouse, tmp_path) as writer:
        await writer.safe(await writer.write([make_review(i) for i in range(100)]))
        figures = writer.snapshot()
    assert sorted(clickhouse.ids()) == sorted(f"e{i}" for i in range(100) if i not in bad)
    letters = [row for table, rows in clickhouse.inserts if table == "peakwatch.dead_letters" for row in rows]
    assert sorted(letter["offset"] for letter in letters) == sorted(bad)
    assert {letter["detail"] for letter in letters} == {str(error)}
    assert figures.refused == {"reviews": len(bad)}


async def test_a_single_bad_row_in_the_spool_does_not_block_what_is_behind_it(tmp_path: Path) -> None:
    down = Down()

    def refuse(table: str, rows: list[dict[str, Any]]) -> None:
        down(table, rows)
        if any(row.get("event_id") == "e1" for row in rows):
            raise RowsRefused("bad value")

    clickhouse = MemoryClickHouse(refuse)
    async with writing(clickhouse, tmp_path, batch_rows=1, attempts=1) as writer:
        for i in range(4):
            await writer.safe(await writer.write([make_review(i)]))
        down.on = True
        await until(lambda: writer.snapshot().spool_records == 0)
    assert clickhouse.ids() == ["e0", "e2", "e3"]
    assert writer.snapshot().refused == {"reviews": 1}


async def test_what_the_spool_cannot_keep_becomes_a_dead_letter_there(tmp_path: Path) -> None:
    down = Down()
    clickhouse = MemoryClickHouse(down)
    async with writing(clickhouse, tmp_path, attempts=1) as writer:
        await writer.safe(await writer.write([make_review(0), make_review(1, text="\ud800"), make_review(2)]))
        down.on = True
        await until(lambda: writer.snapshot().spool_records == 0)
    assert sorted(clickhouse.ids()) == ["e0", "e2"]
    assert clickhouse.inserts[-1][1][0]["offset"] == 1


async def test_where_no_row_at_all_is_taken_nothing_becomes_a_dead_letter(tmp_path: Path) -> None:
    down = Down(RowsRefused("a release that spells a column wrong"))
    clickhouse = MemoryClickHouse(down)
    async with writing(clickhouse, tmp_path) as writer:
        await writer.safe(await writer.write([make_review(i) for i in range(1000)]))
        assert writer.snapshot().refused == {}
        assert "none of 16 rows" in writer.snapshot().last_error
        down.on = True
        await until(lambda: writer.snapshot().spool_records == 0)
    assert len(clickhouse.ids()) == 1000


async def test_close_makes_safe_what_was_handed_in(tmp_path: Path) -> None:
    clickhouse = MemoryClickHouse()
    async with writing(clickhouse, tmp_path) as writer:
        await writer.write([make_review(1)])
    assert clickhouse.ids() == ["e1"]
    assert clickhouse.closed
    assert writer.snapshot().state == "closed"


async def test_a_bug_is_told_to_everybody_who_waits(tmp_path: Path) -> None:
    writer = Writer(MemoryClickHouse(Down(ZeroDivisionError("bug"))), DiskSpool(tmp_path), clock=SteppingClock())
    await writer.start()
    ticket = await writer.write([make_review(1)])
    with pytest.raises(ZeroDivisionError):
        await writer.safe(ticket)
    with pytest.raises(ZeroDivisionError):
        await writer.write([make_review(2)])
    assert writer.snapshot().state == "failed"
    with pytest.raises(ZeroDivisionError):
        await writer.close()


async def test_a_row_of_no_table_is_refused_at_once(tmp_path: Path) -> None:
    async with writing(MemoryClickHouse(), tmp_path) as writer:
        with pytest.raises(PermanentError, match="no row of a table"):
            await writer.write([make_review(1), "text"])  # type: ignore[list-item]  # the point of the test
        await writer.safe(await writer.write([]))


async def test_tables_are_inserted_side_by_side_over_several_connections(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=20)  # neither insert ends before the other has begun
    first, second = (MemoryClickHouse(lambda table, rows: void(both.wait())) for _ in range(2))
    writer = Writer(first, DiskSpool(tmp_path), clock=SteppingClock(), more=[second])
    await writer.start()
    await writer.safe(await writer.write([make_review(1), make_window(1)]))
    await writer.close()
    assert len(first.inserts) == len(second.inserts) == 1
    assert first.closed
    assert second.closed


def void(_: object) -> None:
    """Drop a result where none is wanted."""
