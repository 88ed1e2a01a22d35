"""What the notifier counts, and how it is shown to metrics and health checks: plain numbers, no names of people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from alerts.notify.budget import NO_LIMIT, Budget
from alerts.notify.bundling import Waiting
from schemas.notify import Channel, ChannelKind
from schemas.results import Delivery


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelFigures:
    """One channel at one moment; counts are since the notifier began, of transitions unless said otherwise."""

    kind: ChannelKind
    messages: int  # that the channel took; several transitions may share one
    digests: int  # messages, of those, that told of several alerts
    sent: int
    failed: int  # given up
    unsure: int  # given up, may have arrived
    retried: int  # tries that failed and are to be tried again
    failed_over: int  # handed to the next channel
    muted: int  # by a silence, a snooze, quiet hours or a storm's digest
    superseded: int  # replaced by newer news of the same alert
    waiting: int  # not told yet, for whatever reason
    held_back: int  # of these: due, but the budget or a channel that is shut does not let them go
    oldest_held_ms: int  # for how long the oldest of them has been due
    tokens_left: int | None  # messages that may go out now if critical; None: no limit
    tokens_left_ordinary: int | None  # if not critical: without what is kept back
    month_sent: int
    month_quota: int | None
    shut_ms: int  # for how long nothing may go out


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifierSnapshot:
    """The notifier at one moment."""

    channels: dict[str, ChannelFigures]
    unrouted: int  # transitions that no route took
    unclaimed: int  # alerts with an escalation that nobody has claimed
    escalated: int  # steps of escalations that were due so far
    unwritten: int  # rows that the delivery log has not taken yet


@dataclass(slots=True)
class Counts:
    """What was counted so far."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # channel, outcome
    messages: Counter[str] = field(default_factory=Counter)
    digests: Counter[str] = field(default_factory=Counter)

    def log(self, rows: Iterable[Delivery]) -> None:
        """Count rows of the delivery log."""
        self.outcomes.update((row.channel, row.outcome) for row in rows)

    def took(self, channel: str, *, items: int) -> None:
        """Count a message that a channel took, with so many transitions in it."""
        self.messages[channel] += 1
        self.digests[channel] += items > 1

    def of(self, channel: Channel, budget: Budget, waiting: Iterable[Waiting], now_ms: int) -> ChannelFigures:
        """How one channel stands; `waiting`: all that waits, whatever its channel."""
        mine = [one for one in waiting if one.channel == channel.name]
        due = [one.not_before for one in mine if one.not_before <= now_ms]
        free, ordinary = (budget.free(now_ms, critical=critical) for critical in (True, False))
        month_sent, month_quota = budget.month(now_ms)

        def count(outcome: str) -> int:
            return self.outcomes[channel.name, outcome]

        return ChannelFigures(
            kind=channel.kind, messages=self.messages[channel.name], digests=self.digests[channel.name],
            sent=count("sent"), failed=count("failed"), unsure=count("unsure"), retried=count("retry"),
            failed_over=count("failover"), muted=count("muted"), superseded=count("superseded"),
            waiting=len(mine), held_back=len(due), oldest_held_ms=now_ms - min(due, default=now_ms),
            tokens_left=None if free >= NO_LIMIT else free,
            tokens_left_ordinary=None if ordinary >= NO_LIMIT else ordinary,
            month_sent=month_sent, month_quota=month_quota, shut_ms=max(0, budget.shut_until - now_ms),
        )  # fmt: skip
