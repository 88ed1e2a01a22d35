"""The DDL that ships, and how it is read and written out."""

import re
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from storage.ddl import Retention, bare, parse_step, quoted, read_steps, render, repeatable
from storage.migrate import BOOK, DDL
from storage.rows import TABLES

STEPS = read_steps(DDL)
CREATED = {
    match[1]: bare(statement)
    for step in STEPS
    for statement in step.statements
    if (match := re.match(r"CREATE TABLE IF NOT EXISTS \{db\}\.(\w+)", bare(statement)))
}

ADDED = {
    match[1]: re.findall(r"ADD COLUMN IF NOT EXISTS (\w+)", statement)
    for step in STEPS
    for statement in step.statements
    if (match := re.match(r"ALTER TABLE \{db\}\.(\w+)", bare(statement)))
}


def _rendered(cluster: str | None) -> list[str]:
    return [
        sql for step in [BOOK, *STEPS] for sql in render(step, database="pw", cluster=cluster, retention=Retention())
    ]


@pytest.mark.parametrize("cluster", [None, "prod"])
def test_every_mark_is_filled_in(cluster: str | None) -> None:
    left = [found for sql in _rendered(cluster) for found in re.findall(r"\{\w+\}", sql)]
    assert set(left) <= ({"{shard}", "{replica}"} if cluster else set())


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_column_that_is_written_is_in_the_table(table: object) -> None:
    ddl = CREATED[table.name]  # type: ignore[attr-defined]  # a Table: the parameters are values of TABLES
    declared = re.findall(r"^    (\w+) +[A-Z]\w+[( ,]", ddl, re.MULTILINE)
    declared += ADDED.get(table.name, [])  # type: ignore[attr-defined]  # as above
    written = list(table.columns)  # type: ignore[attr-defined]  # as above
    assert [name for name in declared if name not in ("written_at", "INDEX")] == written


def test_equal_keys_meet_on_one_shard() -> None:
    for step in STEPS:
        for statement in step.statements:
            shard = re.search(r"^-- shard by: (.+)$", statement, re.MULTILINE)
            if shard:
                key = re.search(r"^ORDER BY \((.+)\)$", statement, re.MULTILINE)
                assert key
                used = set(re.findall(r"\w+", shard[1])) - {"cityHash64"}
                assert used <= set(re.findall(r"\w+", key[1])), statement[:80]


def test_on_a_cluster_every_statement_names_it_and_every_table_is_replicated() -> None:
    for sql in _rendered("prod"):
        assert "ON CLUSTER prod" in sql, sql
        assert "ENGINE = ReplacingMergeTree" not in sql


def test_a_sharded_table_is_a_replicated_one_and_a_distributed_one_over_it() -> None:
    text = "-- shard by: cityHash64(id)\nCREATE TABLE IF NOT EXISTS {db}.t {on_cluster}\n(\n    id String\n)\n"
    step = parse_step(1, "0001_t.sql", text + "ENGINE = ReplacingMergeTree(v)\nORDER BY (id);\n")
    local, distributed = render(step, database="pw", cluster="c1", retention=Retention())
    assert local.startswith("CREATE TABLE IF NOT EXISTS pw.t_local ON CLUSTER c1\n")
    assert "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/pw/t_local', '{replica}', v)" in local
    assert distributed == (
        "CREATE TABLE IF NOT EXISTS pw.t ON CLUSTER c1 AS pw.t_local\n"
        "ENGINE = Distributed(c1, pw, t_local, cityHash64(id))"
    )


def test_the_days_that_rows_are_kept_are_set_in_one_place() -> None:
    kept = Retention(events_days=7)
    sql = "\n".join(render(STEPS[0], database="pw", cluster=None, retention=kept))
    assert sql.count("INTERVAL 7 DAY") == 4


def test_a_retention_below_a_day_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"retention\.sla_days: 0 is not at least 1"):
        Retention(sla_days=0)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TABLE IF NOT EXISTS {db}.t (a Int8) ENGINE = Memory", True),
        ("CREATE TABLE {db}.t (a Int8) ENGINE = Memory", False),
        ("-- why\nALTER TABLE {db}.t{local} {on_cluster} ADD COLUMN IF NOT EXISTS b Int8", True),
        ("ALTER TABLE {db}.t ADD COLUMN b Int8", False),
        ("ALTER TABLE {db}.t DELETE WHERE a = 1", False),
        ("INSERT INTO {db}.t SELECT 1", False),
        ("DROP TABLE {db}.t", False),
    ],
)
def test_only_what_may_be_repeated_is_a_step(sql: str, expected: bool) -> None:
    assert repeatable(sql) is expected


def test_mistakes_in_the_files_are_told_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("CREATE TABLE t (a Int8) ENGINE = Memory;\n")
    (tmp_path / "0003_b.sql").write_text("DROP TABLE IF EXISTS t;\n")
    (tmp_path / "last.sql").write_text("DROP TABLE IF EXISTS t;\n")
    with pytest.raises(ConfigError) as caught:
        read_steps(tmp_path)
    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == ["0001_a.sql", "last.sql", tmp_path.name]


@pytest.mark.parametrize("name", ["", "a-b", "a;b", "1a", "a b", "a`"])
def test_a_name_that_sql_could_misread_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        quoted(name)
