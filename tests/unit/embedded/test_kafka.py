import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from embedded import kafka
from schemas.errors import ConfigError, TransientError

pytestmark = pytest.mark.embedded

PARENT = """
import sys, time
from embedded import kafka
server = kafka.start()
print(server.pid, server.port, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def ended(pid: int, *, within_ms: int = 5_000) -> bool:
    deadline = time.monotonic() + within_ms / 1000
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] == "Z":  # ended, not yet reaped
                return True
        time.sleep(0.02)
    return False


def test_started_broker_answers_on_loopback_only_and_stops() -> None:
    with kafka.start() as server:
        assert kafka.answers(server.port)
        assert server.bootstrap == f"127.0.0.1:{server.port}"
        with open("/proc/net/tcp") as table:
            listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
        port = f":{server.port:04X}"
        assert [at for at in listening if at.endswith(port)] == ["0100007F" + port]
        pid = server.pid
    assert ended(pid)
    assert not kafka.answers(server.port)


def test_stopping_twice_is_harmless() -> None:
    server = kafka.start()
    server.stop()
    server.stop()
    assert not server.running()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_broker_ends_with_its_parent(parent: subprocess.Popen[str], how: signal.Signals) -> None:
    assert parent.stdout is not None
    pid, port = map(int, parent.stdout.readline().split())
    assert kafka.answers(port)
    parent.send_signal(how)
    assert ended(pid)
    assert not kafka.answers(port)


def test_broker_outlives_the_thread_that_started_it() -> None:
    servers: list[kafka.KafkaServer] = []
    thread = threading.Thread(target=lambda: servers.append(kafka.start()))
    thread.start()
    thread.join()
    with servers[0] as server:
        assert kafka.answers(server.port)


def test_taken_port_is_a_clear_error() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port: {port} is taken"):
            kafka.start(port=port)


def test_port_out_of_range_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"port: 70000 is not in 0\.\.65535"):
        kafka.start(port=70_000)


def test_program_that_ends_at_once_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/bin/false")
    with pytest.raises(TransientError, match="ended before it was ready"):
        kafka.start()


def test_missing_program_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/tansu")
    with pytest.raises(ConfigError, match="embedded kafka: "):
        kafka.start()


def test_server_that_does_not_speak_kafka_does_not_answer() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not kafka.answers(other.getsockname()[1], timeout_ms=100)
