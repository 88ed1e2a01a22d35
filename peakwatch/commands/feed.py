"""`peakwatch feed`."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from peakwatch.commands.options import add_settings, positive, settings_of
from schemas.errors import PermanentError

EXAMPLES: Final = """examples:
  peakwatch feed events.jsonl --rate 500
  some-export | PEAKWATCH_KAFKA_BOOTSTRAP=kafka:9092 peakwatch feed -

A line is one event with a field `topic`; it goes to that topic, keyed so that what must stay in order does (a ticket's
steps, a product's reviews). Lines without a topic of ours, and those over a megabyte, are counted and left out."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="events, JSONL; - is standard input")
    parser.add_argument("--rate", type=positive, metavar="N", help="events a second (default: as fast as it goes)")
    parser.add_argument("--json", action="store_true", help="write the summary as JSON")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Send the files one after the other."""
    import msgspec

    from peakwatch.feeding import feed, producer
    from peakwatch.places import ensure_readable
    from peakwatch.progress import counting

    settings = settings_of(arguments)
    ensure_readable(arguments.files)
    with counting("events", files=arguments.files) as progress:
        fed = feed(_lines(arguments.files), producer(settings), rate=arguments.rate, progress=progress)
    if arguments.json:
        print(msgspec.json.encode(fed._asdict()).decode())
    else:
        print(f"{fed.sent} events sent in {fed.seconds:.1f} s, {fed.refused} lines left out")
    return 0


def _lines(names: list[str]) -> Iterator[bytes]:
    from peakwatch.feeding import bounded_lines

    for name in names:
        with ExitStack() as stack:
            try:
                yield from bounded_lines(sys.stdin.buffer if name == "-" else stack.enter_context(open(name, "rb")))
            except OSError as error:
                raise PermanentError(f"{name}: {error.strerror or error}") from None
