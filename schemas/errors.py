"""The tree of errors. It branches where a caller acts differently, and nowhere else.

PeakWatchError
├── BadEvent         goes to the dead letters, the stream goes on
├── ConfigError      stops before any event is read, with every mistake at once
├── TransientError   is tried again
└── PermanentError   is counted and given up
"""

from collections.abc import Iterable


class PeakWatchError(Exception):
    """Base of all errors that PeakWatch raises on purpose; its text is fit for the user."""


class BadEvent(PeakWatchError):
    """A message that cannot be read as an event.

    `reason` is a short, stable code (a metric label); the text tells place, value and rule.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class ConfigError(PeakWatchError):
    """Mistakes of a configuration, all of them at once, each as `place: value and rule`."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class TransientError(PeakWatchError):
    """The same call may succeed later: a server that is down, a time limit, a full queue.

    `retry_after_ms` is what the other side asked for, if it did.
    """

    def __init__(self, text: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(text)
        self.retry_after_ms = retry_after_ms


class PermanentError(PeakWatchError):
    """The same call will fail again: a wrong password, a refused message, a broken file."""
