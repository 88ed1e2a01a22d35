"""Who would have been told when."""

from alerts.notify.rehearsal import one_group, rehearse
from schemas.instants import format_instant
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
    found = rehearse(CONFIG, alerts, until_ms=until_ms).pages
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


def test_what_the_budget_holds_back_is_one_digest_later_and_the_reserve_is_for_critical_ones() -> None:
    tight = Channel(name="a", kind="dingtalk", url=Secret("x"), limits=((3, MINUTE),), reserve=1)
    one = NotifyConfig(channels={"a": tight}, routes=(Route(channels=("a",)),))
    alerts = [spike(n, severity="warning", at=AT + n * 1000) for n in range(6)]
    found = rehearse(one, [*alerts, spike(9, at=AT + 7000)], until_ms=AT + 10 * MINUTE)
    assert [(page.at - AT, len(page.alerts), page.held_ms) for page in found.pages] == [
        (0, 1, 0), (1000, 1, 0), (7000, 1, 0), (62_000, 4, 60_000)
    ]  # fmt: skip
    assert (found.outcomes, found.waiting) == ({"sent": 7}, 0)


def test_a_used_up_quota_waits_for_the_next_month() -> None:
    few = Channel(name="a", kind="webhook", url=Secret("x"), monthly_quota=1)
    one = NotifyConfig(channels={"a": few}, routes=(Route(channels=("a",)),))
    alerts = [spike(n, at=AT + n * MINUTE) for n in range(2)]
    assert rehearse(one, alerts, until_ms=AT + 60 * MINUTE).waiting == 1
    later = rehearse(one, alerts, until_ms=AT + 40 * 1440 * MINUTE)
    assert [format_instant(page.at) for page in later.pages][1:] == ["2026-12-01T00:00:00+08:00"]


def test_news_and_ends_do_not_ring() -> None:
    news = spike(status="updated", reason="worse", at=AT + MINUTE)
    over = spike(status="resolved", at=AT + 3 * MINUTE, ends_at=AT + 3 * MINUTE)
    info = spike(2, severity="info", at=AT + 4 * MINUTE)
    found = rehearse(CONFIG, [spike(), news, over, info], until_ms=AT + 60 * MINUTE)
    assert [page.rings for page in found.pages] == [True, False, False, False]


def test_without_a_configuration_one_group_hears_of_everything() -> None:
    assert [page.channel for page in rehearse(one_group(), [spike()], until_ms=AT).pages] == ["chat"]
