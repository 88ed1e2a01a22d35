"""Policies: which counts (P1, P2) and which mistakes are told (P3)."""

from typing import Any

import pytest

from schemas.errors import ConfigError
from sla.calendar import ALWAYS, parse_calendars
from sla.defaults import default_calendars, default_policies
from sla.definition import define, restore
from sla.policy import choose, parse_policies

CALENDARS = parse_calendars({"office": {"timezone": "UTC", "hours": {"mon-fri": "09:00-18:00"}}}, source="")
OK: dict[str, Any] = {"name": "p", "clock": "resolution", "target": "1h"}


def names(match: Any, fields: dict[str, str]) -> list[str]:
    policies = parse_policies([OK | {"match": match}], {}, source="")
    return [policy.name for policy in choose(policies, fields).values()]


@pytest.mark.parametrize(
    ("match", "fields", "holds"),
    [
        pytest.param({}, {}, True, id="no-keys-every-ticket"),
        pytest.param({"queue": "a"}, {"queue": "a"}, True, id="equal"),
        pytest.param({"queue": "a"}, {"queue": "A"}, False, id="exactly"),
        pytest.param({"queue": ["a", "b"]}, {"queue": "b"}, True, id="one-of-a-list"),
        pytest.param({"queue": "a", "region": "x"}, {"queue": "a"}, False, id="all-keys-must-hold"),
        pytest.param({"queue": ""}, {}, True, id="an-absent-field-is-empty"),
        pytest.param({"priority": "normal"}, {}, True, id="an-absent-priority-is-normal"),
        pytest.param({"priority": ["urgent", "high"]}, {}, False, id="not-normal"),
    ],
)
def test_p2_a_match(match: dict[str, Any], fields: dict[str, str], holds: bool) -> None:
    assert names(match, fields) == (["p"] if holds else [])


def test_for_each_clock_the_first_that_matches_counts() -> None:
    policies = parse_policies(
        [OK | {"name": "a", "match": {"queue": "x"}}, OK | {"name": "b"}, OK | {"name": "c"},
         OK | {"name": "d", "clock": "first_response", "match": {"queue": "x"}}], {}, source="")  # fmt: skip
    assert {clock: policy.name for clock, policy in choose(policies, {"queue": "x"}).items()} == {
        "resolution": "a", "first_response": "d"}  # fmt: skip
    assert {clock: policy.name for clock, policy in choose(policies, {}).items()} == {"resolution": "b"}


@pytest.mark.parametrize(
    ("target", "target_ms"),
    [("1h30m", 5_400_000), ("90s", 90_000), ("1h", 3_600_000), ("1h1s", 3_601_000), ("0h5m", 300_000),
     ("2000h", 7_200_000_000)],
)  # fmt: skip
def test_targets(target: str, target_ms: int) -> None:
    assert parse_policies([OK | {"target": target}], {}, source="")[0].target_ms == target_ms


def test_defaults_of_a_policy() -> None:
    policy = parse_policies([OK], {}, source="")[0]
    assert (policy.calendar, str(policy.warn_at), policy.warn_ms, policy.match) == (ALWAYS, "0.8", 2_880_000, ())


def test_the_version_follows_everything_the_policy_says() -> None:
    variants: list[dict[str, Any]] = [
        {}, {"name": "q"}, {"clock": "first_response"}, {"target": "2h"}, {"calendar": "office"}, {"warn_at": 0.7},
        {"warn_at": None}, {"match": {"queue": "a"}}, {"match": {"queue": ["a", "b"]}},
    ]  # fmt: skip
    versions = {parse_policies([OK | variant], CALENDARS, source="")[0].version for variant in variants}
    assert len(versions) == len(variants)
    same = parse_policies([OK | {"target": "60m", "match": {}, "calendar": "always"}], CALENDARS, source="")[0]
    assert same.version in versions


