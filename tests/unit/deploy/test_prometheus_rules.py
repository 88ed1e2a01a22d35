"""Rules about PeakWatch itself: Prometheus' own unit tests, and that they ask for what a worker really shows."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agents.metrics import WorkerCollector
from tests.unit.agents.test_metrics import full

FOLDER: Final = Path(__file__).parents[3] / "deploy" / "prometheus"
RULES: Final = ("recording.rules.yml", "alerts.rules.yml")
TESTS: Final = ("alerts.test.yml", "recording.test.yml")
OF_OTHERS: Final = {"process_start_time_seconds", "up"}


def promtool(*arguments: str) -> None:
    """Run it in the rules' folder. Where it is missing the test is skipped, and in CI fails."""
    program = shutil.which("promtool")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is missing: apt-get install prometheus")
        pytest.skip("promtool is not installed")
    done = subprocess.run([program, *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for name in RULES for group in read(name)["groups"] for rule in group["rules"]]


def test_the_configuration_and_its_rules_are_prometheus_own() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", *RULES)


def test_every_rule_says_what_it_should() -> None:
    promtool("test", "rules", *TESTS)


def test_each_alert_is_tried_where_it_fires_and_where_it_must_not() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for test in read("alerts.test.yml")["tests"]:
        for case in test["alert_rule_test"]:
            (fires if case["exp_alerts"] else silent).add(case["alertname"])
    names = {rule["alert"] for rule in rules() if "alert" in rule}
    assert fires == silent == names


def test_each_recorded_figure_is_tried() -> None:
    asked = " ".join(
        case["expr"] for test in read("recording.test.yml")["tests"] for case in test["promql_expr_test"]
    )  # fmt: skip
    assert [rule["record"] for rule in rules() if "record" in rule and rule["record"] not in asked] == []


def test_rules_ask_for_nothing_that_no_worker_shows() -> None:
    shown = {sample.name for family in WorkerCollector(full()).collect() for sample in family.samples}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for rule in rules():
        asked = set(
            re.findall(r"\b(?:\w+:)?peakwatch[\w:]*|\bup\b|\bprocess_\w+", rule["expr"].replace('"peakwatch', '"'))
        )
        assert asked, rule
        assert asked <= shown | recorded | OF_OTHERS, rule


def test_labels_that_rules_ask_for_are_there() -> None:
    labels: dict[str, set[str]] = {}
    for family in WorkerCollector(full()).collect():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    for rule in rules():
        for name, asked in re.findall(r"(peakwatch_\w+)\{([^}]*)\}", rule["expr"]):
            assert set(re.findall(r"(\w+)=", asked)) <= labels[name], rule


def test_alerts_say_how_bad_and_what_is_wrong() -> None:
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("warning", "critical"), rule
            assert rule["annotations"]["summary"], rule


def test_the_docs_know_every_figure() -> None:
    text = (FOLDER.parents[1] / "docs" / "operations.md").read_text("utf-8")
    for family in WorkerCollector(full()).collect():
        name = family.name.removeprefix("peakwatch_") + ("_total" if family.type == "counter" else "")
        assert f"`{name}`" in text or f"`_{name.removeprefix('store_')}`" in text, name


def test_the_runbook_knows_every_alert() -> None:
    text = (FOLDER.parents[1] / "docs" / "operations.md").read_text("utf-8")
    assert [rule["alert"] for rule in rules() if "alert" in rule and f"`{rule['alert']}`" not in text] == []
