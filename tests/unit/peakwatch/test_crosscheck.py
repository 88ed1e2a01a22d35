"""`peakwatch check`: what one file says of another, with its place."""

from pathlib import Path

import pytest

from peakwatch.cli import main

NOTIFY = """
people:
  - {{name: a, phone: "13800000001"}}
  - {{name: b, wecom: b}}
  - {{name: c, channels: [own]}}
channels:
  - {{name: d, kind: dingtalk, url: "https://x.example.com"}}
  - {{name: w, kind: wecom, url: "https://x.example.com"}}
  - {{name: am, kind: alertmanager, url: "https://x.example.com"}}
  - {{name: own, kind: webhook, url: "https://x.example.com"}}
rosters:
  - {{name: care, rotations: [{{people: [a], from: 2026-11-01}}]}}
  - {{name: night, rotations: [{{people: [b], from: 2026-11-01}}]}}
  {rosters}
escalations:
  - {{name: up, steps: [{steps}]}}
routes:
  {routes}
  - {{channels: d, roster: care, escalation: up}}
"""
PEAKS = """
peaks:
  - {name: double-11, title: 双11, phases: [
      {name: 预售, from: 2026-10-20, to: 2026-10-31, roster: night},
      {name: 开门红, from: 2026-10-31, to: 2026-11-04, roster: nigth}]}
"""
GOOD_PEAKS = PEAKS.replace("nigth", "night")


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def run(
        *, rules: str = "", peaks: str = GOOD_PEAKS, rosters: str = "", steps: str = "{after: 5m, people: c}",
        routes: str = "",
    ) -> list[str]:  # fmt: skip
        notify = NOTIFY.format(rosters=rosters, steps=steps, routes=routes)
        for name, text in (("rules.yaml", rules), ("peaks.yaml", peaks), ("notify.yaml", notify)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        names = [
            part for name in ("rules", "peaks", "notify") for part in (f"--{name}", str(tmp_path / f"{name}.yaml"))
        ]
        status = main(["check", *names])
        lines = capsys.readouterr().err.replace(f"{tmp_path}/", "").replace("peakwatch: ", "").splitlines()
        assert status == bool(lines)
        return lines

    return run


def test_files_that_fit_have_no_mistake(check) -> None:  # type: ignore[no-untyped-def]
    routes = "- {match: {phase: [开门红, 双11 · 预售], peak: [double-11, unplanned-2026-01-01]}, channels: d}"
    assert check(routes=routes) == []


def test_a_phase_s_roster_must_be_one(check) -> None:  # type: ignore[no-untyped-def]
    (mistake,) = check(peaks=PEAKS)
    assert mistake.startswith("peaks.yaml: peaks[0].phases[1].roster: there is no roster 'nigth'")


def test_overlapping_phases_are_told(check) -> None:  # type: ignore[no-untyped-def]
    (mistake,) = check(peaks=GOOD_PEAKS.replace("from: 2026-10-31", "from: 2026-10-30"))
    assert mistake.startswith("peaks.yaml: peaks[0].phases[1]: begins before peaks[0].phases[0] ends")


@pytest.mark.parametrize(
    ("override", "mistake"),
    [
        ("{peak: double-12, above: 0.5}", ".peak: the plan has no peak 'double-12'; there are double-11"),
        ("{peak: double-11, phase: 返场, above: 0.5}", ".phase: double-11 has no phase '返场'; there are 开门红, 预售"),
        ("{peak: '*', phase: 返场, above: 0.5}", ".phase: * has no phase '返场'; there are 开门红, 预售"),
        ("{peak: '*', above: 0.5}", ""),
        ("{peak: double-11, phase: 预售, above: 0.5}", ""),
    ],
)
def test_a_rule_s_own_peaks_are_those_of_the_plan(check, override: str, mistake: str) -> None:  # type: ignore[no-untyped-def]
    rule = f"rules: [{{name: t, kind: threshold, figure: negative_share, above: 0.3, peaks: [{override}]}}]"
    assert check(rules=rule) == ([f"rules.yaml: rules[0].peaks[0]{mistake}"] if mistake else [])


@pytest.mark.parametrize(
    ("match", "mistake"),
    [
        ("{severity: crit}", "severity: there is no severity 'crit'; there are critical, info, warning"),
        ("{phase: 开门宏}", "phase: there is no phase '开门宏'; there are 双11 · 开门红, 双11 · 预售, 开门红, 预售"),
        ("{rule: negative-spikes}", "rule: there is no rule 'negative-spikes'; there are alert-storm, breach-wave"),
        ("{severty: info}", "severty: no alert has it: it is no field of an alert, and no rule has such a label"),
        ("{policy: gold}", "policy: there is no policy 'gold'; there are first-response-1h, resolution-24h"),
    ],
)
def test_a_route_matches_what_an_alert_can_have(check, match: str, mistake: str) -> None:  # type: ignore[no-untyped-def]
    (found,) = check(routes=f"- {{match: {match}, channels: d}}")
    assert found.startswith(f"notify.yaml: routes[0].match.{mistake}")


def test_a_label_that_a_rule_sets_may_be_matched(check) -> None:  # type: ignore[no-untyped-def]
    rule = "rules: [{name: x, kind: sla_breach, labels: {team: a}}]"
    assert check(rules=rule, routes="- {match: {team: a}, channels: d}") == []


@pytest.mark.parametrize(
    ("steps", "mistake"),
    [
        ("{after: 5m, people: b}", "b cannot be named: needs phone for d, or a channel that reaches b alone"),
        ("{after: 5m, roster: night}", "b cannot be named: needs phone for d, or a channel that reaches b alone"),
        ("{after: 5m, people: b, channels: am}", "b hears nothing of it: there is no channel but Alertmanager"),
    ],
)
def test_a_step_that_reaches_nobody_is_told(check, steps: str, mistake: str) -> None:  # type: ignore[no-untyped-def]
    assert check(steps=steps) == [f"notify.yaml: escalations[0].steps[0]: {mistake}"]


def test_a_step_over_a_channel_that_names_the_person_is_fine(check) -> None:  # type: ignore[no-untyped-def]
    assert check(steps="{after: 5m, people: [a, c]}, {after: 9m, roster: night, channels: w}") == []


def test_whoever_is_on_call_for_a_route_can_be_named_there(check) -> None:  # type: ignore[no-untyped-def]
    assert check(routes="- {match: {severity: info}, channels: [am, d], roster: night}") == [
        "notify.yaml: routes[0].roster: b cannot be named: needs phone for d, or a channel that reaches b alone"
    ]


def test_a_roster_with_nobody_in_it_is_told(check) -> None:  # type: ignore[no-untyped-def]
    assert check(rosters="- {name: empty}") == [
        "notify.yaml: rosters[2]: nobody is ever on call by 'empty': it has neither rotations nor overrides"
    ]


def test_a_route_behind_one_that_takes_everything_is_told(check) -> None:  # type: ignore[no-untyped-def]
    assert check(routes="- {channels: w}") == ["notify.yaml: routes[1]: is never reached: routes[0] takes everything"]


@pytest.mark.parametrize(
    ("match", "mistake"),
    [
        ("policy: nope", "match.policy: there is no policy 'nope'; there are first-response-1h, resolution-24h"),
        (
            "clock: [resolution, first]",
            "match.clock: there is no clock 'first'; there are first_response, next_response",
        ),
        ("priority: hgih", "match.priority: there is no priority 'hgih'; there are high, low, normal, urgent"),
    ],
)
def test_a_matcher_that_no_clock_can_meet_is_told(check, match: str, mistake: str) -> None:  # type: ignore[no-untyped-def]
    rules = f"rules: [{{name: s, kind: sla_breach, match: {{{match}}}}}]"
    (line,) = check(rules=rules)
    assert line.startswith(f"rules.yaml: rules[0].{mistake}")
    assert (
        check(rules="rules: [{name: s, kind: sla_breach, match: {clock: resolution, priority: [high, urgent]}}]") == []
    )


def test_a_phase_that_asks_less_of_a_spike_than_its_rule_is_told(check) -> None:  # type: ignore[no-untyped-def]
    rules = "rules: [{{name: s, kind: negative_spike, peaks: [{{peak: double-11, phase: 开门红, {change}}}]}}]"
    (line,) = check(rules=rules.format(change="min_ratio: 1.2, evidence_nats: 20"))
    assert (
        line == "rules.yaml: rules[0].min_ratio: double-11 · 开门红 asks for 1.2, the rule for 1.4: it can only be more"
    )
    assert check(rules=rules.format(change="min_ratio: 1.6, critical_ratio: 1.5")) == []
