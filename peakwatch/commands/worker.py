"""`peakwatch worker`."""

import argparse
import asyncio
import os
from typing import Final

from peakwatch.commands.options import add_settings, path_of, settings_of

EXAMPLES: Final = """examples:
  PEAKWATCH_KAFKA_BOOTSTRAP=kafka:9092 PEAKWATCH_CLICKHOUSE_HOST=clickhouse peakwatch worker
  peakwatch worker --config /etc/peakwatch.yaml --log-level INFO

Start one or more; they share the partitions. Any of them may be stopped or killed at any time: the others take over,
and nothing is lost or counted twice. Run `peakwatch migrate` first. Topics that are missing are created, where the
broker allows it. `peakwatch doctor` tells what else is missing.

Rules, calendars, peaks and channels are read again when their files change, or by kill -HUP PID. With a mistake in one
of them all stay as they are, and the log says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_settings(parser)
    levels = ("DEBUG", "INFO", "WARNING", "ERROR")
    parser.add_argument(
        "--log-level", default="WARNING", choices=levels, metavar="LEVEL",
        help=f"how much to log: {', '.join(levels)} (default: WARNING)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal comes or a dependency is lost for good."""
    from agents.app import topic_specs
    from agents.broker import ensure_topics
    from agents.connection import client_options
    from agents.running import end_by_signals, set_up_logging
    from agents.running import run as run_worker
    from peakwatch.config import Config, load_config
    from peakwatch.workers import build_worker

    end_by_signals()
    set_up_logging(arguments.log_level)
    settings = settings_of(arguments)

    def load() -> Config:
        return load_config(
            rules=path_of(settings.rules), calendars=path_of(settings.calendars), peaks=path_of(settings.peaks),
            notify=path_of(settings.notify), environment=os.environ,
        )  # fmt: skip

    config = load()
    specs, options = topic_specs(settings), client_options(settings)
    asyncio.run(ensure_topics(settings.kafka_bootstrap, specs, options=options))
    run_worker(build_worker(settings, config, load=load))
    return 0
