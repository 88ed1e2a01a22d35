"""chDB, the engine in this process: one open data directory, a session for each client, queries stopped from outside."""

import json
import threading
from pathlib import Path
from typing import Any

from chdb.session import Session

TAG = "peakwatch-connection-"


class Engine:
    """Holds the data directory open; sessions of one engine run side by side.

    Raises RuntimeError when chDB cannot open the directory.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = str(data_dir)
        self._own = Session(self._path)
        self._lock = threading.Lock()
        major, minor, patch = self.ask("SELECT version()")[0][0].split(".")[:3]
        self.version = (int(major), int(minor), int(patch))
        self.timezone: str = self.ask("SELECT timezone()")[0][0]
        self.setting_types: dict[str, str] = dict(self.ask("SELECT name, type FROM system.settings"))

    def open_session(self, ident: int) -> Session:
        """A session with its own database, settings and temporary tables; its queries carry the connection's tag."""
        session = Session(self._path)
        session.query(f"SET log_comment = '{TAG}{ident}'")
        return session

    def ask(self, sql: str) -> list[Any]:
        """The rows of a query of our own."""
        with self._lock:
            return rows(self._own, sql)

    def stop_queries(self, ident: int) -> None:
        """Stops what the session of this connection runs, if it runs anything."""
        with self._lock:
            self._own.query(f"KILL QUERY WHERE Settings['log_comment'] = '{TAG}{ident}' ASYNC", "Null")

    def close(self) -> None:
        with self._lock:
            self._own.close()


def rows(session: Session, sql: str) -> list[Any]:
    """A query's rows as lists."""
    raw: bytes = session.query(sql, "JSONCompactEachRow").bytes()
    return [json.loads(line) for line in raw.splitlines()]
