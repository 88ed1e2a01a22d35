"""A decision recomputed from rows: what bears it out, what does not, and what cannot be judged."""

from typing import Any, Final, cast

import pytest

from alerts.rules import load_peaks
from peakwatch.config import Config
from peakwatch.explaining.explain import Explanation, explain
from schemas.results import Alert, WindowRow
from schemas.rules import parse_rules
from sla.policy import Policy, make_policy
from storage.grounds import Grounds, LedgerRow, StepRow
from storage.past import Past
from tests.unit.storage.stand_ins import make_window

MINUTE: Final = 60_000
T0: Final = 1_793_980_800_000
RULES: Final = parse_rules(
    [
        {"name": "many", "kind": "threshold", "figure": "complaints", "above": 5, "dimensions": ["category"]},
    ],
    source="r",
)
FIRST: Final = make_policy("first", clock="first_response", target_ms=10 * MINUTE)
BASE: Final = Alert(
    alert_id="a", rule="many", kind="threshold", status="firing", severity="warning", at=T0 + 10 * MINUTE,
    starts_at=T0, ends_at=None, labels={"dimension": "category", "value": "手机"}, value=8.0, baseline=5.0, peak=None,
    summary="", evidence={"figure": "complaints", "windows": [{"window_seconds": 300, "value": 8.0}]}, reason="",
)  # fmt: skip
BREACH: Final = BASE._replace(
    kind="sla_breach", labels={"ticket_id": "t", "clock": "first_response", "policy": "first"}, evidence={}
)
SILENT: Final = BASE._replace(
    kind="feed_silent", labels={"topic": "reviews", "channel": "app"}, evidence={"expected": 12.0}
)


class Rows:
    """What a store would answer."""

    def __init__(self, **found: Any) -> None:
        self.found = found

    def window(self, **_: Any) -> WindowRow | None:
        return cast("WindowRow | None", self.found.get("window"))

    def steps(self, ticket_id: str) -> list[StepRow]:
        return cast("list[StepRow]", self.found["steps"])

    def ledger(self, *_: Any) -> list[LedgerRow]:
        return cast("list[LedgerRow]", self.found["ledger"])

    def feed(self, topic: str, channel: str, *, begin: int, end: int) -> tuple[int, int | None]:
        inside = [at for at in self.found["events"] if begin <= at < end]
        return len(inside), max(inside, default=None)

    def breached(self, **_: Any) -> int:
        return 7

    def fired(self, **_: Any) -> int:
        return cast(int, self.found["fired"])


def why(alert: Alert, *, policies: tuple[Policy, ...] = (FIRST,), **found: Any) -> Explanation:
    config = Config(policies, {}, RULES, load_peaks("peaks: []", source="p"))
    return explain([alert], cast(Grounds, Rows(**found)), cast(Past, None), config)


def verdicts(found: Explanation) -> dict[str, bool | None]:
    return {check.what: check.agrees for check in found.checks}


@pytest.mark.parametrize(
    ("complaints", "agrees"), [(8, True), (9, False), (0, False)], ids=["as-said", "another-count", "nothing"]
)
def test_a_threshold_s_figure_is_that_of_the_stored_window(complaints: int, agrees: bool) -> None:
    found = why(BASE, window=make_window(1, complaints=complaints))
    assert verdicts(found) == {"complaints of 5m": agrees, "bound": True, "bound of the rule now": None}
    assert found.agrees is agrees


def test_a_window_that_is_not_stored_judges_nothing() -> None:
    assert verdicts(why(BASE, window=None))["complaints of 5m"] is None


def test_a_value_that_is_not_beyond_its_bound_is_told() -> None:
    alert = BASE._replace(value=4.0, evidence={"figure": "complaints", "windows": []})
    assert why(alert).agrees is False


CREATED: Final = StepRow(T0, "created", 0, None, False, {"priority": "normal"})
LINE: Final = LedgerRow("breach", T0 + 10 * MINUTE, "first", FIRST.version, "", 10 * MINUTE, 10 * MINUTE)


def test_a_breach_is_recomputed_from_the_ticket_s_steps() -> None:
    found = why(BREACH, steps=[CREATED], ledger=[LINE])
    assert verdicts(found) == {"line of the ledger": True, "recomputed": True}


def test_a_breach_that_no_step_bears_out_is_told() -> None:
    answered = StepRow(T0 + MINUTE, "agent_reply", 1, None, False, {})
    assert verdicts(why(BREACH, steps=[CREATED, answered], ledger=[LINE]))["recomputed"] is False


def test_a_breach_that_a_late_step_undid_is_not_held_against_the_alert() -> None:
    answered = StepRow(T0 + MINUTE, "agent_reply", 1, None, False, {})
    undone = LINE._replace(kind="corrected_breach")
    found = why(BREACH, steps=[CREATED, answered], ledger=[LINE, undone])
    assert verdicts(found) == {"line of the ledger": True, "recomputed": None}


def test_a_policy_that_has_changed_since_cannot_be_recomputed() -> None:
    stricter = make_policy("first", clock="first_response", target_ms=MINUTE)
    assert verdicts(why(BREACH, steps=[CREATED], ledger=[LINE], policies=(stricter,)))["recomputed"] is None


def test_a_silence_in_which_events_lie_was_none() -> None:
    before = [T0 - 5_000]
    assert why(SILENT, events=before).agrees is True
    assert verdicts(why(SILENT, events=[*before, T0 + MINUTE]))["events in the silence"] is False
    assert verdicts(why(SILENT, events=[]))["last event"] is False


def test_a_storm_needs_its_alerts_and_a_wave_is_only_shown() -> None:
    storm = BASE._replace(rule="alert-storm", labels={"storm": "alerts"}, evidence={"window_seconds": 600, "count": 21})
    assert why(storm, fired=25).agrees is True
    assert why(storm, fired=3).agrees is False
    wave = BASE._replace(labels={"queue": "refund", "clock": "resolution"}, evidence={"horizon_ms": 900_000})
    assert why(wave).agrees is None
