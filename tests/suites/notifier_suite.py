"""What every sender promises, against local servers that behave like the real ones by their documentation.

A subclass gives `kind`, `platform` and `address`; its name begins with Test. The servers check signatures with code
of their own, count messages in their window and refuse large bodies, with the codes that the platforms document.
"""

import base64
import hashlib
import hmac
import json
import logging
import random
import traceback
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

import aiohttp
import msgspec
import pytest
from aiohttp import web

from alerts.notify.errors import SendError
from alerts.notify.message import Message
from alerts.notify.pipeline import Notifier
from alerts.notify.senders import sender_of
from schemas.notify import Channel, ChannelKind, NotifyConfig, Person, Roster, Rotation, Route, Secret
from schemas.results import Alert, Delivery

AT = 1_794_326_400_000
TOKEN = "tok3n-f00dfeedbeef"
SECRET = "SECdeadbeefcafe0123"


class ManualClock:
    """A clock that moves when told, and when somebody sleeps."""

    def __init__(self, now_ms: int = AT) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    async def sleep(self, ms: int) -> None:
        self.now += ms


class Platform:
    """A server that keeps what it was sent; `trouble` makes it fail in one of the documented ways."""

    most_a_minute: ClassVar[int] = 10**9
    most_a_second: ClassVar[int] = 10**9
    shut_for_ms: ClassVar[int] = 0  # once there were too many
    path: ClassVar[str] = "/hook/{token}"
    too_large: ClassVar[int] = 10**9

    def __init__(self, clock: ManualClock, *, signed: bool) -> None:
        self.clock = clock
        self.signed = signed
        self.taken: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.times: list[int] = []
        self.shut_until = 0
        self.requests = 0
        self.trouble = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        body = await request.read()
        if self.trouble == "hang_up":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if self.trouble == "down":
            return web.Response(status=503, text="down")
        if self.trouble == "not_json":
            return web.Response(status=200, text="<html>")
        if self.trouble == "redirect":
            return web.Response(status=302, headers={"Location": "/elsewhere/" + request.match_info.get("token", "")})
        if self.trouble == "echo":  # an answer that repeats our own secrets
            return self.no("echo", f"bad {request.path_qs} {SECRET}")
        if self.trouble in ("busy", "throttled", "denied", "quota", "refused"):
            return self.no(self.trouble, f"{self.trouble} for {TOKEN}")
        if len(body) > self.too_large or self.is_too_large(body):
            return self.no("too_large", "too long")
        wrong = self.check(request, body)
        if wrong:
            return self.no("denied", wrong)
        self.times = [at for at in self.times if at > self.clock.now - 60_000]
        lately = sum(at > self.clock.now - 1000 for at in self.times)
        if len(self.times) >= self.most_a_minute or lately >= self.most_a_second or self.clock.now < self.shut_until:
            self.shut_until = max(self.shut_until, self.clock.now + self.shut_for_ms)
            return self.no("throttled", "too fast")
        self.times.append(self.clock.now)
        self.raw.append(body)
        found = json.loads(body)
        self.taken += found if isinstance(found, list) else [found]
        return self.yes()

    def check(self, request: web.Request, body: bytes) -> str:
        return ""

    def is_too_large(self, body: bytes) -> bool:
        return False

    def yes(self) -> web.Response:
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    def no(self, why: str, text: str) -> web.Response:
        raise NotImplementedError


class DingTalkPlatform(Platform):
    path = "/robot/send"
    most_a_minute = 20
    shut_for_ms = 600_000
    too_large = 20_000
    CODES: ClassVar[dict[str, int]] = {
        "busy": -1, "throttled": 130101, "denied": 310000, "quota": 90030, "too_large": 460101, "refused": 40035,
        "echo": 300001,
    }  # fmt: skip

    def check(self, request: web.Request, body: bytes) -> str:
        if request.query.get("access_token") != TOKEN:
            return "token is not exist"
        if not self.signed:
            return ""
        stamp = request.query.get("timestamp", "0")
        if abs(int(stamp) - self.clock.now) > 3_600_000:
            return "invalid timestamp"
        text = f"{stamp}\n{SECRET}"
        right = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()).decode()
        return "" if hmac.compare_digest(request.query.get("sign", ""), right) else "sign not match"

    def no(self, why: str, text: str) -> web.Response:
        return web.json_response({"errcode": self.CODES[why], "errmsg": text})


