"""DingTalk's group bot: markdown or action card, signed, with people mentioned by phone.

After its documentation of custom bots: timestamp in ms and an HMAC-SHA256 over `timestamp\\nsecret` keyed with
the secret go into the address; 20 messages a minute, beyond which it is shut for ten; bodies to 20,000 bytes.
"""

import base64
import hashlib
import hmac
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
import msgspec

from alerts.notify.errors import Reason, SendError
from alerts.notify.http import check_status, object_of, post, said
from alerts.notify.markup import DINGTALK, LABELS
from alerts.notify.message import Message
from schemas.notify import Channel

SHUT_MS: Final = 600_000


class DingTalk:
    """A sender."""

    def __init__(self, channel: Channel, http: aiohttp.ClientSession) -> None:
        self.channel = channel
        self._http = http

    def fits(self, message: Message) -> bool:
        """Whether the platform takes a body of this size."""
        return len(self._body(message)) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Deliver; SendError if it was not taken."""
        url = self.channel.url.reveal()
        if self.channel.secret:
            joint = "&" if "?" in url else "?"
            url += f"{joint}timestamp={now_ms}&sign={quote_plus(signature(self.channel.secret.reveal(), now_ms))}"
        answer = await post(self._http, self.channel, url=url, body=self._body(message))
        check_status(answer, self.channel)
        found = object_of(answer, self.channel)
        code = found.get("errcode")
        if code != 0:
            reason: Reason = _CODES.get(code, "refused") if isinstance(code, int) else "bad_answer"
            text = f"errcode {code} {said(str(found.get('errmsg', '')), self.channel)}"
            raise SendError(reason, text, retry_after_ms=SHUT_MS if reason == "throttled" else None)

    def _body(self, message: Message) -> bytes:
        mentions = [one for one in message.mentions if one.phone]
        text = f"{DINGTALK.bold(message.title)}\n\n{message.body}"
        body: dict[str, Any]
        if self.channel.card and message.links and not mentions:  # a card mentions nobody
            labels = LABELS[message.language]
            buttons = [{"title": labels[name], "actionURL": link} for name, link in message.links.items()]
            card = {"title": message.title, "text": text, "btnOrientation": "1", "btns": buttons}
            body = {"msgtype": "actionCard", "actionCard": card}
        else:
            if mentions:  # a phone is only mentioned if it stands in the text as well
                text += "\n\n" + " ".join(DINGTALK.mention(one) for one in mentions)
            body = {
                "msgtype": "markdown", "markdown": {"title": message.title, "text": text},
                "at": {"atMobiles": [one.phone for one in mentions], "isAtAll": False},
            }  # fmt: skip
        return msgspec.json.encode(body)


def signature(secret: str, at_ms: int) -> str:
    """Base64 of the HMAC, not yet percent-encoded."""
    digest = hmac.new(secret.encode(), f"{at_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


_CODES: Final[dict[int, Reason]] = {
    -1: "busy",
    90030: "quota",
    130101: "throttled", 410100: "throttled",
    300001: "denied", 310000: "denied", 400013: "denied", 400102: "denied",
    460101: "too_large",
}  # fmt: skip
