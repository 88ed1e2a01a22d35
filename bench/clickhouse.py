"""How many review rows a second does the embedded ClickHouse take in on one core?

Measured is the server: from the socket to committed parts. The client's blocks are built once, before the clock runs,
by clickhouse-driver's own encoder, and sent as they are, since a Python client encodes slower than the server inserts.
`rows_per_core_s` divides by the CPU seconds of the server's whole process (walk, decompression, engine, merges), so
that a machine shared with others does not change it; `rows_per_s` is by the clock. The rival is the same server fed by
clickhouse-driver with plain rows (tuples), both processes together. Seeded; best of several runs; one JSON line.
"""

import argparse
import json
import os
import platform
import random
import socket
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.bufferedwriter import BufferedSocketWriter

from embedded.chnative import packets, wire
from embedded.clickhouse import ClickHouseServer, start

# The contract's fields of a review and what the engine adds; one table as it comes, with ClickHouse's default codec.
COLUMNS = {
    "event_id": "String", "event_time": "DateTime64(3, 'UTC')", "shop_id": "String", "product_id": "String",
    "category": "LowCardinality(String)", "region": "LowCardinality(String)", "channel": "LowCardinality(String)",
    "customer_tier": "LowCardinality(String)", "customer": "String", "order": "String", "review_id": "String",
    "rating": "Nullable(Float64)", "text": "String", "score": "Float64", "label": "LowCardinality(String)",
}  # fmt: skip
NAMES = ", ".join(f"`{name}`" for name in COLUMNS)
_TYPED = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
DDL = f"CREATE TABLE reviews ({_TYPED}) ENGINE = MergeTree ORDER BY event_time"
WORDS = ("质量", "很好", "不错", "物流", "太慢", "客服", "态度", "差", "满意", "退货", "手机", "屏幕")
START_MS = 1_793_750_400_000


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_seconds: float


def review_columns(rows: int, seed: int = 618) -> list[list[Any]]:
    """Columns of seeded reviews, in the order of COLUMNS; texts of 4 to 30 words, 35 characters on average."""
    chance = random.Random(seed)

    def pick(*values: Any) -> list[Any]:
        return chance.choices(values, k=rows)

    return [
        [f"{chance.getrandbits(128):032x}" for _ in range(rows)],
        [datetime.fromtimestamp((START_MS + 3 * i) / 1000, UTC) for i in range(rows)],
        [f"S{chance.randrange(900)}" for _ in range(rows)],
        [f"P{chance.randrange(20_000)}" for _ in range(rows)],
        pick("手机", "书籍", "洗发水", "水果", "酒店", "电脑", ""),
        pick("华东", "华北", "华南", "西南", ""),
        pick("app", "web", "wechat", "weibo"),
        pick("gold", "silver", ""),
        [f"{chance.getrandbits(48):012x}" for _ in range(rows)],
        [f"{chance.getrandbits(48):012x}" if chance.random() < 0.8 else "" for _ in range(rows)],
        [f"R{chance.getrandbits(40)}" for _ in range(rows)],
        pick(1.0, 2.0, 3.0, 4.0, 5.0, None),
        ["".join(chance.choices(WORDS, k=chance.randrange(4, 31))) for _ in range(rows)],
        [chance.random() for _ in range(rows)],
        pick("positive", "neutral", "negative"),
    ]


class _Recorder:
    """Stands before a socket and keeps what is sent."""

    def __init__(self, sock: socket.socket) -> None:
        self.sent = bytearray()
        self._sock = sock

    def sendall(self, raw: bytes) -> None:
        self.sent += raw
        self._sock.sendall(raw)


def recorded_insert(server: ClickHouseServer, columns: list[list[Any]], *, compression: bool) -> bytes:
    """All bytes that the driver sends for one columnar INSERT, and a ping after it."""
    with _client(server, compression=compression) as client:
        client.execute("SELECT 1")
        connection = client.connection
        recorder = _Recorder(connection.socket)
        connection.fout = BufferedSocketWriter(recorder, 1 << 20)
        connection.block_out = connection.get_block_out_stream()
        client.execute(f"INSERT INTO reviews ({NAMES}) VALUES", columns, columnar=True)
    return bytes(recorder.sent) + bytes([packets.Client.PING])


