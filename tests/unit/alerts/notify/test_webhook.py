"""The generic webhook."""

from typing import ClassVar

import aiohttp

from alerts.notify.senders import sender_of
from schemas.notify import ChannelKind, Secret
from tests.suites.notifier_suite import (
    TOKEN,
    Log,
    ManualClock,
    Platform,
    SignedNotifierSuite,
    WebhookPlatform,
    message,
    spike,
)


class TestWebhook(SignedNotifierSuite):
    kind: ClassVar[ChannelKind] = "webhook"
    platform_class = WebhookPlatform

    def shown(self, platform: Platform) -> str:
        """Its alerts are data, with the texts as they are; what is to be shown is title and body."""
        return "\n".join(one["title"] + one["body"] for one in platform.taken)

    async def test_the_alerts_come_as_the_contract_writes_them(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        await self.notifier(self.channel(), http, clock, Log()).notify(spike())
        alert = platform.taken[0]["alerts"][0]
        assert (alert["alert_id"], alert["at"], alert["ends_at"]) == ("a0001", "2026-11-11T00:00:00+08:00", None)
        assert alert["evidence"]["texts"][0] == "太差了 @all"

    async def test_every_try_of_one_message_has_one_key(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        """So that a receiver can tell a repeat, since a webhook is tried again when nobody knows."""
        keys = []
        answer = platform.check
        platform.check = lambda request, body: keys.append(request.headers["Idempotency-Key"]) or answer(request, body)  # type: ignore[method-assign, func-returns-value]
        sender = sender_of(self.channel(), http)
        await sender.send(message(), now_ms=clock.now)
        await sender.send(message(), now_ms=clock.now + 60_000)
        await sender.send(message([spike(2)]), now_ms=clock.now)
        assert keys[0] == keys[1] != keys[2]

    async def test_headers_of_the_user_are_sent_and_secret(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        seen = []
        platform.check = lambda request, body: seen.append(request.headers.get("Authorization")) or ""  # type: ignore[method-assign, func-returns-value]
        channel = self.channel(headers={"Authorization": Secret("Bearer " + TOKEN)})
        await sender_of(channel, http).send(message(), now_ms=clock.now)
        assert seen == ["Bearer " + TOKEN]
        assert TOKEN not in repr(channel)
