"""What a ticket's steps add to panes: created, open, answered, resolved, reopened, and its clocks' verdicts.

The clocks themselves are `sla`'s. A step that arrives out of order may change what earlier ones meant: the
difference between before and after is what counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from schemas.events import DIMENSIONS, Dims, Ticket
from schemas.masking import pseudonym
from schemas.results import PANE_MS, SlaTransition, TicketRow
from sla.clock import Milestones
from sla.step import Step
from sla.transition import Transition
from sla.watch import SlaWatch
from streams import figures as f
from streams.counting import Counting
from streams.intake import Accepted, Tally
from streams.panes import PaneDeltas
from streams.sketch import bucket

DAY_MS: Final = 86_400_000
CSAT_MAX: Final = 5.0
_PRIORITY, _QUEUE = len(DIMENSIONS), len(DIMENSIONS) + 1  # their places in `sla.policy.FIELDS`

Change = tuple[int, Dims, int, int]  # instant, cell, figure or ~sketch, bucket (0 for a figure)
Amounts = Counter[Change]


class TicketDesk:
    """The tickets of one source partition. `hold_ms` is the contract's `sla_hold`.

    `keep_ms`: how long after its last step a ticket that is over is remembered; None: for ever.
    """

    def __init__(self, watch: SlaWatch, *, hold_ms: int, lateness_ms: int, keep_ms: int | None = None) -> None:
        self.watch = watch
        self._keep_ms = keep_ms
        self._hold_ms = hold_ms
        # A breach is known only `hold` after its instant: its pane must still be open then.
        self._open_ms = max(lateness_ms, hold_ms + 2 * PANE_MS)

    def step(self, item: Accepted, *, newest_ms: int, panes: PaneDeltas, tally: Tally) -> Iterator[Transition]:
        """Take one step; gives what happened to clocks by it. `newest_ms`: of the tickets' own partition."""
        event = item.event
        assert isinstance(event, Ticket)
        step = Step(item.at_ms, event.action, item.offset, event.seq, bool(event.bot))
        before_cell = self._cell(event)
        outcome = self.watch.add_step(event.ticket_id, step, _fields(event) if event.action == "created" else None)
        cell = self._cell(event)
        closed_ms = newest_ms - self._open_ms
        if outcome.before != outcome.after or (outcome.before and before_cell != cell):
            _count_changes(outcome.before, outcome.after, before_cell, cell, closed_ms=closed_ms, panes=panes)
        if event.csat is not None and event.action == "closed":
            _count_csat(event.csat, item, cell, panes=panes, tally=tally)
        return self._count(outcome.transitions, closed_ms=closed_ms, panes=panes)

    def advance(self, watermark_ms: int, *, panes: PaneDeltas) -> Iterator[Transition]:
        """What falls due up to the SLA watermark (rule A1), which is `sla_hold` behind the clock.

        All of it counts: what lies in a gap between two events is as old as the gap is long, but not late.
        """
        since_ms = self.watch.watermark_ms
        yield from self._count(self.watch.advance(watermark_ms), closed_ms=0, panes=panes)
        self._forget(since_ms, watermark_ms)

    def _forget(self, since_ms: int, until_ms: int) -> None:
        """Look at each bucket once a day of event time, one after the other; which, event time alone decides."""
        if self._keep_ms is None or since_ms < 0:
            return
        buckets = self.watch.buckets
        turns = range(since_ms * buckets // DAY_MS, until_ms * buckets // DAY_MS)[-buckets:]
        for turn in turns:
            self.watch.forget(turn % buckets, turn * DAY_MS // buckets - self._keep_ms)

    def _count(self, transitions: Iterable[Transition], *, closed_ms: int, panes: PaneDeltas) -> Iterator[Transition]:
        """Count each in the pane of its instant, and hand it on."""
        for transition in transitions:
            figure, sign = _VERDICTS.get((transition.kind, transition.corrects), (None, 0))
            if figure is not None and transition.at_ms >= closed_ms:
                panes.row(transition.at_ms // PANE_MS, _cell_of(transition.dims))[figure] += sign
            yield transition

    def _cell(self, event: Ticket) -> Dims:
        dims = self.watch.dims_of(event.ticket_id)
        return event.dims if dims is None else _cell_of(dims)


# `stopped` comes after a breach that has been counted already.
_VERDICTS: Final[dict[tuple[str, str | None], tuple[int, int]]] = {
    ("breach", None): (f.SLA_BREACHES, 1),
    ("corrected", "breach"): (f.SLA_BREACHES, -1),
    ("met", None): (f.SLA_MET, 1),
    ("corrected", "met"): (f.SLA_MET, -1),
}


def ticket_row(how: Counting, item: Accepted) -> TicketRow:
    """The raw row of a step, masked."""
    event = item.event
    assert isinstance(event, Ticket)
    csat = event.csat if event.csat is not None and 1.0 <= event.csat <= CSAT_MAX else None
    return TicketRow(
        event.event_id, item.at_ms, item.received_at, item.partition, item.offset, *event.dims,
        pseudonym(event.customer_id, salt=how.salt), pseudonym(event.order_id, salt=how.salt),
        event.ticket_id, event.seq, event.action, event.priority or "normal", event.queue or "",
        event.agent_id or "", bool(event.bot), csat, how.mask(event.text or ""), item.late,
    )  # fmt: skip


def ledger_line(transition: Transition, *, partition: int, version: int) -> SlaTransition:
    """A transition as a line of the SLA ledger."""
    kind = transition.kind if transition.corrects is None else f"corrected_{transition.corrects}"
    dims = transition.dims
    return SlaTransition(
        transition.ticket_id, transition.clock, transition.cycle, kind, transition.at_ms, transition.policy,
        transition.policy_version, transition.calendar, transition.calendar_version, transition.target_ms,
        transition.elapsed_ms, *_cell_of(dims), dims[_PRIORITY], dims[_QUEUE], partition, version,
    )  # fmt: skip


def _count_changes(
    before: Milestones | None, after: Milestones | None, before_cell: Dims, cell: Dims,
    *, closed_ms: int, panes: PaneDeltas,
) -> None:  # fmt: skip
    changes = _contributions(after, cell)
    changes.subtract(_contributions(before, before_cell))
    for (at_ms, where, figure, slot), amount in changes.items():
        if not amount:
            continue
        if figure < 0:
            if at_ms >= closed_ms:
                panes.sketch(at_ms // PANE_MS, where, which=~figure, bucket=slot, count=amount)
        elif figure == f.OPEN_CHANGE:
            # The level must stay true, so a change too late for its own pane counts from the first open one.
            panes.row(max(at_ms, closed_ms, 0) // PANE_MS, where)[figure] += amount
        elif at_ms >= closed_ms:
            panes.row(at_ms // PANE_MS, where)[figure] += amount


def _contributions(milestones: Milestones | None, cell: Dims) -> Amounts:
    """What a ticket counts for in all."""
    amounts: Amounts = Counter()
    if milestones is None:
        return amounts
    created = milestones.created_at
    amounts[created, cell, f.CREATED, 0] += 1
    amounts[created, cell, f.OPEN_CHANGE, 0] += 1
    answered = milestones.first_response_at
    if answered is None and milestones.flips:
        answered = milestones.flips[0]  # the contract's clock stops there, and so did the customer's waiting
    if answered is not None:
        amounts[answered, cell, ~f.FIRST_RESPONSE, bucket(answered - created)] += 1
    for resolved in milestones.resolved_at:
        amounts[resolved, cell, ~f.RESOLUTION, bucket(resolved - created)] += 1
        amounts[resolved, cell, f.OPEN_CHANGE, 0] -= 1
    for reopened in milestones.reopened_at:
        amounts[reopened, cell, f.REOPENED, 0] += 1
        amounts[reopened, cell, f.OPEN_CHANGE, 0] += 1
    return amounts


def _count_csat(csat: float, item: Accepted, cell: Dims, *, panes: PaneDeltas, tally: Tally) -> None:
    if not 1.0 <= csat <= CSAT_MAX:
        tally.csat_dropped += 1  # rule A5
    elif not item.late:
        row = panes.row(item.at_ms // PANE_MS, cell)
        row[f.CSATS] += 1
        row[f.CSAT_MICROS] += round((csat - 1.0) / (CSAT_MAX - 1.0) * f.MICROS)


def _fields(event: Ticket) -> dict[str, str]:
    return {
        **dict(zip(DIMENSIONS, event.dims, strict=True)),
        "priority": event.priority or "normal",
        "queue": event.queue or "",
    }


def _cell_of(dims: Sequence[str]) -> Dims:
    category, channel, region, tier, shop, product = dims[: len(DIMENSIONS)]
    return category, channel, region, tier, shop, product
