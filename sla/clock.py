"""A ticket's clocks, folded from its steps by the rules of SLA.md; whoever asks says how far time has come.

What is due is worked out ahead: when a warning or breach happens if nothing else comes. A step that stops or
rests a clock takes back what is due after it, so "has it happened by T" is always `due <= T`.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sla.policy import Policy
from sla.step import (
    CREATED,
    CUSTOMER,
    PENDING,
    RECORD_BYTES,
    REOPENED,
    REPLY,
    RESUMED,
    STOP,
    at_of,
    insert,
    steps_of,
)

RUNNING: Final = 0
RESTING: Final = 1  # pending
STOPPED: Final = 2

Dims = tuple[str, ...]
"""Values of `sla.policy.FIELDS`, in that order."""


class Plan(NamedTuple):
    """A ticket's policies, chosen at its `created`; None: no such clock."""

    first_response: Policy | None = None
    resolution: Policy | None = None
    next_response: Policy | None = None


class Cycle(NamedTuple):
    """One run of unanswered messages; `stopped_at` is None while it is unanswered."""

    started_at: int
    stopped_at: int | None
    warning_due: int | None
    breach_due: int | None


class Milestones(NamedTuple):
    """What the customer lived through, whatever the policies; windows count it.

    `first_response_at`: a person's first reply, None if the ticket was resolved before one.
    `flips`: effective resolutions and reopenings in turn, the first a resolution.
    """

    created_at: int
    first_response_at: int | None
    flips: tuple[int, ...]

    @property
    def resolved_at(self) -> tuple[int, ...]:
        """Every effective resolution."""
        return self.flips[0::2]

    @property
    def reopened_at(self) -> tuple[int, ...]:
        """Every effective reopening."""
        return self.flips[1::2]

    @property
    def is_open(self) -> bool:
        """Whether the ticket is open after all steps known."""
        return len(self.flips) % 2 == 0


NO_PLAN: Final = Plan()
_LONG = 80 * RECORD_BYTES  # from here on appending to bytes costs more than a bytearray weighs


