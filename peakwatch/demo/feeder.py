"""The demo's evening played into a real Kafka, on the real clock: `python -m peakwatch.demo.feeder [--back MINUTES]`.

For a stack that is to be looked at (docker-compose.yml, profile `demo`): what lies behind the present is sent at once,
the rest as it falls due, until a signal. Each run has ids of its own, so that a second one is not taken for copies.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from peakwatch.demo.reviews import load_corpus
from peakwatch.demo.simulate import Evening
from peakwatch.feeding import feed, producer
from schemas.errors import PeakWatchError
from schemas.settings import read_settings

SEED: Final = 20261111
LONGEST_SLEEP_S: Final = 0.5
BEAT_MS: Final = 1000
IDS: Final = ("event_id", "review_id", "complaint_id", "ticket_id")


def lines(*, begins_ms: int, now_ms: Callable[[], int], sleep: Callable[[float], None] = time.sleep) -> Iterator[bytes]:
    """Events without end, each not before its time has come."""
    for at_ms, event in Evening(load_corpus(SEED), origin_ms=begins_ms, seed=SEED).events():
        while (ahead_ms := at_ms - now_ms()) > 0:
            sleep(min(ahead_ms / 1000, LONGEST_SLEEP_S))
        yield msgspec.json.encode(_named(event, f"{begins_ms:x}"))


def beating(events: Iterable[bytes], path: Path, *, now_ms: Callable[[], int]) -> Iterator[bytes]:
    """The events as they are. `path` is touched when one has been taken, once a second at most; OSError as it comes."""
    last_ms = 0
    for event in events:
        yield event
        if now_ms() - last_ms >= BEAT_MS:
            last_ms = now_ms()
            path.touch()


def main(argv: Sequence[str] | None = None) -> int:
    """Play until a signal; 1 when the broker is lost."""
    parser = argparse.ArgumentParser(prog="python -m peakwatch.demo.feeder", description=__doc__)
    parser.add_argument(
        "--back",
        type=int,
        default=90,
        metavar="MINUTES",
        help="how much lies behind (default: 90)",
    )
    parser.add_argument(
        "--alive", type=Path, metavar="FILE", help="a file to touch as long as events are taken, for a health check"
    )
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = read_settings(None, os.environ)
        began = _now_ms() - arguments.back * 60_000
        played = lines(begins_ms=began, now_ms=_now_ms)
        if arguments.alive is not None:
            played = beating(played, arguments.alive, now_ms=_now_ms)
        feed(played, producer(settings), rate=None)
    except PeakWatchError as error:
        print(f"peakwatch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _named(event: dict[str, Any], run: str) -> dict[str, Any]:
    return event | {name: f"{run}-{event[name]}" for name in IDS if name in event}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
