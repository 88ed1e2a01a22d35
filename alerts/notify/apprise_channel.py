"""Every other service (mail, Slack, Telegram, PagerDuty, ntfy …) by the address that the apprise library knows.

It says no more than whether all went well, so a failure leaves us unsure. It is quietened: at its lower levels it
logs what it sends and where.
"""

import asyncio
import logging
from typing import Final

import apprise

from alerts.notify.errors import SendError
from alerts.notify.markup import LABELS, PLAIN
from alerts.notify.message import Message
from schemas.notify import Channel

_TALKATIVE: Final = {"apprise": logging.WARNING, "urllib3": logging.INFO}


class AppriseChannel:
    """A sender."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        for name, level in _TALKATIVE.items():
            logger = logging.getLogger(name)
            logger.setLevel(max(level, logger.level))

    def fits(self, message: Message) -> bool:
        """Whether the text is within the channel's size."""
        return len(_text(message).encode()) <= self.channel.max_bytes

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Deliver; SendError if it was not taken. Its calls block, so they run in a thread."""
        service = _service(self.channel)
        if service is None:
            raise SendError("denied", "apprise does not know this kind of address")
        kind = _KINDS["resolved" if message.resolved else message.severity]
        taken = await asyncio.to_thread(
            service.notify, body=_text(message), title=message.title, notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
        )  # fmt: skip
        if not taken:
            raise SendError("unsure", "apprise could not send it")


def is_known(channel: Channel) -> bool:
    """Whether apprise can make something of the address."""
    return _service(channel) is not None


def _service(channel: Channel) -> apprise.Apprise | None:
    asset = apprise.AppriseAsset(app_id="PeakWatch", secure_logging=True, async_mode=False)
    service = apprise.Apprise(asset=asset)
    return service if service.add(channel.url.reveal()) and len(service) == 1 else None


def _text(message: Message) -> str:
    names = " ".join(PLAIN.mention(one) for one in message.mentions)
    return message.body + (f"\n{LABELS[message.language]['on_call']}: {names}" if names else "")


_KINDS: Final = {
    "resolved": apprise.NotifyType.SUCCESS, "critical": apprise.NotifyType.FAILURE,
    "warning": apprise.NotifyType.WARNING, "info": apprise.NotifyType.INFO,
}  # fmt: skip
