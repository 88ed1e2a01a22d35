"""All rules at once: what a snapshot holds, what other rules make of it, and where a person's word counts."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

import sentiment.words
from alerts.actions import Acknowledge, BeginSilence
from schemas.peaks import Peaks
from schemas.results import PANE_MS, Alert
from schemas.rules import Rule, parse_rules
from streams import figures as f
from streams.decisions import Decisions
from streams.facts import Facts
from streams.panes import PaneDeltas

T0: Final = 1_793_980_800_000
MINUTE: Final = 60_000
CELL: Final = ("手机", "app", "华东", "", "", "")
COMPLAINTS: Final = {
    "name": "many",
    "kind": "threshold",
    "figure": "complaints",
    "above": 5,
    "dimensions": ["category"],
}
SPIKE: Final = {"name": "spike", "kind": "negative_spike", "severity": "info"}
WORDS: Final = sentiment.words.load()


def rules(*raw: dict[str, Any]) -> tuple[Rule, ...]:
    return parse_rules(list(raw), source="r")


def decisions(*raw: dict[str, Any]) -> Decisions:
    return Decisions(rules(*raw), Peaks(()), words=WORDS)


def complaints(count: int, at_ms: int) -> Facts:
    panes = PaneDeltas()
    panes.row(at_ms // PANE_MS, CELL)[f.COMPLAINTS] += count
    facts = Facts(deltas=panes.drain())
    facts.feeds["complaints", "app", at_ms // PANE_MS] += count
    return facts


def fed(one: Decisions, count: int, minute: float) -> list[Alert]:
    at_ms = T0 + round(minute * MINUTE)
    return [*one.feed(complaints(count, at_ms), newest_ms=at_ms + 4 * PANE_MS)]


def firing(*raw: dict[str, Any]) -> tuple[Decisions, Alert]:
    one = decisions(*raw)
    (alert,) = fed(one, 9, 0)
    assert alert.status == "firing"
    return one, alert


def passing(one: Decisions, minutes: int) -> Iterator[Alert]:
    for minute in range(1, minutes):
        yield from one.advance(T0 + minute * MINUTE)


def said(alerts: list[Alert]) -> list[tuple[str, str]]:
    return [(alert.status, alert.reason) for alert in alerts]


def saved(one: Decisions, pages: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """What a page store holds after a snapshot."""
    return {name: page for name, page in {**(pages or {}), **dict(one.dump())}.items() if page}


CHANGES: Final = [
    pytest.param([COMPLAINTS | {"dimensions": ["category", "region"]}], id="another-dimension"),
    pytest.param([COMPLAINTS | {"severity": "critical", "above": 6}], id="another-bound"),
    pytest.param(
        [COMPLAINTS, SPIKE, COMPLAINTS | {"name": "few", "above": 1, "window_seconds": 3600}], id="more-rules"
    ),
]


@pytest.mark.parametrize("changed", CHANGES)
def test_other_rules_drop_no_running_alert_and_end_it_when_its_time_has_come(changed: list[dict[str, Any]]) -> None:
    one, alert = firing(COMPLAINTS)
    other = decisions(*changed)
    assert other.succeed(one) == []
    ended = [told for told in passing(other, 12) if told.alert_id == alert.alert_id]
    assert said(ended) == [("resolved", "")]
    assert ended[0].at - T0 == pytest.approx(5 * MINUTE, abs=MINUTE)  # the window of 5 min has run empty


@pytest.mark.parametrize("changed", CHANGES)
def test_a_snapshot_read_under_other_rules_is_what_a_reload_would_have_been(changed: list[dict[str, Any]]) -> None:
    one, _ = firing(COMPLAINTS)
    restarted, reloaded = decisions(*changed), decisions(*changed)
    assert restarted.load(saved(one)) == reloaded.succeed(one)
    assert fed(restarted, 1, 2) == fed(reloaded, 1, 2)
    assert fed(restarted, 9, 3) == fed(reloaded, 9, 3)
    assert list(passing(restarted, 30)) == list(passing(reloaded, 30)) != []


def test_an_alert_whose_rule_is_gone_says_so_in_the_same_words_after_a_crash() -> None:
    one, _ = firing(COMPLAINTS)
    pages = saved(one)
    changes = decisions(SPIKE).succeed(one)
    assert said(changes) == [("updated", "rule_removed")]
    assert decisions(SPIKE).load(pages) == changes


def test_pages_of_rules_that_are_gone_are_taken_away_and_never_read_again() -> None:
    one, _ = firing(COMPLAINTS)
    pages = saved(one)
    other = decisions(SPIKE)
    other.succeed(one)
    left = saved(other, pages)
    assert not [name for name in left if name.startswith("windows/")]
    assert fed(decisions(COMPLAINTS), 1, 0) == []
    again = decisions(COMPLAINTS)
    again.load(left)
    assert fed(again, 1, 0.5) == []  # nothing of the nine is left that could make it ten


def test_a_spike_s_alert_goes_on_under_other_slices_and_ends_in_a_day_if_nobody_speaks_for_it() -> None:
    one = decisions(SPIKE)
    list(one.advance(T0))
    other = decisions(SPIKE | {"dimensions": ["category"]})
    assert other.succeed(one) == []
    third = decisions(SPIKE | {"dimensions": ["category"], "min_ratio": 2.0})
    assert third.succeed(other) == []


def test_a_person_s_word_has_its_place_among_the_facts_also_after_a_crash() -> None:
    """The log is read again from the snapshot: facts, the word, facts. What is told is the same."""
    one, alert = firing(COMPLAINTS)
    pages = saved(one)
    word = Acknowledge(action_id="1", who="li", at=T0 + MINUTE, alert_id=alert.alert_id)

    def go_on(which: Decisions) -> list[Alert]:
        return [*fed(which, 1, 0.5), *which.act(word).alerts, *fed(which, 20, 1.2), *passing(which, 9)]

    told = go_on(one)
    restarted = decisions(COMPLAINTS)
    restarted.load(pages)
    assert go_on(restarted) == told
    assert ("updated", "acknowledged") in said(told)
    assert restarted.act(word).refused == "this action was taken already"


def test_an_action_that_a_snapshot_holds_is_not_taken_again_by_whoever_loads_it() -> None:
    one, alert = firing(COMPLAINTS)
    word = Acknowledge(action_id="1", who="li", at=T0 + MINUTE, alert_id=alert.alert_id)
    one.act(word)
    restarted = decisions(COMPLAINTS)
    restarted.load(saved(one))
    assert restarted.act(word).alerts == []


def test_no_two_transitions_of_an_alert_are_told_of_one_instant() -> None:
    """Event time trails the wall clock by which people act; the store and the notifier tell rows apart by `at`."""
    one, alert = firing(COMPLAINTS | {"peaks": []})
    now = alert.at + 2 * MINUTE
    told = [alert]
    for number in range(3):
        told += one.act(Acknowledge(action_id=str(number), who="li", at=now, alert_id=alert.alert_id)).alerts
    told += passing(one, 12)
    assert [one.at for one in told] == sorted({one.at for one in told})
    assert told[-1].status == "resolved"


def test_a_silence_covers_what_is_decided_for_an_instant_before_it_was_asked_for() -> None:
    one = decisions(COMPLAINTS)
    one.act(
        BeginSilence(action_id="s", who="li", at=T0 + MINUTE, matchers={"value": ("手机",)}, until=T0 + 60 * MINUTE)
    )
    (alert,) = fed(one, 9, 0)
    assert alert.evidence["muted"] == {"by": "silence", "until": T0 + 60 * MINUTE}


@pytest.mark.parametrize("window_seconds", [60, 900], ids=["by-the-pane", "by-joined-panes"])
def test_what_comes_as_often_as_a_window_is_long_holds_without_a_gap(window_seconds: int) -> None:
    """The window in which the next ones lie is not given yet when the clock says that the last ones have left."""
    one = decisions(COMPLAINTS | {"window_seconds": window_seconds})
    told: list[Alert] = []
    for turn in range(6):
        begin_ms = T0 + turn * window_seconds * 1000
        told += one.feed(complaints(9, begin_ms), newest_ms=begin_ms)
        for pane in range(1, window_seconds * 1000 // PANE_MS):
            told += one.advance(begin_ms + pane * PANE_MS)
    assert said(told) == [("firing", "")]
    told += one.advance(T0 + 7 * window_seconds * 1000)
    assert said(told) == [("firing", ""), ("resolved", "")]


def test_a_peak_that_nobody_planned_is_named_on_alerts() -> None:
    """A day as usual, then ten minutes of thirty times as much, and what fires after them."""
    one = decisions(COMPLAINTS | {"above": 400})
    for slot in range(144):
        assert fed(one, 100, 10 * slot) == []
    told = [alert for slot in range(144, 148) for alert in fed(one, 3_000, 10 * slot)]
    assert [alert.peak for alert in told if alert.status == "firing"][-1] == "unplanned-2026-11-08"
    pages = saved(one)
    restarted = decisions(COMPLAINTS | {"above": 400})
    restarted.load(pages)
    phase = restarted.peak.phase_at(T0 + 1_460 * MINUTE)
    assert phase is not None
    assert phase.peak == "unplanned-2026-11-08"


def test_the_page_of_incidents_that_are_forgotten_is_taken_away() -> None:
    one, _ = firing(COMPLAINTS)
    pages = saved(one)
    assert [name for name in pages if name.startswith("incidents/")]
    list(passing(one, 3 * 24 * 60))
    pages = saved(one, pages)
    assert not [name for name in pages if name.startswith("incidents/")]
    restarted = decisions(COMPLAINTS)
    restarted.load(pages)
    assert saved(restarted, pages) == pages
