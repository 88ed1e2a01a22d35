"""What people do to alerts, driven: from the topic of actions into the one log that the decisions are made by.

Decides which messages are actions, and that each takes its place among the observations once: that log is the order in
which everything was decided, for every later reader alike. What an action does is `alerts.actions`' business.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agents.broker import Partition
from agents.claims import Mark
from agents.source_stage import RowWriter, Snapshots
from agents.takeover import Outputs, encode_journals
from agents.transport.chunks import Chunk
from alerts.actions import decode_action
from schemas.errors import BadEvent
from schemas.events import MAX_AHEAD_MS
from schemas.lines import dead_letter_line
from schemas.results import DeadLetter
from schemas.topics import ACTIONS, DEAD_LETTERS


@dataclass(frozen=True, slots=True)
class ActionPorts:
    """Where actions go, and what is none."""

    outputs: Outputs
    decisions: Partition
    writer: RowWriter
    snapshots: Snapshots
    send: Callable[[str, bytes, bytes], Awaitable[None]]  # topic, key, value; awaits the broker


class ActionStage:
    """The actions' one partition. Not for two tasks at once: callers hold `lock`."""

    def __init__(self, ports: ActionPorts, *, position: int) -> None:
        self.lock = asyncio.Lock()
        self.position = position
        self._ports = ports
        self._rows_ticket = 0

    async def chunk(self, chunk: Chunk, *, now_ms: int) -> None:
        """Hand actions on, one batch each; those that count already are left out by the fence."""
        for record in chunk.records:
            if record.offset < self.position:
                continue
            value = record.value or b""
            try:
                check(value, received_at=record.timestamp)
            except BadEvent as bad:
                letter = DeadLetter(
                    ACTIONS, chunk.partition, record.offset, record.timestamp, bad.reason, bad.text, value
                )
                await self._ports.send(DEAD_LETTERS, ACTIONS.encode(), dead_letter_line(letter))
                self._rows_ticket = await self._ports.writer.write([letter])
            else:
                mark = Mark(record.offset + 1, 0)
                await self._ports.outputs.send(self._ports.decisions, value, start=record.offset, mark=mark)
        await self._ports.outputs.flush()
        self.position = max(self.position, chunk.end)

    async def snapshot(self, now_ms: int) -> int:
        """Make everything up to the position safe; the offset that may then be committed."""
        position = self.position
        await self._ports.writer.safe(self._rows_ticket)
        root = {"position": position, "journals": encode_journals(self._ports.outputs.journals)}
        await self._ports.snapshots.save({}, root)
        return position


def check(value: bytes, *, received_at: int) -> None:
    """BadEvent for what is no action, or one that is dated more than ten minutes after it was received."""
    action = decode_action(value)
    if action.at > received_at + MAX_AHEAD_MS:
        raise BadEvent("future_time", f"at: {action.at - received_at} ms ahead of the clock, over {MAX_AHEAD_MS}")
