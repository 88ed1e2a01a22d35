"""What several commands take: the settings' file, the configuration's files."""

import argparse
import math
import os
from pathlib import Path

from schemas.settings import Settings, read_settings


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--config`, which `PEAKWATCH_CONFIG` may name instead."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE.yaml", default=None,
        help="connections and limits (default: $PEAKWATCH_CONFIG); PEAKWATCH_* variables go over it",
    )  # fmt: skip


def positive(word: str) -> float:
    """An argument's number over 0, and finite."""
    number = float(word)
    if not 0 < number < math.inf:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{word} is not over 0")
    return number


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings of the file and the environment. ConfigError holds every mistake."""
    path = arguments.config
    if path is None and os.environ.get("PEAKWATCH_CONFIG"):
        path = Path(os.environ["PEAKWATCH_CONFIG"])
    return read_settings(path, os.environ)


def path_of(text: str) -> Path | None:
    """The file that a setting names; None: what ships."""
    return Path(text) if text else None


def add_rules(parser: argparse.ArgumentParser) -> None:
    """The three files of what an event leads to."""
    parser.add_argument(
        "--rules", type=Path, metavar="RULES.yaml", help="SLA policies and alert rules (default: what ships)"
    )
    parser.add_argument(
        "--calendar", type=Path, metavar="CAL.yaml", help="working hours and holidays (default: what ships)"
    )
    parser.add_argument("--peaks", type=Path, metavar="PEAKS.yaml", help="the promotion plan (default: what ships)")
