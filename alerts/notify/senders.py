"""From a channel to what sends over it: the one place that knows all kinds."""

from typing import Protocol

import aiohttp

from alerts.notify.alertmanager import Alertmanager
from alerts.notify.apprise_channel import AppriseChannel, is_known
from alerts.notify.dingtalk import DingTalk
from alerts.notify.feishu import Feishu
from alerts.notify.message import Message
from alerts.notify.webhook import Webhook
from alerts.notify.wecom import WeCom
from schemas.errors import ConfigError
from schemas.notify import Channel, NotifyConfig


class Sender(Protocol):
    """One channel's way out. It tries once: whether to try again is the pipeline's decision."""

    channel: Channel

    def fits(self, message: Message) -> bool:
        """Whether the platform takes a message of this size."""
        ...

    async def send(self, message: Message, *, now_ms: int) -> None:
        """Deliver; SendError tells why it was not taken, without a secret."""
        ...


def sender_of(channel: Channel, http: aiohttp.ClientSession) -> Sender:
    """The sender of a channel's kind."""
    match channel.kind:
        case "dingtalk":
            return DingTalk(channel, http)
        case "feishu":
            return Feishu(channel, http)
        case "wecom":
            return WeCom(channel, http)
        case "webhook":
            return Webhook(channel, http)
        case "alertmanager":
            return Alertmanager(channel, http)
        case "apprise":
            return AppriseChannel(channel)


def check_addresses(config: NotifyConfig, *, source: str) -> None:
    """ConfigError for addresses that apprise does not know; all others were checked when they were read."""
    unknown = [c.name for c in config.channels.values() if c.kind == "apprise" and not is_known(c)]
    if unknown:
        raise ConfigError(f"{source}: channel {name!r}: url is none that apprise knows" for name in unknown)
