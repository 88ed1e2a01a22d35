"""Settings and configuration to a worker: every part handed to the next, here and nowhere else."""

import sentiment.words
from agents.alert_stage import AlertSink
from agents.app import Parts, Worker, topic_specs
from agents.clock import clock_of
from peakwatch import stores
from peakwatch.config import Config
from peakwatch.judges import build_judge
from schemas.settings import Settings
from sentiment.privacy import mask_text
from sentiment.validity import validity_batch
from streams.decisions import Decisions
from streams.judging import Judging
from streams.source import SourceConfig

__all__ = ["build_worker", "source_config", "topic_specs"]


def source_config(settings: Settings, config: Config) -> SourceConfig:
    """What stage 1 is given."""
    return SourceConfig(
        judging=Judging(build_judge(settings), validity_batch, settings.drop_copies), mask=mask_text,
        policies=config.policies,
        lateness_ms=settings.lateness_ms, hold_ms=settings.sla_hold_ms, salt=settings.salt.encode()[:64],
        rows=True, live=True,
    )  # fmt: skip


def build_worker(settings: Settings, config: Config) -> Worker:
    """A worker, ready to run."""
    parts = Parts(
        source=source_config(settings, config),
        decisions=lambda: Decisions(config.rules, config.peaks, words=sentiment.words.load()),
        writer=lambda: stores.writer(settings),
        alerts=lambda writer: AlertSink(writer),
        clock=clock_of(settings.rehearsal),
    )
    return Worker(settings, parts)
