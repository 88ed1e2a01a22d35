"""Who would have been told when, of alerts of the past: the notifier itself, over senders that keep what they get.

Event time stands in for the clock, every message arrives at once, and nobody acknowledges but where the alerts say
so: budgets, digests, bundles, rosters and escalation are as they would have been, faults are left out.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from alerts.notify.bundling import transition_of
from alerts.notify.message import Message
from alerts.notify.outbox import RINGS
from alerts.notify.pipeline import Notifier
from schemas.notify import Channel, NotifyConfig, Route, Secret
from schemas.notify_read import LIMITS
from schemas.results import Alert, Delivery

TICK_MS: Final = 1000  # as often as a worker looks


class Page(NamedTuple):
    """A message that would have gone out."""

    at: int
    channel: str
    named: tuple[str, ...]  # the people mentioned
    alerts: tuple[Alert, ...]  # the worst first
    title: str  # the message's first line
    unclaimed_min: int  # above 0: a step of the escalation
    held_ms: int  # the budget let the oldest news in it wait so long

    @property
    def rings(self) -> bool:
        """Whether somebody is to act: an alert is new or worse, or nobody has claimed it. Other messages are news."""
        return self.unclaimed_min > 0 or any(map(rings, self.alerts))


class Rehearsed(NamedTuple):
    """What would have been told of some alerts."""

    pages: tuple[Page, ...]  # in time order
    outcomes: dict[str, int]  # what became of the transitions, as in the delivery log
    muted: dict[str, int]  # transitions, by what muted them
    waiting: int  # transitions that had not gone out at the end


def rehearse(
    config: NotifyConfig, alerts: Iterable[Alert], *, until_ms: int, phase_roster: Callable[[int], str] = lambda _: ""
) -> Rehearsed:
    """The messages that alerts in time order would have made by an instant. The same input gives the same messages."""
    return asyncio.run(_run(config, alerts, until_ms=until_ms, phase_roster=phase_roster))


def one_group() -> NotifyConfig:
    """What stands in for a notify.yaml: one group chat that hears of everything, with a bot's usual limits."""
    chat = Channel(name="chat", kind="dingtalk", url=Secret("https://rehearsal.invalid"), limits=LIMITS["dingtalk"],
                   reserve=LIMITS["dingtalk"][0][0] // 4)  # fmt: skip
    return NotifyConfig(channels={chat.name: chat}, routes=(Route(channels=(chat.name,)),))


class _EventClock:
    """Shows the event time that has been reached."""

    def __init__(self) -> None:
        self.at_ms = 0

    def now_ms(self) -> int:
        return self.at_ms

    async def sleep(self, ms: int) -> None:
        self.at_ms += ms


class _Keeper:
    """A sender that keeps what it is given."""

    def __init__(self, channel: Channel, kept: list[tuple[str, Message]]) -> None:
        self.channel = channel
        self._kept = kept

    def fits(self, message: Message) -> bool:
        return len(message.body.encode()) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        self._kept.append((self.channel.name, message))


class _Log:
    """The delivery log, counted."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.muted: Counter[str] = Counter()

    async def __call__(self, rows: Sequence[Delivery]) -> None:
        self.outcomes.update(row.outcome for row in rows)
        self.muted.update(row.detail for row in rows if row.outcome == "muted")


async def _run(
    config: NotifyConfig, alerts: Iterable[Alert], *, until_ms: int, phase_roster: Callable[[int], str]
) -> Rehearsed:
    clock, log = _EventClock(), _Log()
    kept: list[tuple[str, Message]] = []
    notifier = Notifier(
        config, clock=clock, record=log, chance=random.Random(0), phase_roster=phase_roster,
        senders={name: _Keeper(channel, kept) for name, channel in config.channels.items()},
    )  # fmt: skip
    found: list[Page] = []
    held: dict[str, int] = {}  # transition and channel: due since

    def note() -> None:
        now_ms = clock.at_ms
        found.extend(_page(channel, message, held, now_ms) for channel, message in kept)
        kept.clear()
        still = notifier.held(now_ms)
        for place in [one for one in held if one not in still]:
            del held[place]
        for place in still:
            held.setdefault(place, now_ms)

    async def go_to(to_ms: int) -> None:
        while (due := notifier.next_ms(clock.at_ms)) is not None and due <= to_ms:
            clock.at_ms = due if due > clock.at_ms else clock.at_ms + TICK_MS
            await notifier.tick(clock.at_ms)
            note()

    for alert in alerts:
        await go_to(alert.at)
        clock.at_ms = max(clock.at_ms, alert.at)
        await notifier.notify(alert)
        note()
    await go_to(until_ms)
    waiting = sum(one.waiting for one in notifier.figures().channels.values())
    return Rehearsed(tuple(found), dict(log.outcomes), dict(log.muted), waiting)


def _page(channel: str, message: Message, held: dict[str, int], now_ms: int) -> Page:
    since = [held.get(f"{transition_of(one)}|{channel}", now_ms) for one in message.alerts]
    return Page(
        now_ms, channel, tuple(one.name for one in message.mentions), message.alerts, message.title,
        message.unclaimed_min, now_ms - min(since, default=now_ms),
    )  # fmt: skip


def rings(alert: Alert) -> bool:
    """Whether a transition asks somebody to act: it is new, worse, back or no longer muted."""
    return alert.severity != "info" and (alert.status == "firing" or alert.reason in RINGS)
