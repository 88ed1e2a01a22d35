"""`peakwatch check`."""

import argparse
import json
import os
from pathlib import Path
from typing import Final

from peakwatch.commands.options import add_rules, add_settings, settings_of
from schemas.errors import ConfigError

EXAMPLES: Final = """examples:
  peakwatch check --rules rules.yaml --calendar calendars.yaml --peaks peaks.yaml
  PEAKWATCH_CONFIG=/etc/peakwatch.yaml peakwatch check
  peakwatch check --json --rules rules.yaml | jq '.mistakes[]'

Every mistake of every file is told at once, with its place and what is allowed there; what the files say of each other
is looked at once each is right by itself. Status 0: none; 1: some."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_settings(parser)
    add_rules(parser)
    parser.add_argument("--notify", type=Path, metavar="NOTIFY.yaml", help="channels, routes, shifts and escalations")
    parser.add_argument("--json", action="store_true", help="write the findings as JSON as well, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Read everything; ConfigError with all mistakes ends with status 1."""
    from peakwatch.config import load_config
    from peakwatch.crosscheck import cross_check

    mistakes: list[str] = []
    try:
        settings_of(arguments)
    except ConfigError as error:
        mistakes += error.mistakes
    try:
        config = load_config(
            rules=arguments.rules, calendars=arguments.calendar, peaks=arguments.peaks, notify=arguments.notify,
            environment=os.environ,
        )  # fmt: skip
    except ConfigError as error:
        mistakes += error.mistakes
    else:
        mistakes += cross_check(config, rules=str(arguments.rules or ""), notify=str(arguments.notify or ""))
    if arguments.json:
        print(json.dumps({"ok": not mistakes, "mistakes": mistakes}))
    if mistakes:
        raise ConfigError(mistakes)
    if not arguments.json:
        print(
            f"ok: {len(config.policies)} policies, {len(config.rules)} rules, {len(config.calendars)} calendars, "
            f"{len(config.peaks.phases)} promotion phases"
        )
    return 0
