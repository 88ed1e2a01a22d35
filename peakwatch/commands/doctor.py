"""`peakwatch doctor`."""

import argparse
import json
import logging
import sys
from typing import TYPE_CHECKING, Final

from peakwatch.commands.options import add_settings, settings_of

if TYPE_CHECKING:
    from peakwatch.doctor import Finding

EXAMPLES: Final = """examples:
  peakwatch doctor
  peakwatch doctor --config /etc/peakwatch.yaml
  peakwatch doctor --json | jq '.checks[] | select(.state != "ok")'

It only asks and changes nothing. Status 0: all that a worker needs is there (warnings may remain); 1: something is
missing, and the line says what to do."""

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="write the findings as JSON, for programs")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, and tell."""
    from peakwatch import doctor

    # The clients' own words about a broker that is away would come between ours.
    for name in ("aiokafka", "kafka", "clickhouse_driver"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    findings = doctor.examine(settings_of(arguments))
    if arguments.json:
        print(json.dumps(doctor.as_json(findings), ensure_ascii=False, indent=2))
    elif sys.stdout.isatty():
        _show_table(findings)
    else:
        for finding in findings:
            print(_line(finding))
    return 0 if doctor.is_well(findings) else 1


def _line(finding: "Finding") -> str:
    version = f" {finding.version}" if finding.version else ""
    todo = f"  ->  {finding.todo}" if finding.todo else ""
    return f"{finding.state:4}  {finding.name}{version}: {finding.detail}{todo}"


def _show_table(findings: list["Finding"]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "dependency", "version", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row(
            Text(finding.state, style=_COLOURS[finding.state]), finding.name, finding.version, Text(finding.detail),
            Text(finding.todo),
        )  # fmt: skip
    Console().print(table)
