"""The embedded ClickHouse by its clients: clickhouse-driver, clickhouse-client where it is installed, and rubbish."""

import contextlib
import datetime as dt
import decimal
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as ClickHouseError
from clickhouse_driver.errors import ServerException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench import clickhouse as bench_clickhouse
from embedded.chnative import wire
from embedded.clickhouse import ClickHouseServer, start
from schemas.errors import PermanentError

pytestmark = pytest.mark.embedded

PASSWORD = "geheim-密码"
SHANGHAI = ZoneInfo("Asia/Shanghai")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with start(tmp_path_factory.mktemp("clickhouse"), user="watch", password=PASSWORD) as running:
        yield running


def connect(server: ClickHouseServer, **changes: Any) -> Client:
    return Client(server.host, port=server.port, user=server.user, **{"password": server.password, **changes})


@pytest.fixture(params=[False, "lz4"], ids=["plain", "lz4"])
def client(server: ClickHouseServer, request: pytest.FixtureRequest) -> Iterator[Client]:
    with connect(server, compression=request.param) as connected:
        yield connected


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("UInt64", [0, 2**64 - 1]),
        ("Int128", [-(2**127), 5]),
        ("Float64", [0.1, -1e300]),
        ("Bool", [True, False]),
        ("String", ["", "手机\n\0", "x" * 127, "y" * 128, "z" * 20_000]),
        ("FixedString(3)", ["abc", "xyz"]),
        ("LowCardinality(String)", ["a", "b", "a"]),
        ("LowCardinality(Nullable(String))", ["a", None]),
        ("Nullable(Int32)", [1, None]),
        ("Array(Nullable(String))", [[], ["a", None]]),
        ("Array(Array(LowCardinality(String)))", [[["a"], []], []]),
        ("Map(String, UInt8)", [{}, {"a": 1, "b": 2}]),
        ("Tuple(a Int32, b String)", [(1, "x"), (2, "")]),
        ("Enum8('low' = -1, 'high' = 5)", ["low", "high"]),
        ("Decimal(18, 4)", [decimal.Decimal("1.2345"), decimal.Decimal("-9.0000")]),
        ("UUID", [uuid.UUID(int=7), uuid.UUID(int=2**128 - 1)]),
        ("Date", [dt.date(2026, 11, 11)]),
        ("DateTime64(3, 'Asia/Shanghai')", [dt.datetime(2026, 11, 11, 0, 0, 0, 123000, tzinfo=SHANGHAI)]),
        ("IPv6", []),
    ],
)
def test_values_come_back_as_they_went(client: Client, kind: str, values: list[Any]) -> None:
    client.execute("CREATE OR REPLACE TABLE types (i UInt32, v " + kind + ") ENGINE = MergeTree ORDER BY i")
    sent = list(enumerate(values))
    client.execute("INSERT INTO types (i, v) VALUES", sent)
    rows, columns = client.execute("SELECT i, v FROM types ORDER BY i", with_column_types=True)
    assert [name for name, _ in columns] == ["i", "v"]
    assert rows == sent


def test_an_insert_of_many_blocks_arrives_whole(client: Client) -> None:
    client.execute("CREATE OR REPLACE TABLE many (i UInt32, s String, d UInt8 DEFAULT 7) ENGINE = MergeTree ORDER BY i")
    rows = ((i, "x" * (i % 300)) for i in range(30_000))
    assert client.execute("INSERT INTO many (i, s) VALUES", rows, settings={"insert_block_size": 1000}) == 30_000
    (found,) = client.execute("SELECT count(), sum(i), sum(length(s)), min(d), max(d) FROM many")
    assert found == (30_000, sum(range(30_000)), sum(i % 300 for i in range(30_000)), 7, 7)
    assert len(client.execute("SELECT * FROM many", settings={"max_block_size": 999})) == 30_000


def test_columns_of_numpy_arrays_are_taken_as_well(client: Client) -> None:
    client.execute("CREATE OR REPLACE TABLE columns (i UInt32, s String) ENGINE = MergeTree ORDER BY i")
    client.execute("INSERT INTO columns VALUES", [[1, 2], ["a", "b"]], columnar=True)
    assert client.execute("SELECT * FROM columns ORDER BY i", columnar=True) == [(1, 2), ("a", "b")]


