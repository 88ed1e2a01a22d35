"""What is told of a clock when something happens to it, and what a late step makes one take back."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from sla.clock import Dims, Ticket
from sla.policy import CLOCKS, FIELDS, ClockName
from sla.verdict import Moment, MomentKind, moments

TransitionKind = Literal["warning", "breach", "met", "stopped", "corrected"]

QUEUE: Final = FIELDS.index("queue")
_RANK: Final = {"corrected": 0, "warning": 1, "breach": 2, "met": 3, "stopped": 3}


class Transition(msgspec.Struct, frozen=True, gc=False):
    """What happened to a clock, at the instant itself. `corrected` takes back the `corrects` at `at_ms`.

    `met`: the clock stopped unbreached; `stopped`: it stopped after its breach. `dims` are in the order of
    `sla.policy.FIELDS`. `cycle` counts the runs of `next_response` from 1, else it is 0.
    """

    ticket_id: str
    clock: ClockName
    cycle: int
    kind: TransitionKind
    at_ms: int
    elapsed_ms: int
    target_ms: int
    policy: str
    policy_version: str
    calendar: str
    calendar_version: str
    dims: Dims
    corrects: MomentKind | None = None

    @property
    def queue(self) -> str:
        """The ticket's queue at its `created`."""
        return self.dims[QUEUE]


def transition_of(ticket_id: str, dims: Dims, moment: Moment) -> Transition:
    """A moment that has come, told."""
    policy = moment.policy
    return Transition(
        ticket_id, moment.clock, moment.cycle, moment.kind, moment.at_ms, moment.elapsed_ms, policy.target_ms,
        policy.name, policy.version, policy.calendar.name, policy.calendar.version, dims,
    )  # fmt: skip


def passed(ticket_id: str, ticket: Ticket, until_ms: int, *, after_ms: int = -1) -> list[Transition]:
    """The ticket's transitions with `after_ms` < at <= `until_ms`, in no order."""
    return [transition_of(ticket_id, ticket.dims, moment) for moment in moments(ticket, after_ms)
            if moment.at_ms <= until_ms]  # fmt: skip


def differences(told: Iterable[Transition], true: Iterable[Transition]) -> list[Transition]:
    """What makes true of what was told: first what is taken back, then what is new, each in order (A2)."""
    told_by_key = {_identity(transition): transition for transition in told}
    true_by_key = {_identity(transition): transition for transition in true}
    wrong = [_correction(transition) for key, transition in told_by_key.items() if key not in true_by_key]
    new = [transition for key, transition in true_by_key.items() if key not in told_by_key]
    return sorted(wrong, key=order) + sorted(new, key=order)


def order(transition: Transition) -> tuple[int, str, int, int, int]:
    """By instant, ticket, clock and cycle; a warning before its breach (B4), a breach before the stop."""
    return (transition.at_ms, transition.ticket_id, CLOCKS.index(transition.clock), transition.cycle,
            _RANK[transition.kind])  # fmt: skip


def _identity(transition: Transition) -> tuple[object, ...]:
    return (transition.clock, transition.cycle, transition.kind, transition.at_ms, transition.elapsed_ms,
            transition.policy_version)  # fmt: skip


def _correction(transition: Transition) -> Transition:
    assert transition.kind != "corrected"
    return msgspec.structs.replace(transition, kind="corrected", corrects=transition.kind)
