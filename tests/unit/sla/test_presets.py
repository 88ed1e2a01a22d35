"""Marketplaces' reply times: dated, sourced, and off unless asked for."""

import re
from pathlib import Path

import pytest

from peakwatch.config import load_config
from schemas.errors import ConfigError
from sla.policy import choose
from sla.presets import parse_presets, shipped
from sla.working_time import ALWAYS

CALENDARS = {"always": ALWAYS}
HOUR = 3_600_000


def mistakes(raw: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_presets(raw, CALENDARS, source="r.yaml")
    return list(caught.value.mistakes)


def test_each_names_the_platform_s_own_page_and_when_it_was_read() -> None:
    hosts = {"tiktok-shop-us": "seller-us.tiktok.com", "amazon-us": "amazon.com", "walmart-us": "walmart.com"}
    assert set(shipped()) == set(hosts)
    for platform, one in shipped().items():
        assert re.match(rf"https://([a-z]+\.)*{re.escape(hosts[platform])}/", one["source"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", one["seen"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d|none", one["dated"])
        assert one["graded"]


def test_every_preset_is_a_set_of_policies_for_the_tickets_that_it_is_asked_for() -> None:
    for platform in shipped():
        policies = parse_presets([{"platform": platform, "match": {"shop_id": "s1"}}], CALENDARS, source="")
        assert policies
        assert not choose(policies, {"shop_id": "s2"})
        assert {p.target_ms for p in choose(policies, {"shop_id": "s1"}).values()} <= {24 * HOUR, 48 * HOUR}


def test_a_rules_file_asks_for_them_and_they_go_before_its_policies(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("presets: [{platform: amazon-us, match: {shop_id: [a1, a2]}}]\n")
    asked = choose(load_config(rules=rules).policies, {"shop_id": "a2"})
    assert {clock: policy.name for clock, policy in asked.items()} == {
        "first_response": "amazon-us/first_response", "next_response": "amazon-us/next_response",
        "resolution": "resolution-24h",
    }  # fmt: skip
    assert not [policy for policy in load_config().policies if "/" in policy.name]


def test_one_platform_may_stand_twice_for_other_tickets() -> None:
    raw = [{"platform": "walmart-us", "match": {"shop_id": one}} for one in ("a", "b")]
    policies = parse_presets(raw, CALENDARS, source="")
    assert len({policy.name for policy in policies}) == len(policies) == 4


def test_every_mistake_is_told_with_its_place() -> None:
    assert mistakes([
        {"platform": "amzon-us", "match": {"shop_id": "a"}}, {"platform": "amazon-us"},
        {"platform": "amazon-us", "match": {"shop": "a"}}, {"platform": "amazon-us", "match": {}, "target": "1h"},
        {"platform": "amazon-us", "match": {"shop_id": "a"}, "calendar": "office"},
    ]) == [
        "r.yaml: presets[0].platform: 'amzon-us' is not one of tiktok-shop-us, amazon-us, walmart-us",
        "r.yaml: presets[1].match: is missing: say which tickets are the platform's, such as {shop_id: s1}",
        "r.yaml: presets[3].target: unknown key; known here: calendar, match, platform",
        "r.yaml: presets[3].match: is missing: say which tickets are the platform's, such as {shop_id: s1}",
        "r.yaml: presets[2].match: shop is unknown, not one of category, channel, region, "
        "customer_tier, shop_id, product_id, priority, queue",
        "r.yaml: presets[4].calendar: office is not a calendar; there are always",
    ]  # fmt: skip
