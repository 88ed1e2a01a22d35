"""Who would have been told when."""

from alerts.notify.rehearsal import pages
from schemas.notify import Channel, Escalation, NotifyConfig, Person, Roster, Rotation, Route, Secret, Step
from schemas.results import Alert
from tests.suites.notifier_suite import AT, spike

MINUTE = 60_000
CONFIG = NotifyConfig(
    people={"p": Person(name="p"), "lead": Person(name="lead")},
    rosters={"r": Roster(name="r", rotations=(Rotation(people=("p",), start_wall=0, every_ms=86_400_000),))},
    channels={"a": Channel(name="a", kind="wecom", url=Secret("x"))},
    escalations={"e": Escalation(name="e", steps=(Step(after_ms=5 * MINUTE, people=("lead",)),))},
    routes=(
        Route(match={"severity": frozenset({"critical"})}, channels=("a",), roster="r", escalation="e"),
        Route(channels=("a",), bundle_ms=2 * MINUTE),
    ),
)


def told(alerts: list[Alert], *, until_ms: int = AT + 60 * MINUTE) -> list[tuple[int, tuple[str, ...], int, int]]:
    found = pages(CONFIG, alerts, until_ms=until_ms)
    return [((one.at - AT) // MINUTE, one.named, len(one.alerts), one.unclaimed_min) for one in found]


def test_a_critical_alert_that_nobody_claims_escalates_at_its_own_instant() -> None:
    over = spike(status="resolved", at=AT + 30 * MINUTE, ends_at=AT + 30 * MINUTE)
    assert told([spike(), over]) == [(0, ("p",), 1, 0), (5, ("lead",), 1, 5), (30, (), 1, 0)]


def test_one_that_is_claimed_does_not() -> None:
    evidence = spike().evidence | {"acknowledged": {"who": "p", "at": AT}}
    claim = spike(status="updated", reason="acknowledged", at=AT + 2 * MINUTE, evidence=evidence)
    assert told([spike(), claim]) == [(0, ("p",), 1, 0), (2, (), 1, 0)]


def test_nothing_after_the_end_is_told() -> None:
    assert told([spike()], until_ms=AT + 4 * MINUTE) == [(0, ("p",), 1, 0)]


def test_tickets_of_one_queue_are_one_page_and_muted_alerts_none() -> None:
    labels = {"ticket_id": "T", "clock": "resolution"}
    tickets = [
        spike(n, severity="warning", kind="sla_breach", labels=labels | {"ticket_id": f"T-{n}"},
              evidence={"queue": "q"}, at=AT + n * 1000)
        for n in range(20)
    ]  # fmt: skip
    quiet = spike(99, at=AT + MINUTE, evidence={"muted": {"by": "silence", "until": None}})
    assert told([*tickets, quiet]) == [(2, (), 20, 0)]