@pytest.mark.parametrize("calendar", ["always", "cn-office", "cn-service"])
def test_a_definition_restores_the_policy_with_its_version_and_calendar(calendar: str) -> None:
    raw = OK | {"calendar": calendar, "warn_at": 0.333, "match": {"queue": ["b", "a", "退货"], "region": ""}}
    policy = parse_policies([raw], default_calendars(), source="")[0]
    again = restore(define(policy))
    assert again.version == policy.version
    assert again.calendar.version == policy.calendar.version
    assert (again.warn_ms, again.match, again.name) == (policy.warn_ms, policy.match, policy.name)
    for start in (1_767_000_000_000, 1_790_000_000_000):
        assert again.calendar.instant_after(start, 10**8) == policy.calendar.instant_after(start, 10**8)


MISTAKES: list[tuple[str, Any, list[str]]] = [
    ("no-list", {}, ["policies: {} is not a list of policies"]),
    ("nothing", None, ["policies: nothing is not a list of policies"]),
    ("no-mapping", ["x"], ["policies[0]: x is not a mapping with name, clock, match, target, calendar, warn_at"]),
    ("unknown-key", [OK | {"targets": 1}],
     ["policies[0]: targets is unknown, not one of name, clock, match, target, calendar, warn_at"]),
    ("name", [OK | {"name": ""}], ["policies[0].name:  is not a name"]),
    ("name-twice", [OK, OK | {"clock": "first_response"}],
     ["policies[1].name: p is the name of policies[0] already"]),
    ("clock", [OK | {"clock": "reply"}],
     ["policies[0].clock: reply is not one of first_response, resolution, next_response"]),
    ("unknown-field", [OK | {"match": {"shop": "x"}}],
     ["policies[0].match: shop is unknown, not one of category, channel, region, customer_tier, shop_id, "
      "product_id, priority, queue"]),
    ("match-number", [OK | {"match": {"shop_id": 12}}],
     ["policies[0].match.shop_id: 12 is not a string; put it in quotes"]),
    ("match-empty-list", [OK | {"match": {"queue": []}}],
     ["policies[0].match.queue: an empty list matches nothing"]),
    ("match-priority", [OK | {"match": {"priority": ["hgih"]}}],
     ["policies[0].match.priority: hgih is not one of urgent, high, normal, low"]),
    ("match-no-mapping", [OK | {"match": "queue"}], ["policies[0].match: queue is not a mapping of fields to values"]),
    *[(f"target-{target}", [OK | {"target": target}],
       [f"policies[0].target: {shown} is not a duration like 1h30m, in h, m and s"])
      for target, shown in ((90, "90"), ("90", "90"), ("1.5h", "1.5h"), ("1m1h", "1m1h"), ("1d", "1d"), ("", ""),
                            (None, "nothing"), ("-1h", "-1h"), ("١h", "١h"))],
    ("target-0", [OK | {"target": "0h0m"}], ["policies[0].target: 0h0m is not more than nothing"]),
    ("calendar", [OK | {"calendar": "offce"}],
     ["policies[0].calendar: offce is not a calendar; there are always, office"]),
    *[(f"warn-at-{warn_at}", [OK | {"warn_at": warn_at}],
       [f"policies[0].warn_at: {warn_at} is not between 0 and 1, nor null"])
      for warn_at in (0, 1, 80, -0.1, True, "0.8", float("nan"))],
    ("all-at-once", [OK | {"target": 1}, OK | {"calendar": "x", "clock": 1}],
     ["policies[0].target: 1 is not a duration like 1h30m, in h, m and s",
      "policies[1].clock: 1 is not one of first_response, resolution, next_response",
      "policies[1].calendar: x is not a calendar; there are always, office",
      "policies[1].name: p is the name of policies[0] already"]),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "mistakes"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_p3_every_mistake_is_told_with_its_place(raw: Any, mistakes: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_policies(raw, CALENDARS, source="")
    assert list(caught.value.mistakes) == mistakes


def test_a_source_stands_before_every_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_policies([OK | {"target": 1}], {}, source="rules.yaml")
    assert caught.value.mistakes[0].startswith("rules.yaml: policies[0].target: ")


def test_what_ships_is_a_reply_within_an_hour_and_a_solution_within_a_day() -> None:
    first, solved = default_policies(default_calendars())
    assert (first.clock, first.target_ms, first.warn_ms) == ("first_response", 3_600_000, 2_880_000)
    assert (solved.clock, solved.target_ms, solved.warn_ms) == ("resolution", 86_400_000, 69_120_000)
    assert first.calendar is solved.calendar is ALWAYS
