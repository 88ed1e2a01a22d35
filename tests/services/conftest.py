"""The broker that the tests of services speak to: the embedded one, or Apache Kafka.

`PEAKWATCH_TEST_BROKER=apache` chooses; where Apache Kafka cannot be started its tests are skipped on a laptop and
fail in CI, where nobody would see that they were skipped.
"""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from embedded import kafka

ROOT: Final = Path(__file__).parents[2]
START_TIMEOUT_S: Final = 120  # the first start fetches the jars


class Broker(NamedTuple):
    """A running broker."""

    kind: str  # embedded or apache
    bootstrap: str

    def name(self, base: str) -> str:
        """A name for a topic or a group that no other test has."""
        return f"{base}-{uuid.uuid4().hex[:8]}"


def wanted() -> str:
    kind = os.environ.get("PEAKWATCH_TEST_BROKER", "embedded")
    if kind not in ("embedded", "apache"):
        raise pytest.UsageError(f"PEAKWATCH_TEST_BROKER: {kind} is not one of embedded, apache")
    return kind


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("kafka") and wanted() != "apache":
        pytest.skip("runs on Apache Kafka only: PEAKWATCH_TEST_BROKER=apache")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if wanted() == "embedded":
        with kafka.start() as server:
            yield Broker("embedded", server.bootstrap)
        return
    missing = [program for program in ("java", "mvn") if shutil.which(program) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"Apache Kafka needs {' and '.join(missing)}")
    port = free_port()
    folder = tmp_path_factory.mktemp("kafka")
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [ROOT / "scripts" / "kafka", "run", "--data", folder, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guard = kafka.guard(process.pid)
    try:
        until(lambda: kafka.answers(port) or process.poll() is not None, within_s=START_TIMEOUT_S)
        if not kafka.answers(port):
            pytest.fail(f"Apache Kafka did not start: {(folder / 'out').read_text()[-2000:]}")
        yield Broker("apache", f"127.0.0.1:{port}")
    finally:
        if guard is not None:
            guard.end()
        process.terminate()
        process.wait(30)


def until(holds: Callable[[], bool], *, within_s: float) -> bool:
    """Wait for it; False when it did not come true in time."""
    deadline = time.monotonic() + within_s
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return held


def free_port() -> int:
    """A free port whose neighbour, the controller's, is free as well."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
