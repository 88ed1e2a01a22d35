"""Each service of docker-compose.yml that is ours starts outside Docker: what the Dockerfile installs, with the command
line and environment that Compose would give it, against the embedded servers under translated names."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from embedded import clickhouse, kafka
from peakwatch import stores
from schemas.settings import read_settings
from tests.services.conftest import free_port, until
from tests.suites.compose import ROOT, compose, image_env, image_list, make_env

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

PORT: Final = "9464"  # of metrics, inside the container


class Stack:
    """The servers, the installed program, and how names and paths of containers translate."""

    def __init__(self, folder: Path, services: Mapping[str, Any], *, broker: str, store_port: int) -> None:
        self.folder = folder
        self.services = services
        self.metrics_port = free_port()
        self.site = folder / "site"
        self._names = {
            "kafka:9092": broker,
            "/var/lib/peakwatch/spool": str(folder / "spool"),
            "/etc/peakwatch": str(ROOT / "deploy" / "peakwatch"),
            "/tmp/alive": str(folder / "alive"),
        }
        self._store_port = store_port

    def install(self) -> None:
        """What the Dockerfile's second RUN installs, from what .dockerignore lets through."""
        source = self.folder / "src"
        source.mkdir()
        for rule in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
            path = ROOT / rule[1:]
            if rule.startswith("!") and path.exists():
                target = source / rule[1:]
                target.parent.mkdir(parents=True, exist_ok=True)
                if path.is_dir():
                    shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(path, target)
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
             "--no-warn-conflicts", "--target", self.site, source],
            check=True, capture_output=True, cwd=self.folder,
        )  # fmt: skip

    def environment(self, name: str) -> dict[str, str]:
        """What the container would see, translated."""
        given = {**image_env(), **self.services[name]["environment"]}
        del given["PATH"]
        given = {key: self._translate(value) for key, value in given.items()}
        if given.get("PEAKWATCH_CLICKHOUSE_HOST") == "clickhouse":
            given |= {"PEAKWATCH_CLICKHOUSE_HOST": "127.0.0.1", "PEAKWATCH_CLICKHOUSE_PORT": str(self._store_port)}
        if name == "worker":
            given |= {"PEAKWATCH_METRICS_HOST": "127.0.0.1", "PEAKWATCH_METRICS_PORT": str(self.metrics_port)}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(self.site), **given}

    def command(self, name: str) -> list[str]:
        """The entry point with its arguments, run by this interpreter."""
        one = self.services[name]
        words = one.get("entrypoint") or image_list("ENTRYPOINT")
        words = [*words, *one.get("command", [] if "entrypoint" in one else image_list("CMD"))]
        if words[0] == "peakwatch":
            return [sys.executable, "-m", "peakwatch.cli", *words[1:]]
        assert words[0] == "python"
        return [sys.executable, *map(self._translate, words[1:])]

    def start(self, name: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                self.command(name), env=self.environment(name), cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def is_healthy(self) -> bool:
        """What the image's health check says."""
        words = [word.replace(f":{PORT}/", f":{self.metrics_port}/") for word in image_list("HEALTHCHECK")]
        assert words[0] == "python"
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, timeout=10)
        return done.returncode == 0

    def is_playing(self) -> bool:
        """What the feeder's own health check says."""
        kind, program, *words = self.services["feeder"]["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "python")
        done = subprocess.run([sys.executable, *map(self._translate, words)], capture_output=True, timeout=10)
        return done.returncode == 0

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-3_000:]

    def _translate(self, value: str) -> str:
        for name, here in self._names.items():
            value = value.replace(name, here)
        return value


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    services = compose(make_env(folder))["services"]
    store = services["clickhouse"]["environment"]
    with (
        kafka.start() as broker,
        clickhouse.start(
            folder / "clickhouse", user=store["CLICKHOUSE_USER"], password=store["CLICKHOUSE_PASSWORD"]
        ) as server,
    ):
        one = Stack(folder, services, broker=broker.bootstrap, store_port=server.port)
        one.install()
        yield one


def test_what_is_installed_is_what_runs(stack: Stack) -> None:
    code = "import peakwatch, schemas; print(peakwatch.__file__); print(schemas.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=stack.environment("worker"), cwd=stack.folder, capture_output=True, text=True
    )
    assert all(line.startswith(str(stack.site)) for line in done.stdout.split()), done


def test_the_services_start_in_order_and_the_demo_fills_them(stack: Stack) -> None:
    migrate = stack.start("migrate")
    assert migrate.wait(120) == 0, stack.log("migrate")
    running = []
    try:
        worker = stack.start("worker")
        running.append(worker)
        assert until(stack.is_healthy, within_s=90), stack.log("worker")
        assert not stack.is_playing()
        feeder = stack.start("feeder")
        running.append(feeder)
        assert until(lambda: _stored(stack) > 100, within_s=90), stack.log("feeder") + stack.log("worker")
        assert feeder.poll() is None, "it plays on, live"
        assert until(stack.is_playing, within_s=30), stack.log("feeder")
        feeder.terminate()
        assert feeder.wait(20) == 0, stack.log("feeder")
        worker.terminate()
        assert worker.wait(30) == 0, stack.log("worker")
    finally:
        for process in running:
            process.kill()
            process.wait()


def _stored(stack: Stack) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.metrics_port}/metrics", timeout=5) as answer:
        scraped = answer.read().decode()
    if 'peakwatch_store_rows_total{table="reviews"}' not in scraped:
        return 0
    settings = read_settings(None, stack.environment("worker"))
    client = stores.clickhouse(settings)
    try:
        return int(client.execute(f"SELECT count() FROM {settings.clickhouse_database}.reviews_v")[0][0])
    finally:
        client.close()