def test_every_kind_of_statement_is_answered(client: Client) -> None:
    client.execute("DROP TABLE IF EXISTS kinds")
    client.execute("CREATE TABLE kinds (i UInt32, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY i")
    client.execute("INSERT INTO kinds VALUES (1, 'VALUES'), (2, ';--')")
    client.execute("INSERT INTO kinds (i) SELECT 3")
    client.execute("WITH 4 AS x INSERT INTO kinds (i) SELECT x")
    client.execute("-- a remark\n/* and another */ INSERT INTO kinds (i)\nVALUES", [(5,)])
    assert client.execute("SELECT * FROM kinds ORDER BY i FORMAT Pretty") == [
        (1, "VALUES"), (2, ";--"), (3, "none"), (4, "none"), (5, "none")
    ]  # fmt: skip
    assert ("kinds",) in client.execute("SHOW TABLES")
    assert client.execute("EXISTS TABLE kinds") == [(1,)]
    assert [row[0] for row in client.execute("DESCRIBE TABLE kinds")] == ["i", "s"]
    assert client.execute("EXPLAIN SELECT i FROM kinds")
    assert client.execute("SELECT i, s FROM kinds WHERE 0", with_column_types=True)[1] == [
        ("i", "UInt32"),
        ("s", "String"),
    ]
    assert client.execute("SELECT toDate('2026-01-01') AS d, i FROM kinds WHERE i = %(i)s", {"i": 3}) == [
        (dt.date(2026, 1, 1), 3)
    ]


@pytest.mark.parametrize(
    ("sql", "code", "text"),
    [
        ("SELECT * FROM nowhere", 60, "nowhere"),
        ("SELEC 1", 62, "Syntax error"),
        ("SELECT 1; SELECT 2", 62, "Multi-statements"),
        ("", 62, "Empty query"),
        ("SELECT throwIf(number = 500000, 'enough') FROM numbers(1000000)", 395, "enough"),
        ("INSERT INTO nowhere VALUES", 60, "nowhere"),
        ("USE nowhere", 81, "nowhere"),
    ],
)
def test_errors_carry_the_engines_code_and_text(client: Client, sql: str, code: int, text: str) -> None:
    with pytest.raises(ServerException, match=text) as caught:
        client.execute(sql, [(1,)] if sql.startswith("INSERT") else None)
    assert caught.value.code == code
    assert client.execute("SELECT 1") == [(1,)]


def test_an_insert_that_the_engine_refuses_commits_nothing_and_leaves_the_connection(client: Client) -> None:
    client.execute(
        "CREATE OR REPLACE TABLE refused (i UInt32, CONSTRAINT c CHECK i < 10) ENGINE = MergeTree ORDER BY i"
    )
    with pytest.raises(ServerException) as caught:
        client.execute("INSERT INTO refused VALUES", [(1,), (100,)])
    assert caught.value.code == 469
    assert client.execute("SELECT count() FROM refused") == [(0,)]


def test_settings_hold_for_their_query_and_what_was_set_for_the_connection(client: Client) -> None:
    ask = "SELECT getSetting('max_block_size')"
    usual = client.execute(ask)
    assert client.execute(ask, settings={"max_block_size": 77, "no_such_setting": 1}) == [(77,)]
    assert client.execute(ask) == usual
    client.execute("SET max_block_size = 55", settings={"max_block_size": 77})
    assert client.execute(ask) == [(55,)]
    assert client.execute(ask, settings={"max_block_size": 77}) == [(77,)]
    assert client.execute(ask) == [(55,)]
    with pytest.raises(ServerException) as caught:
        client.execute("CREATE TABLE no (a Int8) ENGINE = Memory", settings={"readonly": 1})
    assert caught.value.code == 164
    client.execute("CREATE TEMPORARY TABLE yes (a Int8)")
    assert client.execute("SELECT {x:Int32} + 1", settings={"param_x": "41"}) == [(42,)]


def test_each_connection_has_its_own_database_and_temporary_tables(server: ClickHouseServer) -> None:
    with connect(server) as one, connect(server) as other:
        one.execute("CREATE DATABASE IF NOT EXISTS side")
        one.execute("USE side")
        one.execute("CREATE TEMPORARY TABLE mine (i Int8)")
        one.execute("INSERT INTO mine VALUES", [(1,)])
        assert one.execute("SELECT currentDatabase(), i FROM mine") == [("side", 1)]
        assert other.execute("SELECT currentDatabase()") == [("default",)]
        with pytest.raises(ServerException):
            other.execute("SELECT * FROM mine")
    with connect(server, database="side") as third:
        assert third.execute("SELECT currentDatabase()") == [("side",)]
    with connect(server, database="nowhere") as fourth, pytest.raises(ServerException) as caught:
        fourth.execute("SELECT 1")
    assert caught.value.code == 81


def test_a_table_may_come_with_its_query(client: Client) -> None:
    sent = {"name": "extra", "structure": [("i", "Int32"), ("s", "String")], "data": [{"i": 1, "s": "a"}]}
    assert client.execute("SELECT * FROM extra", external_tables=[sent]) == [(1, "a")]
    with pytest.raises(ServerException):
        client.execute("SELECT * FROM extra")


