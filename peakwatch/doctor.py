"""What `peakwatch doctor` finds out about every dependency: reached or not, which version, what to do.

Decides what is needed (`fail`) and what a user should know (`warn`); how it is shown is the command's business. Every
question has a time limit, changes nothing, and ends in a finding, never in an error.
"""

import asyncio
import importlib.metadata
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents import broker, connection
from agents.app import topic_specs
from peakwatch import stores
from peakwatch.config import load_config
from schemas.errors import ConfigError, PeakWatchError
from schemas.settings import Settings
from sentiment import judge
from storage.client import ClickHouse
from storage.ddl import read_steps
from storage.migrate import DDL, status

State = Literal["ok", "warn", "fail"]

PYTHON: Final = (3, 11)
KAFKA_TIMEOUT_S: Final = 5.0
MOST_SKEW_MS: Final = 2_000  # SLA clocks stand on the worker's clock, what the wall shows as "now" on ClickHouse's
SAMPLE: Final = "物流太慢了，客服也不理人"


@dataclass(frozen=True, slots=True)
class Finding:
    """One dependency. `version` is "" where there is none; `todo` is "" when nothing is to be done."""

    name: str
    state: State
    version: str
    detail: str
    todo: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order in which a set-up goes wrong."""
    return [
        python(),
        packages(),
        weights(),
        configuration(settings),
        *kafka(settings),
        *clickhouse(settings),
        spool(settings),
    ]


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether all that is needed is there."""
    return all(finding.state != "fail" for finding in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """For programs: `ok`, and the findings under `checks`."""
    return {"ok": is_well(findings), "checks": [asdict(finding) for finding in findings]}


# --- this machine


def python() -> Finding:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        return Finding("python", "fail", version, "too old", "use Python 3.11 or newer: make PYTHON=python3.12 setup")
    return Finding("python", "ok", version, sys.executable)


def packages(requirements: Sequence[str] | None = None) -> Finding:
    """Whether what PeakWatch asks for is installed, in a version that it was made for."""
    if requirements is None:
        try:
            own = importlib.metadata.version("peakwatch")
            requirements = importlib.metadata.requires("peakwatch") or []
        except importlib.metadata.PackageNotFoundError:
            return Finding("packages", "warn", "", "PeakWatch runs from its folder, not installed", "make setup")
    else:
        own = ""
    missing: list[str] = []
    extras: list[str] = []
    for requirement in requirements:
        text, _, condition = requirement.partition(";")
        lack = _lack(text.strip())
        if lack:
            (extras if "extra" in condition else missing).append(lack)
    if missing:
        return Finding("packages", "fail", own, "; ".join(missing), "make setup")
    if extras:
        return Finding(
            "packages", "warn", own, "only `peakwatch demo` lacks: " + "; ".join(extras),
            'pip install "peakwatch[embedded]"',
        )  # fmt: skip
    return Finding("packages", "ok", own, f"all {len(requirements)} are there, in versions that fit")


def weights() -> Finding:
    """The judge's weights, tried on a text."""
    began = time.perf_counter()
    try:
        verdict = judge.load().judge_batch([SAMPLE])
    except (OSError, ValueError) as error:
        return Finding("judge", "fail", "", f"its weights cannot be read: {error}", "install PeakWatch anew")
    took_ms = round((time.perf_counter() - began) * 1000)
    if verdict.label != ["negative"]:
        return Finding(
            "judge", "fail", "", f"{SAMPLE} is {verdict.label[0]} to it", "install PeakWatch anew, or train anew"
        )
    return Finding("judge", "ok", "", f"loaded in {took_ms} ms; {SAMPLE}: {verdict.score[0]:.2f} {verdict.label[0]}")


def configuration(settings: Settings) -> Finding:
    """The files of rules, calendars, promotions and channels that the settings name."""
    names = ("rules", "calendars", "peaks", "notify")
    files = {name: Path(text) for name in names if (text := getattr(settings, name))}
    try:
        config = load_config(**files, environment=os.environ)
    except ConfigError as error:
        return Finding("configuration", "fail", "", f"{len(error.mistakes)} mistakes", "peakwatch check tells them all")
    read = ", ".join(map(str, files.values())) or "what ships"
    detail = f"{len(config.rules)} rules, {len(config.policies)} policies ({read})"
    if not settings.notify:
        return Finding(
            "configuration", "warn", "", f"{detail}; nobody is told of alerts", "set `notify`: docs/delivery.md"
        )
    return Finding("configuration", "ok", "", detail)


def spool(settings: Settings) -> Finding:
    """Where rows wait while ClickHouse is away: writable, and with room up to its limit."""
    directory = Path(settings.spool_dir).resolve()
    there = next(parent for parent in (directory, *directory.parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding("spool", "fail", "", f"{there} cannot be written to", "set spool_dir to a folder that can")
    free_mb = shutil.disk_usage(there).free >> 20
    waiting = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) if there == directory else 0
    detail = f"{directory}: {free_mb:,} MB free, {waiting >> 10:,} KB waiting"
    if free_mb < settings.spool_max_mb:
        return Finding(
            "spool", "warn", "", f"{detail}, less than spool_max_mb = {settings.spool_max_mb:,}",
            "make room, or lower spool_max_mb: when it is full the consumers pause",
        )  # fmt: skip
    return Finding("spool", "ok", "", detail)


# --- servers


def kafka(settings: Settings) -> list[Finding]:
    """The brokers, and the topics as a worker wants them."""
    try:
        brokers, counts = asyncio.run(_ask_kafka(settings))
    except ConfigError as error:
        return [Finding("kafka", "fail", "", "; ".join(error.mistakes), "correct the settings")]
    except (KafkaError, OSError, TimeoutError) as error:
        return [
            Finding(
                "kafka", "fail", "", f"{settings.kafka_bootstrap} not reached: {_told(error)}",
                "start Kafka, or set PEAKWATCH_KAFKA_BOOTSTRAP (and kafka_security_protocol)",
            )
        ]  # fmt: skip
    return [
        Finding("kafka", "ok", "", f"{settings.kafka_bootstrap}: {brokers} broker{'' if brokers == 1 else 's'}"),
        _topics(settings, counts),
    ]


def clickhouse(settings: Settings) -> list[Finding]:
    """The server, the state of its tables, and how far its clock is from ours."""
    client = stores.clickhouse(settings)
    where = f"{settings.clickhouse_host}:{settings.clickhouse_port}"
    try:
        found = status(client, database=settings.clickhouse_database)
        skew_ms = _skew_ms(client)
    except PeakWatchError as error:
        return [
            Finding(
                "clickhouse", "fail", "", str(error),
                "start ClickHouse, or set PEAKWATCH_CLICKHOUSE_HOST, _PORT, _USER, _PASSWORD",
            )
        ]  # fmt: skip
    finally:
        client.close()
    return [
        Finding("clickhouse", "ok", found.version, where),
        _tables(settings, found.done, found.todo),
        clock(skew_ms),
    ]


def _topics(settings: Settings, counts: dict[str, int]) -> Finding:
    wanted = {spec.name: spec.partitions for spec in topic_specs(settings)}
    wrong = [f"{name} has {counts[name]} partitions, wanted are {n}" for name, n in wanted.items()
             if name in counts and counts[name] != n]  # fmt: skip
    missing = [name for name in wanted if name not in counts]
    if wrong:
        return Finding(
            "topics", "fail", "", "; ".join(wrong), "set `partitions` and `window_partitions` to what is there"
        )
    if missing:
        return Finding(
            "topics", "warn", "", f"{len(missing)} of {len(wanted)} not there yet: {', '.join(missing)}",
            "a worker creates them when it starts, where it may; else create them",
        )  # fmt: skip
    return Finding("topics", "ok", "", f"all {len(wanted)} are there, with the partitions configured")


def _tables(settings: Settings, done: Sequence[str], todo: Sequence[str]) -> Finding:
    name = settings.clickhouse_database
    optional = {step.name: step.optional for step in read_steps(DDL) if step.optional}
    if lacking := [step for step in todo if step not in optional]:
        return Finding("tables", "fail", "", f"{name} lacks {', '.join(lacking)}", "peakwatch migrate")
    if todo:
        left_out = "; ".join(f"{step} was left out: {optional[step]}" for step in todo)
        return Finding("tables", "warn", "", f"{name}: {len(done)} steps applied; {left_out}", "nothing, if so wanted")
    return Finding("tables", "ok", "", f"{name}: all {len(done)} steps applied")


def clock(skew_ms: int) -> Finding:
    """ClickHouse's clock less ours."""
    detail = f"ClickHouse's clock is {abs(skew_ms):,} ms {'ahead of' if skew_ms > 0 else 'behind'} ours"
    if abs(skew_ms) > MOST_SKEW_MS:
        return Finding(
            "clock", "warn", "", detail, "keep both machines' time by NTP: SLA breaches fall due by the clock"
        )
    return Finding("clock", "ok", "", detail)


async def _ask_kafka(settings: Settings) -> tuple[int, dict[str, int]]:
    """How many brokers there are, and the partitions of each of our topics that exists."""
    options = broker.client_options(settings.kafka_bootstrap, connection.client_options(settings))
    admin = AIOKafkaAdminClient(request_timeout_ms=round(KAFKA_TIMEOUT_S * 1000), **options)
    async with asyncio.timeout(2 * KAFKA_TIMEOUT_S):
        try:
            await admin.start()
            brokers = (await admin.describe_cluster())["brokers"]
            existing = set(await admin.list_topics())
            names = [spec.name for spec in topic_specs(settings) if spec.name in existing]
            topics = await admin.describe_topics(names) if names else []
            return len(brokers), {topic["topic"]: len(topic["partitions"]) for topic in topics}
        finally:
            await admin.close()


def _skew_ms(client: ClickHouse) -> int:
    """ClickHouse's clock less ours, as of the middle of the question's round trip."""
    asked = time.time_ns() // 1_000_000
    theirs = client.execute("SELECT toUnixTimestamp64Milli(now64(3))")[0][0]
    answered = time.time_ns() // 1_000_000
    return int(theirs) - (asked + answered) // 2


def _told(error: BaseException) -> str:
    """An error in words; a time-out has none of its own."""
    return str(error) or type(error).__name__


# --- versions


def _lack(requirement: str) -> str:
    """What is wrong with a requirement such as `numpy<3,>=2`; "" if nothing."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None, requirement
    wanted = requirement.removeprefix(name[0]).strip()
    try:
        installed = importlib.metadata.version(name[0])
    except importlib.metadata.PackageNotFoundError:
        return f"{name[0]} is missing"
    if all(_fits(installed, bound.strip()) for bound in wanted.split(",") if bound.strip()):
        return ""
    return f"{name[0]} is {installed}, wanted is {wanted}"


def _fits(installed: str, bound: str) -> bool:
    relation, version = re.fullmatch(r"(>=|<|==)(.+)", bound).groups()  # type: ignore[union-attr]  # ours to write
    have, want = _numbers(installed), _numbers(version)
    return have >= want if relation == ">=" else have < want if relation == "<" else have == want


def _numbers(version: str) -> tuple[int, ...]:
    """The release part, without zeros at its end, so that 3 and 3.0 are one."""
    numbers = [int(part) for part in re.match(r"\d+(\.\d+)*", version)[0].split(".")]  # type: ignore[index]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
