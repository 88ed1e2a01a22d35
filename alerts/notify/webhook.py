"""A generic webhook: JSON with the alerts and the message, signed in a header.

    X-PeakWatch-Timestamp: seconds          X-PeakWatch-Signature: v1=HEX
    Idempotency-Key: the same for every try of one message

HEX is HMAC-SHA256, keyed with the channel's secret, over `timestamp.body`; the receiver should refuse what is
older than five minutes. Texts are the masked ones, as JSON: who shows them escapes them.
"""

import hashlib
import hmac

import aiohttp
import msgspec

from alerts.notify.http import check_status, post
from alerts.notify.message import Message
from schemas.instants import format_instant
from schemas.notify import Channel
from schemas.results import Alert


class Webhook:
    """A sender."""

    def __init__(self, channel: Channel, http: aiohttp.ClientSession) -> None:
        self.channel = channel
        self._http = http

    def fits(self, message: Message) -> bool:
        """Whether the body is small enough."""
        return len(_body(message)) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Deliver; SendError if it was not taken."""
        body = _body(message)
        seconds = str(now_ms // 1000)
        headers = {"X-PeakWatch-Timestamp": seconds, "Idempotency-Key": _key(message)}
        if self.channel.secret:
            headers["X-PeakWatch-Signature"] = "v1=" + signature(self.channel.secret.reveal(), seconds, body)
        answer = await post(self._http, self.channel, url=self.channel.url.reveal(), body=body, headers=headers)
        check_status(answer, self.channel)


def signature(secret: str, seconds: str, body: bytes) -> str:
    """What a receiver computes and compares in constant time."""
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


def _body(message: Message) -> bytes:
    return msgspec.json.encode({
        "version": 1, "title": message.title, "body": message.body, "severity": message.severity,
        "resolved": message.resolved, "links": dict(message.links), "mentions": [one.name for one in message.mentions],
        "alerts": [_alert(one, brief=message.brief) for one in message.alerts],
    })  # fmt: skip


def _alert(alert: Alert, *, brief: int) -> dict[str, object]:
    line = alert._asdict()
    for name in ("at", "starts_at", "ends_at"):
        line[name] = None if line[name] is None else format_instant(line[name])
    if brief:
        line["evidence"] = {} if brief > 1 else {k: v for k, v in alert.evidence.items() if k != "sample_event_ids"}
    return line


def _key(message: Message) -> str:
    told = [(one.alert_id, one.at, one.status, one.reason) for one in message.alerts]
    return hashlib.blake2b(msgspec.json.encode([told, message.title]), digest_size=16).hexdigest()
