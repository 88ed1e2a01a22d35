"""`peakwatch replay`."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from peakwatch.commands.options import add_rules
from schemas.errors import ConfigError
from schemas.settings import DEFAULT_DIMENSIONS, read_dimensions

EXAMPLES: Final = """examples:
  peakwatch replay last-promotion.jsonl --alerts alerts.jsonl
  zcat events.jsonl.gz | peakwatch replay - --windows windows.jsonl --sla clocks.jsonl
  peakwatch replay events.jsonl --rules stricter.yaml --peaks plan-2026.yaml --alerts what-if.jsonl
  peakwatch replay events.jsonl --rehearse --notify notify.yaml
  peakwatch replay events.jsonl --rules new.yaml --rehearse --against old.yaml
  peakwatch replay week.jsonl --rehearse --pages-per-week 10

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
    parser.add_argument(
        "--dimensions", metavar="A,B+C", help="the windows' dimensions, as workers may be set (default: theirs)"
    )
    parser.add_argument(
        "--drop-copies", action="store_true",
        help="leave what one customer repeats, and bursts of copied praise, out of sentiment, as workers may be set",
    )  # fmt: skip
    _add_rehearsal(parser.add_argument_group("rehearsal: who would have been paged when, and why"))


def _add_rehearsal(group: Any) -> None:
    group.add_argument("--rehearse", action="store_true", help="tell it; every option below does so, too")
    group.add_argument(
        "--notify", type=Path, metavar="NOTIFY.yaml",
        help="channels, routes, shifts and escalations (default: one group chat that hears of everything)",
    )  # fmt: skip
    group.add_argument("--against", type=Path, metavar="OTHER.yaml", help="compare with another rules file")
    group.add_argument(
        "--pages-per-week", type=float, metavar="N", help="suggest settings that would have made so many pages"
    )
    group.add_argument(
        "--night", metavar="FROM-TO", help="the hours that count as night (default: 00:00-07:00)"
    )  # fmt: skip
    group.add_argument(
        "--json", action="store_true", help="no tables: the last line's object has all of it as `rehearsal`"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replay, with a progress line on a terminal."""
    from peakwatch.config import load_config
    from peakwatch.places import ensure_apart, ensure_readable
    from peakwatch.progress import counting
    from peakwatch.replay import Outputs, replay

    if not 0 <= arguments.lateness <= 366 * 86_400:  # also refuses nan
        raise ConfigError([f"--lateness: {arguments.lateness} is not within 0 to {366 * 86_400} seconds"])
    outputs = Outputs(
        alerts=arguments.alerts, windows=arguments.windows, sla=arguments.sla,
        dimensions=DEFAULT_DIMENSIONS if arguments.dimensions is None
        else read_dimensions(arguments.dimensions, "--dimensions"),
    )  # fmt: skip
    ensure_readable(arguments.files)
    configured = (arguments.rules, arguments.calendar, arguments.peaks, arguments.notify, arguments.against)
    ensure_apart(read=(*arguments.files, *configured), written=(outputs.alerts, outputs.windows, outputs.sla))
    if _is_rehearsal(arguments):
        return _rehearse(arguments, outputs)
    config = load_config(rules=arguments.rules, calendars=arguments.calendar, peaks=arguments.peaks)
    with counting("events", files=arguments.files) as progress:
        summary = replay(
            arguments.files, config, outputs=outputs, lateness_ms=round(arguments.lateness * 1000),
            drop_copies=arguments.drop_copies, progress=progress,
        )  # fmt: skip
    _print_last(dataclasses.asdict(summary))
    return 0


def _is_rehearsal(arguments: argparse.Namespace) -> bool:
    asked = (arguments.notify, arguments.against, arguments.pages_per_week, arguments.night)
    return arguments.rehearse or arguments.json or any(one is not None for one in asked)


def _rehearse(arguments: argparse.Namespace, outputs: Any) -> int:
    """The same, and then the tables, or one more key of the last line."""
    from alerts.notify.config import NO_SECRETS
    from peakwatch.config import load_config
    from peakwatch.progress import counting
    from peakwatch.rehearsal import run as rehearsing
    from peakwatch.rehearsal.show import show

    if arguments.pages_per_week is not None and not 0 <= arguments.pages_per_week <= 1e6:
        raise ConfigError([f"--pages-per-week: {arguments.pages_per_week} is not within 0 to 1000000"])
    files = {"calendars": arguments.calendar, "peaks": arguments.peaks}
    config = load_config(rules=arguments.rules, notify=arguments.notify, environment=NO_SECRETS, **files)
    zone = config.notify.timezone if config.notify is not None else config.peaks.timezone
    wish = rehearsing.Wish(
        rehearsing.read_night(arguments.night or rehearsing.NIGHT, timezone=zone),
        against=None if arguments.against is None else load_config(rules=arguments.against, **files),
        per_week=arguments.pages_per_week,
    )
    with counting("events", files=arguments.files) as progress:
        found = rehearsing.rehearsal(
            arguments.files, config, wish, outputs=outputs, lateness_ms=round(arguments.lateness * 1000),
            drop_copies=arguments.drop_copies, progress=progress,
        )  # fmt: skip
    last = dataclasses.asdict(found.summary)
    if arguments.json:
        last["rehearsal"] = found.plain()
    else:
        show(found, terminal=sys.stdout.isatty())
    _print_last(last)
    return 0


def _print_last(line: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()  # here a reader that has gone is an exit status, at the interpreter's end it is a complaint
