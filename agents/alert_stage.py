"""Alerts, driven: from their one partition to the store and to the people, each transition once.

Decides when what was told is remembered; who is told what, and how, is `alerts.notify`'s business.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from agents.source_stage import RowWriter, Snapshots
from agents.transport.chunks import Chunk
from alerts.notify.figures import NotifierSnapshot
from schemas.instants import parse_instant
from schemas.results import Alert, Delivery

STATE = "notifier"
WAITED_MS: Final = 30_000  # for what lies ready at a takeover; who is to be told waits no longer


class Notifier(Protocol):
    """Who tells people; a transition handed in twice is told once."""

    async def notify(self, alert: Alert) -> None: ...
    async def tick(self, now_ms: int) -> bool: ...
    def figures(self) -> NotifierSnapshot: ...
    def dump(self) -> dict[str, Any]: ...
    def load(self, dumped: Mapping[str, Any]) -> None: ...
    def remember(self, rows: Iterable[Delivery]) -> None: ...


class AlertStage:
    """The alerts' partition. Not for two tasks at once: callers hold `lock`."""

    def __init__(
        self, writer: RowWriter, notifier: Notifier | None, snapshots: Snapshots, *, position: int = 0,
        version: str = "",
    ) -> None:  # fmt: skip
        """`version`: of the configuration."""
        self.lock = asyncio.Lock()
        self.position = position
        self._writer = writer
        self._notifier = notifier
        self._snapshots = snapshots
        self._rows_ticket = 0
        self.version = version
        self.unsaved = False  # something was told that the position does not tell of
        self._taken_over_ms: int | None = None
        self._caught_up = False

    async def chunk(self, chunk: Chunk, *, now_ms: int) -> None:
        """Store transitions and tell people of them; those before the snapshot were told."""
        alerts = [decode_alert(record.value or b"") for record in chunk.records if record.offset >= self.position]
        self._rows_ticket = await self._writer.write(alerts)
        if self._notifier is not None:
            for alert in alerts:
                await self._notifier.notify(alert)
        self.position = max(self.position, chunk.end)

    async def tick(self, now_ms: int, *, more: bool = False) -> None:
        """What is due to be told by the passing of time.

        `more`: transitions, or what people did, lie ready. After a takeover these come first: the next step of an
        escalation is due by the saved state, and somebody may have claimed the alert meanwhile.
        """
        if self._taken_over_ms is None:
            self._taken_over_ms = now_ms
        self._caught_up |= not more or now_ms >= self._taken_over_ms + WAITED_MS
        if self._notifier is not None and self._caught_up:
            self.unsaved |= await self._notifier.tick(now_ms)

    async def snapshot(self, now_ms: int) -> int:
        """Make everything up to the position safe; the offset that may then be committed."""
        position, self.unsaved = self.position, False
        pages = {} if self._notifier is None else {STATE: msgspec.msgpack.encode(self._notifier.dump())}
        await self._writer.safe(self._rows_ticket)
        await self._snapshots.save(pages, {"position": position})
        return position

    def reconfigure(self, notifier: Notifier | None, *, version: str) -> None:
        """Tell people by other channels and routes; what was told and what waits goes along."""
        if notifier is not None and self._notifier is not None:
            notifier.load(self._notifier.dump())
        self._notifier, self.version = notifier, version


def restore(notifier: Notifier, pages: Mapping[str, bytes], told: Callable[[], Sequence[Delivery]]) -> None:
    """Go on where the last owner stopped; `told`: what the delivery log has of the last day."""
    if STATE in pages:
        notifier.load(msgspec.msgpack.decode(pages[STATE]))
    notifier.remember(told())


def decode_alert(message: bytes) -> Alert:
    """The transition that `schemas.lines.alert_line` wrote."""
    line = msgspec.json.decode(message)
    for name in ("at", "starts_at", "ends_at"):
        if line[name] is not None:
            line[name] = parse_instant(line[name])
    return Alert(**{"reason": "", **line})
