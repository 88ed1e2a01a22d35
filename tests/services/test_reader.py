"""What ClickHouse's users may do, above all the one that Grafana reads with, on ClickHouse's own engine.

chDB keeps its users in a file and has no store that SQL could write users to. So two things are held, and both run the
migrations' own words. One: as an administrator, each statement is read, its rights are checked and its names and
settings resolved, and the engine stops only where it would store. Two: as the reader, with the GRANTs and the profile's
figures of the migration put into the file, everything that dashboards ask is allowed and all else refused.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import pytest

from grafana.build import boards
from grafana.macros import ALL, Context, expand
from storage.ddl import Retention, read_steps, render
from storage.migrate import BOOK, DDL
from tests.services.engine_child import OK, ROOT, Answer, ask

pytestmark = pytest.mark.embedded

DATABASE: Final = "peakwatch"
READONLY: Final = 164
ABOVE_ITS_BOUND: Final = 452
TOO_SLOW: Final = 159
DENIED: Final = 497
NOWHERE_TO_STORE: Final = 514  # the last thing that the engine looks for
STORED_IN_A_FILE: Final = 495


def statements(*, optional: bool) -> list[str]:
    """Those of the migrations that make users, roles and profiles, or the others."""
    steps = [step for step in read_steps(DDL) if bool(step.optional) == optional]
    return [sql for one in steps for sql in render(one, database=DATABASE, cluster=None, retention=Retention())]


MAKING: Final = statements(optional=True)
RIGHTS: Final = [sql for sql in MAKING if sql.startswith(("GRANT", "REVOKE"))]


def users(*, profile: str, role: str, user: str) -> str:
    """A file of users in which `default`, who is what chDB always asks as, has these rights."""
    return f"""<clickhouse>
  <profiles><default/>{profile}</profiles>
  <roles>{role}</roles>
  <users><default><password/><networks><ip>::/0</ip></networks><quota>default</quota>{user}</default></users>
  <quotas><default/></quotas>
</clickhouse>"""


def reader_profile() -> str:
    """The migration's profile in the words of a file."""
    (sql,) = (one for one in MAKING if "SETTINGS PROFILE" in one.split("peakwatch_reader")[0])
    found = re.findall(r"(\w+) = (\d+)(?: MIN (\d+))?(?: MAX (\d+))?", sql)
    assert [name for name, *_ in found] == ["readonly", "max_execution_time", "max_memory_usage"]
    values = "".join(f"<{name}>{value}</{name}>" for name, value, _, _ in found)
    bounds = "".join(
        f"<{name}>{f'<min>{low}</min>' if low else ''}<max>{high}</max></{name}>"
        for name, _, low, high in found
        if high
    )
    return f"<peakwatch_reader>{values}<constraints>{bounds}</constraints></peakwatch_reader>"


def reader_role() -> str:
    bare = (re.sub(r" (TO|FROM) peakwatch_reader$", "", one) for one in RIGHTS)
    grants = "".join(f"<query>{escape(one)}</query>" for one in bare)
    return f"<peakwatch_reader><grants>{grants}</grants></peakwatch_reader>"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an engine's data is, with all tables and a row, written by somebody who may do anything."""
    folder = tmp_path_factory.mktemp("engine")
    made = ask(folder, [
        f"CREATE DATABASE {DATABASE}", *statements(optional=False),
        f"INSERT INTO {DATABASE}.dead_letters (topic, reason) SELECT 'reviews', 'not_json'",
        "CREATE DATABASE other", "CREATE TABLE other.secret (a Int8) ENGINE = MergeTree ORDER BY a",
    ])  # fmt: skip
    assert [text for code, text in made if code != OK] == []
    return folder


def as_reader(folder: Path, sql: Sequence[str]) -> list[Answer]:
    user = "<profile>peakwatch_reader</profile><grants><query>GRANT peakwatch_reader</query></grants>"
    return ask(folder, sql, users=users(profile=reader_profile(), role=reader_role(), user=user))


def as_administrator(folder: Path, sql: Sequence[str], *, role_is_there: bool) -> list[Answer]:
    user = "<profile>default</profile><access_management>1</access_management>"
    profile, role = (reader_profile(), reader_role()) if role_is_there else ("", "")
    return ask(folder, sql, users=users(profile=profile, role=role, user=user))