@pytest.mark.parametrize(("user", "password"), [("watch", ""), ("watch", PASSWORD + "x"), ("default", PASSWORD)])
def test_a_stranger_is_not_let_in(server: ClickHouseServer, user: str, password: str) -> None:
    stranger = Client(server.host, port=server.port, user=user, password=password)
    with stranger, pytest.raises(ServerException) as caught:
        stranger.execute("SELECT 1")
    assert caught.value.code == 516


def test_the_password_is_not_to_be_seen(server: ClickHouseServer) -> None:
    proc = Path(f"/proc/{server.process.pid}")
    seen = proc.joinpath("cmdline").read_bytes() + proc.joinpath("environ").read_bytes()
    assert PASSWORD.encode() not in seen
    assert PASSWORD not in repr(server) + server.url()


def test_a_long_query_keeps_nobody_waiting_and_ends_when_cancelled(server: ClickHouseServer) -> None:
    endless = "SELECT sum(sleepEachRow(0.01)) FROM numbers(100000) SETTINGS max_block_size = 1, "
    endless += "function_sleep_max_microseconds_per_block = 0"
    slow, other = connect(server), connect(server)
    thread = threading.Thread(target=_quietly, args=(slow, endless))
    thread.start()
    with other:
        other.execute("CREATE OR REPLACE TABLE beside (i Int8) ENGINE = MergeTree ORDER BY i")
        other.execute("INSERT INTO beside VALUES", [(1,)])
        _until(
            lambda: other.execute("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sum(sleep%'") == [(1,)]
        )
        slow.connection.socket.sendall(b"\3")
        _until(
            lambda: other.execute("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sum(sleep%'") == [(0,)]
        )
    thread.join()
    slow.disconnect()


def test_a_query_ends_when_its_client_is_gone(server: ClickHouseServer) -> None:
    slow, other = connect(server), connect(server)
    slow.execute("SELECT 1")
    slow.connection.send_query("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
    slow.connection.send_external_tables([])
    counting = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers(10%'"
    with other:
        _until(lambda: other.execute(counting) == [(1,)])
        slow.disconnect()
        _until(lambda: other.execute(counting) == [(0,)])


def test_a_large_result_is_streamed_in_bounded_memory(server: ClickHouseServer) -> None:
    with connect(server) as client:
        before = _resident_mib(server)
        rows = client.execute_iter("SELECT number, repeat('x', 100) FROM numbers(20000000)", {"max_block_size": 8192})
        for _ in range(1000):
            next(rows)
        time.sleep(0.5)
        assert _resident_mib(server) - before < 400


RUBBISH = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=200).map(lambda raw: b"GET / HTTP/1.1\r\n" + raw),
    st.integers(0, 2**64 - 1).map(lambda n: b"\0" + wire.varint(n) + b"x" * 50),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RUBBISH, min_size=1, max_size=4), st.booleans())
def test_rubbish_is_dropped_and_nobody_else_notices(
    server: ClickHouseServer, rubbish: list[bytes], login: bool
) -> None:
    hello = b"\0" + wire.string("x") + b"\1\1" + wire.varint(54440) + wire.string("")
    hello += wire.string(server.user) + wire.string(PASSWORD)
    with connect(server) as other, contextlib.ExitStack() as stack:
        for raw in rubbish:
            sock = stack.enter_context(socket.create_connection((server.host, server.port)))
            with contextlib.suppress(OSError):
                sock.sendall((hello if login else b"") + raw)
        assert other.execute("SELECT 1") == [(1,)]
    assert server.process.poll() is None


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(wire.varint(1) + wire.varint(1 << 40) + b"\1i\6UInt64", id="rows"),
        pytest.param(b"\1\1\1i\6String" + wire.varint(1 << 50), id="string"),
        pytest.param(b"\1\1\1i\x0bArray(Int8)" + struct.pack("<Q", 1 << 62), id="array"),
        pytest.param(b"\1\1\1i\4JSON" + b"x" * 100, id="type of unknown length"),
    ],
)
def test_a_block_that_lies_costs_no_memory(server: ClickHouseServer, block: bytes) -> None:
    with connect(server) as client, connect(server) as other:
        other.execute("CREATE OR REPLACE TABLE liar (i UInt64) ENGINE = MergeTree ORDER BY i")
        client.execute("SELECT 1")
        before = _resident_mib(server)
        client.connection.send_query("INSERT INTO liar VALUES")
        client.connection.send_external_tables([])
        client.connection.socket.sendall(b"\2\0" + b"\1\0\2\xff\xff\xff\xff\0" + block)
        _until(lambda: _is_closed(client.connection.socket))
        assert other.execute("SELECT count() FROM liar") == [(0,)]
        assert _resident_mib(server) - before < 100


