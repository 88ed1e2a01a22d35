"""Debian's Alertmanager, with the configuration that ships, takes what the notifier sends and does with it what its
users expect: groups, inhibits, silences, resolves, and forgets what is sent no more."""

import asyncio
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from aiohttp import web

from agents.clock import SystemClock
from alerts.notify.http import open_session
from alerts.notify.pipeline import Notifier
from schemas.instants import parse_instant
from schemas.notify import Channel, NotifyConfig, Route, Secret
from schemas.results import Alert, Delivery
from tests.services.conftest import free_port
from tests.suites.notifier_suite import spike

pytestmark = [pytest.mark.timeout(120)]

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
RESEND_MS: Final = 1_000  # so that an alert ends 4 s after it was sent last


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is missing: apt-get install prometheus-alertmanager")
        pytest.skip(f"{name} is not installed")
    return found


class Running:
    """An Alertmanager, and the people behind it: what its webhook was told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.told: list[dict[str, Any]] = []

    def ask(self, path: str, body: Any = None) -> Any:
        """What its API answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    async def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """What it holds under these labels."""
        found: list[dict[str, Any]] = await asyncio.to_thread(self.ask, "/api/v2/alerts")
        return [one for one in found if labels.items() <= one["labels"].items()]

    def heard(self, status: str, **labels: str) -> list[dict[str, Any]]:
        """Alerts with these labels in what people were told."""
        return [
            one for message in self.told for one in message["alerts"]
            if one["status"] == status and labels.items() <= one["labels"].items()
        ]  # fmt: skip


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The server's port, and that of its webhook: the shipped configuration, in a hurry."""
    binary = program("prometheus-alertmanager")
    folder, port, people = tmp_path_factory.mktemp("alertmanager"), free_port(), free_port()
    config = yaml.safe_load(SHIPPED.read_text("utf-8"))
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": "300ms", "group_interval": "500ms"}
    config["receivers"][0]["webhook_configs"] = [{"url": f"http://127.0.0.1:{people}/told"}]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config), "utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not is_ready(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield port, people
    finally:
        process.kill()
        process.wait()


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
async def server(ports: tuple[int, int]) -> AsyncIterator[Running]:
    running = Running(f"http://127.0.0.1:{ports[0]}")

    async def told(request: web.Request) -> web.Response:
        running.told.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/told", told)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ports[1], reuse_address=True).start()
    yield running
    await runner.cleanup()


@asynccontextmanager
async def notifier(server: Running) -> AsyncIterator[Notifier]:
    """The notifier as a worker has it, ticking until the end of the block."""
    channel = Channel(name="am", kind="alertmanager", url=Secret(server.url), resend_ms=RESEND_MS, language="zh")
    config = NotifyConfig(
        channels={"am": channel},
        routes=(Route(channels=("am",)),),
        links={"wall": "https://wall.example.com/{alert_id}"},
    )
    rows: list[Delivery] = []

    async def record(new: Sequence[Delivery]) -> None:
        rows.extend(new)

    async with open_session() as http:
        one = Notifier(config, clock=SystemClock(), record=record, http=http)
        ticking = asyncio.create_task(_tick(one))
        yield one
        ticking.cancel()
        assert {row.outcome for row in rows} <= {"sent"}, rows


async def _tick(one: Notifier) -> None:
    while True:
        await asyncio.sleep(0.2)
        await one.tick(SystemClock().now_ms())


def now_ms() -> int:
    return SystemClock().now_ms()


def fresh(number: int, value: str, **changes: Any) -> Alert:
    at = now_ms()
    labels = {"dimension": "category", "value": value}
    return spike(number, at=at, starts_at=at - 60_000, labels=labels)._replace(**changes)


