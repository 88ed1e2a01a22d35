"""The breach wave: how many clocks are on their way to a breach, by the pane in which it will come.

Counted when a clock's breach moves, so that a forecast costs panes × queues, however many clocks are open.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Final

from sla.clock import Cycle, Dims, Ticket
from sla.policy import FIELDS, ClockName

FORECAST_MS: Final = (900_000, 1_800_000, 3_600_000)
PANE_MS: Final = 10_000
_QUEUE = FIELDS.index("queue")

Breach = tuple[str, ClockName, int]  # queue, clock, instant
Ways = tuple[Dims, int | None, int | None, tuple[Cycle, ...]]
Counts = dict[tuple[str, ClockName, int], int]  # by queue, clock, horizon


class BreachWave:
    """Breaches ahead. A pane holds the instants in (its start, its end], as horizons do."""

    __slots__ = ("_panes", "_passed")

    def __init__(self) -> None:
        self._panes: dict[tuple[str, ClockName], dict[int, int]] = {}
        self._passed = -1

    def enter(self, ways: Ways) -> None:
        """A ticket's clocks go these ways now."""
        for breach in _breaches(ways):
            self._count(breach, 1)

    def leave(self, ways: Ways) -> None:
        """They no longer do."""
        for breach in _breaches(ways):
            self._count(breach, -1)

    def forecast(self, now_ms: int, horizons_ms: Sequence[int]) -> Counts:
        """How many clocks breach in (now, now + horizon]; `now_ms` and horizons are cut to whole panes."""
        now = now_ms // PANE_MS
        counts: Counts = {}
        for (queue, clock), panes in sorted(self._panes.items()):
            count, reached = 0, now
            for horizon_ms in sorted(horizons_ms):
                end = now + horizon_ms // PANE_MS
                if len(panes) < end - reached:
                    count += sum(held for pane, held in panes.items() if reached <= pane < end)
                else:
                    count += sum(map(panes.get, range(reached, end), repeat(0)))
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


def ways(ticket: Ticket) -> Ways:
    """Where the ticket's clocks are going, cheap to take and to compare."""
    return ticket.dims, ticket.first_breach, ticket.resolution_breach, ticket.cycles


def _breaches(ways: Ways) -> Iterator[Breach]:
    dims, first, resolution, cycles = ways
    if first is not None:
        yield dims[_QUEUE], "first_response", first
    if resolution is not None:
        yield dims[_QUEUE], "resolution", resolution
    if cycles and cycles[-1].breach_due is not None:
        yield dims[_QUEUE], "next_response", cycles[-1].breach_due
