"""One POST, and what its failure means; addresses and secrets stay out of every error.

aiohttp's own errors name the address, and a bot's address is its password: they are caught here and go no
further, not even as the context of ours.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from alerts.notify.errors import Reason, SendError
from schemas.notify import Channel

ANSWER_BYTES: Final = 65_536


class Answer(NamedTuple):
    """What the other side said."""

    status: int
    body: bytes
    retry_after_ms: int | None


def open_session() -> aiohttp.ClientSession:
    """A session for the notifier: each message on a fresh connection, so that a stale one cannot make us unsure
    whether a message arrived. To be closed by who opened it."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), trust_env=True)


async def post(
    http: aiohttp.ClientSession, channel: Channel, *, url: str, body: bytes, headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer to a POST of JSON, whatever its status; SendError if there is none."""
    sent = {"Content-Type": "application/json; charset=utf-8"} | dict(headers or {})
    sent |= {name: value.reveal() for name, value in channel.headers.items()}
    seconds = channel.timeout_ms / 1000
    limits = aiohttp.ClientTimeout(total=2 * seconds, sock_connect=seconds, connect=seconds, sock_read=seconds)
    try:
        async with http.post(url, data=body, headers=sent, timeout=limits, allow_redirects=False) as response:
            answer = await response.content.read(ANSWER_BYTES)
            return Answer(response.status, answer, _retry_after(response.headers))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        failure = _failure("connection", error)
    except aiohttp.InvalidURL as error:
        failure = _failure("denied", error)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        failure = _failure("unsure", error)
    raise failure


def check_status(answer: Answer, channel: Channel) -> None:
    """Nothing for a 2xx status; SendError with what another means."""
    if 200 <= answer.status < 300:
        return
    text = f"HTTP {answer.status} {said(answer.body, channel)}"
    raise SendError(_STATUS.get(answer.status) or _class_of(answer.status), text, retry_after_ms=answer.retry_after_ms)


def object_of(answer: Answer, channel: Channel) -> dict[str, Any]:
    """The answer's JSON object; SendError if it is none."""
    try:
        found = msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise SendError("bad_answer", f"HTTP {answer.status} {said(answer.body, channel)}") from None
    return found


def said(body: bytes | str, channel: Channel) -> str:
    """What the other side said, fit for a log: one line, without our secrets."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    text = " ".join(text.split())
    for one in sorted(hidden_of(channel), key=len, reverse=True):
        text = text.replace(one, "***")
    return text[:200]


def hidden_of(channel: Channel) -> set[str]:
    """The texts of a channel that may not show: its secrets, and each long part of its address."""
    found = {one.reveal() for one in (channel.secret, *channel.headers.values()) if one}
    url = channel.url.reveal()
    found |= {part for part in re.split(r"[/?&=:@#]", url) if len(part) >= _SECRET_CHARS}
    return found | {url}


def _failure(reason: Reason, error: BaseException) -> SendError:
    return SendError(reason, type(error).__name__)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    for name in ("Retry-After", "x-ogw-ratelimit-reset"):
        text = headers.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 7:
            return int(text) * 1000
    return None


def _class_of(status: int) -> Reason:
    if status >= 500:
        return "busy"
    return "refused" if status >= 400 else "denied"  # a redirect would carry the secret elsewhere


_SECRET_CHARS: Final = 8
_STATUS: Final[Mapping[int, Reason]] = {
    401: "denied", 403: "denied", 404: "denied", 410: "denied", 408: "busy", 413: "too_large", 425: "busy",
    429: "throttled", 502: "unsure", 504: "unsure",
}  # fmt: skip
