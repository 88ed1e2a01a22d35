"""What a worker is made of, and the topics that it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from agents import broker, pagestore
from agents.alert_stage import Notifier
from agents.clock import AnyClock
from schemas.errors import PermanentError
from schemas.results import Delivery, PeakPhase
from schemas.settings import Settings
from schemas.topics import ACTIONS, ALERTS, DEAD_LETTERS, DELTAS, OBSERVATIONS, SOURCES, WINDOWS
from storage.writer import Writer
from streams.decisions import Decisions
from streams.source import SourceConfig

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What the worker is given: pure parts, and where rows and notices go."""

    source: SourceConfig
    decisions: Callable[[], Decisions]
    writer: Callable[[], Writer]
    notifier: Callable[[aiohttp.ClientSession, Writer], Notifier] | None  # None: alerts are stored, nobody is told
    told: Callable[[], Sequence[Delivery]]  # what the delivery log has of the last day; blocks
    clock: AnyClock
    trouble: Callable[[], str] = lambda: ""  # what is wrong with the store, and what to do; blocks
    phases: Sequence[PeakPhase] = ()  # the promotion plan, for the store
    version: str = ""  # of the configuration that these come from


def topic_specs(settings: Settings) -> list[broker.TopicSpec]:
    """Every topic that a worker reads or writes."""
    week, many, copies = 7 * DAY_MS, settings.partitions, settings.kafka_replication
    kept = broker.TopicSpec.kept
    return [
        *(kept(name, partitions=many, retention_ms=week, replication=copies) for name in SOURCES),
        kept(WINDOWS, partitions=many, retention_ms=DAY_MS, replication=copies),
        kept(ALERTS, partitions=1, retention_ms=4 * week, replication=copies),
        kept(DEAD_LETTERS, partitions=many, retention_ms=4 * week, replication=copies),
        kept(DELTAS, partitions=settings.window_partitions, retention_ms=2 * DAY_MS, replication=copies),
        kept(OBSERVATIONS, partitions=1, retention_ms=2 * DAY_MS, replication=copies),
        kept(ACTIONS, partitions=1, retention_ms=4 * week, replication=copies),
        pagestore.topic_spec(partitions=many, replication=copies),
    ]


def data_dir(settings: Settings) -> str:
    """A folder for Faust, which wants one though nothing is kept there. PermanentError if it cannot be made."""
    path = Path(settings.spool_dir) / "faust"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentError(f"spool_dir: {settings.spool_dir}: {error.strerror or error}") from None
    return str(path)