def test_many_clients_write_and_read_at_once(server: ClickHouseServer) -> None:
    with connect(server) as client:
        client.execute("CREATE OR REPLACE TABLE shared (w Int32, i Int32) ENGINE = MergeTree ORDER BY (w, i)")
    failed: list[Exception] = []

    def write(worker: int) -> None:
        try:
            with connect(server, compression="lz4" if worker % 2 else False) as client:
                for i in range(5):
                    client.execute("INSERT INTO shared VALUES", [(worker, 100 * i + k) for k in range(100)])
                    assert client.execute("SELECT count() FROM shared WHERE w = %(w)s", {"w": worker}) == [
                        (100 * i + 100,)
                    ]
        except (AssertionError, ClickHouseError, OSError) as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with connect(server) as client:
        assert client.execute("SELECT count(), uniqExact(w, i) FROM shared") == [(6000, 6000)]


def test_committed_rows_survive_kill_9(tmp_path: Path) -> None:
    with start(tmp_path) as server, connect(server) as client:
        client.execute("CREATE TABLE kept (i UInt32) ENGINE = MergeTree ORDER BY i")
        client.execute("INSERT INTO kept VALUES", [(i,) for i in range(1000)])
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    with start(tmp_path) as server, connect(server) as client:
        assert client.execute("SELECT count() FROM kept") == [(1000,)]
        port = server.port
    assert server.process.returncode == 0
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_engines_that_fold_rows_fold_them(server: ClickHouseServer) -> None:
    with connect(server) as client:
        for name in ("last", "sums", "sums_mv"):
            client.execute(f"DROP TABLE IF EXISTS {name}")
        client.execute("CREATE TABLE last (k UInt8, v UInt8) ENGINE = ReplacingMergeTree(v) ORDER BY k")
        client.execute(
            "CREATE TABLE sums (k UInt8, n AggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY k"
        )
        client.execute(
            "CREATE MATERIALIZED VIEW sums_mv TO sums AS SELECT k, sumState(toUInt64(v)) AS n FROM last GROUP BY k"
        )
        client.execute("INSERT INTO last VALUES", [(1, 1)])
        client.execute("INSERT INTO last VALUES", [(1, 5), (2, 2)])
        assert client.execute("SELECT * FROM last FINAL ORDER BY k") == [(1, 5), (2, 2)]
        assert client.execute("SELECT k, sumMerge(n) FROM sums GROUP BY k ORDER BY k") == [(1, 6), (2, 2)]


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = "import sys, time, pathlib; from embedded.clickhouse import start; "
    program += "s = start(pathlib.Path(sys.argv[1])); print(s.process.pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    _until(lambda: not _runs(pid))


def test_a_taken_port_is_told(server: ClickHouseServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=f"port {server.port} on 127.0.0.1 is taken; stop"):
        start(tmp_path, port=server.port)


def test_a_directory_in_use_is_told(server: ClickHouseServer) -> None:
    with pytest.raises(PermanentError, match=f"{server.data_dir} is in use by another process"):
        start(server.data_dir)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError, match="file"):
        start(tmp_path / "file" / "data")


def test_the_clickhouse_client_program_is_served(server: ClickHouseServer) -> None:
    if shutil.which("clickhouse-client") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("clickhouse-client is missing: apt-get install clickhouse-client")
        pytest.skip("clickhouse-client is not installed")

    def run(*arguments: str, given: str = "") -> str:
        command = ["clickhouse-client", "--port", str(server.port), "--user", server.user, "--password", PASSWORD]
        done = subprocess.run(
            [*command, *arguments], input=given, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    run("--query", "DROP TABLE IF EXISTS cc")
    run("--query", "CREATE TABLE cc (i Int32, s LowCardinality(String), a Array(Int8)) ENGINE = MergeTree ORDER BY i")
    run("--query", "INSERT INTO cc FORMAT CSV", given='1,"x","[1,2]"\n2,手机,[]\n')
    run("--query", "INSERT INTO cc (i, s) VALUES (3, 'y')")
    run("--multiquery", given="INSERT INTO cc (i) VALUES (4);\nSELECT 1;")
    assert run("--query", "SELECT * FROM cc ORDER BY i FORMAT TSV") == "1\tx\t[1,2]\n2\t手机\t[]\n3\ty\t[]\n4\t\t[]\n"
    assert run("--max_threads=1", "--query", "SELECT count() FROM cc") == "4\n"
    assert run("--query", "SELECT i FROM cc WHERE 0 FORMAT TSVWithNames") == "i\n"


def test_the_benchmark_runs() -> None:
    result = bench_clickhouse.measure(2_000, 1)
    assert result["plain"]["rows_per_s"] > 0


def _quietly(client: Client, sql: str) -> None:
    with contextlib.suppress(Exception):
        client.execute(sql)


def _until(condition: Any, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_closed(sock: socket.socket) -> bool:
    try:
        while sock.recv(65536, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _resident_mib(server: ClickHouseServer) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) >> 10
