"""Storage on ClickHouse's own engine: migrations, idempotent rows, kill -9 in the middle of writing."""

import asyncio
import json
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import writer as bench_writer
from embedded.clickhouse import ClickHouseServer, start
from schemas.results import Alert, AlertAction, SlaTransition
from storage.client import ClickHouse, ClickHouseSettings, ServerRefused
from storage.ddl import Retention, read_steps, render
from storage.migrate import BOOK, DDL, Applied, migrate, status
from storage.rows import to_block
from storage.spool import DiskSpool
from storage.writer import Writer, WriterSettings
from streams import sketch
from tests.services.storing_worker import CHUNK, WallClock
from tests.unit.storage.stand_ins import SteppingClock, make_review, make_window

pytestmark = pytest.mark.embedded

OPTIONAL = ["0005_reader.sql", "0008_grafana_user.sql"]  # chDB has no SQL users; see test_reader.py


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with start(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


def connect(server: ClickHouseServer, **changes: Any) -> ClickHouse:
    return ClickHouse(ClickHouseSettings(host=server.host, port=server.port, timeout_ms=20_000, **changes))


@pytest.fixture
def client(server: ClickHouseServer) -> Iterator[ClickHouse]:
    client = connect(server)
    yield client
    client.close()


@pytest.fixture
def database(client: ClickHouse, request: pytest.FixtureRequest) -> Iterator[str]:
    name = "pw_" + re.sub(r"\W", "_", request.node.name)[:40]
    migrate(client, database=name)
    yield name
    client.execute(f"DROP DATABASE {name}")


async def store(server: ClickHouseServer, database: str, directory: Path, rows: list[Any]) -> None:
    settings = WriterSettings(database=database)
    writer = Writer(connect(server), DiskSpool(directory), clock=SteppingClock(), settings=settings)
    await writer.start()
    await writer.safe(await writer.write(rows))
    assert writer.snapshot().spooled_rows == 0, writer.snapshot().last_error
    await writer.close()


def test_a_fresh_database_gets_every_step_and_a_second_run_nothing(client: ClickHouse) -> None:
    first = migrate(client, database="pw_fresh")
    assert [step.name for step in first] == sorted(path.name for path in DDL.glob("*.sql"))
    # The engine in process has no users in SQL: these steps are left out and told, each time.
    assert [step.name for step in first if step.left_out] == OPTIONAL
    assert [step for step in migrate(client, database="pw_fresh") if not step.left_out] == []
    tables = {row[0] for row in client.execute("SELECT name FROM system.tables WHERE database = 'pw_fresh'")}
    assert {"reviews", "windows", "sla_clocks", "alerts_v", "windows_latest"} <= tables
    assert "schema_migrations_lock" not in tables


def test_the_status_tells_what_is_done_and_what_is_to_do(client: ClickHouse) -> None:
    names = [path.name for path in sorted(DDL.glob("*.sql"))]
    client.execute("CREATE DATABASE IF NOT EXISTS pw_empty")
    for database in ("pw_nowhere", "pw_empty"):
        assert status(client, database=database).todo == tuple(names)
    migrate(client, database="pw_status")
    found = status(client, database="pw_status")
    assert sorted(found.done + found.todo) == names
    assert list(found.todo) == OPTIONAL
    assert found.version.count(".") >= 2


def test_two_migrations_at_a_time_do_each_step_once(server: ClickHouseServer) -> None:
    done: list[Applied] = []
    ready = threading.Barrier(4)

    def run() -> None:
        client = connect(server)
        ready.wait()
        done.extend(step for step in migrate(client, database="pw_race") if not step.left_out)
        client.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    steps = read_steps(DDL)
    assert [step.number for step in done] == [step.number for step in steps if not step.optional]


@pytest.mark.parametrize("cluster", [None, "prod"])
def test_every_statement_is_read_by_clickhouses_own_parser(client: ClickHouse, cluster: str | None) -> None:
    for step in [BOOK, *read_steps(DDL)]:
        for sql in render(step, database="pw", cluster=cluster, retention=Retention()):
            assert client.execute(f"EXPLAIN AST {sql}"), sql


def test_rows_of_before_an_upgrade_stay_and_have_no_words(client: ClickHouse) -> None:
    def run(numbers: range) -> None:
        for step in read_steps(DDL):
            if step.number in numbers and not step.optional:
                for sql in render(step, database="pw_upgrade", cluster=None, retention=Retention()):
                    client.execute(sql)

    client.execute("CREATE DATABASE pw_upgrade")
    run(range(1, 9))
    client.execute("INSERT INTO pw_upgrade.reviews (event_id, text) SELECT 'old', '坏了'")
    run(range(9, 10))
    client.execute("INSERT INTO pw_upgrade.reviews (event_id, text, words) SELECT 'new', '坏了', ['坏']")
    read = "SELECT event_id, text, words FROM pw_upgrade.reviews_v ORDER BY event_id"
    assert client.execute(read) == [("new", "坏了", ["坏"]), ("old", "坏了", [])]
    client.execute("DROP DATABASE pw_upgrade")


async def test_a_row_that_comes_twice_counts_once(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path
) -> None:
    rows = [make_review(i) for i in range(100)] + [make_window(i) for i in range(50)]
    later = [make_review(i, received_at=1_762_790_999_000) for i in range(100)] + [make_window(i) for i in range(50)]
    await store(server, database, tmp_path, rows)
    await store(server, database, tmp_path, later)
    for view, count in (("reviews_v", 100), ("windows_v", 50)):
        assert client.execute(f"SELECT count() FROM {database}.{view}") == [(count,)]
    assert client.execute(
        f"SELECT uniq(received_at), countIf(rating IS NULL), any(text) FROM {database}.reviews_v"
    ) == [(1, 66, "质量很好")]


async def test_the_higher_version_of_a_window_counts_whatever_the_order(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path
) -> None:
    await store(server, database, tmp_path, [make_window(1, version=7, reviews=70), make_window(2, version=5)])
    await store(server, database, tmp_path, [make_window(1, version=6, reviews=60)])
    read = f"SELECT version, reviews FROM {database}.windows_v ORDER BY window_end"
    assert client.execute(read) == [(7, 70), (5, 5)]
    # The newest window is the one that ends last, also when an older one was changed after it.
    await store(server, database, tmp_path, [make_window(1, version=99)])
    assert client.execute(f"SELECT version FROM {database}.windows_latest") == [(5,)]


QUANTILE = """
WITH
    sumMap(first_response_sketch) AS merged,
    mapKeys(merged) AS buckets,
    arrayCumSum(mapValues(merged)) AS seen,
    1.01 / 0.99 AS gamma,
    buckets[arrayFirstIndex(x -> x >= greatest(1, ceil(round({share} * seen[-1], 9))), seen)] AS bucket
SELECT if(bucket < 0, 0, toInt64(round(2 * pow(gamma, bucket) / (gamma + 1))))
FROM {database}.windows_v
WHERE window_seconds = 300 AND dimension = 'category' AND value = '手机'
"""


def test_every_query_of_the_docs_runs(client: ClickHouse, database: str) -> None:
    text = (DDL.parent.parent / "docs" / "storage.md").read_text(encoding="utf-8")
    queries = [
        sql for part in re.findall(r"```sql\n(.*?)```", text, re.DOTALL) for sql in part.split(";") if sql.strip()
    ]
    assert len(queries) == 5
    for sql in queries:
        client.execute(sql.replace("peakwatch.", f"{database}."))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
async def test_sql_finds_the_quantiles_of_merged_windows_that_the_engine_finds(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path, share: float
) -> None:
    chance = random.Random(7)
    merged: dict[int, int] = {}
    windows = []
    for number in range(20):
        own: dict[int, int] = {}
        for _ in range(50):
            sketch.add(own, sketch.bucket(int(chance.lognormvariate(10, 2)) if chance.random() > 0.02 else 0), 1)
        for index, count in own.items():
            sketch.add(merged, index, count)
        windows.append(make_window(number, first_response_sketch=own))
    await store(server, database, tmp_path, windows)
    expected = sketch.quantiles(merged, (share,))[0]
    assert client.execute(QUANTILE.format(share=share, database=database)) == [(expected,)]


async def test_an_alerts_life_is_one_row_with_its_times(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path
) -> None:
    def alert(status: Any, at: int, value: float) -> Alert:
        return Alert(
            "a1", "negative-spike", "negative_spike", status, "critical", at, 1_000, None, {"value": "手机"}, value,
            0.1, None, status, {"count": 3}, "",
        )  # fmt: skip

    rows: list[Any] = [alert("firing", 61_000, 0.4), alert("updated", 90_000, 0.6)]
    read = f"SELECT status, detect_ms, acknowledge_ms, resolve_ms, value, highest_value FROM {database}.alerts_v"
    await store(server, database, tmp_path, rows)
    assert client.execute(read) == [("updated", 60_000, None, None, 0.4, 0.6)]
    await store(
        server, database, tmp_path,
        [*rows, alert("resolved", 361_000, 0.1), AlertAction("a1", 91_000, "acknowledge", "li", None, "")],
    )  # fmt: skip
    assert client.execute(read) == [("resolved", 60_000, 30_000, 300_000, 0.4, 0.6)]


@pytest.mark.parametrize(
    ("kinds", "verdict"),
    [
        (["warning"], "running"),
        (["warning", "met"], "met"),
        (["warning", "breach", "stopped"], "breached"),
        (["breach", "corrected", "met"], "met"),
        (["breach", "corrected", "breach"], "breached"),
        (["breach", "corrected_breach", "met"], "met"),
        (["met", "corrected_met"], "running"),
        (["met", "corrected_met", "met"], "met"),
    ],
)
async def test_a_clocks_verdict_follows_from_the_ledger(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path, kinds: list[str], verdict: str
) -> None:
    rows = [
        SlaTransition(
            "t1",
            "resolution",
            0,
            kind,
            1_000 * number,
            "p",
            "1",
            "always",
            "1",
            10,
            10,
            "",
            "",
            "",
            "",
            "",
            "",
            "normal",
            "q",
            0,
            number,
        )
        for number, kind in enumerate(kinds, start=1)
    ]
    await store(server, database, tmp_path, rows + rows)
    assert client.execute(f"SELECT verdict FROM {database}.sla_verdicts_v") == [(verdict,)]


async def test_instants_of_all_years_and_months_are_stored(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path
) -> None:
    step = 253_402_300_799_999 // 300
    await store(server, database, tmp_path, [make_review(i, event_time=i * step) for i in range(301)])
    assert client.execute(f"SELECT count() FROM {database}.reviews_v") == [(301,)]
    assert client.execute(
        f"SELECT max(toUnixTimestamp64Milli(event_time)) FROM {database}.reviews_v WHERE event_id = 'e300'"
    ) == [(300 * step,)]


async def test_a_row_that_does_not_fit_is_a_dead_letter_and_the_rest_is_stored(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path
) -> None:
    rows: list[Any] = [make_review(i) for i in range(50)]
    rows[33] = make_review(33, duplicates=-1)  # no unsigned integer
    rows[44] = make_review(44, text="\ud800")  # no UTF-8
    await store(server, database, tmp_path, rows)
    assert client.execute(f"SELECT count() FROM {database}.reviews_v") == [(48,)]
    letters = f"SELECT offset, topic, reason FROM {database}.dead_letters_v ORDER BY offset"
    assert client.execute(letters) == [(n, "store:reviews", "refused_by_store") for n in (33, 44)]


async def test_a_row_that_the_server_refuses_is_a_dead_letter_and_the_rest_is_stored(
    server: ClickHouseServer, client: ClickHouse, database: str, tmp_path: Path
) -> None:
    # A constraint, as an operator may add one.
    client.execute(f"ALTER TABLE {database}.reviews ADD CONSTRAINT known CHECK label != 'odd'")
    rows: list[Any] = [make_review(i) for i in range(50)]
    rows[17] = make_review(17, label="odd")
    await store(server, database, tmp_path, rows)
    assert client.execute(f"SELECT count() FROM {database}.reviews_v") == [(49,)]
    assert client.execute(f"SELECT offset FROM {database}.dead_letters_v") == [(17,)]


def test_a_missing_table_says_what_to_do(client: ClickHouse) -> None:
    with pytest.raises(ServerRefused, match="run `peakwatch migrate`"):
        client.insert("nowhere.reviews", ["a"], [[1]])


def test_the_benchmark_runs_and_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_writer.main(["--rows", "3000", "--batch", "1000", "--runs", "1"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["reviews"]["writer_rows_per_second"] > 0
    assert figures["windows"]["plain_rows_per_second"] > 0


async def _until(ready: Callable[[], bool], *, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not ready():
            await asyncio.sleep(0.02)


async def test_kill_9_of_clickhouse_in_the_middle_of_writing_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    server = start(directory)
    port = server.port
    try:
        client = connect(server)
        migrate(client, database="pw")
        client.close()
        settings = WriterSettings(database="pw", batch_rows=500, batch_age_ms=50, attempts=2, backoff_ms=50)
        writer = Writer(
            connect(server, connect_timeout_ms=1_000), DiskSpool(tmp_path / "spool"),
            clock=WallClock(), settings=settings,
        )  # fmt: skip
        await writer.start()
        for number in range(60):
            rows = [make_review(number * 200 + i) for i in range(200)] + [make_window(number)]
            ticket = await writer.write(rows)
            if number == 20:
                server.process.send_signal(signal.SIGKILL)
            if number % 10 == 9:
                await writer.safe(ticket)
        assert writer.snapshot().state == "spooling"
        assert writer.snapshot().spool_bytes > 0
        server.stop()
        server = start(directory, port=port)
        await _until(lambda: writer.snapshot().spool_records == 0, seconds=60)
        await writer.close()
        client = connect(server)
        assert client.execute("SELECT count(), uniqExact(event_id) FROM pw.reviews_v") == [(12_000, 12_000)]
        assert client.execute("SELECT count() FROM pw.windows_v") == [(60,)]
        assert client.execute("SELECT count() FROM pw.dead_letters_v") == [(0,)]
        client.close()
    finally:
        server.stop()


def _worker(port: int, spool: Path, first: int, last: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.services.storing_worker", str(port), str(spool), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=DDL.parent.parent)


def _kill_after(worker: "subprocess.Popen[str]", lines: int) -> int:
    """Kill the worker after so many more lines; the last chunk that it called safe."""
    assert worker.stdout is not None
    seen = [worker.stdout.readline() for _ in range(lines)]
    worker.kill()
    seen += worker.stdout.read().splitlines()
    worker.wait()
    worker.stdout.close()
    return int([line for line in seen if line.strip()][-1])


def test_kill_9_of_the_worker_and_of_clickhouse_loses_nothing_that_was_called_safe(tmp_path: Path) -> None:
    directory, spool, last = tmp_path / "data", tmp_path / "spool", 60
    server = start(directory)
    port = server.port
    try:
        client = connect(server)
        migrate(client, database="pw")
        client.close()
        safe = _kill_after(_worker(port, spool, 0, last), 15)  # while it writes
        server.process.send_signal(signal.SIGKILL)
        server.stop()
        safe = _kill_after(_worker(port, spool, safe + 1, last), 15)  # while it spools
        assert list(spool.glob("*.spool"))
        server = start(directory, port=port)
        safe = _kill_after(_worker(port, spool, safe + 1, last), 5)  # while it drains
        with _worker(port, spool, safe + 1, last) as worker:
            assert worker.wait(60) == 0
        assert not list(spool.glob("*.spool"))
        client = connect(server)
        count = last * CHUNK
        assert client.execute("SELECT count(), uniqExact(event_id) FROM pw.reviews_v") == [(count, count)]
        client.close()
    finally:
        server.stop()


def test_an_insert_leaves_the_columns_as_they_were(client: ClickHouse, database: str) -> None:
    """The driver fills nulls into the lists that it packs; a block that is tried again must not have changed."""
    blocks = [to_block([make_review(i) for i in range(10)]), to_block([make_window(1), make_window(2)])]
    for block in blocks:
        before = [list(column) for column in block.columns]
        client.insert(f"{database}.{block.table}", block.names, block.columns)
        assert block.columns == before
