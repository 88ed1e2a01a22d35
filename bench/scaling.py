"""What does one worker take, and what does it cost to keep more? The figures that docs/scaling.md extrapolates from.

    python -m bench.scaling [--events N] [--density N]     a real worker on the embedded broker and store
    python -m bench.scaling --memory                       bytes a remembered id, a window's key, a pane

`--density`: events a second of event time; the denser they come, the more of them share a window's row. What counts is
the worker's CPU time, which other work on the machine does not change much: events a CPU second are what one core, all
of it, would do in a second. Prints one JSON line.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
import tracemalloc
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from agents.app import topic_specs
from agents.broker import ensure_topics
from agents.clock import RehearsalClock, SystemClock
from bench.generate import SPAN_MS, START_MS, events
from embedded import clickhouse, kafka
from peakwatch import stores
from schemas.results import PANE_MS
from schemas.settings import Settings, read_settings
from storage.migrate import migrate
from streams.dedupe import Dedupe
from streams.dimensions import Dimensions
from streams.figures import COLUMNS
from streams.panes import Deltas
from streams.windows import RollingWindows

ROOT: Final = Path(__file__).resolve().parent.parent
SETTLED_S: Final = 6  # so long nothing may change before it counts as done
PATIENCE_S: Final = 280
TABLES: Final = ("reviews", "complaints", "tickets", "orders", "windows", "sla_transitions")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--density", type=int, default=40, help="events a second of event time")
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_args(argv)
    found = memory() if arguments.memory else worker(arguments.events, density=arguments.density)
    print(json.dumps({**found, "python": platform.python_version(), "machine": platform.machine()}))
    return 0


# --- memory, by parts


def memory(*, ids: int = 300_000, keys: int = 3_000, panes: int = 90) -> dict[str, float]:
    """Bytes that each of a kind takes."""
    return {
        "id_bytes": _bytes_of(lambda: _ids(ids)) / ids,
        "key_bytes": (first := _bytes_of(lambda: _windows(keys, panes=1))) / keys,
        "key_and_pane_bytes": (_bytes_of(lambda: _windows(keys, panes=panes)) - first) / keys / (panes - 1),
    }


def _bytes_of(make: Callable[[], object]) -> int:
    tracemalloc.start()
    kept = make()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept is not None
    return size


def _ids(count: int) -> Dedupe:
    dedupe = Dedupe(24 * 3_600_000)
    for number in range(count):
        dedupe.seen(f"e{number}", arrived_ms=number)
    return dedupe


def _windows(keys: int, *, panes: int) -> RollingWindows:
    """Every key with something in every pane; one dimension, so that a cell is a key."""
    windows = RollingWindows(Dimensions(("shop_id",)))
    cells = [("", "", "", "", f"s{number}", "") for number in range(keys)]
    figures = np.ones((keys, COLUMNS), np.int64)
    first = START_MS // PANE_MS
    for pane in range(first, first + panes):
        windows.add(Deltas([pane] * keys, cells, figures, []))
        for _ in windows.advance(pane + 1):
            pass
    return windows


# --- a worker


def worker(count: int, *, density: int) -> dict[str, Any]:
    """One worker reads what lies ready for it: CPU, memory, bytes and rows."""
    with tempfile.TemporaryDirectory() as name, kafka.start() as broker:
        folder = Path(name)
        with clickhouse.start(folder / "clickhouse") as store:
            port = _free_port()
            environment = _environment(broker.bootstrap, store.port, port, folder)
            settings = read_settings(None, environment)
            client = stores.clickhouse(settings)
            migrate(client, database=settings.clickhouse_database)
            asyncio.run(ensure_topics(broker.bootstrap, topic_specs(settings)))
            with _running(environment, folder) as process:
                _until_ready(process, port)
                ready_s, ready_mb = _cpu_s(process.pid), _memory_mb(process.pid, "VmRSS")
                _feed(settings, count, density)
                wall_s = _until_settled(process, port)
                figures = _scrape(port)
                used_s = _cpu_s(process.pid) - ready_s
                peak_mb = _memory_mb(process.pid, "VmHWM")
            try:
                stored = _stored(client, settings.clickhouse_database)
            finally:
                client.close()
    taken = sum(value for name, value in figures.items() if name.startswith("peakwatch_events_total"))
    return {
        "events": taken, "density": density, "wall_s": round(wall_s, 1), "cpu_s": round(used_s, 2),
        "events_per_cpu_second": round(taken / used_s), "ready_mb": ready_mb, "peak_mb": peak_mb,
        "state_bytes": _by_topic(figures, "peakwatch_state_bytes"),
        "window_keys": sum(value for name, value in figures.items() if name.startswith("peakwatch_window_keys")),
        "ids": sum(value for name, value in figures.items() if name.startswith("peakwatch_event_ids_remembered")),
        "stored": stored,
    }  # fmt: skip


def _by_topic(figures: dict[str, float], family: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in figures.items():
        match = re.match(family + r'\{.*topic="([^"]+)"', name)
        if match and value:
            found[match[1]] = found.get(match[1], 0) + round(value)
    return found


def _environment(bootstrap: str, store_port: int, port: int, folder: Path) -> dict[str, str]:
    clock = RehearsalClock(START_MS, SystemClock().now_ms(), 60.0)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PEAKWATCH_")},
        "PYTHONPATH": str(ROOT),
        "PEAKWATCH_KAFKA_BOOTSTRAP": bootstrap,
        "PEAKWATCH_CLICKHOUSE_PORT": str(store_port),
        "PEAKWATCH_SPOOL_DIR": str(folder / "spool"),
        "PEAKWATCH_METRICS_PORT": str(port),
        "PEAKWATCH_REHEARSAL": str(clock),
        "PEAKWATCH_IDLE": "1h",  # the clock shall bring about nothing that the events do not
    }


@contextmanager
def _running(environment: dict[str, str], folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "peakwatch.cli", "worker"],
            env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield process
    except (OSError, SystemExit):
        sys.stderr.write((folder / "worker.log").read_text("utf-8", "replace")[-3_000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _feed(settings: Settings, count: int, density: int) -> None:
    from peakwatch.feeding import feed, producer  # kafka-python warns when it is imported

    to = producer(settings)
    try:
        feed(islice(events(density * SPAN_MS // 1000), count), to, rate=None)
    finally:
        to.close()


def _until_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the worker did not become ready")


def _until_settled(process: "subprocess.Popen[bytes]", port: int) -> float:
    """Seconds until all was taken and the rows in the store stop growing."""
    began = changed = time.monotonic()
    last = -1.0
    while time.monotonic() - changed < SETTLED_S:
        if process.poll() is not None or time.monotonic() - began > PATIENCE_S:
            raise SystemExit("the worker ended, or did not come to an end")
        now = _scrape(port)
        rows = sum(value for name, value in now.items() if name.startswith("peakwatch_store_rows_total"))
        lag = sum(value for name, value in now.items() if name.startswith("peakwatch_consumer_lag_records"))
        if rows != last or lag:
            last, changed = rows, time.monotonic()
        time.sleep(0.5)
    return changed - began


def _scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(peakwatch\S*) (\S+)$", text, re.MULTILINE)}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int, which: str) -> int:
    match = re.search(which + r":\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1]) // 1024


def _stored(client: Any, database: str) -> dict[str, dict[str, float]]:
    found = client.execute(
        "SELECT table, sum(rows), sum(data_compressed_bytes) FROM system.parts "
        f"WHERE active AND database = '{database}' GROUP BY table"
    )
    return {
        table: {"rows": rows, "bytes_a_row": round(size / rows, 1)}
        for table, rows, size in sorted(found)
        if table in TABLES and rows
    }


if __name__ == "__main__":
    sys.exit(main())
