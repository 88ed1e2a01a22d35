"""What can be read off a ticket's clocks: their state at an instant, and every moment of their life."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from sla.clock import RUNNING, Cycle, Ticket
from sla.policy import ClockName, Policy

State = Literal["met", "breached", "running"]
MomentKind = Literal["warning", "breach", "met", "stopped"]


class ClockState(NamedTuple):
    """A clock as it stands at an instant. `cycle` counts the runs of `next_response` from 1, else it is 0."""

    clock: ClockName
    cycle: int
    policy: Policy
    elapsed_ms: int
    state: State
    breached_at: int | None
    warned_at: int | None
    started_at: int
    stopped_at: int | None

    @property
    def target_ms(self) -> int:
        return self.policy.target_ms


class Moment(NamedTuple):
    """Something that happens to a clock. `met`: it stops unbreached; `stopped`: it stops after its breach."""

    at_ms: int
    clock: ClockName
    cycle: int
    kind: MomentKind
    elapsed_ms: int
    policy: Policy


def clocks(ticket: Ticket, end_ms: int) -> list[ClockState]:
    """The clocks as if `end_ms` were the end (E1): what is due by it has happened, nothing later has.

    In the order first_response, next_response by cycle, resolution; none before `created`.
    """
    ticket = ticket.up_to(end_ms)
    start = ticket.created_at
    if start is None or start > end_ms:
        return []
    states: list[ClockState] = []
    policy = ticket.plan.first_response
    if policy is not None:
        run = Cycle(start, ticket.answered_at, ticket.first_warning, ticket.first_breach)
        states.append(_run_state("first_response", 0, policy, run, end_ms))
    policy = ticket.plan.next_response
    if policy is not None:
        for number, run in enumerate(ticket.cycles, start=1):
            states.append(_run_state("next_response", number, policy, run, end_ms))
    policy = ticket.plan.resolution
    if policy is not None:
        elapsed_ms = ticket.worked_ms
        if ticket.phase == RUNNING:
            elapsed_ms += policy.calendar.elapsed_ms(ticket.running_since, end_ms)
        stopped_at = ticket.flips[-1] if len(ticket.flips) % 2 else None
        breached_at = _by(ticket.resolution_breach, end_ms)
        warned_at = _by(ticket.resolution_warning, end_ms)
        state = _state(breached_at, stopped_at)
        states.append(ClockState("resolution", 0, policy, elapsed_ms, state, breached_at, warned_at,
                                 start, stopped_at))  # fmt: skip
    return states


def moments(ticket: Ticket, after_ms: int) -> Iterator[Moment]:
    """Every moment after `after_ms`, also those that lie ahead if nothing else comes; in no order."""
    return (moment for moment in _moments(ticket, after_ms) if moment.at_ms > after_ms)


def next_moment(ticket: Ticket, after_ms: int) -> int | None:
    """The instant of the first moment after `after_ms`, given what is known; None if none lies ahead."""
    plan = ticket.plan
    ahead: list[int | None] = []
    if plan.first_response is not None:
        ahead += (ticket.first_warning, ticket.first_breach, ticket.answered_at)
    if plan.resolution is not None:
        ahead += (ticket.resolution_warning, ticket.resolution_breach)
        if ticket.flips:
            ahead += (at for at, _ in ticket.stops(after_ms))
    if plan.next_response is not None:
        for _, run in ticket.cycles_after(after_ms):
            ahead += (run.warning_due, run.breach_due, run.stopped_at)
    return min((at for at in ahead if at is not None and at > after_ms), default=None)


def _moments(ticket: Ticket, after_ms: int) -> Iterator[Moment]:
    """The same, with moments of clocks that also have later ones."""
    start = ticket.created_at
    if start is None:
        return
    policy = ticket.plan.first_response
    if policy is not None:
        run = Cycle(start, ticket.answered_at, ticket.first_warning, ticket.first_breach)
        yield from _run_moments("first_response", 0, policy, run)
    policy = ticket.plan.next_response
    if policy is not None:
        for number, run in ticket.cycles_after(after_ms):
            yield from _run_moments("next_response", number, policy, run)
    policy = ticket.plan.resolution
    if policy is not None:
        warning, breach = ticket.resolution_warning, ticket.resolution_breach
        if warning is not None:
            assert policy.warn_ms is not None
            yield Moment(warning, "resolution", 0, "warning", policy.warn_ms, policy)
        if breach is not None:
            yield Moment(breach, "resolution", 0, "breach", policy.target_ms, policy)
        for at, elapsed_ms in ticket.stops(after_ms):
            kind: MomentKind = "stopped" if breach is not None and breach <= at else "met"
            yield Moment(at, "resolution", 0, kind, elapsed_ms, policy)


def _run_state(clock: ClockName, cycle: int, policy: Policy, run: Cycle, end_ms: int) -> ClockState:
    until = end_ms if run.stopped_at is None else run.stopped_at
    elapsed_ms = policy.calendar.elapsed_ms(run.started_at, until)
    breached_at = _by(run.breach_due, end_ms)
    return ClockState(clock, cycle, policy, elapsed_ms, _state(breached_at, run.stopped_at), breached_at,
                      _by(run.warning_due, end_ms), run.started_at, run.stopped_at)  # fmt: skip


def _run_moments(clock: ClockName, cycle: int, policy: Policy, run: Cycle) -> Iterator[Moment]:
    if run.warning_due is not None:
        assert policy.warn_ms is not None
        yield Moment(run.warning_due, clock, cycle, "warning", policy.warn_ms, policy)
    if run.breach_due is not None:
        yield Moment(run.breach_due, clock, cycle, "breach", policy.target_ms, policy)
    if run.stopped_at is not None:
        elapsed_ms = policy.calendar.elapsed_ms(run.started_at, run.stopped_at)
        kind: MomentKind = "met" if run.breach_due is None else "stopped"
        yield Moment(run.stopped_at, clock, cycle, kind, elapsed_ms, policy)


def _by(due: int | None, end_ms: int) -> int | None:
    return due if due is not None and due <= end_ms else None


def _state(breached_at: int | None, stopped_at: int | None) -> State:
    if breached_at is not None:
        return "breached"  # B3
    return "running" if stopped_at is None else "met"
