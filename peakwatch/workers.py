"""Settings and configuration to a worker: every part handed to the next, here and nowhere else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import aiohttp

import sentiment.words
from agents.app import Parts, Worker, topic_specs
from agents.clock import AnyClock, clock_of
from agents.reloading import ConfigFiles, version_of
from alerts.notify.pipeline import Notifier
from peakwatch import stores
from peakwatch.config import Config
from peakwatch.judges import build_judge
from schemas.notify import NotifyConfig
from schemas.peak_rows import peak_rows
from schemas.peaks import Peaks
from schemas.settings import Settings
from sentiment.privacy import mask_text
from sentiment.validity import validity_batch
from storage.writer import Writer
from streams.decisions import Decisions
from streams.judging import Judging
from streams.source import SourceConfig

TOLD_MS: Final = 24 * 3_600_000  # how far back the delivery log is read when the alerts are taken over

__all__ = ["build_worker", "source_config", "topic_specs"]


def source_config(settings: Settings, config: Config) -> SourceConfig:
    """What stage 1 is given."""
    return SourceConfig(
        judging=Judging(build_judge(settings), validity_batch, settings.drop_copies), mask=mask_text,
        policies=config.promises,
        lateness_ms=settings.lateness_ms, hold_ms=settings.sla_hold_ms, keep_ms=settings.ticket_memory_ms,
        salt=settings.salt.encode()[:64],
        rows=True, words=sentiment.words.load().content, live=True,
    )  # fmt: skip


def build_worker(
    settings: Settings, config: Config, *, load: Callable[[], Config] | None = None
) -> Worker:  # fmt: skip
    """A worker, ready to run. `load`: reads the configuration's files anew; None: it stays as it is."""
    clock = clock_of(settings.rehearsal)
    files = _Files(settings, config)
    first = Parts(
        source=source_config(settings, config),
        decisions=_decisions(config),
        writer=lambda: stores.writer(settings),
        notifier=None if config.notify is None else _notifier(config.notify, config.peaks, clock),
        told=lambda: stores.deliveries_since(settings, clock.now_ms() - TOLD_MS),
        clock=clock,
        trouble=lambda: stores.trouble(settings),
        phases=peak_rows(config.peaks),
        version=version_of(files.all()),
    )
    if load is None:
        return Worker(settings, first)

    def read() -> Parts:
        now = load()
        files.config = now
        return replace(
            first, source=replace(first.source, policies=now.promises), decisions=_decisions(now),
            notifier=None if now.notify is None else _notifier(now.notify, now.peaks, clock),
            phases=peak_rows(now.peaks), version=version_of(files.all()),
        )  # fmt: skip

    return Worker(settings, first, files=ConfigFiles(files.all, read, version=first.version))


class _Files:
    """The files that a configuration was read from."""

    def __init__(self, settings: Settings, config: Config) -> None:
        self.config = config
        self._named = [
            Path(name) for name in (settings.rules, settings.calendars, settings.peaks, settings.notify) if name
        ]

    def all(self) -> list[Path]:
        """Those that the settings name, and the messages' templates."""
        notify = self.config.notify
        templates = sorted(Path(notify.templates).glob("*")) if notify is not None and notify.templates else []
        return [*self._named, *templates]


def _decisions(config: Config) -> Callable[[], Decisions]:
    return lambda: Decisions(config.rules, config.peaks, words=sentiment.words.load())


def _notifier(
    config: NotifyConfig, peaks: Peaks, clock: AnyClock
) -> Callable[[aiohttp.ClientSession, Writer], Notifier]:
    def phase_roster(at_ms: int) -> str:
        phase = peaks.phase_at(at_ms)
        return phase.roster if phase is not None else ""

    def build(http: aiohttp.ClientSession, writer: Writer) -> Notifier:
        return Notifier(config, clock=clock, http=http, record=writer.write, phase_roster=phase_roster)

    return build
