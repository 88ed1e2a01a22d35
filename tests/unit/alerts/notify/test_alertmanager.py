"""Alertmanager's API v2."""

from typing import ClassVar

import aiohttp
import pytest

from alerts.notify.alertmanager import labels_of
from schemas.instants import parse_instant
from schemas.notify import ChannelKind
from tests.suites.notifier_suite import AT, AlertmanagerPlatform, Log, ManualClock, NotifierSuite, Platform, spike


class TestAlertmanager(NotifierSuite):
    kind: ClassVar[ChannelKind] = "alertmanager"
    platform_class = AlertmanagerPlatform
    address = "http://user:{token}@{host}"
    max_bytes = 1_000_000

    def shown(self, platform: Platform) -> str:
        """Labels name the alert and stay as they are."""
        return "\n".join(text for one in platform.taken for text in one["annotations"].values())

    async def test_an_active_alert_is_sent_again_before_it_ends_there(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        log = Log()
        notifier = self.notifier(self.channel(), http, clock, log)
        await notifier.notify(spike())
        for _ in range(200):
            clock.now += 1000
            await notifier.tick(clock.now)
        assert len(platform.taken) == 4
        gaps = [(parse_instant(one["endsAt"]) - AT) // 60_000 for one in platform.taken]
        assert gaps == [4, 5, 6, 7]
        assert log.outcomes() == ["sent"]

    async def test_a_resolved_alert_ends_and_is_not_sent_again(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        notifier = self.notifier(self.channel(), http, clock, Log())
        await notifier.notify(spike())
        clock.now += 5000
        await notifier.notify(spike(status="resolved", at=clock.now, ends_at=clock.now))
        for _ in range(100):
            clock.now += 1000
            await notifier.tick(clock.now)
        assert [one["endsAt"] for one in platform.taken] == ["2026-11-10T16:04:00Z", "2026-11-10T16:00:05Z"]
        assert platform.taken[0]["labels"] == platform.taken[1]["labels"]

    async def test_when_the_severity_rises_the_alert_under_the_old_labels_ends(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        notifier = self.notifier(self.channel(), http, clock, Log())
        await notifier.notify(spike(severity="warning"))
        clock.now += 5000
        await notifier.notify(spike(status="updated", reason="escalated", at=clock.now))
        ended = [one["labels"]["severity"] for one in platform.taken if one["endsAt"] == "2026-11-10T16:00:05Z"]
        assert (len(platform.taken), ended) == (3, ["warning"])

    async def test_a_muted_alert_ends_there(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        log = Log()
        notifier = self.notifier(self.channel(), http, clock, log)
        await notifier.notify(spike())
        clock.now += 5000
        evidence = spike().evidence | {"muted": {"by": "silence", "until": None}}
        await notifier.notify(spike(status="updated", reason="muted", at=clock.now, evidence=evidence))
        for _ in range(100):
            clock.now += 1000
            await notifier.tick(clock.now)
        assert [one["endsAt"] for one in platform.taken] == ["2026-11-10T16:04:00Z", "2026-11-10T16:00:05Z"]
        assert log.outcomes() == ["sent", "muted"]

    async def test_what_links_back_is_the_walls_page(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        await self.notifier(self.channel(), http, clock, Log()).notify(spike())
        assert platform.taken[0]["generatorURL"] == "https://wall.example.com/a/a0001"


@pytest.mark.parametrize(
    ("key", "name"), [("category", "category"), ("my-label", "my_label"), ("1st", "_1st"), ("类目", "__")]
)
def test_a_labels_name_is_one_that_alertmanager_takes(key: str, name: str) -> None:
    assert labels_of(spike(labels={key: "x"}))[name] == "x"
