"""The numbered DDL files: how they are read, checked and written out for one server or for a cluster. Pure
but for reading.

A file is plain ClickHouse SQL with few marks: {db}, {on_cluster}, {local} and the days of `Retention`. For a
cluster each table with a line `-- shard by: EXPRESSION` becomes a replicated `NAME_local` on every node, with
a distributed NAME over it; the expression is made of the table's key, so that equal keys meet on one shard
and FINAL stays right.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from schemas.errors import ConfigError

_FILE: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHARD: Final = re.compile(r"^-- shard by: (.+)$", re.MULTILINE)
_OPTIONAL: Final = re.compile(r"^-- optional: (.+)$", re.MULTILINE)
_TABLE: Final = re.compile(r"^CREATE TABLE IF NOT EXISTS (\S+)\.(\w+)", re.MULTILINE)
_ENGINE: Final = re.compile(r"^ENGINE = (\w*MergeTree)(?:\(([^()]*)\))?", re.MULTILINE)
# What may be done twice with the same outcome; the migration's safety stands on it.
REPEATABLE: Final = (
    "CREATE DATABASE IF NOT EXISTS ",
    "CREATE TABLE IF NOT EXISTS ",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS ",
    "CREATE OR REPLACE VIEW ",
    "CREATE ROLE IF NOT EXISTS ",
    "CREATE USER IF NOT EXISTS ",
    "CREATE SETTINGS PROFILE IF NOT EXISTS ",
    "GRANT ",
    "REVOKE ",
    "DROP TABLE IF EXISTS ",
    "DROP VIEW IF EXISTS ",
)
_ALTER: Final = re.compile(
    r"ALTER TABLE \S+ (?:\{on_cluster\}\s+)?"
    r"(?:ADD (?:COLUMN|INDEX) IF NOT EXISTS|DROP (?:COLUMN|INDEX) IF EXISTS|MODIFY (?:COLUMN|TTL|COMMENT|QUERY))"
    r"\s[^;]*"
)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """For how many days each kind of row is kept, from its writing. The defaults tell this promotion from
    last year's.
    """

    events_days: int = 400  # over a year, to compare one 11.11 with the last
    dead_letters_days: int = 30  # whole messages, unmasked
    windows_fine_days: int = 90  # windows of 1 min
    windows_days: int = 400  # of 5 and 15 min
    windows_coarse_days: int = 800  # of 1 h and 24 h
    windows_now_days: int = 40  # the newest window of a value that fell silent
    sla_days: int = 400
    alerts_days: int = 800
    deliveries_days: int = 90

    def __post_init__(self) -> None:
        kept = asdict(self).items()
        mistakes = [f"retention.{name}: {days} is not at least 1" for name, days in kept if days < 1]
        if mistakes:
            raise ConfigError(mistakes)


@dataclass(frozen=True)
class Step:
    """A numbered file: its statements, and the checksum of its text as it stands on disk."""

    number: int
    name: str
    checksum: str
    optional: str  # "": must succeed; else why a server may refuse it
    statements: tuple[str, ...]


def read_steps(directory: Path) -> list[Step]:
    """The files in order; ConfigError with every mistake: a name, a number twice or missing, what may not be
    repeated.
    """
    steps: list[Step] = []
    mistakes: list[str] = []
    for path in sorted(directory.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            mistakes.append(f"{path.name}: a name is four digits, _, lower case letters, .sql")
            continue
        step = parse_step(int(match[1]), path.name, path.read_text(encoding="utf-8"))
        once = (bare(sql)[:80] for sql in step.statements if not repeatable(sql))
        mistakes += [f"{path.name}: may not be repeated: {sql}" for sql in once]
        steps.append(step)
    numbers = [step.number for step in steps]
    if numbers != list(range(1, len(numbers) + 1)):
        mistakes.append(f"{directory.name}: numbers are not 1 to {len(numbers)}, each once: {numbers}")
    if mistakes:
        raise ConfigError(mistakes)
    return steps


def parse_step(number: int, name: str, text: str) -> Step:
    """A file's text cut into statements, each ended by `;` at a line's end."""
    optional = _OPTIONAL.search(text)
    statements = tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", text) if bare(part))
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Step(number, name, checksum, optional[1] if optional else "", statements)


def repeatable(statement: str) -> bool:
    """Whether a second run of the statement changes nothing."""
    sql = bare(statement)
    return sql.startswith(REPEATABLE) or _ALTER.fullmatch(sql) is not None


def bare(statement: str) -> str:
    """The statement without the comment lines."""
    return "\n".join(line for line in statement.splitlines() if not line.lstrip().startswith("--")).strip()


def render(step: Step, *, database: str, cluster: str | None, retention: Retention) -> Iterator[str]:
    """The SQL to run for a step; `cluster` None: for one server."""
    marks = {
        "db": quoted(database),
        "on_cluster": f"ON CLUSTER {quoted(cluster)}" if cluster else "",
        "local": "_local" if cluster else "",
    } | {name: str(days) for name, days in asdict(retention).items()}
    for statement in step.statements:
        shard = _SHARD.search(statement)
        sql = bare(statement)
        for name, value in marks.items():
            sql = sql.replace("{" + name + "}", value)
        sql = re.sub(r" +(?=\n|$)", "", sql)
        if cluster is None:
            yield sql
        else:
            yield from _clustered(sql, database=database, cluster=cluster, shard=shard[1] if shard else None)


def quoted(name: str) -> str:
    """A name that is safe inside SQL; ConfigError for one that is no plain identifier."""
    if not _NAME.fullmatch(name):
        raise ConfigError([f"{name!r}: a database or cluster name is letters, digits and _"])
    return name


def _clustered(sql: str, *, database: str, cluster: str, shard: str | None) -> Iterator[str]:
    match = _TABLE.match(sql)
    if match is None:
        yield sql
        return
    name = match[2]
    # A table that is not sharded (the record of migrations) is one and the same on all nodes.
    stored = f"{name}_local" if shard else name
    where = "{shard}" if shard else "all"
    replica = "{replica}" if shard else "{shard}-{replica}"
    sql = _TABLE.sub(rf"CREATE TABLE IF NOT EXISTS \g<1>.{stored}", sql, count=1)

    def replicated(engine: re.Match[str]) -> str:
        rest = f", {engine[2]}" if engine[2] else ""
        path = f"/clickhouse/tables/{where}/{database}/{stored}"
        return f"ENGINE = Replicated{engine[1]}('{path}', '{replica}'{rest})"

    yield _ENGINE.sub(replicated, sql, count=1)
    if shard:
        yield (
            f"CREATE TABLE IF NOT EXISTS {match[1]}.{name} ON CLUSTER {cluster} AS {match[1]}.{stored}\n"
            f"ENGINE = Distributed({cluster}, {database}, {stored}, {shard})"
        )
