"""The breach wave: how many clocks are on their way to a breach, by the pane in which it will come.

Counted when a clock's breach moves, so that a forecast costs panes × queues, however many clocks are open.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sla.clock import Ticket
from sla.policy import FIELDS, ClockName

FORECAST_MS: Final = (900_000, 1_800_000, 3_600_000)
PANE_MS: Final = 10_000
_QUEUE = FIELDS.index("queue")

Breach = tuple[str, ClockName, int]  # queue, clock, instant
Counts = dict[tuple[str, ClockName, int], int]  # by queue, clock, horizon


class BreachWave:
    """Breaches ahead. A pane holds the instants in (its start, its end], as horizons do."""

    __slots__ = ("_panes", "_passed")

    def __init__(self) -> None:
        self._panes: dict[tuple[str, ClockName], dict[int, int]] = {}
        self._passed = -1

    def move(self, before: Sequence[Breach], after: Sequence[Breach]) -> None:
        """A ticket's breaches are no longer `before` but `after`."""
        for breach in before:
            self._count(breach, -1)
        for breach in after:
            self._count(breach, 1)

    def forecast(self, now_ms: int, horizons_ms: Sequence[int]) -> Counts:
        """How many clocks breach in (now, now + horizon]; `now_ms` and horizons are cut to whole panes."""
        now = now_ms // PANE_MS
        counts: Counts = {}
        for (queue, clock), panes in sorted(self._panes.items()):
            count, reached = 0, now
            for horizon_ms in sorted(horizons_ms):
                end = now + horizon_ms // PANE_MS
                count += sum(panes.get(pane, 0) for pane in range(reached, end))
                reached = end
                if count:
                    counts[queue, clock, horizon_ms] = count
        return counts

    def pass_by(self, watermark_ms: int) -> None:
        """Forget the panes that have passed; their breaches have come or never will."""
        passed = watermark_ms // PANE_MS
        if passed - self._passed < len(self._panes) + 360:
            return  # now and then is enough: a pane that has passed is never asked for
        self._passed = passed
        for key, panes in list(self._panes.items()):
            left = {pane: count for pane, count in panes.items() if pane >= passed}
            if left:
                self._panes[key] = left
            else:
                del self._panes[key]

    def _count(self, breach: Breach, change: int) -> None:
        queue, clock, at_ms = breach
        pane = (at_ms - 1) // PANE_MS
        if pane < self._passed:
            return
        panes = self._panes.setdefault((queue, clock), {})
        count = panes.get(pane, 0) + change
        if count:
            panes[pane] = count
        else:
            panes.pop(pane, None)


def breaches(ticket: Ticket) -> list[Breach]:
    """Where the ticket's clocks breach if nothing else comes, or have."""
    return [(ticket.dims[_QUEUE], clock, at_ms) for clock, at_ms in _instants(ticket)]


def _instants(ticket: Ticket) -> Iterator[tuple[ClockName, int]]:
    if ticket.first_breach is not None:
        yield "first_response", ticket.first_breach
    if ticket.resolution_breach is not None:
        yield "resolution", ticket.resolution_breach
    if ticket.cycles and ticket.cycles[-1].breach_due is not None:
        yield "next_response", ticket.cycles[-1].breach_due
