"""Each step once, one migration at a time, contradictions told."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import PermanentError, TransientError
from storage.client import ServerRefused
from storage.migrate import STALE_MS, migrate


@dataclass
class Bookkeeper:
    """The little of ClickHouse that migrations lean on: the record of steps, and the lock table with its age."""

    steps: dict[int, tuple[str, str]] = field(default_factory=dict)
    lock: str | None = None
    lock_age_s: int = 0
    statements: list[str] = field(default_factory=list)
    refuse: Callable[[str], None] = lambda sql: None

    def execute(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        if sql.startswith("SELECT number, name, checksum"):
            return [(number, *rest) for number, rest in sorted(self.steps.items())]
        if sql.startswith("SELECT comment"):
            return [(self.lock, self.lock_age_s)] if self.lock is not None else []
        if match := re.match(r"CREATE TABLE \S+schema_migrations_lock.* COMMENT '(\w+)'", sql):
            if self.lock is not None:
                raise ServerRefused("there already", code=57)
            self.lock, self.lock_age_s = match[1], 0
        elif "schema_migrations_lock" in sql:
            self.lock = None
        elif match := re.match(r"INSERT INTO \S+ \(number, name, checksum\) SELECT (\d+), '(.+)', '(.+)'", sql):
            self.steps[int(match[1])] = (match[2], match[3])
        elif "schema_migrations" not in sql and "DATABASE" not in sql:
            self.refuse(sql)
            self.statements.append(sql)
        return []


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for number in (1, 2):
        (tmp_path / f"000{number}_step.sql").write_text(f"DROP TABLE IF EXISTS {{db}}.t{number};\n")
    return tmp_path


def test_each_step_is_done_once_and_in_order(directory: Path) -> None:
    server = Bookkeeper()
    assert [step.number for step in migrate(server, database="pw", directory=directory)] == [1, 2]
    assert migrate(server, database="pw", directory=directory) == []
    assert server.statements == ["DROP TABLE IF EXISTS pw.t1", "DROP TABLE IF EXISTS pw.t2"]
    assert server.lock is None


def test_only_what_is_new_is_done(directory: Path) -> None:
    server = Bookkeeper()
    migrate(server, database="pw", directory=directory)
    (directory / "0003_more.sql").write_text("DROP TABLE IF EXISTS {db}.t3;\n")
    assert [step.name for step in migrate(server, database="pw", directory=directory)] == ["0003_more.sql"]


def test_a_file_edited_after_it_was_applied_is_named_with_both_checksums(directory: Path) -> None:
    server = Bookkeeper()
    old = migrate(server, database="pw", directory=directory)[1].checksum
    (directory / "0002_step.sql").write_text("DROP TABLE IF EXISTS {db}.other;\n")
    with pytest.raises(PermanentError) as caught:
        migrate(server, database="pw", directory=directory)
    checksums = re.findall(r"[0-9a-f]{64}", str(caught.value))
    assert str(caught.value).startswith("0002_step.sql: ")
    assert len(set(checksums)) == 2
    assert old in checksums


def test_a_database_newer_than_the_program_is_left_alone(directory: Path) -> None:
    server = Bookkeeper()
    migrate(server, database="pw", directory=directory)
    (directory / "0002_step.sql").unlink()
    with pytest.raises(PermanentError, match=r"0002_step\.sql: .*use a newer one"):
        migrate(server, database="pw", directory=directory)


def test_a_step_that_failed_is_done_again_next_time(directory: Path) -> None:
    def refuse(sql: str) -> None:
        if "t2" in sql:
            raise ServerRefused("syntax", code=62)

    server = Bookkeeper(refuse=refuse)
    with pytest.raises(ServerRefused, match=r"0002_step\.sql: syntax"):
        migrate(server, database="pw", directory=directory)
    assert server.lock is None
    server.refuse = lambda sql: None
    assert [step.number for step in migrate(server, database="pw", directory=directory)] == [2]


@pytest.mark.parametrize("code", [497, 495, 514])  # no right; such a user in a file; no store that SQL may write to
def test_an_optional_step_is_left_out_where_users_cannot_be_made_and_tried_again(directory: Path, code: int) -> None:
    (directory / "0003_users.sql").write_text("-- optional: needs users\nCREATE ROLE IF NOT EXISTS r;\n")

    def refuse(sql: str) -> None:
        if "ROLE" in sql:
            raise ServerRefused("no", code=code)

    server = Bookkeeper(refuse=refuse)
    assert migrate(server, database="pw", directory=directory)[2].left_out == "needs users"
    server.refuse = lambda sql: None
    assert [step.left_out for step in migrate(server, database="pw", directory=directory)] == [""]


def test_a_second_migration_waits_for_the_first_and_does_nothing_again(directory: Path) -> None:
    server = Bookkeeper(lock="somebody")
    waits: list[int] = []

    def sleep_ms(ms: int) -> None:
        waits.append(ms)
        if len(waits) == 3:  # the first is done now
            server.steps = {step.number: (step.name, step.checksum) for step in first}
            server.lock = None

    first = migrate(Bookkeeper(), database="pw", directory=directory)
    assert migrate(server, database="pw", directory=directory, sleep_ms=sleep_ms) == []
    assert server.statements == []
    assert len(waits) == 3


def test_a_lock_whose_owner_died_is_taken_over(directory: Path) -> None:
    server = Bookkeeper(lock="dead", lock_age_s=STALE_MS // 1000 + 1)
    assert len(migrate(server, database="pw", directory=directory, sleep_ms=lambda ms: None)) == 2


def test_a_lock_that_stays_held_is_told_with_what_to_do(directory: Path) -> None:
    server = Bookkeeper(lock="busy", lock_age_s=5)
    with pytest.raises(TransientError, match=r"DROP TABLE pw\.schema_migrations_lock if it is dead"):
        migrate(server, database="pw", directory=directory, sleep_ms=lambda ms: None, wait_limit_ms=2_000)
    assert server.lock == "busy"
