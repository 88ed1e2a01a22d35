"""The promotion plan: phases with local dates, none overlapping, every mistake with its place."""

import pytest

from alerts.rules import load_peaks
from schemas.errors import ConfigError
from schemas.instants import parse_instant
from schemas.peaks import Peaks, check_names, parse_peaks
from schemas.yaml import load_yaml


def parse(text: str) -> Peaks:
    return parse_peaks(load_yaml(text, "p.yaml"), source="p.yaml")


PLAN = """
timezone: Asia/Shanghai
peaks:
  - name: double-11
    title: 双11
    phases:
      - {name: 预售, from: 2026-10-20T20:00, to: 2026-10-31, expected: {orders: 2.5}, roster: night}
      - {name: 开门红, from: 2026-10-31, to: 2026-11-04, sla_targets: {high-first: 1h}}
"""


@pytest.mark.parametrize(
    ("at", "name"),
    [
        pytest.param("2026-10-20T19:59:59.999+08:00", None, id="before"),
        pytest.param("2026-10-20T20:00:00+08:00", "预售", id="begins"),
        pytest.param("2026-10-30T23:59:59.999+08:00", "预售", id="last-ms"),
        pytest.param("2026-10-30T16:00:00Z", "开门红", id="next-phase-at-local-midnight"),
        pytest.param("2026-11-04T00:00:00+08:00", None, id="the-end-is-open"),
    ],
)
def test_an_instant_has_the_phase_of_its_local_date(at: str, name: str | None) -> None:
    phase = parse(PLAN).phase_at(parse_instant(at))
    assert (phase.name if phase else None) == name


def test_a_phase_knows_what_is_expected() -> None:
    first, second = parse(PLAN).phases
    assert (first.peak, first.label, first.expected("orders"), first.expected("reviews"), first.roster) == (
        "double-11", "双11 · 预售", 2.5, 1.0, "night",
    )  # fmt: skip
    assert second.sla_targets == {"high-first": 3_600_000}


def test_the_countdown_runs_to_the_next_phase() -> None:
    found = parse(PLAN).next_phase(parse_instant("2026-10-30T23:00:00+08:00"))
    assert found is not None
    assert (found[0].name, found[1]) == ("开门红", 3_600_000)
    assert parse(PLAN).next_phase(parse_instant("2026-11-01T00:00:00+08:00")) is None


def test_an_empty_plan_has_no_phase() -> None:
    assert parse("").phase_at(0) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param("peak: []", "peak: unknown key; did you mean peaks?", id="typo"),
        pytest.param("timezone: Asia/Beijing", "timezone: 'Asia/Beijing' is no IANA time zone", id="zone"),
        pytest.param("peaks: [{name: a}]", "peaks[0].phases: is missing", id="no-phases"),
        pytest.param("peaks: [{name: a, phases: []}]", "peaks[0].phases: has no phase", id="empty-phases"),
        pytest.param("peaks: [{name: a, phases: [{from: 2026-11-01}]}]", "peaks[0].phases[0].to: is missing",
                     id="no-end"),
        pytest.param("peaks: [{name: a, phases: [{from: 2026-11-31, to: 2026-12-01}]}]",
                     "peaks[0].phases[0].from: '2026-11-31' is no date", id="no-such-day"),
        pytest.param("peaks: [{name: a, phases: [{from: 2026-11-02, to: 2026-11-01}]}]",
                     "peaks[0].phases[0].to: 2026-11-01 is not after 2026-11-02", id="backwards"),
        pytest.param("peaks: [{name: a, phases: [{from: 2026-11-01, to: 2026-11-03},"
                     " {from: 2026-11-02, to: 2026-11-04}]}]",
                     "peaks[0].phases[1]: begins before peaks[0].phases[0] ends", id="overlap"),
        pytest.param("peaks: [{name: a, phases: [{from: 2026-11-01, to: 2026-11-02}]},"
                     " {name: a, phases: [{from: 2026-12-01, to: 2026-12-02}]}]",
                     "peaks[1].name: 'a' is another peak's name already", id="name-twice"),
        pytest.param("peaks: [{name: a, phases: [{from: 2026-11-01, to: 2026-11-02, expected: {order: 2}}]}]",
                     "peaks[0].phases[0].expected.order: unknown key; did you mean orders?", id="topic"),
        pytest.param("peaks: [{name: a, phases: [{from: 2026-11-01, to: 2026-11-02, expected: {orders: 0}}]}]",
                     "peaks[0].phases[0].expected.orders: 0 is not above 0", id="multiplier"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(text: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert f"p.yaml: {mistake}" in str(caught.value)


@pytest.mark.parametrize(
    ("at", "label"),
    [
        pytest.param("2026-11-11T00:12:10+08:00", ("double-11", "双11 · 高潮"), id="double-11"),
        pytest.param("2027-06-18T12:00:00+08:00", ("618", "618 · 高潮"), id="618"),
        pytest.param("2026-12-12T12:00:00+08:00", ("double-12", "双12 · 专场"), id="double-12"),
        pytest.param("2027-01-15T12:00:00+08:00", ("new-year-goods", "年货节 · 专场"), id="new-year"),
    ],
)
def test_the_plan_that_ships_knows_the_large_promotions(at: str, label: tuple[str, str]) -> None:
    phase = load_peaks(None, source="").phase_at(parse_instant(at))
    assert phase is not None
    assert (phase.peak, phase.label) == label


def test_a_plan_that_names_what_there_is_not_is_a_mistake_with_its_place() -> None:
    plan = """
peaks:
  - name: sale
    phases:
      - {from: 2026-11-01, to: 2026-11-02, sla_targets: {frist: 1h, first: 2h}, roster: nite}
      - {from: 2026-11-02, to: 2026-11-03, roster: night}
"""
    peaks = parse_peaks(load_yaml(plan, "p"), source="p")
    with pytest.raises(ConfigError) as caught:
        check_names(peaks, policies={"first"}, rosters={"night"}, source="p")
    assert caught.value.mistakes == (
        "p: peaks[0].phases[0].sla_targets: there is no policy 'frist'",
        "p: peaks[0].phases[0].roster: there is no roster 'nite' among the channels' shifts",
    )
    check_names(peaks, policies={"first", "frist"}, rosters=None, source="p")
