"""The demo's cast: broker, store, worker and feeder, started in order and stopped in reverse, whatever happens."""

import asyncio
import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agents.app import topic_specs
from agents.broker import ensure_topics
from agents.clock import RehearsalClock, SystemClock
from embedded import clickhouse, kafka
from peakwatch import stores
from peakwatch.demo.reviews import load_corpus
from peakwatch.demo.simulate import Evening
from peakwatch.feeding import feed, producer
from schemas.errors import PeakWatchError, TransientError
from schemas.settings import PREFIX, Settings, read_settings
from storage.migrate import migrate

SPEED: Final = 60.0
SEED: Final = 20261111
DIMENSIONS: Final = ("all", "category", "channel", "region", "customer_tier", "shop_id", "category+region")


@dataclass(frozen=True, slots=True)
class Stage:
    """What the view needs."""

    settings: Settings
    clock: RehearsalClock
    worker: "subprocess.Popen[bytes]"
    feeder: "Feeder"
    directory: Path


class Feeder(threading.Thread):
    """Plays the evening into the broker by the rehearsal's clock."""

    def __init__(self, settings: Settings, clock: RehearsalClock) -> None:
        super().__init__(name="feeder", daemon=True)
        self._settings = settings
        self._clock = clock
        self._ended = threading.Event()
        self.sent = 0
        self.error: PeakWatchError | None = None

    def run(self) -> None:
        """Until it is told to end; an error is kept for the view."""
        try:
            feed(self._lines(), producer(self._settings), rate=None, progress=self._count)
        except PeakWatchError as error:
            self.error = error

    def end(self) -> None:
        """Send nothing more."""
        self._ended.set()
        self.join(10)

    def _lines(self) -> Iterator[bytes]:
        evening = Evening(load_corpus(SEED), origin_ms=self._clock.origin_ms, seed=SEED)
        for at_ms, event in evening.events():
            while (ahead := (at_ms - self._clock.now_ms()) / self._clock.speed / 1000) > 0:
                if self._ended.wait(min(ahead, 0.05)):
                    return
            if self._ended.is_set():
                return
            self.sent += 1
            yield msgspec.json.encode(event)

    def _count(self, sent: int) -> None:
        self.sent = sent


@contextmanager
def stage(*, tell: "Tell") -> Iterator[Stage]:
    """Everything up and running; everything gone again at the end, also after an error or a signal."""
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="peakwatch-demo-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        tell("starting a Kafka-protocol broker (Tansu, in memory) ...")
        broker = stack.enter_context(kafka.start())
        tell("starting ClickHouse's engine (chDB) behind its native protocol ...")
        store = clickhouse.start(directory / "clickhouse")
        stack.callback(store.stop)
        environment = {
            **without_settings(os.environ),
            "PEAKWATCH_KAFKA_BOOTSTRAP": broker.bootstrap,
            "PEAKWATCH_KAFKA_SESSION_TIMEOUT": "6s",
            "PEAKWATCH_CLICKHOUSE_HOST": store.host,
            "PEAKWATCH_CLICKHOUSE_PORT": str(store.port),
            "PEAKWATCH_PARTITIONS": "2",
            "PEAKWATCH_SPOOL_DIR": str(directory / "spool"),
            "PEAKWATCH_DIMENSIONS": ",".join(DIMENSIONS),
            "PEAKWATCH_IDLE": "10m",
            "PEAKWATCH_SNAPSHOT": "10s",
        }
        settings = read_settings(None, environment)
        client = stores.clickhouse(settings)
        migrate(client, database=settings.clickhouse_database)
        client.close()
        asyncio.run(ensure_topics(settings.kafka_bootstrap, topic_specs(settings)))
        clock = RehearsalClock(evening_before(SystemClock().now_ms()), SystemClock().now_ms() + 4000, SPEED)
        tell("starting a Faust worker ...")
        worker = stack.enter_context(_worker({**environment, "PEAKWATCH_REHEARSAL": str(clock)}, directory))
        feeder = Feeder(settings, clock)
        stack.callback(feeder.end)
        feeder.start()
        yield Stage(settings, clock, worker, feeder, directory)


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without an installation's settings: its password, its rules and its on-call people are not
    the demo's."""
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX)}


class Tell:
    """Told what is going on, a line at a time."""

    def __call__(self, text: str) -> None:
        """Show it."""
        print(text, flush=True)


def evening_before(now_ms: int) -> int:
    """23:00 in Shanghai on the eve of the last Double 11 that is over."""
    year = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC).year
    for candidate in (year, year - 1):
        eve = int(dt.datetime(candidate, 11, 10, 15, 0, tzinfo=dt.UTC).timestamp()) * 1000
        if eve + 3 * 86_400_000 < now_ms:
            return eve
    raise AssertionError("unreachable: last year's is over")


@contextmanager
def _worker(environment: dict[str, str], directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    log = (directory / "worker.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "peakwatch.cli", "worker", "--log-level", "INFO"],
        env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True,  # Ctrl-C is for us: we stop it when the rest is ready for that
    )  # fmt: skip
    guard = kafka.guard(process.pid)
    try:
        yield process
    finally:
        if guard is not None:
            guard.end()
        log.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ensure_alive(on: Stage) -> None:
    """TransientError with the reason when the worker or the feeder has ended by itself."""
    if on.feeder.error is not None:
        raise on.feeder.error
    if on.worker.poll() is not None:
        log = (on.directory / "worker.log").read_text("utf-8", "replace").strip().splitlines()
        raise TransientError(f"the worker ended with status {on.worker.returncode}: {log[-1] if log else 'no log'}")
