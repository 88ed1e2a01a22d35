"""Many messages as few."""

from typing import Any

import pytest

from alerts.notify.bundling import Waiting, bundle_of, plan, superseded
from schemas.notify import Route
from schemas.results import Alert
from tests.suites.notifier_suite import AT, spike


def waiting(number: int, severity: Any = "warning", *, bundle: str = "", not_before: int = 0) -> Waiting:
    return Waiting(spike(number, severity=severity, at=AT + number), "it", not_before, bundle=bundle)


def sizes(found: list[Any]) -> list[int]:
    return [len(batch.items) for batch in found]


@pytest.mark.parametrize(
    ("critical", "ordinary", "free", "free_critical", "told"),
    [
        pytest.param(2, 3, 10, 15, [1, 1, 1, 1, 1], id="enough for all"),
        pytest.param(0, 9, 4, 9, [9], id="too many are one digest"),
        pytest.param(0, 9, 1, 6, [9], id="one digest of all"),
        pytest.param(0, 9, 0, 5, [], id="ordinary ones leave the reserve alone"),
        pytest.param(2, 9, 0, 5, [1, 1], id="critical ones use the reserve"),
        pytest.param(8, 3, 0, 3, [1, 1, 6], id="more critical ones than tokens"),
        pytest.param(3, 2, 4, 4, [1, 1, 1, 2], id="critical ones first, the others in what is left"),
        pytest.param(3, 2, 0, 0, [], id="nothing is free"),
    ],
)
def test_as_many_messages_as_are_free(
    critical: int, ordinary: int, free: int, free_critical: int, told: list[int]
) -> None:
    items = [waiting(n) for n in range(ordinary)] + [waiting(100 + n, "critical") for n in range(critical)]
    found = plan(items, now_ms=AT, free=free, free_critical=free_critical)
    assert sizes(found) == told
    assert [batch.critical for batch in found] == sorted((batch.critical for batch in found), reverse=True)


def test_a_bundle_is_one_message_when_its_time_has_come() -> None:
    items = [waiting(n, bundle="b", not_before=AT + 60_000) for n in range(40)]
    assert plan(items, now_ms=AT + 59_999, free=20, free_critical=20) == []
    assert sizes(plan(items, now_ms=AT + 60_000, free=20, free_critical=20)) == [40]


def test_tickets_of_one_queue_wait_together_unless_they_are_critical() -> None:
    def ticket(queue: str, severity: Any = "warning", kind: Any = "sla_breach") -> Alert:
        labels = {"ticket_id": "T-1", "clock": "resolution"}
        return spike(severity=severity, kind=kind, labels=labels, evidence={"queue": queue})

    route = Route()
    assert bundle_of(ticket("a"), route) == bundle_of(ticket("a"), route) != ""
    assert bundle_of(ticket("a"), route) != bundle_of(ticket("b"), route)
    assert bundle_of(ticket("a"), route) != bundle_of(ticket("a", kind="sla_warning"), route)
    assert bundle_of(ticket("a", "critical"), route) == ""
    assert bundle_of(ticket("a"), Route(bundle_ms=0)) == ""
    assert bundle_of(spike(severity="warning"), route) == ""


def test_newer_news_replaces_older_but_a_step_stays_until_the_alert_is_claimed() -> None:
    first = waiting(1)
    step = Waiting(first.alert, "it", 0, unclaimed_min=5)
    elsewhere = Waiting(first.alert, "other", 0)
    update = Waiting(first.alert._replace(status="updated", at=AT + 9), "it", 0)
    claim = Waiting(update.alert._replace(evidence={"acknowledged": {"who": "x"}}), "it", 0)
    assert superseded([first, step, elsewhere], update) == [first]
    assert superseded([first, step, elsewhere], claim) == [first, step]