async def until(holds: Callable[[], Awaitable[bool] | bool], *, within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        await asyncio.sleep(0.1)


async def test_alerts_of_one_rule_come_as_one_group(server: Running) -> None:
    async with notifier(server) as one:
        await one.notify(fresh(1, "grouped-a"))
        await one.notify(fresh(2, "grouped-b"))
        await until(lambda: bool(server.heard("firing", value="grouped-b")))
    message = next(m for m in server.told if any(a["labels"]["value"] == "grouped-b" for a in m["alerts"]))
    assert message["groupLabels"] == {"alertname": "negative-spike"}
    assert {"grouped-a", "grouped-b"} <= {a["labels"]["value"] for a in message["alerts"]}


async def test_it_shows_what_the_alert_says(server: Running) -> None:
    alert = fresh(3, "手机")
    async with notifier(server) as one:
        await one.notify(alert)
        await until(lambda: bool(server.heard("firing", value="手机")))
    held = (await server.alerts(value="手机"))[0]
    assert held["labels"] == {
        "alertname": "negative-spike", "kind": "negative_spike", "severity": "critical",
        "dimension": "category", "value": "手机",
    }  # fmt: skip
    assert held["annotations"]["alert_id"] == alert.alert_id
    assert held["annotations"]["runbook_url"] == "https://wiki.example.com/spike"
    assert held["generatorURL"] == f"https://wall.example.com/{alert.alert_id}"
    assert parse_instant(held["startsAt"]) == alert.starts_at


async def test_a_critical_alert_inhibits_the_warning_about_the_same(server: Running) -> None:
    async with notifier(server) as one:
        await one.notify(fresh(4, "inhibited"))
        await until(lambda: bool(server.heard("firing", value="inhibited")))
        await one.notify(fresh(5, "inhibited", rule="negative-rise", severity="warning"))
        await one.notify(fresh(6, "elsewhere", rule="negative-rise", severity="warning"))
        await until(lambda: bool(server.heard("firing", value="elsewhere")))
        critical = (await server.alerts(value="inhibited", severity="critical"))[0]
        warning = (await server.alerts(value="inhibited", severity="warning"))[0]
    assert warning["status"]["state"] == "suppressed"
    assert warning["status"]["inhibitedBy"] == [critical["fingerprint"]]
    assert server.heard("firing", value="inhibited", severity="warning") == []


async def test_a_silence_there_keeps_an_alert_from_people(server: Running) -> None:
    matcher = {"name": "value", "value": "silenced", "isRegex": False, "isEqual": True}
    body = {
        "matchers": [matcher], "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2999-01-01T00:00:00Z",
        "createdBy": "duty", "comment": "known",
    }  # fmt: skip
    silence = (await asyncio.to_thread(server.ask, "/api/v2/silences", body))["silenceID"]
    async with notifier(server) as one:
        await one.notify(fresh(7, "silenced"))
        await one.notify(fresh(8, "spoken"))
        await until(lambda: bool(server.heard("firing", value="spoken")))
        held = (await server.alerts(value="silenced"))[0]
    assert held["status"] == {"state": "suppressed", "silencedBy": [silence], "inhibitedBy": []}
    assert server.heard("firing", value="silenced") == []


async def test_what_is_resolved_here_is_resolved_there(server: Running) -> None:
    async with notifier(server) as one:
        alert = fresh(9, "resolved")
        await one.notify(alert)
        await until(lambda: bool(server.heard("firing", value="resolved")))
        await one.notify(alert._replace(status="resolved", at=now_ms(), ends_at=now_ms()))
        await until(lambda: bool(server.heard("resolved", value="resolved")))
    assert server.heard("resolved", value="resolved")
    assert await server.alerts(value="resolved") == []


async def test_an_alert_that_gets_worse_is_one_alert_there(server: Running) -> None:
    async with notifier(server) as one:
        alert = fresh(10, "worse", severity="warning")
        await one.notify(alert)
        await until(lambda: bool(server.heard("firing", value="worse", severity="warning")))
        await one.notify(alert._replace(status="updated", severity="critical", reason="escalated", at=now_ms()))
        await until(lambda: bool(server.heard("firing", value="worse", severity="critical")))
        held = [found["labels"]["severity"] for found in await server.alerts(value="worse")]
    assert held == ["critical"]


async def test_an_alert_stays_while_it_is_sent_again_and_ends_when_nobody_does(server: Running) -> None:
    async with notifier(server) as one:
        await one.notify(fresh(11, "kept"))
        await until(lambda: bool(server.heard("firing", value="kept")))
        await asyncio.sleep(4 * RESEND_MS / 1000 + 2)  # longer than one sending keeps it there
        assert [found["status"]["state"] for found in await server.alerts(value="kept")] == ["active"]
    assert server.heard("resolved", value="kept") == []
    await until(lambda: bool(server.heard("resolved", value="kept")))  # the notifier is gone
    assert server.heard("resolved", value="kept")


def test_the_configuration_is_alertmanagers_own() -> None:
    done = subprocess.run([program("amtool"), "check-config", str(SHIPPED)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
