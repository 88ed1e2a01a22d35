"""What Alertmanager holds is sent when it changes and again before it ends there; pure but for `send_due`."""

import random
from collections.abc import Callable, Mapping

from alerts.notify.alertmanager import Alertmanager
from alerts.notify.budget import Budget
from alerts.notify.errors import SendError
from alerts.notify.message import Message
from alerts.notify.retrying import wait_ms
from alerts.notify.state import Active, State
from schemas.instants import Clock
from schemas.results import Alert, Delivery

AT_ONCE = 200  # alerts a request


def due(held: Mapping[str, Active], *, now_ms: int, resend_ms: int) -> list[str]:
    """The ids of alerts to send: what is new first, then what was sent long enough ago."""
    old = [key for key, one in held.items() if not one.sent_ms or one.sent_ms + resend_ms <= now_ms]
    return sorted(old, key=lambda key: (held[key].sent_ms, held[key].alert.at))[:AT_ONCE]


class Holding:
    """Keeps one Alertmanager up to date."""

    def __init__(self, sender: Alertmanager, budget: Budget, state: State, chance: random.Random) -> None:
        self.channel = sender.channel
        self._sender = sender
        self._budget = budget
        self._state = state
        self._chance = chance
        self._failures = 0

    async def send_due(self, *, now_ms: int, clock: Clock, message_of: Callable[[Alert], Message]) -> list[Delivery]:
        """One request with all that is due; the rows of what is new."""
        channel = self.channel
        held = self._state.active.get(channel.name, {})
        if now_ms < self._budget.shut_until:
            return []
        due_now = {key: held[key] for key in due(held, now_ms=now_ms, resend_ms=channel.resend_ms)}
        if not due_now:
            return []
        new = {key: one for key, one in due_now.items() if not one.sent_ms}
        began = clock.now_ms()
        try:
            told = [message_of(one.alert) for one in due_now.values() if "muted" not in one.alert.evidence]
            ended = [gone for one in due_now.values() for gone in one.ended]
            await self._sender.send_all(told, ended=ended, now_ms=now_ms)
        except SendError as error:
            return self._failed(new, error, now_ms=now_ms, took_ms=clock.now_ms() - began)
        self._failures = 0
        took = clock.now_ms() - began
        rows = [self._row(one.alert, "sent", now_ms, took) for one in new.values() if "muted" not in one.alert.evidence]
        self._sent(due_now, now_ms)
        return rows

    def _failed(self, new: Mapping[str, Active], error: SendError, *, now_ms: int, took_ms: int) -> list[Delivery]:
        """It is sent again all the same, since it is a state and not a message."""
        self._failures += 1
        pause = wait_ms(self._failures, self._chance, at_least_ms=error.retry_after_ms)
        self._budget.shut(now_ms + pause)
        return [self._row(one.alert, "retry", now_ms, took_ms, str(error)) for one in new.values()]

    def _sent(self, due_now: Mapping[str, Active], now_ms: int) -> None:
        held = self._state.active[self.channel.name]
        for key, one in due_now.items():
            if one.alert.status == "resolved" or "muted" in one.alert.evidence:
                if held.get(key) is one:
                    del held[key]
            else:
                one.sent_ms, one.ended = now_ms, []

    def _row(self, alert: Alert, outcome: str, at_ms: int, took_ms: int, detail: str = "") -> Delivery:
        name = self.channel.name
        return self._state.row(alert, name, outcome, at_ms=at_ms, duration_ms=took_ms, detail=detail)
