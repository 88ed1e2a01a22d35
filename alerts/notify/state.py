"""All that the notifier has to remember across a restart, as one value."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from alerts.notify.bundling import Waiting, transition_of
from alerts.notify.escalation import Unclaimed
from schemas.results import Alert, Delivery

REMEMBERED_MS: Final = 3 * 86_400_000  # a transition is not read again after so long
MAX_REMEMBERED: Final = 200_000
FINAL: Final = frozenset({"sent", "failed", "unsure", "muted", "skipped", "superseded"})


class Active(msgspec.Struct):
    """An alert that Alertmanager holds, or is to hold."""

    alert: Alert
    sent_ms: int = 0  # 0: what is new of it has not been sent
    ended: list[Alert] = []  # it under labels of before, to be ended there


class State(msgspec.Struct):
    """Keys are `alert|at|status` (a transition), with `|channel` where it is about one channel."""

    told: dict[str, int] = {}  # transitions taken, and when
    done: dict[str, int] = {}  # transition and channel: it was sent or given up
    rows: dict[str, int] = {}  # transition and channel: rows in the delivery log
    heard: dict[str, list[str]] = {}  # by alert: the channels that were told that it fires
    waiting: list[Waiting] = []
    unclaimed: dict[str, Unclaimed] = {}
    active: dict[str, dict[str, Active]] = {}  # by channel and alert
    budgets: dict[str, dict[str, Any]] = {}

    def row(
        self, alert: Alert, channel: str, outcome: str, *, at_ms: int, duration_ms: int = 0, detail: str = ""
    ) -> Delivery:
        """A line of the delivery log; lines of one transition and channel are numbered."""
        place = f"{transition_of(alert)}|{channel}"
        self.rows[place] = attempt = self.rows.get(place, 0) + 1
        if outcome in FINAL:
            self.done[place] = at_ms
        return Delivery(
            alert_id=alert.alert_id, alert_at=alert.at, status=alert.status, channel=channel, attempt=attempt,
            at=at_ms, outcome=outcome, duration_ms=duration_ms, detail=detail,
        )  # fmt: skip

    def forget(self, now_ms: int) -> None:
        """Drop what cannot come again."""
        old = [key for key, at in self.told.items() if at < now_ms - REMEMBERED_MS]
        old += list(self.told)[: max(0, len(self.told) - len(old) - MAX_REMEMBERED)]
        for key in old:
            self.told.pop(key, None)
        known = self.told.keys()
        if old:
            self.done = {k: at for k, at in self.done.items() if k.rpartition("|")[0] in known}
            self.rows = {k: number for k, number in self.rows.items() if k.rpartition("|")[0] in known}


def load_state(dumped: Mapping[str, Any]) -> State:
    """What `msgspec.to_builtins` made of a state."""
    return msgspec.convert(dumped, State)
