"""Whether the group is still the one that its partitions were dealt to.

A broker must begin a new generation when a member has gone. The embedded one does not always: when it finds a member
to be dead while the others are joining, the dead one's partitions stay dealt to it, and nobody reads them for ever.
So every member looks now and then who is in the group. `Membership` decides, `follow_group` asks and acts. On Kafka
the members never change within a generation, so that nothing happens there.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeGroupsRequest

_log = logging.getLogger("peakwatch.group")

TIMES: Final = 2  # a rebalance that is only just beginning looks the same once


class Membership:
    """What one member knows of its group."""

    def __init__(self) -> None:
        self._generation = -1
        self._members: frozenset[str] | None = None
        self._strange = 0  # how often in a row the members were not those

    def dealt(self, generation: int, members: Collection[str]) -> None:
        """We lead this generation and deal the partitions to these members."""
        self._generation, self._members, self._strange = generation, frozenset(members), 0

    def seen(self, generation: int, members: Collection[str]) -> bool:
        """Who is in the group while our generation is this one; whether we must leave and join anew."""
        if generation != self._generation or self._members is None:
            self.dealt(generation, members)
            return False
        self._strange = 0 if self._members == frozenset(members) else self._strange + 1
        if self._strange < TIMES:
            return False
        self._members = None
        return True


def follow_group(coordinator: Any, *, sent: Callable[[int], None], now_ms: Callable[[], int], every_ms: int) -> None:
    """Hear aiokafka's group coordinator: `sent(ms)` when a heartbeat was sent that was then acknowledged.

    `every_ms`: how often to look who is in the group. Where its members have changed within a generation, leave it:
    that begins a new one for all.
    """
    membership = Membership()
    heartbeat, deal = coordinator._do_heartbeat, coordinator._perform_assignment
    looked_at_ms = now_ms()

    async def noted() -> bool:
        nonlocal looked_at_ms
        sent_at_ms = now_ms()  # the session runs from the broker's receipt, which is not before
        alive = bool(await heartbeat())
        if alive:
            sent(sent_at_ms)
            if sent_at_ms - looked_at_ms >= every_ms:
                looked_at_ms = sent_at_ms
                await _look(coordinator, membership)
        return alive

    async def dealing(response: Any) -> Any:
        membership.dealt(coordinator.generation, [member[0] for member in response.members])
        return await deal(response)

    coordinator._do_heartbeat, coordinator._perform_assignment = noted, dealing


async def _look(coordinator: Any, membership: Membership) -> None:
    generation = coordinator.generation
    ask: Callable[[Any], Awaitable[Any]] = coordinator._send_req
    try:
        answer = await ask(DescribeGroupsRequest([coordinator.group_id]))
    except KafkaError:
        return  # the heartbeats tell of it
    rejoining = coordinator._rejoin_needed_fut.done() or generation != coordinator.generation
    for _code, _name, state, _type, _protocol, members, *_ in answer.groups:
        if rejoining or state != "Stable" or not membership.seen(generation, [member[0] for member in members]):
            continue
        _log.warning("group %s: its members changed and nobody was told; joining anew", coordinator.group_id)
        await coordinator._maybe_leave_group()
