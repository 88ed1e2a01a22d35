"""Which routes an alert takes."""

from typing import Any

import pytest

from alerts.notify.routing import routes_of, wants
from schemas.notify import Route
from tests.suites.notifier_suite import spike


def route(name: str, match: dict[str, str] | None = None, *, go_on: bool = False) -> Route:
    matchers = {key: frozenset(value.split(",")) for key, value in (match or {}).items()}
    return Route(match=matchers, channels=(name,), go_on=go_on)


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ({"severity": "critical"}, True),
        ({"severity": "warning,info"}, False),
        ({"kind": "negative_spike", "value": "手机,家电"}, True),
        ({"kind": "negative_spike", "value": "家电"}, False),
        ({"peak": "double-11"}, True),
        ({"phase": "双11 · 开门红"}, True),
        ({"phase": "开门红"}, True),
        ({"phase": "返场"}, False),
        ({"team": ""}, True),
        ({"team": "care"}, False),
    ],
)
def test_every_matcher_must_hold(match: dict[str, str], taken: bool) -> None:
    rest = Route(channels=("rest",))
    assert (routes_of(spike(), (route("x", match), rest))[0].channels == ("x",)) is taken


def test_the_first_route_counts_and_those_after_it_while_it_goes_on() -> None:
    routes = (route("a", go_on=True), route("b", {"severity": "info"}), route("c"), route("d"))
    assert [one.channels for one in routes_of(spike(), routes)] == [("a",), ("c",)]


def test_an_alerts_own_fields_win_over_labels_of_the_same_name() -> None:
    """A user's label `severity: info` must not send a critical alert the quiet way."""
    alert = spike(labels={"severity": "info"})
    routes = (route("quiet", {"severity": "info"}), route("loud"))
    assert [one.channels for one in routes_of(alert, routes)] == [("loud",)]


@pytest.mark.parametrize(
    ("updates", "reason", "wanted"),
    [
        ("important", "escalated", True), ("important", "acknowledged", True), ("important", "note", False),
        ("important", "moved", False), ("all", "note", True), ("none", "escalated", False),
    ],
)  # fmt: skip
def test_which_updates_a_route_wants(updates: Any, reason: str, wanted: bool) -> None:
    assert wants(Route(updates=updates), spike(status="updated", reason=reason)) is wanted
