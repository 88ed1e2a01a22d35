"""What the rules are asked about in a replay, kept on disk, so that other rules are asked without judging anew.

Only what stage 1 gives to stage 2 is kept: the SLA policies, the lateness and the judge are those of the replay.
"""

import pickle
import tempfile
from collections.abc import Iterator
from typing import IO

from schemas.errors import PermanentError
from schemas.results import Alert
from streams.engine import Decider
from streams.facts import Facts


class Recording:
    """Facts in the order in which they came; a context manager that takes its file away."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `__exit__`
        self.ended_ms = -1

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, facts: Facts, newest_ms: int) -> None:
        """Keep what is decided on at one instant."""
        try:
            pickle.dump((facts, newest_ms), self._file, protocol=pickle.HIGHEST_PROTOCOL)
        except OSError as error:
            raise PermanentError(
                f"{tempfile.gettempdir()}: {error.strerror or error}; TMPDIR names another folder"
            ) from None

    def play(self, decider: Decider) -> Iterator[Alert]:
        """The alerts that others make of it, in order. `decider` is new: it has seen nothing."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            facts, newest_ms = pickle.load(self._file)  # our own file, which nobody else can open
            yield from decider.feed(facts, newest_ms=newest_ms)
        if self.ended_ms >= 0:
            yield from decider.advance(self.ended_ms)


class Kept:
    """A decider whose facts are kept on their way (in `recording`, if there is one), and its alerts afterwards."""

    def __init__(self, inner: Decider, recording: Recording | None) -> None:
        self._inner = inner
        self._recording = recording
        self.alerts: list[Alert] = []
        self.began_ms = self.ended_ms = 0

    def feed(self, facts: Facts, *, newest_ms: int) -> Iterator[Alert]:
        """As the decider itself."""
        self.began_ms = self.began_ms or newest_ms
        self.ended_ms = newest_ms
        if self._recording is not None:
            self._recording.add(facts, newest_ms)
        for alert in self._inner.feed(facts, newest_ms=newest_ms):
            self.alerts.append(alert)
            yield alert

    def advance(self, newest_ms: int) -> Iterator[Alert]:
        """As the decider itself; it is called at the end alone."""
        self.ended_ms = newest_ms
        if self._recording is not None:
            self._recording.ended_ms = newest_ms
        for alert in self._inner.advance(newest_ms):
            self.alerts.append(alert)
            yield alert
