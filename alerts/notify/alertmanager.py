"""Alertmanager's API v2: an alert's labels, annotations, start and end; active ones are sent again before they end.

Labels name an alert there, so they are those that name it here with rule, kind and severity; when the severity
rises, the alert under the old labels is ended in the same request.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import msgspec

from alerts.notify.http import check_status, post
from alerts.notify.message import Message
from schemas.instants import format_instant
from schemas.notify import Channel
from schemas.results import Alert

ENDS_AFTER_RESENDS: Final = 4  # three may get lost before the alert ends there, as Prometheus does it
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]", re.ASCII)


class Alertmanager:
    """A sender; `url` is the server's address without `/api/v2/alerts`."""

    def __init__(self, channel: Channel, http: aiohttp.ClientSession) -> None:
        self.channel = channel
        self._http = http

    def fits(self, message: Message) -> bool:
        """Whether the body is small enough."""
        return len(msgspec.json.encode(self._line(message, now_ms=0))) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Deliver; SendError if it was not taken."""
        await self.send_all([message], ended=(), now_ms=now_ms)

    async def send_all(self, messages: Sequence[Message], *, ended: Sequence[Alert], now_ms: int) -> None:
        """All in one request; `ended` are alerts as they were last sent, which end now."""
        body = [self._line(one, now_ms=now_ms) for one in messages]
        body += [
            {"labels": labels_of(one), "startsAt": _utc(one.starts_at), "endsAt": _utc(max(now_ms, one.starts_at))}
            for one in ended
        ]
        url = self.channel.url.reveal().rstrip("/") + "/api/v2/alerts"
        answer = await post(self._http, self.channel, url=url, body=msgspec.json.encode(body))
        check_status(answer, self.channel)

    def _line(self, message: Message, *, now_ms: int) -> dict[str, Any]:
        alert = message.alerts[0]
        if alert.status == "resolved":
            ends_at = max(alert.starts_at, alert.ends_at if alert.ends_at is not None else alert.at)
        else:
            ends_at = now_ms + ENDS_AFTER_RESENDS * self.channel.resend_ms
        annotations = {
            "summary": message.title, "description": message.body, "alert_id": alert.alert_id,
            "runbook_url": str(alert.evidence.get("runbook", "")), "phase": str(alert.evidence.get("phase", "")),
        }  # fmt: skip
        line = {
            "labels": labels_of(alert), "annotations": {key: text for key, text in annotations.items() if text},
            "startsAt": _utc(alert.starts_at), "endsAt": _utc(ends_at),
        }  # fmt: skip
        return line | ({"generatorURL": message.links["wall"]} if "wall" in message.links else {})


def labels_of(alert: Alert) -> dict[str, str]:
    """The labels, under names that every version of Alertmanager takes; empty ones are none."""
    labels = {_NOT_IN_NAMES.sub("_", key): value for key, value in alert.labels.items()}
    labels = {(f"_{key}" if key[:1].isdigit() else key): value for key, value in labels.items() if key and value}
    own = {"alertname": alert.rule, "kind": alert.kind, "severity": alert.severity}
    return labels | own  # not the phase, which changes while an alert runs


def _utc(at_ms: int) -> str:
    return format_instant(at_ms, offset_minutes=0).replace("+00:00", "Z")
