"""Why a message did not get through: a closed set of reasons, and which of them are worth another try."""

from typing import Final, Literal

from schemas.errors import PeakWatchError

Reason = Literal[
    "connection",  # nobody answered the door: nothing was sent
    "unsure",  # sent, but no answer came: it may have arrived
    "throttled",  # too many messages; the other side says or implies when it takes more
    "busy",  # a fault of the other side that it calls passing
    "quota",  # the month's messages are used up
    "denied",  # a wrong signature, key, token or address; a word or an address that is not allowed
    "too_large",
    "refused",  # the message itself is not taken
    "bad_answer",  # an answer that cannot be understood
    "broken",  # a mistake of ours: a template that fails
]

RETRIED: Final[frozenset[Reason]] = frozenset({"connection", "throttled", "busy"})
MAX_CHARS: Final = 300


class SendError(PeakWatchError):
    """A message was not taken. The text is fit for logs: senders keep their secrets out of it.

    `retry_after_ms` is what the other side asked for or documents.
    """

    def __init__(self, reason: Reason, text: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{reason}: {text[:MAX_CHARS]}")
        self.reason: Reason = reason
        self.retry_after_ms = retry_after_ms