def test_the_engine_takes_every_statement_up_to_where_it_would_store(engine: Path) -> None:
    (profile,), (role,), (user,) = (
        [one for one in MAKING if one.startswith(f"CREATE {what} ")] for what in ("SETTINGS PROFILE", "ROLE", "USER")
    )
    assert {profile, role, user, *RIGHTS} == set(MAKING)
    renamed = role.replace("EXISTS peakwatch_reader", "EXISTS another")  # the file has the role that the profile is for
    answers = as_administrator(engine, [renamed, user], role_is_there=True)
    answers += as_administrator(engine, [profile], role_is_there=False)
    assert [code for code, _ in answers] == [NOWHERE_TO_STORE] * 3, answers
    answers = as_administrator(engine, RIGHTS, role_is_there=True)
    assert {code for code, _ in answers} == {STORED_IN_A_FILE}, answers


def test_a_mistake_in_a_statement_would_be_seen(engine: Path) -> None:
    """So that the test above means something: the engine looks at names, settings and hashes before it stores."""
    (user,) = (one for one in MAKING if one.startswith("CREATE USER"))
    (profile,) = (one for one in MAKING if one.startswith("CREATE SETTINGS PROFILE"))
    wrong = [
        user.replace("ROLE peakwatch_reader", "ROLE nobody"),
        user.replace("'peakwatch_reader'", "'nothing'"),
        re.sub("0{64}", "0" * 10, user),
        profile.replace("max_execution_time", "max_execution_tim"),
    ]
    codes = [code for code, _ in as_administrator(engine, wrong, role_is_there=True)]
    assert OK not in codes
    assert NOWHERE_TO_STORE not in codes
    assert STORED_IN_A_FILE not in codes


def test_the_user_is_made_shut(engine: Path) -> None:
    (user,) = (one for one in MAKING if one.startswith("CREATE USER"))
    assert "HOST NONE" in user
    assert re.search(r"sha256_hash BY '0{64}'", user)


def test_the_script_that_opens_it_is_taken_too(engine: Path, tmp_path: Path) -> None:
    """A stand-in for clickhouse-client keeps what the script would send."""
    (tmp_path / "clickhouse-client").write_text(f"#!/bin/sh\ncat >{tmp_path}/sent\n")
    (tmp_path / "clickhouse-client").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "CLICKHOUSE_HOST": "h", "CLICKHOUSE_USER": "u",
        "CLICKHOUSE_PASSWORD": "p", "READER_PASSWORD": "secret", "READER_USER": "default",
        "READER_HOSTS": "IP '10.0.0.0/8'",
    }  # fmt: skip
    script = ROOT / "deploy" / "clickhouse" / "make-reader"
    subprocess.run(["/bin/sh", script], env=environment, check=True, capture_output=True)
    sent = (tmp_path / "sent").read_text()
    assert "secret" not in sent
    opening = [one.strip() for one in sent.split(";") if one.strip()]
    # `default` is the one user whom the engine here has, in a file: it refuses to change her, and nothing before that.
    answers = as_administrator(engine, opening, role_is_there=True)
    assert [code for code, _ in answers] == [STORED_IN_A_FILE] * 4, answers
    assert opening[-1].endswith("HOST IP '10.0.0.0/8'")  # opened last, when the rights are in place
    environment["CLICKHOUSE_CLUSTER"] = "prod"
    subprocess.run(["/bin/sh", script], env=environment, check=True, capture_output=True)
    parsed = ask(engine, [
        "SELECT formatQuerySingleLine('{}')".format(one.replace("'", "\\'"))
        for one in (tmp_path / "sent").read_text().split(";") if one.strip()
    ])  # fmt: skip
    assert ["ON CLUSTER prod" in text for _, text in parsed] == [True] * 4, parsed


def test_the_reader_may_ask_everything_that_dashboards_ask(engine: Path) -> None:
    asked = {query.sql: place for board in boards() for place, query in board.queries()}
    known = {choice.name for board in boards() for choice in board.choices}
    chosen: dict[str, str | list[str]] = {**dict.fromkeys(known, ALL), "window": "300", "ticket": "", "alert": ""}
    chosen["peak"] = "evening"
    context = Context(1_794_315_600_000, 1_794_320_000_000, chosen=chosen)
    ready = [expand(sql, context) for sql in asked]
    told = as_reader(engine, [f"USE {DATABASE}", *ready, "SHOW TABLES", f"DESCRIBE {DATABASE}.reviews_v"])
    wrong = [(place, text) for place, (code, text) in zip(["use", *asked.values()], told, strict=False) if code != OK]
    assert wrong == []
    assert "windows_latest" in told[-2][1]
    assert "event_id" in told[-1][1]


