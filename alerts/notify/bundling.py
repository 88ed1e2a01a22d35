"""Many messages as few: alerts of one queue's tickets wait for each other, and a tight budget makes digests.

Pure: what is bundled follows from what waits, the tokens that are left and the time.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from schemas.notify import Route
from schemas.results import Alert, AlertSeverity

RANK: Final[Mapping[AlertSeverity, int]] = {"info": 0, "warning": 1, "critical": 2}


class Waiting(msgspec.Struct):
    """A transition that is to be told to one channel."""

    alert: Alert
    channel: str
    not_before: int  # by the wall clock
    named: list[str] = []  # the people to mention
    tried: list[str] = []  # channels that failed before this one
    attempt: int = 0  # failed attempts on this channel
    bundle: str = ""  # what it waits together with
    unclaimed_min: int = 0  # of a step of the escalation: for how long nobody has claimed it

    @property
    def critical(self) -> bool:
        """Whether it may use the tokens that are kept back."""
        return self.alert.severity == "critical" or self.unclaimed_min > 0


class Batch(NamedTuple):
    """What goes out as one message."""

    items: tuple[Waiting, ...]

    @property
    def critical(self) -> bool:
        """Whether anything in it is."""
        return any(item.critical for item in self.items)


def transition_of(alert: Alert) -> str:
    """What tells two transitions apart, here as in the store."""
    return f"{alert.alert_id}|{alert.at}|{alert.status}"


def bundle_of(alert: Alert, route: Route) -> str:
    """The name of the bundle that an alert of a single ticket waits in; "" for all others.

    A critical one waits for nobody: a rule made it critical so that somebody acts on this very ticket.
    """
    if "ticket_id" not in alert.labels or alert.severity == "critical" or not route.bundle_ms:
        return ""
    return "|".join((alert.kind, str(alert.evidence.get("queue", "")), alert.labels.get("clock", ""), alert.status))


def plan(waiting: Iterable[Waiting], *, now_ms: int, free: int, free_critical: int) -> list[Batch]:
    """What to send now over one channel, the critical ones first, in at most as many messages as are free.

    `free` are the tokens for ordinary alerts, `free_critical` those for critical ones (which hold the former).
    What finds no token stays. Where tokens are short, ordinary ones go as one digest, so that a flood does not
    ring once for each token; of critical ones only those beyond the last token share a message.
    """
    ready = [one for one in waiting if one.not_before <= now_ms]
    critical = sorted((one for one in ready if one.critical), key=_order)
    ordinary = _bundles(one for one in ready if not one.critical)
    batches = _fit([Batch((one,)) for one in critical], free_critical)
    left = min(free, free_critical - len(batches))
    if len(ordinary) > left:
        ordinary = [Batch(tuple(item for batch in ordinary for item in batch.items))]
    return batches + (ordinary if left > 0 else [])


def superseded(waiting: Iterable[Waiting], new: Waiting) -> list[Waiting]:
    """What need not be told any more since something newer of the same alert goes to the same channel.

    A step of the escalation stays unless the alert is claimed or over: who was to hear of it has not yet.
    """
    alert = new.alert
    settled = alert.status == "resolved" or "acknowledged" in alert.evidence
    return [
        one for one in waiting
        if one.channel == new.channel and one.alert.alert_id == alert.alert_id and one.alert.at <= alert.at
        and (settled or (one.unclaimed_min == 0 and new.unclaimed_min == 0))
    ]  # fmt: skip


def _fit(batches: list[Batch], free: int) -> list[Batch]:
    if free <= 0:
        return []
    if len(batches) <= free:
        return batches
    alone, rest = batches[: free - 1], batches[free - 1 :]
    return [*alone, Batch(tuple(item for batch in rest for item in batch.items))]


def _bundles(ready: Iterable[Waiting]) -> list[Batch]:
    """Bundles as one batch each, everything else alone; in order of severity and time."""
    found: dict[str, list[Waiting]] = {}
    for number, one in enumerate(sorted(ready, key=_order)):
        found.setdefault(one.bundle or f"#{number}", []).append(one)
    return [Batch(tuple(items)) for items in found.values()]


def _order(one: Waiting) -> tuple[int, int, str]:
    return -RANK[one.alert.severity], one.alert.at, one.alert.alert_id
