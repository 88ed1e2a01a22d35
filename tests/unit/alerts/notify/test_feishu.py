"""Feishu's group bot."""

from typing import ClassVar

import aiohttp

from schemas.notify import ChannelKind
from tests.suites.notifier_suite import FeishuPlatform, Log, ManualClock, Platform, SignedNotifierSuite, spike


class TestFeishu(SignedNotifierSuite):
    kind: ClassVar[ChannelKind] = "feishu"
    platform_class = FeishuPlatform
    limit = ((100, 60_000), (5, 1000))
    reasons: ClassVar[dict[str, str]] = SignedNotifierSuite.reasons | {"not_json": "bad_answer"}

    async def test_a_card_has_a_title_in_its_severitys_colour_and_mentions_by_open_id(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        await self.notifier(self.channel(), http, clock, Log()).notify(spike())
        card = platform.taken[0]["card"]
        assert card["header"]["template"] == "red"
        assert card["header"]["title"]["tag"] == "plain_text"
        assert card["elements"][0]["text"]["content"].endswith("<at id=ou_wangfang></at>")
        assert card["elements"][1]["actions"][0]["url"] == "https://wall.example.com/a/a0001"

    async def test_a_resolved_alert_is_green_and_names_nobody(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        notifier = self.notifier(self.channel(), http, clock, Log())
        await notifier.notify(spike())
        await notifier.notify(spike(status="resolved", at=clock.now + 1, ends_at=clock.now + 1))
        card = platform.taken[1]["card"]
        assert card["header"]["template"] == "green"
        assert "<at" not in str(card)

    async def test_at_most_five_a_second(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        notifier = self.notifier(self.channel(), http, clock, Log())
        for number in range(9):
            await notifier.notify(spike(number))
        assert len(platform.taken) == 5
        clock.now += 1300
        await notifier.tick(clock.now)
        assert len(platform.taken) == 9