def test_the_reader_sets_its_own_time_limit_within_bounds(engine: Path) -> None:
    count = f"SELECT count() FROM {DATABASE}.dead_letters_v"
    allowed, endless, forever, slow, memory = as_reader(engine, [
        f"{count} SETTINGS max_execution_time = 60",  # what the plugin's driver sends with each query
        f"{count} SETTINGS max_execution_time = 0",
        f"{count} SETTINGS max_execution_time = 301",
        "SELECT sum(number) FROM numbers(1000000000000) SETTINGS max_execution_time = 1",
        f"{count} SETTINGS max_memory_usage = 8000000001",
    ])  # fmt: skip
    assert allowed == (OK, "1\n")
    assert (endless[0], forever[0], memory[0]) == (ABOVE_ITS_BOUND,) * 3
    assert slow[0] == TOO_SLOW
    (limit,) = as_reader(engine, ["SELECT value FROM system.settings WHERE name = 'max_execution_time'"])
    assert limit == (OK, "30\n")


REFUSED: Final = (
    f"INSERT INTO {DATABASE}.dead_letters (topic) SELECT 'x'",
    f"ALTER TABLE {DATABASE}.dead_letters DELETE WHERE 1",
    f"DROP TABLE {DATABASE}.dead_letters",
    f"TRUNCATE TABLE {DATABASE}.dead_letters",
    f"CREATE TABLE {DATABASE}.mine (a Int8) ENGINE = MergeTree ORDER BY a",
    f"OPTIMIZE TABLE {DATABASE}.dead_letters FINAL",
    f"SYSTEM STOP MERGES {DATABASE}.dead_letters",
    f"SELECT raw FROM {DATABASE}.dead_letters",
    f"SELECT raw FROM {DATABASE}.dead_letters_v",
    f"SELECT * FROM {DATABASE}.dead_letters_v",
    "SELECT * FROM other.secret",
    "SELECT name FROM system.users",
    "SELECT * FROM system.roles",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
    "CREATE USER intruder",
    "GRANT SELECT ON *.* TO peakwatch_reader",
    "SET readonly = 0",
    f"SELECT reason FROM {DATABASE}.dead_letters SETTINGS readonly = 0",
)


def granted(user: str) -> str:
    """A file in which `default` has what docs/operations.md grants this user."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rights = re.findall(rf"^(GRANT .+?) TO {user};$", text, re.MULTILINE)
    assert rights, user
    queries = "".join(f"<query>{escape(one)}</query>" for one in rights)
    return users(profile="", role="", user=f"<profile>default</profile><grants>{queries}</grants>")


def test_what_the_docs_grant_is_enough_to_migrate_and_to_work_and_no_more(tmp_path: Path) -> None:
    migrator, worker = granted("peakwatch_migrate"), granted("peakwatch_worker")
    steps = list(render(BOOK, database=DATABASE, cluster=None, retention=Retention()))
    lock = f"{DATABASE}.schema_migrations_lock"
    made = ask(tmp_path, [
        *steps, *statements(optional=False),
        f"CREATE TABLE {lock} (held Int8) ENGINE = MergeTree ORDER BY held COMMENT 'me'",
        f"SELECT comment FROM system.tables WHERE database = '{DATABASE}' AND name = 'schema_migrations_lock'",
        f"DROP TABLE {lock} SYNC",
        f"INSERT INTO {DATABASE}.schema_migrations (number, name, checksum) SELECT 1, 'a', 'b'",
        "CREATE TABLE default.mine (a Int8) ENGINE = MergeTree ORDER BY a",
    ], users=migrator)  # fmt: skip
    assert [text for code, text in made[:-1] if code != OK] == []
    assert made[-4][1] == "me\n"
    assert made[-1][0] == DENIED
    worked = ask(tmp_path, [
        f"INSERT INTO {DATABASE}.windows (window_seconds, dimension, reviews) SELECT 60, 'all', 5",
        f"SELECT reviews FROM {DATABASE}.windows_latest",
        f"SELECT count() FROM {DATABASE}.schema_migrations FINAL",
        f"DROP TABLE {DATABASE}.windows",
        f"ALTER TABLE {DATABASE}.windows DELETE WHERE 1",
    ], users=worker)  # fmt: skip
    assert worked[:3] == [(OK, ""), (OK, "5\n"), (OK, "1\n")], worked
    assert [code for code, _ in worked[3:]] == [DENIED, DENIED]


def test_the_reader_may_nothing_else(engine: Path) -> None:
    told = as_reader(engine, REFUSED)
    allowed = [(sql, text) for sql, (code, text) in zip(REFUSED, told, strict=True) if code not in (DENIED, READONLY)]
    assert allowed == []
    assert as_reader(engine, [f"SELECT reason FROM {DATABASE}.dead_letters_v"]) == [(OK, "not_json\n")]
