"""DingTalk's group bot."""

from typing import ClassVar

import aiohttp

from alerts.notify.senders import sender_of
from schemas.notify import Channel, ChannelKind, Person
from tests.suites.notifier_suite import (
    DingTalkPlatform,
    Log,
    ManualClock,
    Platform,
    SignedNotifierSuite,
    message,
    spike,
)


class TestDingTalk(SignedNotifierSuite):
    kind: ClassVar[ChannelKind] = "dingtalk"
    platform_class = DingTalkPlatform
    address = "{root}/robot/send?access_token={token}"
    limit = ((20, 60_000),)
    reasons: ClassVar[dict[str, str]] = SignedNotifierSuite.reasons | {"quota": "quota", "not_json": "bad_answer"}

    async def test_who_is_on_call_is_mentioned_by_phone(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        await self.notifier(self.channel(), http, clock, Log()).notify(spike())
        body = platform.taken[0]
        assert body["at"] == {"atMobiles": ["13800000001"], "isAtAll": False}
        assert "@13800000001" in body["markdown"]["text"]
        assert body["markdown"]["title"].startswith("🔴 差评突增：类目「手机」负面率 41%")

    async def test_a_card_has_buttons_and_mentions_nobody(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        channel = self.channel(card=True)
        await sender_of(channel, http).send(message(), now_ms=clock.now)
        await sender_of(channel, http).send(message(people=[Person(name="x", phone="13800000002")]), now_ms=clock.now)
        assert [one["msgtype"] for one in platform.taken] == ["actionCard", "markdown"]
        assert platform.taken[0]["actionCard"]["btns"] == [{"title": "看板", "actionURL": "https://wall.example.com/a"}]

    async def test_too_many_messages_shut_the_channel_for_ten_minutes(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        channel: Channel = self.channel()
        notifier = self.notifier(channel, http, clock, Log())
        platform.trouble = "throttled"
        await notifier.notify(spike())
        await notifier.tick(clock.now + 599_000)
        assert platform.requests == 1
        platform.trouble = ""
        clock.now += 601_000
        await notifier.tick(clock.now)
        assert len(platform.taken) == 1