class FeishuPlatform(Platform):
    most_a_minute = 100
    most_a_second = 5
    too_large = 20_480
    CODES: ClassVar[dict[str, int]] = {
        "throttled": 11232, "denied": 19021, "too_large": 9499, "refused": 9499, "echo": 19001,
    }  # fmt: skip

    def check(self, request: web.Request, body: bytes) -> str:
        if request.match_info["token"] != TOKEN:
            return "param invalid: incoming webhook access token invalid"
        found = json.loads(body)
        if not self.signed:
            return ""
        stamp = str(found.get("timestamp", "0"))
        if abs(int(stamp) * 1000 - self.clock.now) > 3_600_000:
            return "timestamp is not within one hour"
        code = hmac.new(f"{stamp}\n{SECRET}".encode(), digestmod=hashlib.sha256).digest()
        right = base64.b64encode(code).decode()
        return "" if hmac.compare_digest(str(found.get("sign", "")), right) else "sign match fail"

    def yes(self) -> web.Response:
        return web.json_response({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})

    def no(self, why: str, text: str) -> web.Response:
        if why == "busy":
            return web.json_response({"code": 1, "msg": text}, status=500)
        status = 400 if self.CODES[why] == 9499 else 200
        return web.json_response({"code": self.CODES[why], "msg": text, "data": {}}, status=status)


class WeComPlatform(Platform):
    path = "/cgi-bin/webhook/send"
    most_a_minute = 20
    CODES: ClassVar[dict[str, int]] = {
        "busy": -1, "throttled": 45009, "denied": 93000, "too_large": 40058, "refused": 40008, "echo": 93000,
    }  # fmt: skip

    def check(self, request: web.Request, body: bytes) -> str:
        return "" if request.query.get("key") == TOKEN else "invalid webhook url"

    def is_too_large(self, body: bytes) -> bool:
        return len(json.loads(body).get("markdown", {}).get("content", "").encode()) > 4096

    def no(self, why: str, text: str) -> web.Response:
        text = "markdown.content exceed max length 4096" if why == "too_large" else text
        return web.json_response({"errcode": self.CODES[why], "errmsg": text})


class WebhookPlatform(Platform):
    too_large = 1_000_000
    STATUS: ClassVar[dict[str, int]] = {
        "busy": 503, "throttled": 429, "denied": 403, "too_large": 413, "refused": 422, "echo": 400,
    }  # fmt: skip

    def check(self, request: web.Request, body: bytes) -> str:
        if request.match_info["token"] != TOKEN:
            return "no such hook"
        stamp = request.headers.get("X-PeakWatch-Timestamp", "0")
        right = "v1=" + hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        fresh = abs(int(stamp) * 1000 - self.clock.now) <= 300_000
        if not self.signed:
            return ""
        return "" if fresh and request.headers.get("X-PeakWatch-Signature") == right else "wrong signature"

    def yes(self) -> web.Response:
        return web.Response(status=204)

    def no(self, why: str, text: str) -> web.Response:
        return web.Response(status=self.STATUS[why], text=text, headers={"Retry-After": "7"})


class AlertmanagerPlatform(Platform):
    path = "/api/v2/alerts"
    STATUS: ClassVar[dict[str, int]] = {"busy": 500, "throttled": 429, "denied": 401, "refused": 400, "echo": 400}

    def check(self, request: web.Request, body: bytes) -> str:
        for one in json.loads(body):
            names = all(key and (key[0].isalpha() or key[0] == "_") and key.isascii() for key in one["labels"])
            if not one["labels"].get("alertname") or not names or one["endsAt"] < one["startsAt"]:
                return "bad alert"
        return ""

    def yes(self) -> web.Response:
        return web.Response(status=200)

    def no(self, why: str, text: str) -> web.Response:
        return web.json_response(text, status=self.STATUS[why])


class JsonPlatform(Platform):
    """What apprise's own `json://` posts to."""

    def no(self, why: str, text: str) -> web.Response:
        return web.Response(status=500, text=text)


def spike(number: int = 1, **changes: Any) -> Alert:
    """A critical spike with all that the evidence may hold."""
    alert = Alert(
        alert_id=f"a{number:04d}", rule="negative-spike", kind="negative_spike", status="firing", severity="critical",
        at=AT, starts_at=AT - 160_000, ends_at=None, labels={"dimension": "category", "value": "手机"}, value=0.41,
        baseline=0.12, peak="double-11", summary="", reason="",
        evidence={
            "window_seconds": 300, "count": 812, "negative": 333, "phase": "双11 · 开门红",
            "keywords": ["快递", "丢件"],
            "aspects": [{"name": "logistics", "share": 0.62}, {"name": "service", "share": 0.21}],
            "texts": ["太差了 @all", "等了一周", "客服不理人"], "runbook": "https://wiki.example.com/spike",
            "contributions": [{"dimension": "region", "value": "华东", "observed": 30.0, "expected": 4.2,
                               "share_of_excess": 0.62}],
        },
    )  # fmt: skip
    return alert._replace(**changes)