class Ticket:
    """One ticket: its steps, and what they make of its clocks. Steps may arrive in any order."""

    __slots__ = (
        "answered_at", "created", "created_at", "cycles", "dims", "first_breach", "first_warning", "flips",
        "phase", "plan", "replied", "resolution_breach", "resolution_warning", "running_since", "steps",
        "timer", "worked_at_stop", "worked_ms",
    )  # fmt: skip

    def __init__(self) -> None:
        self.steps: bytes | bytearray = b""  # records of all steps but `created`, sorted
        self.created = b""  # the record of the earliest `created`
        self.dims: Dims = ()
        self.plan = NO_PLAN
        self.timer: int | None = None  # the instant of this ticket's entry in the timers' heap
        self.created_at: int | None = None
        self._clear()

    def add(self, record: bytes, code: int, at_ms: int) -> None:
        """Take a step other than `created`."""
        if not self.steps or record > self.steps[-RECORD_BYTES:]:
            if len(self.steps) >= _LONG and isinstance(self.steps, bytes):
                self.steps = bytearray(self.steps)
            self.steps += record
            if self.created_at is not None:
                self._apply(code, max(at_ms, self.created_at))
        else:
            self.steps = insert(self.steps, record)
            self._fold()

    def create(self, record: bytes, at_ms: int, dims: Dims, plan: Plan) -> None:
        """Take a `created`. The earliest counts (O6): the caller asks `is_created_by` first."""
        self.created, self.created_at, self.dims, self.plan = record, at_ms, dims, plan
        self._fold()

    def is_created_by(self, record: bytes) -> bool:
        """Whether a `created` with this record would count."""
        return not self.created or record < self.created

    def milestones(self) -> Milestones | None:
        """None while `created` has not arrived (O4)."""
        if self.created_at is None:
            return None
        return Milestones(self.created_at, self.answered_at if self.replied else None, self.flips)

    def up_to(self, end_ms: int) -> "Ticket":
        """The ticket as if nothing dated after `end_ms` were known; itself, if nothing is."""
        if not self.steps or at_of(self.steps[-RECORD_BYTES:]) <= end_ms:
            return self
        kept = sum(at <= end_ms for at, _ in steps_of(self.steps))
        past = Ticket()
        past.created, past.created_at = self.created, self.created_at
        past.dims, past.plan = self.dims, self.plan
        past.steps = self.steps[: kept * RECORD_BYTES]
        past._fold()
        return past

    def cycles_after(self, after_ms: int) -> Iterator[tuple[int, Cycle]]:
        """The cycles that ended after `after_ms` or have not, the last first, with their numbers from 1."""
        for number in range(len(self.cycles), 0, -1):
            stopped_at = self.cycles[number - 1].stopped_at
            if stopped_at is not None and stopped_at <= after_ms:
                return
            yield number, self.cycles[number - 1]

    def stops(self, after_ms: int) -> Iterator[tuple[int, int]]:
        """Every stop of the resolution clock after `after_ms`, the last first, and the time elapsed at it."""
        for number in range(len(self.worked_at_stop) - 1, -1, -1):
            if self.flips[2 * number] <= after_ms:
                return
            yield self.flips[2 * number], self.worked_at_stop[number]

    def _clear(self) -> None:
        self.answered_at: int | None = None  # when the first_response clock stopped
        self.replied = False  # and whether a person's reply did it
        self.phase = RUNNING
        self.running_since = 0
        self.worked_ms = 0  # of the resolution clock, up to `running_since` or to where it stands
        self.flips: tuple[int, ...] = ()
        self.worked_at_stop: tuple[int, ...] = ()
        self.first_warning: int | None = None
        self.first_breach: int | None = None
        self.resolution_warning: int | None = None
        self.resolution_breach: int | None = None
        self.cycles: tuple[Cycle, ...] = ()

    def _fold(self) -> None:
        self._clear()
        if self.created_at is None:
            return
        self._start()
        for at, code in steps_of(self.steps):
            self._apply(code, max(at, self.created_at))  # O5

    def _start(self) -> None:
        start = self.created_at
        assert start is not None
        policy = self.plan.first_response
        if policy is not None:
            self.first_warning, self.first_breach = _due(policy, start)
        self._run_from(start)

    def _apply(self, code: int, at: int) -> None:
        if code == REPLY:
            self._answer(at, replied=True)
        elif code == STOP:
            self._stop(at)
        elif code == PENDING:
            if self.phase == RUNNING:  # R3, R4
                self._settle(at)
                self.phase = RESTING
        elif code in (RESUMED, CUSTOMER):
            if self.phase == RESTING:
                self.phase = RUNNING
                self._run_from(at)
            if code == CUSTOMER and self.phase != STOPPED and self.plan.next_response is not None:
                self._ask(self.plan.next_response, at)
        elif code == REOPENED:
            if self.phase == STOPPED:  # R6
                self.phase = RUNNING
                self.flips += (at,)
                self._run_from(at)
        else:
            assert code != CREATED

    def _answer(self, at: int, *, replied: bool) -> None:
        if self.answered_at is None:  # F4
            self.answered_at = at
            self.replied = replied
            self.first_warning = _kept(self.first_warning, at)
            self.first_breach = _kept(self.first_breach, at)
        if self.cycles and self.cycles[-1].stopped_at is None:
            run = self.cycles[-1]
            ended = Cycle(run.started_at, at, _kept(run.warning_due, at), _kept(run.breach_due, at))
            self.cycles = (*self.cycles[:-1], ended)

    def _stop(self, at: int) -> None:
        self._answer(at, replied=False)
        if self.phase == STOPPED:  # R1
            return
        if self.phase == RUNNING:
            self._settle(at)
        self.phase = STOPPED  # R5
        self.flips += (at,)
        self.worked_at_stop += (self.worked_ms,)

    def _ask(self, policy: Policy, at: int) -> None:
        if not self.cycles or self.cycles[-1].stopped_at is not None:
            self.cycles += (Cycle(at, None, *_due(policy, at)),)

    def _settle(self, at: int) -> None:
        """The resolution clock rests at `at`; what fell due at that very instant has happened (B1)."""
        policy = self.plan.resolution
        if policy is not None:
            self.worked_ms += policy.calendar.elapsed_ms(self.running_since, at)
            self.resolution_warning = _kept(self.resolution_warning, at)
            self.resolution_breach = _kept(self.resolution_breach, at)

    def _run_from(self, at: int) -> None:
        self.running_since = at
        policy = self.plan.resolution
        if policy is None:
            return
        if self.resolution_breach is None:
            self.resolution_breach = policy.calendar.instant_after(at, policy.target_ms - self.worked_ms)
        if self.resolution_warning is None and policy.warn_ms is not None:
            self.resolution_warning = policy.calendar.instant_after(at, policy.warn_ms - self.worked_ms)


def _due(policy: Policy, start: int) -> tuple[int | None, int | None]:
    calendar = policy.calendar
    warning = None if policy.warn_ms is None else calendar.instant_after(start, policy.warn_ms)
    return warning, calendar.instant_after(start, policy.target_ms)


def _kept(due: int | None, at: int) -> int | None:
    return due if due is not None and due <= at else None