def replayed(server: ClickHouseServer, recording: bytes) -> Run:
    """One INSERT sent again, on a connection of its own, from its first byte to the answer that it is committed."""
    hello = b"\0" + wire.string("bench") + b"\1\1" + wire.varint(packets.REVISION)
    hello += wire.string("") + wire.string(server.user) + wire.string(server.password)
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(hello)
        sock.recv(4096)
        cpu, began = _cpu_seconds(server), time.perf_counter()
        sock.sendall(recording)
        answer = b""
        while not answer.endswith(b"\x05\x04"):  # the end of the insert, then the ping's answer
            part = sock.recv(1 << 16)
            if not part or b"DB::Exception" in answer:
                raise RuntimeError(f"the insert failed: {answer[-500:]!r}")
            answer += part
        return Run(time.perf_counter() - began, _cpu_seconds(server) - cpu)


def row_inserts(server: ClickHouseServer, columns: list[list[Any]]) -> Run:
    """clickhouse-driver as most people use it: a list of tuples, no compression; CPU of both processes."""
    rows = list(zip(*columns, strict=True))
    with _client(server, compression=False) as client:
        cpu, own, began = _cpu_seconds(server), time.process_time(), time.perf_counter()
        client.execute(f"INSERT INTO reviews ({NAMES}) VALUES", rows)
        spent = time.perf_counter() - began
    return Run(spent, _cpu_seconds(server) - cpu + time.process_time() - own)


def measure(rows: int, repeats: int) -> dict[str, Any]:
    """The benchmark; every run's rows are counted in the table afterwards."""
    columns = review_columns(rows)
    runs: dict[str, list[Run]] = {"plain": [], "lz4": [], "driver_rows": []}
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as server, _client(server) as client:
        client.execute(DDL)
        recordings = {"plain": recorded_insert(server, columns, compression=False)}
        recordings["lz4"] = recorded_insert(server, columns, compression=True)
        for _ in range(repeats):
            for name, recording in recordings.items():
                runs[name].append(replayed(server, recording))
            runs["driver_rows"].append(row_inserts(server, columns))
        stored = client.execute("SELECT count() FROM reviews")[0][0]
        if stored != rows * (2 + 3 * repeats):
            raise RuntimeError(f"{stored} rows stored")
        memory = _peak_mib(server)
    result: dict[str, Any] = {"bench": "clickhouse", "rows": rows, "bytes_per_row": len(recordings["plain"]) // rows}
    for name, of in runs.items():
        result[name] = {
            "rows_per_core_s": round(rows / min(run.cpu_seconds for run in of)),
            "rows_per_s": round(rows / min(run.seconds for run in of)),
        }
    ours, rival = result["plain"]["rows_per_core_s"], result["driver_rows"]["rows_per_core_s"]
    result["times_driver_rows"] = round(ours / rival, 1)
    return result | {"server_peak_mib": memory, "machine": f"{platform.machine()}, {os.cpu_count()} cores"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    print(json.dumps(measure(chosen.rows, chosen.repeats)))


def _client(server: ClickHouseServer, *, compression: bool = False) -> Client:
    return Client(
        server.host, port=server.port, user=server.user, password=server.password,
        compression="lz4" if compression else False,
    )  # fmt: skip


def _cpu_seconds(server: ClickHouseServer) -> float:
    """The process's own CPU clock: /proc/PID/stat counts hundredths, in which a small insert is 0.

    The clock's number is Linux's MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED).
    """
    return time.clock_gettime((~server.process.pid << 3) | 2)


def _peak_mib(server: ClickHouseServer) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


if __name__ == "__main__":
    main()