def message(alerts: Sequence[Alert] = (), *, body: str = "正文", people: Sequence[Person] = ()) -> Message:
    """A message as `compose` would make it."""
    return Message(
        title="🔴 差评突增", body=body, mentions=tuple(people), alerts=tuple(alerts or [spike()]), severity="critical",
        resolved=False, links={"wall": "https://wall.example.com/a"}, language="zh", brief=0,
    )  # fmt: skip


class Log:
    """The delivery log."""

    def __init__(self) -> None:
        self.rows: list[Delivery] = []

    async def __call__(self, rows: Sequence[Delivery]) -> None:
        self.rows += rows

    def outcomes(self, channel: str = "") -> list[str]:
        return [one.outcome for one in self.rows if not channel or one.channel == channel]


def one_channel(channel: Channel, **route: Any) -> NotifyConfig:
    """Everything goes to one channel, with 王芳 on call."""
    person = Person(name="王芳", phone="13800000001", open_id="ou_wangfang", wecom="wangfang")
    roster = Roster(name="care", rotations=(Rotation(people=("王芳",), start_wall=0, every_ms=86_400_000),))
    return NotifyConfig(
        people={"王芳": person}, rosters={"care": roster}, channels={channel.name: channel},
        links={"wall": "https://wall.example.com/a/{alert_id}"},
        routes=(Route(**({"channels": (channel.name,), "roster": "care"} | route)),),
    )  # fmt: skip


