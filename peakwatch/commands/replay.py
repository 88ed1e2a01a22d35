"""`peakwatch replay`."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Final

import msgspec

from peakwatch.commands.options import add_rules
from schemas.errors import ConfigError

EXAMPLES: Final = """examples:
  peakwatch replay last-promotion.jsonl --alerts alerts.jsonl
  zcat events.jsonl.gz | peakwatch replay - --windows windows.jsonl --sla clocks.jsonl
  peakwatch replay events.jsonl --rules stricter.yaml --peaks plan-2026.yaml --alerts what-if.jsonl

A line of input is one event with a field `topic` (reviews, complaints, tickets or orders), in order of arrival. No
broker and no database is needed. A line that cannot be read is counted as a dead letter. The last line of output is a
JSON object: how many events, dead letters, late ones, duplicates and alerts, and how fast. The same input gives the
same bytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="events, JSONL; - is standard input")
    add_rules(parser)
    parser.add_argument(
        "--alerts", type=Path, metavar="OUT.jsonl", help="write each alert's transitions: firing, updated, resolved"
    )
    parser.add_argument(
        "--windows", type=Path, metavar="OUT.jsonl", help="write each rolling window's row, each time that it changed"
    )
    parser.add_argument(
        "--sla", type=Path, metavar="OUT.jsonl", help="write each ticket's SLA clocks as they stand at the end"
    )
    parser.add_argument(
        "--lateness", type=float, default=300.0, metavar="SECONDS",
        help="how far behind its topic's newest an event may be and still count (default: 300)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Replay, with a progress line on a terminal."""
    from peakwatch.config import load_config
    from peakwatch.progress import counting
    from peakwatch.replay import Outputs, replay

    if not 0 <= arguments.lateness <= 366 * 86_400:  # also refuses nan
        raise ConfigError([f"--lateness: {arguments.lateness} is not within 0 to {366 * 86_400} seconds"])
    config = load_config(rules=arguments.rules, calendars=arguments.calendar, peaks=arguments.peaks)
    with counting("events") as progress:
        summary = replay(
            arguments.files, config,
            outputs=Outputs(alerts=arguments.alerts, windows=arguments.windows, sla=arguments.sla),
            lateness_ms=round(arguments.lateness * 1000), progress=progress,
        )  # fmt: skip
    sys.stdout.write(msgspec.json.encode(dataclasses.asdict(summary)).decode() + "\n")
    sys.stdout.flush()  # here a reader that has gone is an exit status, at the interpreter's end it is a complaint
    return 0
