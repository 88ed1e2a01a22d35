"""Everything else, by apprise; its `json://` stands for all of them."""

from typing import ClassVar

import aiohttp
import pytest

from alerts.notify.senders import check_addresses
from schemas.errors import ConfigError
from schemas.notify import Channel, ChannelKind, Secret
from tests.suites.notifier_suite import (
    JsonPlatform,
    Log,
    ManualClock,
    NotifierSuite,
    Platform,
    one_channel,
    spike,
)

# Its plugins import a module that Python 3.13 has dropped (and shim it there).
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class TestApprise(NotifierSuite):
    kind: ClassVar[ChannelKind] = "apprise"
    platform_class = JsonPlatform
    address = "json://{host}/hook/{token}"
    reasons: ClassVar[dict[str, str]] = {"down": "unsure", "hang_up": "unsure"}

    def channel(self, **changes: object) -> Channel:
        return super().channel(**({"retry_unsure": True} | changes))  # type: ignore[arg-type]

    async def test_who_is_on_call_stands_in_the_text(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        await self.notifier(self.channel(), http, clock, Log()).notify(spike())
        assert platform.taken[0]["message"].endswith("值班: 王芳")
        assert platform.taken[0]["type"] == "failure"

    async def test_an_address_that_apprise_does_not_know_is_a_mistake_that_does_not_show_it(
        self, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        channel = Channel(name="odd", kind="apprise", url=Secret("gopher://hidden"))
        with pytest.raises(ConfigError, match="'odd': url is none") as caught:
            check_addresses(one_channel(channel), source="notify.yaml")
        assert "hidden" not in str(caught.value)
        assert (await self.fail(channel, http, clock)).reason == "denied"
