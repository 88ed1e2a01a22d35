"""Where a ticket's clocks stand, as rows for the store: what is at risk, and until when.

A row tells what happens if nothing else comes, so it is written when a step comes and not when time passes.
"""

from collections.abc import Iterator
from typing import Final

from schemas.events import DIMENSIONS
from schemas.results import SlaClockRow
from sla.watch import SlaWatch

# Far enough for any target in working time, near enough for calendars to answer at once.
AHEAD_MS: Final = 400 * 86_400_000


def clock_rows(
    watch: SlaWatch, ticket_id: str, *, now_ms: int, partition: int, version: int
) -> Iterator[SlaClockRow]:  # fmt: skip
    """A row a clock; none of a ticket whose `created` has not come. `version`: the offset of the step that came."""
    dims = watch.dims_of(ticket_id)
    if dims is None:
        return
    ahead = {(clock.clock, clock.cycle): clock for clock in watch.clocks(ticket_id, now_ms + AHEAD_MS)}
    category, channel, region, tier, shop, product, priority, queue = dims[: len(DIMENSIONS) + 2]
    for clock in watch.clocks(ticket_id, now_ms):
        later = ahead[clock.clock, clock.cycle]
        open_still = clock.state == "running"
        due_at = later.breached_at if open_still else None
        yield SlaClockRow(
            ticket_id, clock.clock, clock.cycle, clock.policy.name, clock.state, open_still and due_at is None,
            clock.started_at, clock.target_ms, clock.elapsed_ms,
            later.warned_at if open_still and clock.warned_at is None else None, due_at, clock.warned_at,
            clock.breached_at, clock.stopped_at, category, channel, region, tier, shop, product, priority,
            queue, partition, version,
        )  # fmt: skip
