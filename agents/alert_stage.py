"""Alerts from their topic to the store and to the people: each transition once, whatever is read twice."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from agents.source_stage import RowWriter
from schemas.instants import parse_instant
from schemas.results import Alert


class Notifier(Protocol):
    """Who tells people; a transition handed in twice is told once."""

    async def notify(self, alert: Alert) -> None: ...


class AlertSink:
    """Takes the messages of topic `alerts`."""

    def __init__(self, writer: RowWriter, notifier: Notifier | None = None) -> None:
        self._writer = writer
        self._notifier = notifier

    async def take(self, messages: Sequence[bytes]) -> None:
        """Store the transitions and tell people; returns when both are safe."""
        alerts = [decode_alert(message) for message in messages]
        ticket = await self._writer.write(alerts)
        if self._notifier is not None:
            for alert in alerts:
                await self._notifier.notify(alert)
        await self._writer.safe(ticket)


def decode_alert(message: bytes) -> Alert:
    """The transition that `schemas.lines.alert_line` wrote."""
    line = msgspec.json.decode(message)
    for name in ("at", "starts_at", "ends_at"):
        if line[name] is not None:
            line[name] = parse_instant(line[name])
    return Alert(**{"reason": "", **line})
