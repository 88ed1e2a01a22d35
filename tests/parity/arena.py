"""Real workers on a real broker and a real store, and what `peakwatch replay` says of the same events."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agents.app import topic_specs
from agents.broker import ensure_topics, open_producer
from agents.clock import RehearsalClock, SystemClock
from embedded import clickhouse
from peakwatch import stores
from schemas.instants import parse_instant
from schemas.settings import read_settings
from storage.migrate import migrate
from tests.parity.evening import ORIGIN_MS, Evening, Message, lines

ROOT: Final = Path(__file__).parents[2]
RULES: Final = Path(__file__).with_name("rules.yaml")
PLAIN: Final = (
    "reviews", "negative", "complaints", "tickets_created", "tickets_open", "sla_breaches", "reopened", "judged",
    "neutral", "orders", "sla_met", "rating_mean", "satisfaction", "complaints_per_1k_orders", "sla_breach_rate",
    "agreement",
)  # fmt: skip
WORKER: Final = (sys.executable, "-m", "peakwatch.cli", "worker")
PERCENTILES: Final = ("first_response", "resolution")

Key = tuple[int, int, str, str]  # window_seconds, window_end, dimension, value
Figures = tuple[Any, ...]
Windows = dict[Key, Figures]


class Arena:
    """One installation. `speed`: how fast its wall clock runs, from the evening's beginning on."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.running: dict[int, subprocess.Popen[bytes]] = {}  # by spool
        self.store = clickhouse.start(folder / "clickhouse")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PEAKWATCH_")},
            "PYTHONPATH": str(ROOT),
            "PEAKWATCH_KAFKA_BOOTSTRAP": bootstrap,
            "PEAKWATCH_KAFKA_SESSION_TIMEOUT": "6s",
            "PEAKWATCH_CLICKHOUSE_PORT": str(self.store.port),
            "PEAKWATCH_GROUP": f"parity-{folder.name}-{os.getpid()}",
            "PEAKWATCH_PARTITIONS": "2",
            "PEAKWATCH_RULES": str(RULES),
            "PEAKWATCH_SNAPSHOT": "2s",
        }
        self.settings = read_settings(None, self.environment)
        client = stores.clickhouse(self.settings)
        migrate(client, database=self.settings.clickhouse_database)
        client.close()
        asyncio.run(ensure_topics(bootstrap, topic_specs(self.settings)))

    # --- the cast

    def set_clock(self, *, ahead_ms: int, speed: float, idle: str) -> RehearsalClock:
        """The workers' wall clock: so far into the evening now. `idle`: in its own time."""
        clock = RehearsalClock(ORIGIN_MS + ahead_ms, SystemClock().now_ms(), speed)
        self.environment |= {"PEAKWATCH_REHEARSAL": str(clock), "PEAKWATCH_IDLE": idle}
        return clock

    def start(self, *, spool: int = 0, command: Sequence[str] = WORKER) -> "subprocess.Popen[bytes]":
        """One more worker. `spool`: its own directory; whoever takes a killed one's place takes its spool."""
        environment = {**self.environment, "PEAKWATCH_SPOOL_DIR": str(self.folder / f"spool{spool}")}
        with (self.folder / f"worker{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                command,
                env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.workers.append(worker)
        self.running[spool] = worker
        return worker

    def feed(self, messages: Sequence[Message]) -> None:
        """Send, and wait for the broker's word."""
        asyncio.run(self._feed(messages))

    async def _feed(self, messages: Sequence[Message]) -> None:
        async with open_producer(self.bootstrap) as producer:
            for message in messages:
                key = None if message.key is None else message.key.encode()
                await producer.send(message.topic, value=message.raw, key=key)
            await producer.flush()

    def stop(self, *, within_s: float = 40) -> list[int]:
        """SIGTERM to those that live; their exit statuses."""
        living = [worker for worker in self.workers if worker.poll() is None]
        for worker in living:
            worker.send_signal(signal.SIGTERM)
        return [worker.wait(within_s) for worker in living]

    def kill_store(self) -> None:
        """As if its machine had lost its power."""
        self.store.process.kill()
        self.store.process.wait()

    def restart_store(self) -> None:
        """On the data that it left, at the same address."""
        self.store.stop()  # its pipes
        self.store = clickhouse.start(self.folder / "clickhouse", port=self.store.port)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.store.stop()

    def last_words(self) -> str:
        """The ends of the workers' logs."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-9000:]}"
            for log in sorted(self.folder.glob("worker*.log"))
        )

    # --- what the store holds

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Of the installation's database."""
        client = stores.clickhouse(self.settings)
        try:
            found: list[tuple[Any, ...]] = client.execute(query.format(db=self.settings.clickhouse_database))
        finally:
            client.close()
        return found

    def windows(self, *, until_ms: int) -> Windows:
        """`windows_v` up to an end, as the contract's lines show it."""
        percentiles = [f"{name}_p{p}_ms" for name in PERCENTILES for p in (50, 90, 99)]
        found = self.rows(
            "SELECT window_seconds, toUnixTimestamp64Milli(window_end), dimension, value, "
            f"{', '.join(PLAIN)}, ifNull(negative_share, 0.), ifNull(sentiment_mean, 0.5), {', '.join(percentiles)} "
            f"FROM {{db}}.windows_v WHERE window_end <= fromUnixTimestamp64Milli({until_ms})"
        )
        return {(row[0], row[1], row[2], row[3]): tuple(row[4:]) for row in found}

    def settle(self, replayed: "Replayed", *, until_ms: int, within_s: float) -> None:
        """Wait until the windows are a replay's; the checks that come after find out when they are not."""
        deadline = time.monotonic() + within_s
        count = (
            "SELECT uniq(window_seconds, window_end, dimension, value) FROM {db}.windows "
            f"WHERE window_end <= fromUnixTimestamp64Milli({until_ms})"
        )
        while time.monotonic() < deadline:
            # First what costs little: `uniq` is right to a percent or so.
            if self.rows(count)[0][0] > 0.97 * len(replayed.windows):
                if not difference(self.windows(until_ms=until_ms), replayed.windows):
                    return
                time.sleep(1)
            time.sleep(0.5)
        for worker in self.workers:  # where they stand, for whoever reads why
            if worker.poll() is None:
                worker.send_signal(signal.SIGUSR1)
        time.sleep(1)


class Replayed:
    """What `peakwatch replay` says of an evening."""

    def __init__(self, evening: Evening, folder: Path) -> None:
        events = folder / "events.jsonl"
        with events.open("wb") as file:
            file.writelines(lines(evening.messages))
        outs = {name: folder / f"{name}.jsonl" for name in ("windows", "sla", "alerts")}
        command = [sys.executable, "-m", "peakwatch.cli", "replay", str(events), "--rules", str(RULES)]
        for name, path in outs.items():
            command += [f"--{name}", str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True)
        self.summary = json.loads(done.stdout.splitlines()[-1])
        self.windows: Windows = dict(map(_window, _lines(outs["windows"])))
        self.sla = _lines(outs["sla"])
        self.alerts = _lines(outs["alerts"])


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        return [json.loads(line) for line in file]


def _window(line: dict[str, Any]) -> tuple[Key, Figures]:
    spread: list[int | None] = []
    for name in PERCENTILES:
        values = line[f"{name}_ms"]
        spread += [None] * 3 if values is None else [values[p] for p in ("p50", "p90", "p99")]
    key = (line["window_seconds"], parse_instant(line["window_end"]), line["dimension"], line["value"])
    return key, (*(line[name] for name in PLAIN), line["negative_share"], line["sentiment_mean"], *spread)


def difference(live: Windows, replayed: Windows) -> str:
    """Where they differ, for people; '' if they do not.

    Live, a row is written as soon as a pane closes; what then comes out of order may take back the only thing that
    changed in it (a breach, mostly). Such a row is written again and shows what the window holds there, which is what
    the row before it says. A replay has no such rows: it closes a pane when all is known. Nothing else may differ.
    """
    missing = sorted(replayed.keys() - live.keys())
    extra = sorted(live.keys() - _repeating(live, replayed) - replayed.keys())
    wrong = sorted(key for key in live.keys() & replayed.keys() if live[key] != replayed[key])
    if not missing and not extra and not wrong:
        return ""
    told = [f"{len(missing)} missing, {len(extra)} too many, {len(wrong)} different of {len(replayed)}"]
    names = (*PLAIN, "negative_share", "sentiment_mean", *(f"{n} p{p}" for n in PERCENTILES for p in (50, 90, 99)))
    for key in wrong[:6]:
        parts = zip(names, live[key], replayed[key], strict=True)
        told.append(f"{key}: " + ", ".join(f"{n} {a} for {b}" for n, a, b in parts if a != b))
    told += [f"missing {key}" for key in missing[:4]]
    told += [f"too many {key}: {dict(zip(names, live[key], strict=True))}" for key in extra[:4]]
    return "\n".join(told)


def _repeating(live: Windows, replayed: Windows) -> set[Key]:
    """The live rows that a replay has not, and that only say again what the row before them said."""
    ends: dict[tuple[int, str, str], list[int]] = {}
    for seconds, end, dimension, value in sorted(replayed):
        ends.setdefault((seconds, dimension, value), []).append(end)
    found: set[Key] = set()
    for seconds, end, dimension, value in live.keys() - replayed.keys():
        before = ends.get((seconds, dimension, value), [])
        at = bisect_left(before, end)
        figures = live[seconds, end, dimension, value]
        if at and figures == replayed[seconds, before[at - 1], dimension, value]:
            found.add((seconds, end, dimension, value))
    return found
