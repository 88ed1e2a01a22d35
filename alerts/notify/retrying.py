"""What follows from a failed try: another one and when, another channel, or the end. Pure but for the dice given."""

import random
from typing import Final, Literal

from alerts.notify.bundling import Waiting
from alerts.notify.errors import RETRIED, SendError
from schemas.notify import Channel

Next = Literal["retry", "failover", "give_up"]

MAX_TRIES: Final = 6  # on one channel: about two minutes
FIRST_MS, LONGEST_MS = 1000, 60_000
PATIENCE_MS: Final = 30_000  # a critical alert goes to the next channel rather than wait longer


def wait_ms(tries: int, chance: random.Random, *, at_least_ms: int | None = None) -> int:
    """Half to the whole of a time that doubles with each failed try; never less than the other side asked for."""
    whole = min(LONGEST_MS, FIRST_MS << min(tries - 1, 10))
    return max(at_least_ms or 0, whole // 2 + chance.randrange(whole // 2 + 1))


def after_failure(item: Waiting, error: SendError, channel: Channel, *, other: str) -> Next:
    """Only what surely did not arrive is tried again, so that nobody is told twice.

    Where it may have arrived (`unsure`), a critical alert still goes to the next channel: a second message in
    another place (`other`, "" if there is none) is better than none. A channel may ask for `retry_unsure`, where a
    repeat does no harm.
    """
    again = error.reason in RETRIED or (error.reason == "unsure" and channel.retry_unsure)
    if error.reason == "unsure" and not again:
        return "failover" if other and item.critical else "give_up"
    if again and item.attempt < MAX_TRIES:
        impatient = item.critical and (error.retry_after_ms or 0) > PATIENCE_MS
        return "failover" if other and impatient else "retry"
    return "failover" if other else "give_up"
