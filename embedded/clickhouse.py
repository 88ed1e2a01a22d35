"""A local ClickHouse as a child process: start it, know when it is ready, stop it.

Its engine is chDB, ClickHouse in process; `embedded.chnative` puts it behind ClickHouse's native protocol. The child
ends with its parent, in whatever way that ends. `python -m embedded.clickhouse` runs one in the foreground.
"""

import argparse
import contextlib
import errno
import fcntl
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

from schemas.errors import PeakWatchError, PermanentError, TransientError

PASSWORD_VARIABLE = "PEAKWATCH_CLICKHOUSE_PASSWORD"
DEFAULT_PORT = 9000
LOG_NAME = "embedded-server.log"
LOCK_NAME = "embedded-server.lock"
MIN_FREE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class ClickHouseServer:
    """A running server. Its process ends when `stop` is called or the process that started it ends."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    data_dir: Path
    process: "subprocess.Popen[str]" = field(repr=False)

    def url(self) -> str:
        """Where it listens, without the password."""
        return f"clickhouse://{self.user}@{self.host}:{self.port}"

    def stop(self, timeout_s: float = 10.0) -> None:
        """Lets running queries end, then ends the process; by force after `timeout_s`."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def __enter__(self) -> "ClickHouseServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    data_dir: Path, *, port: int = 0, host: str = "127.0.0.1", user: str = "default", password: str = "",
    timeout_s: float = 60.0,
) -> ClickHouseServer:  # fmt: skip
    """Starts a server on `data_dir` (made if it is not there) and returns once it accepts clients. Port 0: a free one.

    Raises PermanentError (port taken, directory used by another process, disk full, no chDB) or TransientError (not
    ready in time), each of one line.
    """
    data_dir = data_dir.absolute()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        log = (data_dir / LOG_NAME).open("a", encoding="utf-8")
    except OSError as error:
        raise PermanentError(f"embedded ClickHouse: {data_dir}: {error.strerror}") from error
    command = [sys.executable, "-m", "embedded.clickhouse", "--child", "--data-dir", str(data_dir), "--host", host]
    command += ["--port", str(port), "--user", user]
    with log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=_child_environment()
        )
    server = None
    try:
        _tell_password(process, password)
        ready = _wait_ready(process, data_dir, timeout_s)
        server = ClickHouseServer(host, int(ready["port"]), user, password, data_dir, process)
    finally:
        if server is None:
            process.kill()
            process.communicate()
    return server


def _child_environment() -> dict[str, str]:
    """Ours, with the folder that `embedded` was imported from, and without a password."""
    environment = {name: value for name, value in os.environ.items() if name != PASSWORD_VARIABLE}
    root = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
    return environment


def _tell_password(process: "subprocess.Popen[str]", password: str) -> None:
    """By a pipe, since arguments are for all to see. The pipe stays open: its end tells the child that we are gone."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has died already: its own words tell more
        process.stdin.write(json.dumps(password) + "\n")
        process.stdin.flush()


def _wait_ready(process: "subprocess.Popen[str]", data_dir: Path, timeout_s: float) -> dict[str, Any]:
    assert process.stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda out: lines.put(out.readline()), args=(process.stdout,), daemon=True).start()
    try:
        line = lines.get(timeout=timeout_s)
    except queue.Empty:
        text = f"embedded ClickHouse: not ready after {timeout_s:g} s; see {data_dir / LOG_NAME}"
        raise TransientError(text) from None
    if not line:
        process.wait()
        text = f"embedded ClickHouse: ended with status {process.returncode} before it was ready"
        raise PermanentError(f"{text}; see {data_dir / LOG_NAME}")
    said: dict[str, Any] = json.loads(line)
    if "error" in said:
        raise PermanentError(f"embedded ClickHouse: {said['error']}")
    return said


def main(arguments: list[str] | None = None) -> NoReturn:
    """`python -m embedded.clickhouse`: serves until SIGTERM or Ctrl-C, or, as a child, until its parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m embedded.clickhouse", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True, help="where the data live; made if it is not there")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--user", default="default", help=f"its password is taken from {PASSWORD_VARIABLE}")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    # Whatever the engine prints must not be taken for our one line.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    in_environment = os.environ.pop(PASSWORD_VARIABLE, "")
    password = json.loads(sys.stdin.readline() or '""') if chosen.child else in_environment
    status = 0
    try:
        _serve(chosen, password, out)
    except PeakWatchError as error:
        status = 1
        if chosen.child:
            print(json.dumps({"error": str(error)}), file=out, flush=True)
        else:
            print(f"embedded ClickHouse: {error}", file=sys.stderr, flush=True)
    out.flush()
    # The engine's threads have nothing left to do, and its destructors may wait for them for ever.
    os._exit(status)


def _serve(chosen: argparse.Namespace, password: str, out: IO[str]) -> None:
    with _data_dir_lock(chosen.data_dir), _listen(chosen.host, chosen.port) as listener:
        from embedded.chnative.connection import Account  # here: chDB takes a quarter second and 250 MB
        from embedded.chnative.server import Server

        engine = _open_engine(chosen.data_dir)
        server = Server(listener, engine=engine, account=Account(chosen.user, password), watch_parent=chosen.child)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        if chosen.child:
            threading.Thread(target=_when_input_ends, args=(server.stop,), daemon=True).start()
        port = listener.getsockname()[1]
        if chosen.child:
            print(json.dumps({"port": port, "pid": os.getpid()}), file=out, flush=True)
        else:
            version = ".".join(map(str, engine.version))
            print(f"ClickHouse {version} (chDB) listens on {chosen.host}:{port}, data in {chosen.data_dir}", file=out)
            out.flush()
        server.serve()
        engine.close()


def _when_input_ends(then: Callable[[], None]) -> None:
    sys.stdin.read()
    then()


@contextlib.contextmanager
def _data_dir_lock(data_dir: Path) -> Iterator[None]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(data_dir).free
        lock = (data_dir / LOCK_NAME).open("a")
        status = (data_dir / "status").open("rb") if (data_dir / "status").exists() else None
    except OSError as error:
        raise PermanentError(f"{data_dir}: {error.strerror}") from error
    with lock:
        for held in filter(None, (lock, status)):
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                text = f"{data_dir} is in use by another process; stop that one or choose another directory"
                raise PermanentError(text) from error
        if status is not None:
            status.close()  # the engine locks this one itself
        if free < MIN_FREE_BYTES:
            text = f"{data_dir}: {free >> 20} MiB free on its disk, at least {MIN_FREE_BYTES >> 20} are needed"
            raise PermanentError(text + "; make room or choose another directory")
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"port {port} on {host} is taken; stop the program that listens there, or choose another port"
            raise PermanentError(f"{text} (0: any free one)") from error
        raise PermanentError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    except OverflowError as error:
        raise PermanentError(f"port {port} is not in 0..65535") from error


def _open_engine(data_dir: Path) -> Any:
    try:
        from embedded.chnative.engine import Engine
    except ImportError as error:
        raise PermanentError(f"chDB is not installed ({error}); install peakwatch[embedded]") from error
    try:
        return Engine(data_dir)
    except (RuntimeError, OSError) as error:
        raise PermanentError(f"the engine cannot open {data_dir}: {error}") from error


if __name__ == "__main__":
    main()
