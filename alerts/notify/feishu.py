"""Feishu's (Lark's) group bot: an interactive card, signed, with people mentioned by open id.

After its documentation of custom bots: the timestamp is in seconds, the HMAC-SHA256's key is
`timestamp\\nsecret` and its message empty; both stand in the body. 100 messages a minute, 5 a second; bodies to
20 KB. It answers 200 for its own errors, too.
"""

import base64
import hashlib
import hmac
from typing import Any, Final

import aiohttp
import msgspec

from alerts.notify.errors import Reason, SendError
from alerts.notify.http import check_status, object_of, post, said
from alerts.notify.markup import FEISHU, LABELS
from alerts.notify.message import Message
from schemas.notify import Channel

THROTTLED_MS: Final = 5000
_COLOURS: Final = {"critical": "red", "warning": "orange", "info": "blue"}


class Feishu:
    """A sender."""

    def __init__(self, channel: Channel, http: aiohttp.ClientSession) -> None:
        self.channel = channel
        self._http = http

    def fits(self, message: Message) -> bool:
        """Whether the platform takes a body of this size."""
        return len(self._body(message, now_ms=0)) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Deliver; SendError if it was not taken."""
        body = self._body(message, now_ms=now_ms)
        answer = await post(self._http, self.channel, url=self.channel.url.reveal(), body=body)
        if answer.status != 400:  # of which the body says more
            check_status(answer, self.channel)
        found = object_of(answer, self.channel)
        code = found.get("code", found.get("StatusCode"))
        text = said(str(found.get("msg", found.get("StatusMessage", ""))), self.channel)
        if answer.status == 200 and code == 0:
            return
        reason: Reason = _CODES.get(code, "refused") if isinstance(code, int) else "bad_answer"
        if code == 9499 and "too many" in text.lower():
            reason = "throttled"
        wait = (answer.retry_after_ms or THROTTLED_MS) if reason == "throttled" else None
        raise SendError(reason, f"code {code} {text}", retry_after_ms=wait)

    def _body(self, message: Message, *, now_ms: int) -> bytes:
        text = message.body
        mentions = " ".join(FEISHU.mention(one) for one in message.mentions if one.open_id)
        if mentions:
            text += f"\n{mentions}"
        elements: list[dict[str, Any]] = [{"tag": "div", "text": {"tag": "lark_md", "content": text}}]
        if message.links:
            elements.append({"tag": "action", "actions": [
                {"tag": "button", "text": {"tag": "plain_text", "content": LABELS[message.language][name]},
                 "type": "primary" if name == "claim" else "default", "url": link}
                for name, link in message.links.items()
            ]})  # fmt: skip
        colour = "green" if message.resolved else _COLOURS[message.severity]
        card = {
            "config": {"wide_screen_mode": True},
            "header": {"template": colour, "title": {"tag": "plain_text", "content": message.title}},
            "elements": elements,
        }
        body: dict[str, Any] = {"msg_type": "interactive", "card": card}
        if self.channel.secret:
            seconds = now_ms // 1000
            body |= {"timestamp": str(seconds), "sign": signature(self.channel.secret.reveal(), seconds)}
        return msgspec.json.encode(body)


def signature(secret: str, at_s: int) -> str:
    """Base64 of the HMAC; its key is what one would take for its message."""
    return base64.b64encode(hmac.new(f"{at_s}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


_CODES: Final[dict[int, Reason]] = {
    11232: "throttled", 99991400: "throttled",
    19001: "denied", 19021: "denied", 19022: "denied", 19024: "denied",
}  # fmt: skip
