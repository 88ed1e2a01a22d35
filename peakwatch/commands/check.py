"""`peakwatch check`."""

import argparse
import json
import os
from pathlib import Path
from typing import Final

from peakwatch.commands.options import add_rules, add_settings, path_of, settings_of
from schemas.errors import ConfigError
from schemas.settings import Settings

EXAMPLES: Final = """examples:
  peakwatch check --rules rules.yaml --calendar calendars.yaml --peaks peaks.yaml
  PEAKWATCH_CONFIG=/etc/peakwatch.yaml peakwatch check
  peakwatch check --json --rules rules.yaml | jq '.mistakes[]'

Files that no option names are those of the settings, as a worker would read them; else what ships is meant.
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
    settings = Settings()
    try:
        settings = settings_of(arguments)
    except ConfigError as error:
        mistakes += error.mistakes
    mistakes += _unusable(settings)
    rules = arguments.rules or path_of(settings.rules)
    notify = arguments.notify or path_of(settings.notify)
    try:
        config = load_config(
            rules=rules, calendars=arguments.calendar or path_of(settings.calendars),
            peaks=arguments.peaks or path_of(settings.peaks), notify=notify, environment=os.environ,
        )  # fmt: skip
    except ConfigError as error:
        mistakes += error.mistakes
    else:
        mistakes += cross_check(config, rules=str(rules or ""), notify=str(notify or ""))
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


def _unusable(settings: Settings) -> list[str]:
    """What a worker would refuse of settings that are right one by one."""
    from agents.clock import clock_of
    from peakwatch.judges import ensure_usable

    mistakes: list[str] = []
    for look in (lambda: clock_of(settings.rehearsal), lambda: ensure_usable(settings)):
        try:
            look()
        except ConfigError as error:
            mistakes += error.mistakes
    return mistakes
