"""Until somebody claims an alert, more people hear of it: person, second, lead, each after a time.

Pure: what is due is a function of what happened and of the time; a step is due once.
"""

from collections.abc import Iterable, Mapping

import msgspec

from schemas.notify import Escalation, Step
from schemas.results import Alert


class Unclaimed(msgspec.Struct):
    """An alert that nobody has claimed yet."""

    alert: Alert  # as it was last said
    escalation: str
    channels: list[str]  # of its route
    since_ms: int  # when people were first told, by the wall clock
    done: int = 0  # steps told
    roster: str = ""  # the route's


def after(
    states: Mapping[str, Unclaimed], alert: Alert, *, now_ms: int, escalation: str, channels: Iterable[str],
    roster: str = "",
) -> Unclaimed | None:  # fmt: skip
    """The state that an alert's transition leaves: None when it is claimed, over or muted."""
    over = alert.status == "resolved" or "acknowledged" in alert.evidence or "muted" in alert.evidence
    if over or not escalation:
        return None
    old = states.get(alert.alert_id)
    if old is None or old.escalation != escalation:
        return Unclaimed(alert, escalation, list(channels), now_ms, roster=roster)
    return Unclaimed(alert, escalation, list(channels), old.since_ms, old.done, roster)


def due(state: Unclaimed, escalation: Escalation, *, now_ms: int) -> tuple[Step, ...]:
    """The steps whose time has come and that were not told; late ones all at once."""
    rest = escalation.steps[state.done :]
    return tuple(step for step in rest if state.since_ms + step.after_ms <= now_ms)


def next_ms(state: Unclaimed, escalation: Escalation) -> int | None:
    """When the next step is due; None after the last."""
    rest = escalation.steps[state.done :]
    return state.since_ms + rest[0].after_ms if rest else None
