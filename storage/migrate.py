"""Brings a database to the newest shape: each file of schemas/clickhouse once, in order, recorded with its
checksum.

ClickHouse has neither transactions nor locks. So two things together make this safe to run by two at a time,
and after a run that died half-way: creating a table is atomic, which gives a lock (`schema_migrations_lock`,
taken over when its owner has not been heard of for `STALE_MS`); and every statement may be repeated
(`storage/ddl.py` refuses a file where one may not), so that even a lock taken over too early does no harm.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from schemas.errors import PermanentError, TransientError
from storage.client import (
    ACCESS_DENIED,
    TABLE_EXISTS,
    UNKNOWN_DATABASE,
    UNKNOWN_TABLE,
    USERS_KEPT_ELSEWHERE,
    ServerRefused,
)
from storage.ddl import Retention, Step, quoted, read_steps, render

STALE_MS: Final = 10 * 60_000  # far above what the slowest step takes: steps create empty tables
WAIT_MS: Final = 500
DDL: Final = Path(__file__).parent.parent / "schemas" / "clickhouse"


class Executor(Protocol):
    """What of `storage.client.ClickHouse` is needed."""

    def execute(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        """The rows that a statement answers with."""
        ...


class Applied(NamedTuple):
    """A step that this run applied, or one that it left out, and why."""

    number: int
    name: str
    checksum: str
    left_out: str = ""


class Status(NamedTuple):
    """What `peakwatch doctor` shows of a ClickHouse: its version, and the names of the steps done and still to do."""

    version: str
    done: tuple[str, ...]
    todo: tuple[str, ...]
    needed: tuple[str, ...] = ()  # of those to do, what nothing works without


def status(client: Executor, *, database: str, directory: Path = DDL) -> Status:
    """How far a database is, without changing it; raises as `pending` and as the client."""
    version = str(client.execute("SELECT version()")[0][0])
    steps = read_steps(directory)
    try:
        todo = tuple(step.name for step in pending(client, steps, database=database))
    except ServerRefused as error:
        if error.code not in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
            raise
        todo = tuple(step.name for step in steps)
    needed = tuple(step.name for step in steps if step.name in todo and not step.optional)
    return Status(version, tuple(step.name for step in steps if step.name not in todo), todo, needed)


def migrate(
    client: Executor,
    *,
    database: str,
    cluster: str | None = None,
    retention: Retention | None = None,
    directory: Path = DDL,
    sleep_ms: Callable[[int], None] = lambda ms: time.sleep(ms / 1000),
    wait_limit_ms: int = 2 * STALE_MS,
) -> list[Applied]:
    """Apply what is not applied yet and return it, in order.

    Raises PermanentError for a file that was edited after it had been applied or that is newer than this
    program's files, ServerRefused for a statement that ClickHouse refuses, TransientError for a lock not got
    in `wait_limit_ms`.
    """
    steps = read_steps(directory)
    keep = retention or Retention()
    _execute_all(client, BOOK, database=database, cluster=cluster, retention=keep)
    if not pending(client, steps, database=database):
        return []
    lock = _Lock(client, database=database, cluster=cluster, sleep_ms=sleep_ms)
    lock.take(wait_limit_ms)
    try:
        # Read again: whoever had the lock before may have done the work.
        todo = pending(client, steps, database=database)
        return [_apply(client, step, database=database, cluster=cluster, retention=keep) for step in todo]
    finally:
        lock.release()


def pending(client: Executor, steps: Sequence[Step], *, database: str) -> list[Step]:
    """The steps still to do; PermanentError where the record and the files contradict each other."""
    rows = client.execute(
        f"SELECT number, name, checksum FROM {quoted(database)}.schema_migrations FINAL ORDER BY number"
    )
    done = {number: (name, checksum) for number, name, checksum in rows}
    for step in steps:
        if step.number in done and done[step.number][1] != step.checksum:
            raise PermanentError(
                f"{step.name}: edited after it had been applied: checksum {done[step.number][1]} in "
                f"{database}.schema_migrations, {step.checksum} in the file: put it back and add a new step"
            )
    unknown = sorted(set(done) - {step.number for step in steps})
    if unknown:
        raise PermanentError(
            f"{done[unknown[0]][0]}: applied to {database}, but unknown to this program: use a newer one"
        )
    return [step for step in steps if step.number not in done]


def _apply(client: Executor, step: Step, *, database: str, cluster: str | None, retention: Retention) -> Applied:
    try:
        _execute_all(client, step, database=database, cluster=cluster, retention=retention)
    except ServerRefused as error:
        if step.optional and error.code in (ACCESS_DENIED, *USERS_KEPT_ELSEWHERE):
            return Applied(step.number, step.name, step.checksum, left_out=step.optional)
        raise ServerRefused(f"{step.name}: {error}", code=error.code) from error
    client.execute(
        f"INSERT INTO {quoted(database)}.schema_migrations (number, name, checksum) "
        f"SELECT {step.number}, '{step.name}', '{step.checksum}'"
    )
    return Applied(step.number, step.name, step.checksum)


def _execute_all(client: Executor, step: Step, *, database: str, cluster: str | None, retention: Retention) -> None:
    for statement in render(step, database=database, cluster=cluster, retention=retention):
        client.execute(statement)


class _Lock:
    """A table whose creation is the taking of the lock; its comment tells the owner."""

    def __init__(
        self, client: Executor, *, database: str, cluster: str | None, sleep_ms: Callable[[int], None]
    ) -> None:
        self._client = client
        self._database = database
        self._on = f" ON CLUSTER {quoted(cluster)}" if cluster else ""
        self._name = f"{quoted(database)}.schema_migrations_lock"
        self._owner = secrets.token_hex(8)
        self._sleep_ms = sleep_ms

    def take(self, limit_ms: int) -> None:
        waited = 0
        while not self._created():
            owner, age_ms = self._holder()
            if owner and age_ms > STALE_MS:
                self._remove(owner)
                continue
            if waited >= limit_ms:
                raise TransientError(
                    f"{self._database}: another migration has been running for {age_ms // 1000} s "
                    f"(DROP TABLE {self._name} if it is dead)"
                )
            self._sleep_ms(WAIT_MS)
            waited += WAIT_MS

    def release(self) -> None:
        self._remove(self._owner)

    def _created(self) -> bool:
        try:
            self._client.execute(
                f"CREATE TABLE {self._name}{self._on} (held Int8) ENGINE = MergeTree ORDER BY held "
                f"COMMENT '{self._owner}'"
            )
        except ServerRefused as error:
            if error.code == TABLE_EXISTS:
                return False
            raise
        return True

    def _holder(self) -> tuple[str, int]:
        """Who holds it, and for how long by the server's clock; ("", 0): nobody any more."""
        rows = self._client.execute(
            "SELECT comment, toInt64(now() - metadata_modification_time) FROM system.tables "
            f"WHERE database = '{self._database}' AND name = 'schema_migrations_lock'"
        )
        return (str(rows[0][0]), int(rows[0][1]) * 1000) if rows else ("", 0)

    def _remove(self, owner: str) -> None:
        """Drop the lock if it still is that owner's."""
        if self._holder()[0] != owner:
            return
        try:
            self._client.execute(f"DROP TABLE {self._name}{self._on} SYNC")
        except ServerRefused as error:
            if error.code != UNKNOWN_TABLE:  # else another was quicker to see that it is stale
                raise


BOOK: Final = Step(
    number=0,
    name="schema_migrations",
    checksum="",
    optional="",
    statements=(
        "CREATE DATABASE IF NOT EXISTS {db} {on_cluster}",
        "CREATE TABLE IF NOT EXISTS {db}.schema_migrations {on_cluster}\n(\n"
        "    number UInt32, name String, checksum String,\n"
        "    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)\n)\n"
        "ENGINE = ReplacingMergeTree(applied_at)\nORDER BY number",
    ),
)
