"""Whose clock is due next: a heap with one live entry a ticket. What then happens is the watch's matter.

A ticket's entry may be earlier than what is really due (a pause moved it on): it is looked at in vain and put
back. An entry that an earlier one replaced stays in the heap until its time and is told by its instant.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from sla.clock import Ticket


class Timers:
    """Instants at which tickets want to be looked at. Ties come out by ticket id."""

    __slots__ = ("_heap", "_stale")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._stale = 0

    def __len__(self) -> int:
        return len(self._heap) - self._stale

    def want(self, ticket_id: str, ticket: Ticket, at_ms: int | None) -> None:
        """Make sure that the ticket comes out at `at_ms` at the latest; None wants nothing."""
        if at_ms is None or (ticket.timer is not None and ticket.timer <= at_ms):
            return
        if ticket.timer is not None:
            self._stale += 1
        ticket.timer = at_ms
        heappush(self._heap, (at_ms, ticket_id))

    def due(self, until_ms: int) -> Iterator[tuple[int, str]]:
        """Take out every entry at or before `until_ms`; the caller tells dead ones by `Ticket.timer`."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms:
            yield heappop(heap)

    def dropped(self, count: int = 1) -> None:
        """So many entries still in the heap belong to nobody any more."""
        self._stale += count

    def came_out_stale(self) -> None:
        """An entry that `due` gave was dead."""
        self._stale -= 1

    @property
    def mostly_stale(self) -> bool:
        """Whether more than half of a large heap is dead."""
        return self._stale > 1000 and self._stale * 2 > len(self._heap)

    def rebuild(self, live: Iterator[tuple[int, str]]) -> None:
        """Start again from the live entries."""
        self._heap = list(live)
        heapify(self._heap)
        self._stale = 0
