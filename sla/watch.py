"""The stage that watches all tickets: steps and the passing of time in, what happened to clocks out.

Whatever the order of arrival and of ticks, what has fired less what was corrected is a function of the steps
known and of the highest watermark. Which events count and how far time has come is for the engine to say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from zlib import crc32

from sla.clock import STOPPED, Dims, Milestones, Plan, Ticket
from sla.definition import define, restore
from sla.forecast import FORECAST_MS, BreachWave, Counts, ways
from sla.policy import FIELDS, ClockName, Policy, choose
from sla.promises import Promises
from sla.step import CREATED, RECORD_BYTES, Step, at_of, code_of, record_of
from sla.timers import Timers
from sla.transition import Transition, differences, order, passed
from sla.verdict import ClockState, State, clocks, next_moment

BUCKETS: Final = 1024
_PAGE_FORMAT = 1
_MOST_SHARED = 100_000  # dimension tuples that are kept to be shared among tickets


class Outcome(NamedTuple):
    """What a step did to moments that have passed already, and to the ticket's milestones, if anything."""

    transitions: Sequence[Transition] = ()
    before: Milestones | None = None
    after: Milestones | None = None


class SlaLine(NamedTuple):
    """A clock at the end, as `--sla` shows it."""

    ticket_id: str
    clock: ClockName
    cycle: int
    policy: str
    target_ms: int
    elapsed_ms: int
    state: State
    breached_at: int | None
    warned_at: int | None


NOTHING: Final = Outcome()


