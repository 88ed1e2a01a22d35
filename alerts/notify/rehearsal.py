"""Who would have been told when, of alerts of the past: the notifier's own decisions, with nothing sent.

Budgets and faults are left out, and nobody acknowledges but where the alerts say so: it is the most that people
would have heard.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from alerts.notify.bundling import plan
from alerts.notify.outbox import Outbox
from alerts.notify.state import State
from schemas.notify import NotifyConfig
from schemas.results import Alert

_ENOUGH = 1_000_000


class Page(NamedTuple):
    """A message that would have gone out."""

    at: int
    channel: str
    named: tuple[str, ...]  # the people mentioned
    alerts: tuple[Alert, ...]
    unclaimed_min: int  # above 0: a step of the escalation


def pages(
    config: NotifyConfig, alerts: Iterable[Alert], *, until_ms: int, phase_roster: Callable[[int], str] = lambda _: ""
) -> list[Page]:
    """The messages that alerts in time order would have made by an instant, in time order."""
    state = State()
    outbox = Outbox(config, state, phase_roster=phase_roster)
    found: list[Page] = []
    for alert in alerts:
        _pass(config, outbox, state, found, to_ms=alert.at)
        outbox.take(alert, now_ms=alert.at)
        _send(state, found, now_ms=alert.at)
    _pass(config, outbox, state, found, to_ms=until_ms)
    return found


def _pass(config: NotifyConfig, outbox: Outbox, state: State, found: list[Page], *, to_ms: int) -> None:
    """What bundles and escalations bring up to an instant, each at its own."""
    while True:
        dues = [one.not_before for one in state.waiting]
        for one in state.unclaimed.values():
            escalation = config.escalations.get(one.escalation)
            dues += [one.since_ms + step.after_ms for step in (escalation.steps[one.done :] if escalation else ())]
        now_ms = min(dues, default=to_ms + 1)
        if now_ms > to_ms:
            return
        outbox.escalate(now_ms=now_ms)
        _send(state, found, now_ms=now_ms)


def _send(state: State, found: list[Page], *, now_ms: int) -> None:
    for channel in sorted({one.channel for one in state.waiting}):
        mine = [one for one in state.waiting if one.channel == channel]
        for batch in plan(mine, now_ms=now_ms, free=_ENOUGH, free_critical=_ENOUGH):
            named = dict.fromkeys(name for one in batch.items for name in one.named)
            alerts = tuple(one.alert for one in batch.items)
            found.append(Page(now_ms, channel, tuple(named), alerts, max(one.unclaimed_min for one in batch.items)))
            for one in batch.items:
                state.waiting.remove(one)
                state.heard.setdefault(one.alert.alert_id, []).append(channel)
