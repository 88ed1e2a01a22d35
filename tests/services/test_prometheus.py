"""Debian's Prometheus scrapes a real worker, with the configuration and the rules that ship."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agents.app import topic_specs
from agents.broker import ensure_topics, open_producer
from embedded import clickhouse, kafka
from grafana.boards import pipeline
from peakwatch import stores
from schemas.instants import format_instant
from schemas.settings import read_settings
from storage.migrate import migrate
from tests.services.conftest import free_port, until
from tests.unit.agents.test_metrics import keep_own

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

ROOT: Final = Path(__file__).parents[2]
SHIPPED: Final = ROOT / "deploy" / "prometheus"
REVIEWS: Final = 50
# Shown from the first one on; this worker has none: nobody is told, and ClickHouse refuses nothing.
NOT_HERE: Final = ("peakwatch_notices_total", "peakwatch_store_refused_rows_total")


class Watched:
    """A worker on an embedded broker and store, and a Prometheus that scrapes it."""

    def __init__(self, folder: Path, bootstrap: str, store_port: int) -> None:
        self.folder = folder
        self.worker_port, self.port = free_port(), free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PEAKWATCH_")},
            "PYTHONPATH": str(ROOT),
            "PEAKWATCH_KAFKA_BOOTSTRAP": bootstrap,
            "PEAKWATCH_CLICKHOUSE_PORT": str(store_port),
            "PEAKWATCH_SPOOL_DIR": str(folder / "spool"),
            "PEAKWATCH_PARTITIONS": "1",
            "PEAKWATCH_SNAPSHOT": "1s",
            "PEAKWATCH_METRICS_PORT": str(self.worker_port),
        }
        self.settings = read_settings(None, self.environment)
        self.bootstrap = bootstrap
        self.processes: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> "subprocess.Popen[bytes]":
        return self._start([sys.executable, "-m", "peakwatch.cli", "worker"], "worker.log")

    def start_prometheus(self, program: str) -> None:
        config = yaml.safe_load((SHIPPED / "prometheus.yml").read_text("utf-8"))
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(SHIPPED / name) for name in config["rule_files"]]
        del config["alerting"]
        worker = next(job for job in config["scrape_configs"] if job["job_name"] == "peakwatch")
        del worker["dns_sd_configs"]  # no name server knows our worker
        worker["static_configs"] = [{"targets": [f"127.0.0.1:{self.worker_port}"]}]
        config["scrape_configs"] = [worker]
        path = self.folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(config), "utf-8")
        data, address = self.folder / "tsdb", f"127.0.0.1:{self.port}"
        self._start(
            [program, f"--config.file={path}", f"--storage.tsdb.path={data}", f"--web.listen-address={address}"],
            "prometheus.log",
        )  # fmt: skip

    def _start(self, command: list[str], log: str) -> "subprocess.Popen[bytes]":
        with (self.folder / log).open("wb") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    def get(self, path: str) -> tuple[int, str]:
        """What the worker answers; 0 when it does not."""
        return get(f"http://127.0.0.1:{self.worker_port}{path}")

    def api(self, path: str, **asked: str) -> Any:
        """What Prometheus' API answers; None when it does not."""
        query = urllib.parse.urlencode(asked)
        status, text = get(f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}")
        return json.loads(text)["data"] if status == 200 else None

    def value(self, expression: str) -> float | None:
        """The one value of an expression; None where there is none."""
        answer = self.api("query", query=expression)
        found = answer["result"] if answer else []
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def becomes(self, expression: str, value: float, *, within_s: float = 40) -> None:
        until(lambda: self.value(expression) == value, within_s=within_s)
        assert self.value(expression) == value, (expression, self.logs())

    def logs(self) -> str:
        return "\n".join(path.read_text("utf-8", "replace")[-2_000:] for path in self.folder.glob("*.log"))

    def feed(self) -> None:
        """Half of the reviews complain; one message cannot be read, one comes twice, one an hour late."""
        now_ms = time.time_ns() // 1_000_000
        lines = [
            {
                "event_id": f"e{number}", "event_time": format_instant(now_ms), "review_id": f"r{number}",
                "category": "手机", "text": "质量太差了，非常失望" if number % 2 else "很好用，非常满意",
            }
            for number in range(REVIEWS)
        ]  # fmt: skip
        late = {**lines[0], "event_id": "late", "event_time": format_instant(now_ms - 3_600_000)}
        messages = [json.dumps(line).encode() for line in [*lines, lines[0], late]] + [b"{"]
        asyncio.run(self._send("reviews", messages))

    async def _send(self, topic: str, messages: list[bytes]) -> None:
        async with open_producer(self.bootstrap) as producer:
            for message in messages:
                await producer.send(topic, message)
            await producer.flush()

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    program = shutil.which("prometheus")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("prometheus is missing: apt-get install prometheus")
        pytest.skip("prometheus is not installed")
    folder = tmp_path_factory.mktemp("prometheus")
    with kafka.start() as broker, clickhouse.start(folder / "clickhouse") as store:
        watched = Watched(folder, broker.bootstrap, store.port)
        client = stores.clickhouse(watched.settings)
        migrate(client, database=watched.settings.clickhouse_database)
        client.close()
        asyncio.run(ensure_topics(broker.bootstrap, topic_specs(watched.settings)))
        try:
            watched.start_worker()
            watched.start_prometheus(program)
            until(lambda: watched.get("/readyz")[0] == 200, within_s=60)
            watched.feed()
            yield watched
        finally:
            watched.close()


