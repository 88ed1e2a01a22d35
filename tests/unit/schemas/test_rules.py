"""Rules are decoded strictly: every mistake with its place, all of them at once."""

import pytest

from schemas.errors import ConfigError
from schemas.instants import parse_instant
from schemas.peaks import Phase, parse_peaks
from schemas.results import WindowRow
from schemas.rules import (
    BreachWaveRule,
    FeedSilentRule,
    QuietHours,
    Rule,
    SlaTicketRule,
    SpikeRule,
    ThresholdRule,
    figure_of,
    matches,
    parse_rules,
    slice_parts,
    with_peaks,
)
from schemas.yaml import load_yaml


def parse(text: str) -> tuple[Rule, ...]:
    return parse_rules(load_yaml(text, "r.yaml"), source="r.yaml")


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return [mistake.removeprefix("r.yaml: ") for mistake in caught.value.mistakes]


THRESHOLD = "name: t, kind: threshold, figure: negative_share, above: 0.3"


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        pytest.param("7", "rules[0]: 7 is not a mapping", id="no-mapping"),
        pytest.param("{name: a}", "rules[0].kind: is missing; one of negative_spike", id="no-kind"),
        pytest.param("{name: a, kind: spike}", "rules[0].kind: 'spike' is not one of negative_spike", id="kind"),
        pytest.param("{kind: negative_spike}", "rules[0].name: is missing", id="no-name"),
        pytest.param("{name: '', kind: negative_spike}", "rules[0].name: '' is empty", id="empty-name"),
        pytest.param(f"{{{THRESHOLD}, severty: info}}", "rules[0].severty: unknown key; did you mean severity?",
                     id="typo"),
        pytest.param(f"{{{THRESHOLD}, severity: bad}}",
                     "rules[0].severity: 'bad' is not one of info, warning, critical", id="severity"),
        pytest.param(f"{{{THRESHOLD}, window_seconds: 7}}",
                     "rules[0].window_seconds: 7 is not one of 60, 300, 900, 3600, 86400", id="window"),
        pytest.param(f"{{{THRESHOLD}, window_seconds: true}}", "rules[0].window_seconds: true is not one of",
                     id="boolean-is-no-number"),
        pytest.param(f"{{{THRESHOLD}, for: 5}}", "rules[0].for: 5 is not a duration such as", id="bare-number"),
        pytest.param(f"{{{THRESHOLD}, for: 2d}}", "rules[0].for: '2d' is not within 0s to 1d", id="for-too-long"),
        pytest.param(f"{{{THRESHOLD}, below: 0.1}}", "rules[0].above: stands beside below", id="two-bounds"),
        pytest.param("{name: t, kind: threshold, figure: reviews}", "rules[0].above: is missing, as is below",
                     id="no-bound"),
        pytest.param("{name: t, kind: threshold, above: 1}", "rules[0].figure: is missing", id="no-figure"),
        pytest.param("{name: t, kind: threshold, figure: foo, above: 1}", "rules[0].figure: 'foo' is not one of",
                     id="figure"),
        pytest.param("{name: t, kind: threshold, figure: reviews, above: .nan}", "'.nan' is not a duration",
                     id="not-a-number"),
        pytest.param("{name: t, kind: threshold, figure: reviews, above: 1e999}", "is not a number", id="infinite"),
        pytest.param("{name: t, kind: threshold, figure: reviews, above: 5m}",
                     "rules[0].above: '5m' is a duration, but the figure is none", id="duration-for-a-count"),
        pytest.param("{name: t, kind: threshold, figure: resolution_ms.p90, above: 900}",
                     "rules[0].above: 900 needs a unit here", id="count-for-a-duration"),
        pytest.param("{name: t, kind: threshold, figure: negative_share, above: 1}",
                     "rules[0].above: a share never exceeds 1", id="share-above-one"),
        pytest.param(f"{{{THRESHOLD}, clear_at: 0.4}}", "rules[0].clear_at: lies beyond the bound", id="clear-at"),
        pytest.param(f"{{{THRESHOLD}, dimensions: [shop]}}", "rules[0].dimensions[0]: 'shop' is not all, category",
                     id="dimension"),
        pytest.param(f"{{{THRESHOLD}, dimensions: category+category}}", "rules[0].dimensions: 'category+category'",
                     id="joined-with-itself"),
        pytest.param(f"{{{THRESHOLD}, dimensions: []}}", "rules[0].dimensions: [] names no dimension",
                     id="no-dimension"),
        pytest.param(f"{{{THRESHOLD}, dimensions: [all, all]}}", "rules[0].dimensions[1]: 'all' stands twice",
                     id="dimension-twice"),
        pytest.param(f"{{{THRESHOLD}, dimensions: [category+region, all, region+category]}}",
                     "rules[0].dimensions[2]: 'region+category' is category+region in another order",
                     id="joined-twice"),
        pytest.param(f"{{{THRESHOLD}, match: {{category: x}}}}", "rules[0].match: no dimension of the rule shows",
                     id="match-without-dimension"),
        pytest.param(f"{{{THRESHOLD}, match: {{categry: x}}}}", "rules[0].match.categry: unknown key; did you mean",
                     id="match-key"),
        pytest.param(f"{{{THRESHOLD}, burn_rate: [{{long_seconds: 300, short_seconds: 300, factor: 2}}]}}",
                     "rules[0].burn_rate[0].short_seconds: 300 is not shorter than 300", id="burn-windows"),
        pytest.param(f"{{{THRESHOLD}, burn_rate: [{{long_seconds: 3600, short_seconds: 300, factor: 5}}]}}",
                     "rules[0].burn_rate[0].factor: a share never exceeds 1.5", id="burn-cannot-fire"),
        pytest.param(f"{{{THRESHOLD}, burn_rate: [{{long_seconds: 3600}}]}}",
                     "rules[0].burn_rate[0].short_seconds: is missing", id="burn-incomplete"),
        pytest.param(f"{{{THRESHOLD}, severity: critical, quiet_hours: {{from: 22:00, to: 08:00}}}}",
                     "rules[0].quiet_hours: only severities below critical", id="quiet-critical"),
        pytest.param(f"{{{THRESHOLD}, quiet_hours: {{from: 25:00, to: 08:00}}}}",
                     "rules[0].quiet_hours.from: '25:00' is no time of day", id="quiet-time"),
        pytest.param(f"{{{THRESHOLD}, quiet_hours: {{from: 08:00, to: 08:00}}}}",
                     "rules[0].quiet_hours.to: is the same as from", id="quiet-empty"),
        pytest.param(f"{{{THRESHOLD}, quiet_hours: {{from: 22:00, to: 08:00, timezone: Mars/X}}}}",
                     "rules[0].quiet_hours.timezone: 'Mars/X' is no IANA time zone", id="zone"),
        pytest.param(f"{{{THRESHOLD}, labels: {{dimension: x}}}}", "rules[0].labels.dimension: is set by PeakWatch",
                     id="reserved-label"),
        pytest.param(f"{{{THRESHOLD}, labels: {{team: 7}}}}", "rules[0].labels.team: 7 is not a text", id="label"),
        pytest.param(f"{{{THRESHOLD}, enabled: yes}}", "rules[0].enabled: 'yes' is not true or false", id="flag"),
        pytest.param(f"{{{THRESHOLD}, peaks: [{{peak: double-11}}]}}", "rules[0].peaks[0]: changes nothing",
                     id="override-empty"),
        pytest.param(f"{{{THRESHOLD}, peaks: [{{peak: double-11, figure: reviews}}]}}",
                     "rules[0].peaks[0].figure: unknown key", id="override-of-what-is-watched"),
        pytest.param(f"{{{THRESHOLD}, peaks: [{{peak: double-11, below: 0.1}}]}}",
                     "rules[0].peaks[0]: turns the rule's bound round", id="override-turns-round"),
        pytest.param("{name: s, kind: negative_spike, min_ratio: 0.5}", "rules[0].min_ratio: 0.5 is not above 1",
                     id="ratio"),
        pytest.param("{name: s, kind: sla_breach, for: 5m}", "rules[0].for: unknown key", id="for-a-ticket"),
        pytest.param("{name: s, kind: sla_warning, match: {clok: x}}", "rules[0].match.clok: unknown key; did you",
                     id="ticket-match"),
        pytest.param("{name: w, kind: threshold, figure: breaches_due, horizon: 20m, above: 5}",
                     "rules[0].horizon: '20m' is not one of 15m, 30m, 60m", id="horizon"),
        pytest.param("{name: w, kind: threshold, figure: breaches_due}", "rules[0].above: is missing",
                     id="wave-without-bound"),
        pytest.param("{name: f, kind: feed_silent, topics: [reviws]}", "rules[0].topics[0]: 'reviws' is not one of",
                     id="topic"),
        pytest.param("{name: f, kind: feed_silent, false_alarm_days: 0.1}", "is less than 1", id="false-alarm-days"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_place_value_and_rule(rule: str, mistake: str) -> None:
    assert [found for found in mistakes_of(f"- {rule}") if mistake in found], mistakes_of(f"- {rule}")


def test_a_wrong_dimension_is_one_mistake() -> None:
    (found,) = mistakes_of("- {name: s, kind: negative_spike, dimensions: [regoin, all]}")
    assert "rules[0].dimensions[0]: 'regoin' is not all" in found


def test_all_mistakes_come_at_once() -> None:
    found = mistakes_of("""
- {name: a, kind: threshold, figure: reviews, above: 1, window_seconds: 7, forr: 5m}
- {name: a, kind: negative_spike, min_ratio: 0.5}
- {kind: nothing}
""")
    assert [one.split(": ")[0] for one in found] == [
        "rules[0].forr", "rules[0].window_seconds", "rules[1].min_ratio", "rules[1].name", "rules[2].kind",
    ]  # fmt: skip


def test_a_list_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"r\.yaml: rules: null is not a list"):
        parse_rules(None, source="r.yaml")


