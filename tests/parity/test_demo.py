"""The demo ends by itself and by Ctrl-C, shows what it promises, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(150)]

ROOT: Final = Path(__file__).parents[2]
ADDRESS: Final = re.compile(r"--port (\d+)|127\.0\.0\.1:(\d+)")

OTHERS: Final = {  # an installation's settings are not the demo's: its secrets do not fit, its people are not called
    "PEAKWATCH_CLICKHOUSE_PASSWORD": "of another server", "PEAKWATCH_KAFKA_SECURITY_PROTOCOL": "SSL",
    "PEAKWATCH_NOTIFY": "nowhere.yaml",
}  # fmt: skip


def test_demo_ends_by_itself_with_reviews_stored_and_nothing_left(tmp_path: Path) -> None:
    """Budget: 60 s."""
    demo = _start(tmp_path, "--seconds", "45")
    out, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, out
    assert "Traceback" not in out
    stored = re.search(r"In \d+ s: .*?([\d,]+) reviews", out)
    assert stored is not None, out
    assert int(stored[1].replace(",", "")) > 0, out
    _nothing_is_left(tmp_path, out)


def test_ctrl_c_ends_the_demo_and_leaves_nothing(tmp_path: Path) -> None:
    """As a terminal does it: to the whole process group. Budget: 40 s."""
    demo = _start(tmp_path)
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if "sent=" in line:
            break
    os.killpg(demo.pid, signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)
    out = "".join(said) + rest
    assert demo.returncode == 0, out
    assert "Traceback" not in out
    _nothing_is_left(tmp_path, out)


def _start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", **OTHERS}
    return subprocess.Popen(
        [sys.executable, "-m", "peakwatch.cli", "demo", *arguments],
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def _nothing_is_left(folder: Path, out: str) -> None:
    """No process that knows the demo's directory, no directory, no open port."""
    deadline = time.monotonic() + 5
    while (left := _processes(str(folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    assert list(folder.glob("peakwatch-demo-*")) == []
    ports = {int(one or other) for one, other in ADDRESS.findall(out)}
    assert len(ports) == 2, out
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} is still open"


def _processes(folder: str) -> list[str]:
    """The command lines of all that run with the demo's environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:  # it has just ended, or is not ours to see
            continue
        if f"TMPDIR={folder}".encode() in environment and int(entry.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found
