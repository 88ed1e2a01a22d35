"""WeCom's group bot."""

from typing import ClassVar

import aiohttp

from alerts.notify.senders import sender_of
from schemas.notify import ChannelKind, Person
from tests.suites.notifier_suite import Log, ManualClock, NotifierSuite, Platform, WeComPlatform, message, spike


class TestWeCom(NotifierSuite):
    kind: ClassVar[ChannelKind] = "wecom"
    platform_class = WeComPlatform
    address = "{root}/cgi-bin/webhook/send?key={token}"
    limit = ((20, 60_000),)
    max_bytes = 4096
    reasons: ClassVar[dict[str, str]] = NotifierSuite.reasons | {"not_json": "bad_answer"}

    async def test_markdown_mentions_by_user_id(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        await self.notifier(self.channel(), http, clock, Log()).notify(spike())
        assert platform.taken[0]["markdown"]["content"].endswith("<@wangfang>")

    async def test_a_card_keeps_to_the_lengths_of_its_fields(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        long = message(body="**位置** 类目 手机\n" + "很长" * 100)._replace(title="差" * 60)
        await sender_of(self.channel(card=True), http).send(long, now_ms=clock.now)
        card = platform.taken[0]["template_card"]
        assert (card["card_type"], card["card_action"]["url"]) == ("text_notice", "https://wall.example.com/a")
        assert len(card["main_title"]["title"]) == 26
        assert len(card["sub_title_text"]) == 112
        assert "**" not in card["sub_title_text"]

    async def test_a_card_that_should_mention_somebody_is_markdown(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        told = message(people=[Person(name="x", wecom="x")])
        await sender_of(self.channel(card=True), http).send(told, now_ms=clock.now)
        assert platform.taken[0]["msgtype"] == "markdown"
