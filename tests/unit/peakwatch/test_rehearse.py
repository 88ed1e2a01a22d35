"""`peakwatch replay --rehearse`, driven as the command: who would have been paged, and under other rules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peakwatch.cli import main
from peakwatch.config import load_config
from peakwatch.rehearsal.recording import Kept, Recording
from peakwatch.replay import Outputs, decisions_of, replay
from tests.golden.make import evening

NOTIFY = """
people:
  - {name: 王芳, wecom: wangfang}
  - {name: 李雷, wecom: lilei}
channels:
  - {name: care, kind: wecom, url: {env: NOBODY_HAS_SET_THIS}}
rosters:
  - name: care
    rotations: [{people: [王芳], from: 2026-11-01}]
escalations:
  - {name: care, steps: [{after: 5m, people: [李雷]}]}
routes:
  - {match: {kind: negative_spike}, channels: [care], roster: care, escalation: care}
  - {channels: [care]}
"""
SPIKES = "rules: [{{name: spikes, kind: negative_spike, evidence_nats: {nats}}}, {ticket}]\n"
TICKETS = "{name: late, kind: sla_breach}"
STRICT_SLA = """
policies: [{name: all, clock: first_response, target: 5m, calendar: always}]
rules: [{name: late, kind: sla_breach}]
"""

Run = Callable[..., tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearse")
    lines = [json.dumps(event, ensure_ascii=False) for event in evening(2800)]
    (folder / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "notify.yaml").write_text(NOTIFY, encoding="utf-8")
    (folder / "lax.yaml").write_text(SPIKES.format(nats=8, ticket=TICKETS), encoding="utf-8")
    (folder / "strict.yaml").write_text(SPIKES.format(nats=30, ticket=TICKETS), encoding="utf-8")
    (folder / "mute.yaml").write_text(SPIKES.format(nats=999, ticket=TICKETS), encoding="utf-8")
    (folder / "sla.yaml").write_text(STRICT_SLA, encoding="utf-8")
    return folder


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def command(*options: str) -> tuple[dict[str, Any], str]:
        named = [str(folder / one) if one.endswith(".yaml") else one for one in options]
        assert main(["replay", str(folder / "in.jsonl"), *named]) == 0
        text = capfd.readouterr().out
        return json.loads(text.splitlines()[-1]), text

    return command


def test_it_tells_who_would_have_been_paged_when_and_why(run: Run) -> None:
    _, text = run("--rules", "lax.yaml", "--rehearse", "--notify", "notify.yaml", "--night", "15:00-16:30")
    last, _ = run("--rules", "lax.yaml", "--rehearse", "--notify", "notify.yaml", "--night", "15:00-16:30", "--json")
    found = last["rehearsal"]
    spikes = [one for one in found["log"] if one["rules"] == ["spikes"]]
    assert (spikes[0]["people"], spikes[0]["why"], spikes[0]["channel"]) == (["王芳"], "new", "care")
    assert (spikes[1]["people"], spikes[1]["why"]) == (["李雷"], "unclaimed 5 min")
    assert found["pages"] == len(found["log"])
    assert found["at_night"] == sum(one["night"] for one in found["log"]) > 0
    assert found["escalations"] >= 1
    assert {one["name"] for one in found["people"]} == {"王芳", "李雷", "-"}
    assert f"{found['pages']} pages, {found['at_night']} from 15:00 to the morning" in text
    assert "@王芳" in text
    assert all(one["title"] in text for one in found["log"])
    assert "差评突增" in spikes[0]["title"]


def test_the_same_input_tells_the_same(run: Run) -> None:
    def once() -> dict[str, Any]:
        last, _ = run("--rules", "lax.yaml", "--json")
        return last["rehearsal"]  # type: ignore[no-any-return]

    assert once() == once()


def test_against_itself_nothing_differs(run: Run) -> None:
    last, _ = run("--rules", "lax.yaml", "--against", "lax.yaml", "--json")
    found = last["rehearsal"]["comparison"]
    assert (found["new"], found["gone"], found["moved"]) == ([], [], [])
    assert found["against"]["log"] == last["rehearsal"]["log"]


def test_stricter_rules_come_later_or_not_at_all(run: Run) -> None:
    last, _ = run("--rules", "strict.yaml", "--against", "lax.yaml", "--json")
    moved = last["rehearsal"]["comparison"]["moved"]
    assert moved
    assert all(one["rule"] == "spikes" for one in moved)
    assert moved[0]["later_ms"] > 0
    last, text = run("--rules", "mute.yaml", "--against", "lax.yaml", "--json")
    found = last["rehearsal"]["comparison"]
    assert {one["rule"] for one in found["gone"]} == {"spikes"}
    spikes = next(one for one in found["by_rule"] if one["rule"] == "spikes")
    assert (spikes["alerts"], spikes["gone"]) == (0, spikes["alerts_against"])
    assert len(text.splitlines()) == 1


def test_files_with_other_policies_are_compared_too(run: Run) -> None:
    last, text = run("--rules", "sla.yaml", "--against", "lax.yaml", "--json")
    found = last["rehearsal"]["comparison"]
    late = next(one for one in found["by_rule"] if one["rule"] == "late")
    assert late["alerts"] > late["alerts_against"]
    assert late["new"] > 0
    _, text = run("--rules", "sla.yaml", "--against", "lax.yaml")
    assert f"{late['alerts_against']} → {late['alerts']}" in text


def test_it_suggests_a_setting_for_fewer_pages_and_says_what_is_lost(run: Run) -> None:
    last, text = run("--rules", "lax.yaml", "--pages-per-week", "0")
    assert "rehearsal" not in last
    row = next(line.split() for line in text.splitlines() if line.startswith("  spikes  evidence_nats: 8"))
    assert row[3:5] != ["as", "it"]
    assert int(row[5]) > int(row[6])
    assert "from rules that have no such setting, more than is wished" in text
    assert "Lost: nobody would have been told any more" in text


def test_a_wrong_wish_is_one_line(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for options in (("--pages-per-week", "-1"), ("--night", "late"), ("--night", "25:00-07:00")):
        assert main(["replay", str(folder / "in.jsonl"), *options]) == 1
        assert capfd.readouterr().err.startswith(f"peakwatch: {options[0]}")


def test_what_was_recorded_leads_to_the_same_alerts(folder: Path) -> None:
    config = load_config()
    with Recording() as recording:
        kept = Kept(decisions_of(config), recording)
        replay([str(folder / "in.jsonl")], config, outputs=Outputs(), decider=kept)
        assert list(recording.play(decisions_of(config))) == kept.alerts
    assert kept.alerts
