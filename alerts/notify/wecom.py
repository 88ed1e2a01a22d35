"""WeCom's group bot: markdown with people mentioned, or a template card.

After its documentation of group bots: the key in the address is the only secret; 20 messages a minute; markdown
to 4,096 bytes of UTF-8; a card's fields are short and it mentions nobody, so a message with mentions is markdown.
"""

from typing import Any, Final

import aiohttp
import msgspec

from alerts.notify.errors import Reason, SendError
from alerts.notify.http import check_status, object_of, post, said
from alerts.notify.markup import LABELS, WECOM
from alerts.notify.message import Message
from schemas.notify import Channel

THROTTLED_MS: Final = 60_000
TITLE_CHARS, SUBTITLE_CHARS, JUMPS = 26, 112, 3  # of a card


class WeCom:
    """A sender."""

    def __init__(self, channel: Channel, http: aiohttp.ClientSession) -> None:
        self.channel = channel
        self._http = http

    def fits(self, message: Message) -> bool:
        """Whether the platform takes a text of this size."""
        return self._is_card(message) or len(_text(message).encode()) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Deliver; SendError if it was not taken."""
        if self._is_card(message):
            body: dict[str, Any] = {"msgtype": "template_card", "template_card": _card(message)}
        else:
            body = {"msgtype": "markdown", "markdown": {"content": _text(message)}}
        encoded = msgspec.json.encode(body)
        answer = await post(self._http, self.channel, url=self.channel.url.reveal(), body=encoded)
        check_status(answer, self.channel)
        found = object_of(answer, self.channel)
        code, text = found.get("errcode"), said(str(found.get("errmsg", "")), self.channel)
        if code != 0:
            reason: Reason = _CODES.get(code, "refused") if isinstance(code, int) else "bad_answer"
            if code == 40058 and "exceed max length" in text:
                reason = "too_large"
            wait = THROTTLED_MS if reason == "throttled" else None
            raise SendError(reason, f"errcode {code} {text}", retry_after_ms=wait)

    def _is_card(self, message: Message) -> bool:
        return self.channel.card and bool(message.links) and not any(one.wecom for one in message.mentions)


def _text(message: Message) -> str:
    mentions = " ".join(WECOM.mention(one) for one in message.mentions if one.wecom)
    return "\n".join(part for part in (WECOM.bold(message.title), message.body, mentions) if part)


def _card(message: Message) -> dict[str, Any]:
    """A text notice; a card's fields know no markup, so the body's is taken out."""
    labels = LABELS[message.language]
    fits = len(message.title) <= TITLE_CHARS
    title, rest = (message.title, "") if fits else (message.title[: TITLE_CHARS - 1], message.title[TITLE_CHARS - 1 :])
    lines = [line for line in message.body.replace("**", "").splitlines() if "](" not in line]
    told = "\n".join(part for part in ("…" + rest if rest else "", *lines) if part)
    links = list(message.links.items())
    return {
        "card_type": "text_notice",
        "main_title": {"title": title + ("…" if rest else "")},
        "sub_title_text": told if len(told) <= SUBTITLE_CHARS else told[: SUBTITLE_CHARS - 1] + "…",
        "jump_list": [{"type": 1, "title": labels[name], "url": link} for name, link in links[:JUMPS]],
        "card_action": {"type": 1, "url": links[0][1]},
    }


_CODES: Final[dict[int, Reason]] = {
    -1: "busy", 45009: "throttled", 45033: "throttled", 93000: "denied", 45002: "too_large",
}  # fmt: skip
