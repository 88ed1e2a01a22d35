"""Stage 2, deciding: observations, transitions, feeds and windows in; alerts out."""

from collections.abc import Iterator

from schemas.results import Alert
from streams.facts import Facts


class Decisions:
    def feed(self, facts: Facts, *, newest_ms: int) -> Iterator[Alert]:
        yield from ()

    def finish(self, end_ms: int) -> Iterator[Alert]:
        yield from ()