def test_each_kind_becomes_its_class() -> None:
    rules = parse("""
- {name: a, kind: negative_spike, dimensions: [category, category+region], match: {category: [手机, 家电]}}
- {name: b, kind: sla_breach, match: {priority: urgent, queue: [returns]}, severity: critical}
- {name: c, kind: sla_breach_rate, above: 0.1, min_count: 20}
- {name: d, kind: feed_silent, topics: reviews, min_silence: 10m}
- {name: e, kind: threshold, figure: complaints, per: orders, above: 0.01, for: 5m, cooldown: 1h30m}
- {name: f, kind: threshold, figure: breaches_due, horizon: 1h, above: 30, match: {clock: resolution}}
- {name: g, kind: threshold, figure: first_response_ms.p90, above: 15m, window_seconds: 900}
""")
    assert [type(rule) for rule in rules] == [
        SpikeRule, SlaTicketRule, ThresholdRule, FeedSilentRule, ThresholdRule, BreachWaveRule, ThresholdRule,
    ]  # fmt: skip
    rate, ratio, wave, slow = rules[2], rules[4], rules[5], rules[6]
    assert isinstance(rate, ThresholdRule)
    assert (rate.figure, rate.count) == ("sla_breach_rate", "sla_verdicts")
    assert isinstance(ratio, ThresholdRule)
    assert (ratio.per, ratio.for_ms, ratio.cooldown_ms) == ("orders", 300_000, 5_400_000)
    assert isinstance(wave, BreachWaveRule)
    assert wave.horizon_ms == 3_600_000
    assert isinstance(slow, ThresholdRule)
    assert slow.above == 900_000