def test_a_worker_is_alive_and_ready(watched: Watched) -> None:
    assert watched.get("/healthz") == (200, "ok\n"), watched.logs()
    assert watched.get("/readyz") == (200, "ok\n"), watched.logs()


def test_what_came_is_counted(watched: Watched) -> None:
    watched.becomes('sum(peakwatch_events_total{topic="reviews"})', REVIEWS + 2)
    watched.becomes("sum(peakwatch_duplicates_total)", 1)
    watched.becomes("sum(peakwatch_late_total)", 1)
    watched.becomes('peakwatch_dead_letters_total{topic="reviews",reason="not_json"}', 1)
    watched.becomes('sum(peakwatch_reviews_total{category="手机"})', REVIEWS + 1)
    watched.becomes('sum(peakwatch_reviews_total{sentiment="negative"})', REVIEWS // 2)


def test_all_of_it_reaches_the_store_and_is_saved(watched: Watched) -> None:
    watched.becomes('peakwatch_store_rows_total{table="reviews"}', REVIEWS + 1)
    watched.becomes('peakwatch_store_delay_seconds_count{table="reviews"}', REVIEWS + 1)
    watched.becomes('peakwatch_store_delay_seconds_bucket{table="reviews",le="1800.0"}', REVIEWS)
    watched.becomes("topic:peakwatch_consumer_lag_records:sum{topic='reviews'}", 0)
    watched.becomes('sum(peakwatch_unsaved_records{topic="reviews"})', 0)
    watched.becomes('sum(peakwatch_state_bytes{topic="reviews"}) > bool 0', 1)
    watched.becomes('peakwatch_store_state{state="ok"}', 1)


def test_what_a_worker_shows_keeps_prometheus_conventions(watched: Watched) -> None:
    program = shutil.which("promtool")
    assert program is not None, "it comes with prometheus"
    ours = keep_own(watched.get("/metrics")[1].splitlines())
    assert len(ours) > 100
    done = subprocess.run([program, "check", "metrics"], input="\n".join(ours) + "\n", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_prometheus_answers_every_query_of_the_dashboard_pipeline(watched: Watched) -> None:
    """With `$__rate_interval` at ten scrapes; Grafana makes it four at least."""
    panels = pipeline.board("en").to_json()["panels"]
    asked = {target["expr"] for panel in panels for target in panel.get("targets", ()) if "expr" in target}
    assert len(asked) > 20

    def unanswered() -> set[str]:
        found = {one: watched.api("query", query=one.replace("$__rate_interval", "10s")) for one in asked}
        return {
            one for one, answer in found.items()
            if answer is None or not (answer["result"] or any(name in one for name in NOT_HERE))
        }  # fmt: skip

    until(lambda: not unanswered(), within_s=30)
    assert unanswered() == set(), watched.logs()


def test_every_rule_is_evaluated_and_a_healthy_worker_raises_none(watched: Watched) -> None:
    watched.becomes("count(up)", 1)
    groups: list[Any] = []

    def evaluated() -> bool:
        groups[:] = watched.api("rules")["groups"]
        return all(rule["health"] == "ok" for group in groups for rule in group["rules"])

    until(evaluated, within_s=30)
    found = [rule for group in groups for rule in group["rules"]]
    assert [rule["name"] for rule in found if rule["health"] != "ok"] == []
    assert len(found) > 30
    fires = [one["labels"] for one in watched.api("alerts")["alerts"] if one["state"] == "firing"]
    assert fires == [], "what is only pending may be: one message in fifty cannot be read here"


def test_a_worker_that_ends_is_missed(watched: Watched) -> None:
    worker = watched.processes[0]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0, watched.logs()
    watched.becomes("max(up)", 0)
    missing: list[str] = []

    def missed() -> bool:
        missing[:] = [one["labels"]["alertname"] for one in watched.api("alerts")["alerts"]]
        return "PeakWatchNoWorker" in missing

    until(missed, within_s=30)
    assert "PeakWatchNoWorker" in missing