class NotifierSuite:
    """The suite."""

    kind: ClassVar[ChannelKind]
    platform_class: ClassVar[type[Platform]]
    address: ClassVar[str] = "{root}/hook/{token}"
    signs: ClassVar[bool] = False
    limit: ClassVar[tuple[tuple[int, int], ...]] = ()
    max_bytes: ClassVar[int] = 20_000
    # What each trouble of the platform means; `None`: this platform does not have it.
    reasons: ClassVar[dict[str, str]] = {
        "busy": "busy", "throttled": "throttled", "denied": "denied", "refused": "refused", "down": "busy",
        "hang_up": "unsure", "redirect": "denied",
    }  # fmt: skip

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def platform(self, clock: ManualClock) -> AsyncIterator[Platform]:
        platform = self.platform_class(clock, signed=self.signs)
        app = web.Application(client_max_size=10**8)
        app.router.add_post(platform.path, platform.answer)
        runner = web.AppRunner(app, access_log=None)  # it would hold the token in its own right
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server = site._server
        assert server is not None
        self.port = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        yield platform
        await runner.cleanup()

    @pytest.fixture
    async def http(self) -> AsyncIterator[aiohttp.ClientSession]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            yield session

    def channel(self, *, token: str = TOKEN, secret: str = SECRET, port: int = 0, **changes: Any) -> Channel:
        host = f"127.0.0.1:{port or self.port}"
        address = self.address.format(root=f"http://{host}", host=host, token=token)
        values: dict[str, Any] = {
            "name": "it", "kind": self.kind, "url": Secret(address),
            "secret": Secret(secret) if self.signs else Secret(""), "limits": self.limit, "max_bytes": self.max_bytes,
            "timeout_ms": 2000,
        }  # fmt: skip
        return Channel(**(values | changes))

    async def fail(self, channel: Channel, http: aiohttp.ClientSession, clock: ManualClock) -> SendError:
        with pytest.raises(SendError) as caught:
            await sender_of(channel, http).send(message(), now_ms=clock.now)
        return caught.value

    async def fail_or_not(self, channel: Channel, http: aiohttp.ClientSession, clock: ManualClock) -> SendError | None:
        try:
            await sender_of(channel, http).send(message(), now_ms=clock.now)
        except SendError as error:
            return error
        return None

    async def test_a_message_arrives(self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock) -> None:
        await sender_of(self.channel(), http).send(message(), now_ms=clock.now)
        assert len(platform.taken) == 1
        assert "差评突增" in json.dumps(platform.taken, ensure_ascii=False)

    async def test_each_failure_has_its_reason(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        found = {}
        for trouble in self.reasons:
            platform.trouble = trouble
            found[trouble] = (await self.fail(self.channel(), http, clock)).reason
        assert found == self.reasons
        assert platform.taken == []

    async def test_nobody_at_the_door_is_no_connection(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        wanted = "unsure" if self.kind == "apprise" else "connection"
        assert (await self.fail(self.channel(port=1), http, clock)).reason == wanted

    async def test_no_secret_shows_anywhere(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock, caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        caplog.set_level(logging.DEBUG)
        channel = self.channel()
        shown = [repr(channel), str(channel), repr(sender_of(channel, http)), repr(one_channel(channel))]
        log = Log()
        for trouble in ("", "echo", "down", "hang_up", "not_json", "redirect", *self.reasons):
            platform.trouble = trouble
            if trouble:
                error = await self.fail_or_not(channel, http, clock)
                shown += [repr(error), *traceback.format_exception(error)]
            notifier = self.notifier(channel, http, clock, log)
            await notifier.notify(spike())
            shown += [json.dumps(notifier.dump()), repr(notifier)]
        shown += [repr(log.rows), caplog.text, *(str(one.__dict__) for one in caplog.records), *capsys.readouterr()]
        for secret in (TOKEN, SECRET) if self.signs else (TOKEN,):
            assert not [text for text in shown if secret in text]

    async def test_the_longest_alert_fits(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        """Whatever the evidence holds, the platform does not refuse it for its size."""
        log = Log()
        long = "很长的原话" * 2000
        evidence = spike().evidence | {"texts": [long] * 3, "keywords": [long] * 8, "notes": [{"text": long}]}
        labels = {"dimension": "category", "value": long}
        await self.notifier(self.channel(), http, clock, log).notify(spike(evidence=evidence, labels=labels))
        assert log.outcomes() == ["sent"]

    async def test_what_a_customer_wrote_is_no_markup(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        attack = "<at id=all></at><@all>@13800000001 [点我](http://evil.example) **x** # t\n> q"
        evidence = spike().evidence | {"texts": [attack], "keywords": [attack], "owner": attack}
        labels = {"dimension": "category", "value": attack}
        await self.notifier(self.channel(), http, clock, Log()).notify(spike(evidence=evidence, labels=labels))
        text = self.shown(platform)
        assert text
        for marker in ("<at id=all", "<@all", "](http://evil", "http://evil", "**x**", "\n# t"):
            assert marker not in text
        assert "点我" in text

    async def test_the_platforms_limit_is_never_met(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        """Of 60 alerts in two minutes every one is told, and no message is refused as one too many."""
        log = Log()
        notifier = self.notifier(self.channel(), http, clock, log, severity="warning")
        for number in range(60):
            await notifier.notify(spike(number, severity="warning"))
            clock.now += 2000
            await notifier.tick(clock.now)
        for _ in range(90):
            clock.now += 1000
            await notifier.tick(clock.now)
        sent = {row.alert_id for row in log.rows if row.outcome == "sent"}
        assert len(sent) == 60
        assert not [row for row in log.rows if row.outcome not in ("sent", "superseded")]

    async def test_a_flood_in_one_instant_is_told_whole_and_never_meets_the_limit(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        log = Log()
        notifier = self.notifier(self.channel(), http, clock, log)
        for number in range(150):
            await notifier.notify(spike(number, severity="critical" if number % 3 == 0 else "warning"))
        for _ in range(200):
            clock.now += 1000
            await notifier.tick(clock.now)
        assert len({row.alert_id for row in log.rows if row.outcome == "sent"}) == 150
        assert {row.outcome for row in log.rows} == {"sent"}

    async def test_a_passing_fault_is_tried_again_and_told_once(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        log = Log()
        notifier = self.notifier(self.channel(), http, clock, log)
        platform.trouble = "down"
        await notifier.notify(spike())
        assert platform.taken == []
        platform.trouble = ""
        for _ in range(20):
            clock.now += 1000
            await notifier.tick(clock.now)
        await notifier.notify(spike())
        assert len(platform.taken) == 1
        assert log.outcomes() == ["retry", "sent"]

    def notifier(
        self, channel: Channel, http: aiohttp.ClientSession, clock: ManualClock, log: Log, **_: object
    ) -> Notifier:
        return Notifier(one_channel(channel), clock=clock, http=http, record=log, chance=random.Random(1))

    def shown(self, platform: Platform) -> str:
        """The text that the platform would show with its markup: its own, without what we put round it."""
        return "\n".join(_texts(msgspec.to_builtins(platform.taken)))


class SignedNotifierSuite(NotifierSuite):
    """For platforms that check a signature."""

    signs = True

    async def test_a_wrong_key_is_denied(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        assert (await self.fail(self.channel(secret="another"), http, clock)).reason == "denied"

    async def test_a_signature_of_two_hours_ago_is_denied(
        self, platform: Platform, http: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        with pytest.raises(SendError, match="denied"):
            await sender_of(self.channel(), http).send(message(), now_ms=clock.now - 7_200_000)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else []