PHASE = Phase(peak="double-11", title="双11", name="开门红", start_ms=0, end_ms=10)


@pytest.mark.parametrize(
    ("override", "above"),
    [
        pytest.param("{peak: double-11, above: 0.5}", 0.5, id="whole-peak"),
        pytest.param("{peak: double-11, phase: 开门红, above: 0.5}", 0.5, id="its-phase"),
        pytest.param("{peak: double-11, phase: 返场, above: 0.5}", 0.3, id="another-phase"),
        pytest.param("{peak: double-12, above: 0.5}", 0.3, id="another-peak"),
        pytest.param("{peak: '*', above: 0.5}", 0.5, id="any-peak"),
    ],
)
def test_a_rule_says_something_else_in_its_phases(override: str, above: float) -> None:
    (rule,) = parse(f"- {{{THRESHOLD}, peaks: [{override}]}}")
    assert isinstance(rule, ThresholdRule)
    assert rule.in_phase(PHASE).above == above
    assert rule.in_phase(None) is rule


PLAN = """
peaks:
  - name: double-11
    phases:
      - name: 开门红
        from: 2026-10-22
        to: 2026-10-25
        rules: {%s}
"""


def test_the_plan_wins_over_the_rule_itself() -> None:
    rules = parse(f"- {{{THRESHOLD}, peaks: [{{peak: '*', above: 0.5, severity: info}}]}}")
    plan = parse_peaks(load_yaml(PLAN % "t: {above: 0.6}", "p.yaml"), source="p.yaml")
    (rule,) = with_peaks(rules, plan, source="p.yaml")
    assert isinstance(rule, ThresholdRule)
    changed = rule.in_phase(PHASE)
    assert (changed.above, changed.severity) == (0.6, "info")


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        pytest.param("nope: {severity: info}", "rules.nope: there is no rule 'nope'", id="unknown-rule"),
        pytest.param("t: {window_seconds: 60}", "rules.t.window_seconds: unknown key", id="unknown-key"),
        pytest.param("t: {above: high}", "rules.t.above: 'high' is not a duration", id="bad-value"),
    ],
)
def test_a_plan_that_names_no_rule_or_key_is_a_mistake(said: str, mistake: str) -> None:
    plan = parse_peaks(load_yaml(PLAN % said, "p.yaml"), source="p.yaml")
    with pytest.raises(ConfigError) as caught:
        with_peaks(parse(f"- {{{THRESHOLD}}}"), plan, source="p.yaml")
    assert f"p.yaml: peaks[0].phases[0].{mistake}" in str(caught.value)