class SlaWatch:
    """All tickets of one engine. After every call, all that is due by the watermark has been given out."""

    def __init__(self, policies: Iterable[Policy] | Promises, *, buckets: int = BUCKETS) -> None:
        self._buckets: list[dict[str, Ticket]] = [{} for _ in range(buckets)]
        self._timers = Timers()
        self._wave = BreachWave()
        self._watermark_ms = -1
        self._dims: dict[Dims, Dims] = {}
        self._plans: dict[tuple[int, Dims], Plan] = {}  # by offer
        self._known: dict[str, Policy] = {}
        self.dirty: set[int] = set()
        self.reload(policies)

    @property
    def watermark_ms(self) -> int:
        """All moments at or before it have been given out; -1 before the first `advance`."""
        return self._watermark_ms

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def reload(self, policies: Iterable[Policy] | Promises) -> None:
        """Choose from these policies from now on; tickets keep those they were given (P1)."""
        self._promises = policies if isinstance(policies, Promises) else Promises(policies)
        self._known.update((policy.version, policy) for policy in self._promises)
        self._plans.clear()

    def bucket_of(self, ticket_id: str) -> int:
        """The same for one id on every machine and in every run."""
        return crc32(ticket_id.encode("utf-8", "surrogatepass")) % len(self._buckets)

    def add_step(self, ticket_id: str, step: Step, fields: Mapping[str, str] | None = None) -> Outcome:
        """Take a step, in any order. `fields` are those of the event; only `created` reads them."""
        code = code_of(step)
        if not code:
            return NOTHING
        number = self.bucket_of(ticket_id)
        bucket = self._buckets[number]
        ticket = bucket.get(ticket_id)
        record = record_of(step, code)
        if code == CREATED and ticket is not None and not ticket.is_created_by(record):
            return NOTHING
        if ticket is None:
            ticket = bucket[ticket_id] = Ticket()
        self.dirty.add(number)
        before, dims_before = ticket.milestones(), ticket.dims
        ways_before = ways(ticket)
        # A step dated after the watermark changes nothing that was given out.
        late = step.at_ms <= self._watermark_ms
        told = passed(ticket_id, ticket, self._watermark_ms) if late else []
        if code == CREATED:
            dims = self._shared_dims(fields or {})
            ticket.create(record, step.at_ms, dims, self._plan(dims, step.at_ms))
        else:
            ticket.add(record, code, step.at_ms)
        if ticket.created_at is None:
            return NOTHING
        ways_after = ways(ticket)
        if ways_after != ways_before:
            self._wave.leave(ways_before)
            self._wave.enter(ways_after)
        changes = differences(told, passed(ticket_id, ticket, self._watermark_ms)) if late else ()
        self._timers.want(ticket_id, ticket, next_moment(ticket, self._watermark_ms))
        after = ticket.milestones()
        unchanged = before == after and dims_before == ticket.dims and not changes
        return NOTHING if unchanged else Outcome(changes, before, after)

    def advance(self, watermark_ms: int) -> list[Transition]:
        """All that falls due after the last watermark and by this one, ordered by instant and ticket."""
        if watermark_ms <= self._watermark_ms:
            return []
        self._watermark_ms = watermark_ms
        self._wave.pass_by(watermark_ms)
        fallen: list[Transition] = []
        for due_ms, ticket_id in self._timers.due(watermark_ms):
            number = self.bucket_of(ticket_id)
            ticket = self._buckets[number].get(ticket_id)
            if ticket is None or ticket.timer != due_ms:
                self._timers.came_out_stale()
                continue
            ticket.timer = None
            come = passed(ticket_id, ticket, watermark_ms, after_ms=due_ms - 1)
            if come:
                fallen += come
                self.dirty.add(number)
            self._timers.want(ticket_id, ticket, next_moment(ticket, watermark_ms))
        self._tidy()
        fallen.sort(key=order)
        return fallen

    def clocks(self, ticket_id: str, end_ms: int) -> list[ClockState]:
        """The ticket's clocks as if `end_ms` were the end; none if it is unknown or not created."""
        ticket = self._buckets[self.bucket_of(ticket_id)].get(ticket_id)
        return [] if ticket is None else clocks(ticket, end_ms)

    def milestones(self, ticket_id: str) -> Milestones | None:
        """What the customer lived through; None if the ticket is unknown or not created."""
        ticket = self._buckets[self.bucket_of(ticket_id)].get(ticket_id)
        return None if ticket is None else ticket.milestones()

    def dims_of(self, ticket_id: str) -> Dims | None:
        """The fields of the ticket's `created`; None while that has not arrived."""
        ticket = self._buckets[self.bucket_of(ticket_id)].get(ticket_id)
        return None if ticket is None or ticket.created_at is None else ticket.dims

    def final_lines(self, end_ms: int) -> Iterator[SlaLine]:
        """Every clock of every ticket as at the end (E1), by ticket id, clock and cycle."""
        for ticket_id in sorted(ticket_id for bucket in self._buckets for ticket_id in bucket):
            for state in clocks(self._buckets[self.bucket_of(ticket_id)][ticket_id], end_ms):
                yield SlaLine(ticket_id, state.clock, state.cycle, state.policy.name, state.policy.target_ms,
                              state.elapsed_ms, state.state, state.breached_at, state.warned_at)  # fmt: skip

    def forecast(self, now_ms: int, horizons_ms: Sequence[int] = FORECAST_MS) -> Counts:
        """How many clocks breach in (now, now + horizon] if nothing else comes, by (queue, clock, horizon).

        `now_ms`, the watermark or later, and the horizons are cut to whole panes of 10 s.
        """
        return self._wave.forecast(now_ms, horizons_ms)

    @property
    def buckets(self) -> int:
        """How many there are."""
        return len(self._buckets)

    def forget(self, bucket: int, before_ms: int) -> int:
        """Drop the bucket's tickets that are resolved, or never created, with no step since; how many."""
        tickets = self._buckets[bucket]
        old = [ticket_id for ticket_id, ticket in tickets.items() if _is_over(ticket, before_ms)]
        for ticket_id in old:
            self._leave(tickets.pop(ticket_id))
        if old:
            self.dirty.add(bucket)
        return len(old)

    def dump_page(self, bucket: int) -> tuple[Any, ...]:
        """A bucket as plain tuples, numbers, strings and bytes: what `load_page` takes, on any machine."""
        plans: dict[tuple[str | None, ...], int] = {}
        policies: dict[str, Policy] = {}
        tickets = []
        for ticket_id, ticket in sorted(self._buckets[bucket].items()):
            versions = tuple(None if policy is None else policy.version for policy in ticket.plan)
            plan = plans.setdefault(versions, len(plans))
            tickets.append((ticket_id, ticket.created, bytes(ticket.steps), ticket.dims, plan))
            policies.update((policy.version, policy) for policy in ticket.plan if policy is not None)
        definitions = tuple(define(policies[version]) for version in sorted(policies))
        return (_PAGE_FORMAT, self._watermark_ms, definitions, tuple(plans), tuple(tickets))

    def load_page(self, page: Sequence[Any]) -> list[Transition]:
        """Take over a page; gives out what fell due since it was written and up to the watermark.

        Policies come along with a page, so that a ticket keeps its own under whatever configuration (P1).
        ValueError: not such a page.
        """
        if len(page) != 5 or page[0] != _PAGE_FORMAT:
            raise ValueError(f"page of the SLA watch: {page[:1]} and {len(page)} parts, not format 1 and 5")
        _, written_ms, definitions, plans, tickets = page
        fallen = self.advance(written_ms)
        own = [self._known_policy(restore(definition)) for definition in definitions]
        by_version: dict[str | None, Policy | None] = {None: None} | {policy.version: policy for policy in own}
        shared_plans = [Plan(*(by_version[version] for version in versions)) for versions in plans]
        for ticket_id, created, steps, dims, plan in tickets:
            ticket = Ticket()
            ticket.steps = bytes(steps)
            if created:
                ticket.create(bytes(created), at_of(created), self._share(tuple(dims)), shared_plans[plan])
            number = self.bucket_of(ticket_id)
            previous = self._buckets[number].get(ticket_id)
            if previous is not None:
                self._leave(previous)
            self._buckets[number][ticket_id] = ticket
            self._wave.enter(ways(ticket))
            fallen += passed(ticket_id, ticket, self._watermark_ms, after_ms=written_ms)
            self._timers.want(ticket_id, ticket, next_moment(ticket, self._watermark_ms))
        fallen.sort(key=order)
        return fallen

    def drop_bucket(self, bucket: int) -> None:
        """Give a bucket away: its tickets live elsewhere now."""
        for ticket in self._buckets[bucket].values():
            self._leave(ticket)
        self._buckets[bucket] = {}
        self.dirty.discard(bucket)

    def _tidy(self) -> None:
        """Throw dead timers away when most are."""
        if self._timers.mostly_stale:
            tickets = (item for bucket in self._buckets for item in bucket.items())
            self._timers.rebuild((ticket.timer, ticket_id) for ticket_id, ticket in tickets if ticket.timer is not None)

    def _leave(self, ticket: Ticket) -> None:
        self._wave.leave(ways(ticket))
        if ticket.timer is not None:
            self._timers.dropped()

    def _shared_dims(self, fields: Mapping[str, str]) -> Dims:
        return self._share(tuple([fields.get(field) or ("normal" if field == "priority" else "")
                                  for field in FIELDS]))  # fmt: skip

    def _share(self, dims: Dims) -> Dims:
        if len(self._dims) > _MOST_SHARED:
            self._dims.clear()
            self._plans.clear()
        return self._dims.setdefault(dims, dims)

    def _plan(self, dims: Dims, created_ms: int) -> Plan:
        offer = self._promises.at(created_ms)
        plan = self._plans.get((offer.number, dims))
        if plan is None:
            chosen = choose(offer.policies, dict(zip(FIELDS, dims, strict=True)))
            plan = self._plans[offer.number, dims] = Plan(**chosen)
        return plan

    def _known_policy(self, policy: Policy) -> Policy:
        """The same policy as an object that is shared, with its calendar's tables."""
        return self._known.setdefault(policy.version, policy)


def _is_over(ticket: Ticket, before_ms: int) -> bool:
    if ticket.created_at is not None and ticket.phase != STOPPED:
        return False
    return at_of(ticket.steps[-RECORD_BYTES:]) < before_ms
