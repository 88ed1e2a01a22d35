"""Which settings would have made so many pages: what costs least goes first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.detectors.spikes import NEGATIVE
from peakwatch.rehearsal.incidents import Incident
from peakwatch.rehearsal.report import WEEK_MS, Night, Report, Share
from peakwatch.rehearsal.strictness import at_level, setting_of
from peakwatch.rehearsal.suggest import Outcome, advise, choose
from schemas.rules import BreachWaveRule, Rule, SlaTicketRule, SpikeRule, ThresholdRule
from schemas.rules.types import BurnWindows

SHIPPED = NEGATIVE.evidence_nats

HOUR = 3_600_000
NIGHT = Night(0, 420, "Asia/Shanghai")


def threshold(**changes: Any) -> ThresholdRule:
    values: dict[str, Any] = {"name": "t", "kind": "threshold", "figure": "negative_share", "above": 0.2}
    return ThresholdRule(**(values | changes))


@pytest.mark.parametrize(
    ("rule", "level", "setting"),
    [
        (SpikeRule(name="s", kind="negative_spike"), 1.0, "evidence_nats: 22"),
        (SpikeRule(name="s", kind="negative_spike", evidence_nats=30.0), -1.0, "evidence_nats: 15"),
        (threshold(), 1.0, "above: 0.33"),  # twice the odds
        (threshold(above=0.8, clear_at=0.7), 2.0, "above: 0.941, clear_at: 0.903"),
        (threshold(above=None, below=0.5), 1.0, "below: 0.33"),
        (threshold(figure="complaints", above=0.0), 1.0, "above: 1"),
        (threshold(figure="complaints", above=20.0, clear_at=10.0), 0.5, "above: 29, clear_at: 15"),
        (threshold(figure="first_response_ms.p90", above=900_000.0), 1.0, "above: 30m"),
        (threshold(figure="complaints", per="orders", above=0.02), 1.0, "above: 0.04"),
        (BreachWaveRule(name="w", kind="threshold"), 1.0, "above: 41"),
    ],
)
def test_a_level_is_a_power_of_two_as_somebody_would_write_it(rule: Rule, level: float, setting: str) -> None:
    moved = at_level(rule, level)
    assert moved is not None
    assert setting_of(moved) == setting


def test_a_bound_that_a_share_can_never_exceed_is_not_tried() -> None:
    burning = threshold(above=0.3, burn_rate=(BurnWindows(3600, 300, 2.0),))
    assert [at_level(burning, level) is None for level in (0.5, 2.0)] == [False, True]


def test_rules_of_single_tickets_have_no_such_setting() -> None:
    assert at_level(SlaTicketRule(name="x", kind="sla_breach"), 1.0) is None


@given(st.floats(0.01, 0.99), st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]))
def test_stricter_is_stricter_whatever_the_rounding(bound: float, level: float) -> None:
    for rule in (threshold(above=bound), threshold(above=bound, clear_at=bound)):
        stricter, laxer = at_level(rule, level), at_level(rule, -level)
        for moved, sign in ((stricter, 1), (laxer, -1)):
            if isinstance(moved, ThresholdRule):
                assert moved.above is not None
                assert (moved.above - bound) * sign > 0
                assert moved.clear_at is None or moved.clear_at <= moved.above < 1.0


curve = st.lists(st.tuples(st.integers(0, 30), st.floats(0, 100)), min_size=1, max_size=5).map(
    lambda points: {
        float(level): Outcome(str(level), pages, -worth)
        for level, (pages, worth) in enumerate([(30, 0.0), *sorted(points, key=lambda p: -p[0])])
    }
)


@given(st.dictionaries(st.sampled_from("abcd"), curve, min_size=1), st.floats(0, 100))
def test_the_wish_is_kept_where_any_settings_keep_it(curves: dict[str, dict[float, Outcome]], aim: float) -> None:
    chosen = choose(curves, aim)
    pages = sum(curves[name][level].pages for name, level in chosen.items())
    least = sum(min(one.pages for one in levels.values()) for levels in curves.values())
    assert pages <= aim if least <= aim else pages == least


def test_what_is_worth_least_a_page_goes_first() -> None:
    flickers = {0.0: Outcome("1", 10, 0.0), 1.0: Outcome("2", 2, -1.0)}
    outages = {0.0: Outcome("1", 5, 0.0), 1.0: Outcome("2", 0, -40.0)}
    assert choose({"flickers": flickers, "outages": outages}, 8) == {"flickers": 1.0, "outages": 0.0}


def test_with_pages_to_spare_what_gains_most_comes_first() -> None:
    flickers = {0.0: Outcome("2", 2, 0.0), -1.0: Outcome("1", 8, 1.0)}
    outages = {0.0: Outcome("2", 0, 0.0), -1.0: Outcome("1", 5, 40.0)}
    assert choose({"flickers": flickers, "outages": outages}, 8) == {"flickers": 0.0, "outages": -1.0}


class World:
    """Incidents of one rule, each with the evidence that it has: what has enough is told."""

    def __init__(self, evidence: Sequence[float], *, fixed: int = 0) -> None:
        self.evidence = evidence
        self.fixed = fixed
        self.runs = 0

    def run(self, rules: Sequence[Rule]) -> tuple[Report, Sequence[Incident]]:
        self.runs += 1
        found = []
        shares = []
        for rule in rules:
            nats = [float(self.fixed)] * self.fixed if rule.kind == "sla_breach" else self.evidence
            needed = 0.0 if rule.kind == "sla_breach" else float(setting_of(rule).split(": ")[1])
            mine = [
                Incident(f"{rule.name}{i}", rule.name, rule.kind, {"value": str(i)}, i * HOUR, i * HOUR + i * 1000,
                         "warning", f"{i}", False)
                for i, one in enumerate(nats) if one >= needed
            ]  # fmt: skip
            found += mine
            shares.append(Share(rule.name, len(mine), 0, len(mine), len(mine)))
        return report(sum(one.pages for one in shares), tuple(shares)), found


def report(pages: int, rules: tuple[Share, ...]) -> Report:
    return Report(
        began="", ended="", days=7.0, pages=pages, at_night=0, messages=pages, digests=0, held_back=0,
        longest_held_ms=0, escalations=0, waiting=0, alerts=pages, muted={}, skipped=0, channels=(), people=(),
        rules=rules, log=(),
    )  # fmt: skip


SPIKES = SpikeRule(name="spikes", kind="negative_spike")
TICKETS = SlaTicketRule(name="tickets", kind="sla_breach")


def ask(world: World, per_week: float, *rules: Rule) -> Any:
    now = world.run(rules)
    return advise(rules, now, per_week=per_week, run=world.run, night=NIGHT, span_ms=WEEK_MS, ended_ms=200 * HOUR)


def test_it_finds_the_setting_that_keeps_to_the_wish_and_names_what_is_lost_the_longest_first() -> None:
    world = World([SHIPPED + n for n in range(60)])
    advice = ask(world, 40, SPIKES)
    assert advice.reached
    assert 35 <= advice.pages_then <= 40
    assert len(advice.lost) == 60 - advice.pages_then
    lasted = [one.lasted_ms for one in advice.lost]
    assert lasted == sorted(lasted, reverse=True)
    assert world.runs <= 12


def test_it_loosens_when_more_are_wished() -> None:
    advice = ask(World([SHIPPED - 11.0 + n for n in range(60)]), 55, SPIKES)
    assert (advice.pages, advice.reached) == (49, True)
    assert 50 < advice.pages_then <= 55
    assert not advice.lost
    assert len(advice.gained) == advice.pages_then - 49


def test_pages_of_rules_without_a_setting_are_taken_off_the_wish_first() -> None:
    advice = ask(World([SHIPPED + n for n in range(60)], fixed=20), 40, SPIKES, TICKETS)
    assert (advice.pages, advice.fixed, advice.reached) == (80, 20, True)
    assert advice.pages_then <= 40


def test_a_wish_beneath_them_does_not_mute_all_the_others() -> None:
    advice = ask(World([SHIPPED + n for n in range(60)], fixed=30), 20, SPIKES, TICKETS)
    assert not advice.reached
    assert 30 < advice.pages_then <= 50


def test_the_more_pages_are_wished_the_fewer_are_lost() -> None:
    lost = [len(ask(World([SHIPPED + n for n in range(60)]), wish, SPIKES).lost) for wish in (10, 20, 40, 60)]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] == 0


def test_what_another_rule_says_instead_is_made_up_for() -> None:
    """Alone the spikes keep to the wish; all together something speaks up when they no longer do."""

    class Meeting(World):
        def run(self, rules: Sequence[Rule]) -> tuple[Report, Sequence[Incident]]:
            made, found = super().run(rules)
            if any(rule.name == "tickets" for rule in rules) and made.pages < 60:
                return replace(made, pages=made.pages + 3), found
            return made, found

    advice = ask(Meeting([SHIPPED + n for n in range(60)]), 40, SPIKES, TICKETS)
    assert advice.reached
    assert 25 < advice.pages_then <= 40