MINUTE = 60_000
MIDNIGHT = 1_793_980_800_000  # 2026-11-07T00:00:00+08:00


@pytest.mark.parametrize(
    ("minute", "until"),
    [
        pytest.param(22 * 60 - 1, None, id="before"),
        pytest.param(22 * 60, 32 * 60, id="begins"),
        pytest.param(23 * 60 + 59, 32 * 60, id="evening"),
        pytest.param(24 * 60, 32 * 60, id="over-midnight"),
        pytest.param(32 * 60 - 1, 32 * 60, id="last-minute"),
        pytest.param(32 * 60, None, id="over"),
    ],
)
def test_quiet_hours_span_midnight(minute: int, until: int | None) -> None:
    quiet = QuietHours(22 * 60, 8 * 60, "Asia/Shanghai")
    expected = None if until is None else MIDNIGHT + until * MINUTE
    assert quiet.until(MIDNIGHT + minute * MINUTE + 59_999) == expected


@pytest.mark.parametrize(
    ("at", "until"),
    [
        pytest.param("2026-10-24T22:30:00+02:00", "2026-10-25T07:00:00+01:00", id="an-hour-twice"),
        pytest.param("2026-10-25T02:30:00+01:00", "2026-10-25T07:00:00+01:00", id="in-the-second-of-them"),
        pytest.param("2026-03-28T22:30:00+01:00", "2026-03-29T07:00:00+02:00", id="an-hour-missing"),
    ],
)
def test_quiet_hours_end_by_the_wall_clock_also_in_a_night_in_which_it_changes(at: str, until: str) -> None:
    quiet = QuietHours(22 * 60, 7 * 60, "Europe/Berlin")
    assert quiet.until(parse_instant(at)) == parse_instant(until)


def test_quiet_hours_that_end_within_an_hour_that_comes_twice_hold_in_both() -> None:
    quiet = QuietHours(22 * 60, 2 * 60 + 45, "Europe/Berlin")
    for at, until in (("02:30:00+02:00", "02:45:00+02:00"), ("02:30:00+01:00", "02:45:00+01:00")):
        assert quiet.until(parse_instant(f"2026-10-25T{at}")) == parse_instant(f"2026-10-25T{until}")


@pytest.mark.parametrize(
    ("dimension", "value", "parts"),
    [
        pytest.param("all", "all", {}, id="all"),
        pytest.param("category", "手机", {"category": "手机"}, id="one"),
        pytest.param("category", "a|b", {"category": "a|b"}, id="bar-inside-one"),
        pytest.param("category+region", "手机|华东", {"category": "手机", "region": "华东"}, id="two"),
    ],
)
def test_a_slice_names_its_parts(dimension: str, value: str, parts: dict[str, str]) -> None:
    assert slice_parts(dimension, value) == parts


def test_an_absent_field_matches_as_empty() -> None:
    assert matches({"queue": frozenset({""})}, {})
    assert not matches({"queue": frozenset({"returns"})}, {})


def test_figures_are_read_from_a_window() -> None:
    row = WindowRow(
        300, 0, "all", "all", 1, 10, 9, 3, 0, 0.3333, None, None, None, 2, 0, None, 0, 0, (1, 2, 3), None, 1, 4,
        0.2, 0, None, {}, {},
    )  # fmt: skip
    found = {name: figure_of(row, name) for name in ("reviews", "sla_verdicts", "first_response_ms.p90",
                                                     "resolution_ms.p50", "satisfaction")}  # fmt: skip
    assert found == {
        "reviews": 10.0, "sla_verdicts": 5, "first_response_ms.p90": 2.0, "resolution_ms.p50": None,
        "satisfaction": None,
    }  # fmt: skip
