"""`peakwatch migrate`."""

import argparse
import json
from typing import Final

from peakwatch.commands.options import add_settings, settings_of

EXAMPLES: Final = """examples:
  peakwatch migrate
  PEAKWATCH_CLICKHOUSE_HOST=ch.internal PEAKWATCH_CLICKHOUSE_PASSWORD=… peakwatch migrate

Each numbered step is applied once and recorded; running it twice, or two at a time, is safe."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="write what was done as JSON, for programs")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Apply what is missing."""
    from peakwatch.stores import clickhouse
    from storage.migrate import migrate

    settings = settings_of(arguments)
    client = clickhouse(settings)
    try:
        applied = migrate(client, cluster=settings.clickhouse_cluster or None, database=settings.clickhouse_database)
    finally:
        client.close()
    if arguments.json:
        done = {"database": settings.clickhouse_database, "applied": [step._asdict() for step in applied]}
        print(json.dumps(done, ensure_ascii=False))
        return 0
    for step in applied:
        print(f"{step.name}: left out: {step.left_out}" if step.left_out else f"{step.name}: applied")
    print(f"{settings.clickhouse_database} is up to date")
    return 0
