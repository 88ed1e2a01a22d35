"""notify.yaml: every mistake at once with its place, and no secret in any of them."""

from typing import Any

import pytest

from schemas.errors import ConfigError
from schemas.notify import NotifyConfig, Secret
from schemas.notify_read import parse_notify
from schemas.yaml import load_yaml

TOKEN = "tok3nf00d"
GOOD = f"""
people: [{{name: a, phone: "13800000001"}}]
channels: [{{name: d, kind: dingtalk, url: "https://x.example.com/?access_token={TOKEN}", secret: {{env: KEY}}}}]
rosters: [{{name: r, rotations: [{{people: a, from: 2026-11-01T09:00}}]}}]
escalations: [{{name: e, steps: [{{after: 5m, roster: r}}, {{after: 10m, people: [a]}}]}}]
routes: [{{match: {{severity: critical}}, channels: d, roster: r, escalation: e}}, {{channels: d}}]
"""


def parse(text: str) -> NotifyConfig:
    return parse_notify(load_yaml(text, "notify.yaml"), source="notify.yaml", environment={"KEY": TOKEN})


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return [one.removeprefix("notify.yaml: ") for one in caught.value.mistakes]


def test_what_is_left_out_has_the_platforms_limits() -> None:
    found = parse(GOOD).channels["d"]
    assert (found.limits, found.reserve, found.max_bytes) == (((20, 60_000),), 5, 20_000)
    assert (found.retry_unsure, found.language, found.secret.reveal()) == (False, "zh", TOKEN)


def test_an_empty_file_tells_nobody() -> None:
    assert parse("") == NotifyConfig()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chanels: []", ["chanels: unknown key; did you mean channels?"]),
        ("channels: [{name: d, kind: dingtalk}]", [
            "channels[0].url: is missing",
            "routes: the last one must match everything (no match), so that no alert gets lost",
        ]),
        ("channels: [{name: d, kind: fax, url: 'https://x.example.com'}]\nroutes: [{channels: d}]", [
            "channels[0].kind: 'fax' is not one of dingtalk, feishu, wecom, webhook, alertmanager, apprise"]),
        ("channels: [{name: d, kind: wecom, url: 'https://x.example.com', reserve: 20}]\nroutes: [{channels: d}]", [
            "channels[0].reserve: 20 leaves nothing of 20 a minute for alerts that are not critical"]),
        ("channels: [{name: d, kind: wecom, url: 'https://x.example.com', max_bytes: 5000}]\nroutes: [{channels: d}]", [
            "channels[0].max_bytes: 5000 is not within 500 to 4096"]),
        ("channels: [{name: d, kind: wecom, url: {env: NONE}}]\nroutes: [{channels: d}]", [
            "channels[0].url: the environment has no NONE"]),
        ("routes: [{channels: x, roster: y, escalation: z}]", [
            "routes[0].channels: there is no channel 'x'", "routes[0].roster: there is no roster 'y'",
            "routes[0].escalation: there is no escalation 'z'"]),
        ("rosters: [{name: r, rotations: [{people: [b], from: 2026-11-01, hours: {from: '09:00', to: '09:00'}}]}]", [
            "rosters[0].rotations[0].hours.to: is the same as from; leave hours out for the whole day",
            "rosters[0].rotations[0].people: there is no person 'b'"]),
        ("people: [{name: a, phone: '<@all>'}]", ["people[0].phone: '<@all>' has characters that no such id has"]),
        ("people: [{name: a}, {name: a}]", ["people[1].name: 'a' stands twice"]),
        ("escalations: [{name: e, steps: [{after: 5m}, {after: 5m, people: [x], roster: r}]}]", [
            "escalations[0].steps[0].people: or roster: one of them is needed",
            "escalations[0].steps[1].people: or roster: one of them is needed",
            "escalations[0].steps: are not in order of after",
            "escalations[0].steps[1].people: there is no person 'x'",
            "escalations[0].steps[1].roster: there is no roster 'r'"]),
        ("links: {wall: 'javascript:x'}", ["links.wall: 'javascript:x' is no http or https address"]),
    ],
)  # fmt: skip
def test_every_mistake_has_its_place(text: str, found: list[str]) -> None:
    assert mistakes(text) == found


@pytest.mark.parametrize(
    "url", [f"ftp://{TOKEN}", f"{TOKEN}", [TOKEN], {"enw": TOKEN}, f"http://[{TOKEN}", {"env": "X", TOKEN: 1}]
)
def test_no_mistake_shows_a_secret(url: Any) -> None:
    channel = {"name": "d", "kind": "webhook", "url": url, "secret": [TOKEN], "headers": {"A": f"{TOKEN}\n"}}
    raw = {"channels": [channel, TOKEN], "routes": [{"channels": "d"}]}
    with pytest.raises(ConfigError) as caught:
        parse_notify(raw, source="notify.yaml", environment={})
    shown = str(caught.value).replace(f"channels[0].url.{TOKEN}: unknown key", "")
    assert TOKEN not in shown


@pytest.mark.parametrize(
    "raw",
    [{"channels": {"url": TOKEN}}, {"channels": TOKEN}, {"routes": TOKEN}, {"channels": [{"kind": [TOKEN]}]},
     {"channels": [{"name": {"url": TOKEN}}]}],
    ids=["a-dash-forgotten", "a-text", "no-routes", "a-list-inside", "a-mapping-inside"],
)  # fmt: skip
def test_what_stands_in_the_wrong_place_is_not_shown(raw: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_notify(raw, source="notify.yaml", environment={})
    assert TOKEN not in str(caught.value)


def test_a_secret_shows_only_when_revealed() -> None:
    secret = Secret(TOKEN)
    assert TOKEN not in f"{secret} {secret!r} {[secret]} {parse(GOOD)}"
    assert secret.reveal() == TOKEN
    with pytest.raises(TypeError, match="not pickled"):
        secret.__reduce__()
