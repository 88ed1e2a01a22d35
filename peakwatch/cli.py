"""The command `peakwatch`: what it is asked, which part answers, and how an error ends it.

Exit status: 0 done, 1 failed (one clear line a mistake on standard error, no traceback), 2 wrong usage.
"""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from io import TextIOWrapper
from typing import Final

from schemas.errors import ConfigError, PeakWatchError, PermanentError

# name -> module with `add_arguments(parser)` and `run(arguments) -> int`; imported only when asked for, so that
# `peakwatch score` starts at once.
COMMANDS: Final = {
    "demo": "See it all at work, here and now: broker, worker, store and alerts, on real reviews",
    "replay": "Run recorded events through the engine: which windows, SLA clocks and alerts they lead to",
    "score": "Judge Chinese texts: negative, neutral or positive, one a line",
    "worker": "Run a Faust worker on Kafka and ClickHouse",
    "alerts": "List, explain, acknowledge, snooze, resolve and silence alerts",
    "feed": "Send events from files or standard input to Kafka, at a rate of your choice",
    "migrate": "Create or update the tables in ClickHouse",
    "check": "Find every mistake in configuration files at once, without any server",
    "grafana": "Put the wall's dashboards into a Grafana, compare them, mark promotions there",
    "doctor": "Look at everything that PeakWatch needs: is it there, which version, what to do",
}
# How writing fails; where it was a file of the command's own, the command tells its name itself.
_UNWRITTEN: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. Never shows a traceback for what a user can cause."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        _ready_streams()
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()  # at the interpreter's end it would be too late for one clear line
    except ConfigError as error:
        _complain(*error.mistakes)
    except PeakWatchError as error:
        _complain(str(error))
    except BrokenPipeError:
        _drop_output()  # whoever read it has gone
    except OSError as error:  # what a command tells of its own files is a PeakWatchError
        _drop_output()
        _complain(f"standard output: {error.strerror}" if error.errno in _UNWRITTEN else str(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 1


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser; only `command`'s own arguments are loaded."""
    from rich_argparse import RawDescriptionRichHelpFormatter

    formatter = partial(RawDescriptionRichHelpFormatter, max_help_position=28)
    parser = argparse.ArgumentParser(
        prog="peakwatch", formatter_class=formatter,
        description="After-sales early warning for e-commerce: reviews, complaints and tickets, watched live.",
        epilog="peakwatch COMMAND --help tells more, with examples.",
    )  # fmt: skip
    parser.add_argument("--version", action=_Version, nargs=0, help="show which version this is")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        if name == command:
            module = import_module(f"peakwatch.commands.{name}")
            own = commands.add_parser(
                name, help=summary, description=summary + ".", epilog=module.EXAMPLES,
                formatter_class=formatter,
            )  # fmt: skip
            module.add_arguments(own)
            own.set_defaults(refuse=own.error)
        else:
            commands.add_parser(name, help=summary, add_help=False)
    return parser


class _Version(argparse.Action):
    """Asks for the version only when somebody wants it: reading a package's metadata takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"peakwatch {version('peakwatch')}\n")
        parser.exit()


def _run(arguments: list[str]) -> int:
    if not arguments:
        build_parser().print_help(sys.stderr)
        return 2
    command = next((word for word in arguments if not word.startswith("-")), None)
    if command == "score" and "--help" not in arguments and "-h" not in arguments:
        # The parser's own imports would take longer than judging a thousand texts.
        return int(import_module("peakwatch.commands.score").main(arguments[1:]))
    parsed, unknown = build_parser(command).parse_known_args(arguments)
    if unknown:  # told with the usage of the command, not of all
        parsed.refuse(f"not known: {' '.join(unknown)}")
    module = import_module(f"peakwatch.commands.{parsed.command}")
    return int(module.run(parsed))


def _ready_streams() -> None:
    """Standard output takes any text, closed streams are told at once."""
    if sys.stdout is None:
        raise PermanentError("standard output is closed")
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  # closed: nothing to be read there
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a lone surrogate, a terminal that is not UTF-8


def _drop_output() -> None:
    """What is still held back goes nowhere: the interpreter must not complain about it at exit."""
    with suppress(OSError, ValueError):  # a stream without a descriptor is not the interpreter's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(*lines: str) -> None:
    for line in lines:
        print(f"peakwatch: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
