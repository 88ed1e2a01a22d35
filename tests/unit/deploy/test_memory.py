"""Limits of memory, held against what was measured: docs/operations.md, "Size"."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.suites.compose import ROOT, compose, make_env

OPERATIONS: Final = ROOT / "docs" / "operations.md"
SCALING: Final = ROOT / "docs" / "scaling.md"
KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
ROOM: Final = 1.5
UNITS: Final = {"m": 1, "g": 1024, "Mi": 1, "Gi": 1024}
UNMEASURED: Final = {"grafana", "reader"}  # neither runs where the tests do


def table() -> dict[str, tuple[int | None, int, int | None]]:
    """By service: what was measured, the limit in Compose and on Kubernetes, in MB."""
    found = {}
    for line in OPERATIONS.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\| (\w+) \| (\d+|–) \| (\d+) \| (\d+|–) \|.*", line):
            name, measured, limit, far = match.groups()
            found[name] = (number(measured), int(limit), number(far))
    return found


def number(text: str) -> int | None:
    return None if text == "–" else int(text)


def megabytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)(m|g|Mi|Gi)", text)
    assert match, text
    return int(match[1]) * UNITS[match[2]]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = compose(make_env(tmp_path_factory.mktemp("env")))["services"]
    return found


def test_every_limit_in_compose_is_the_one_that_the_docs_measure(services: dict[str, Any]) -> None:
    assert {name: megabytes(one["mem_limit"]) for name, one in services.items()} == {
        name: limit for name, (_, limit, _) in table().items()
    }


def test_limits_leave_room_above_what_was_measured() -> None:
    assert {name for name, (measured, _, _) in table().items() if measured is None} == UNMEASURED
    for name, (measured, limit, far) in table().items():
        if measured is not None:
            assert limit >= ROOM * measured, name
            assert far is None or far >= ROOM * measured, name


def test_a_worker_is_measured_at_its_densest() -> None:
    peaks = [int(one) for one in re.findall(r"^\|.*\| (\d+) MB \|$", SCALING.read_text("utf-8"), re.MULTILINE)]
    assert len(peaks) >= 4
    assert table()["worker"][0] == max(peaks)


def test_limits_on_kubernetes_are_those_too() -> None:
    told = {name: far for name, (_, _, far) in table().items() if far is not None}
    assert set(told) == {"worker", "migrate", "kafka", "clickhouse"}
    (workers,) = (one for one in documents("workers/workers.yaml") if one["kind"] == "StatefulSet")
    pod = workers["spec"]["template"]["spec"]
    (brokers,) = (one for one in documents("kafka/cluster.yaml") if one["metadata"]["name"] == "broker")
    (store,) = documents("clickhouse/clickhouse.yaml")
    server = store["spec"]["templates"]["podTemplates"][0]["spec"]["containers"][0]
    resources = {
        "worker": pod["containers"][0]["resources"], "migrate": pod["initContainers"][0]["resources"],
        "kafka": brokers["spec"]["resources"], "clickhouse": server["resources"],
    }  # fmt: skip
    assert {name: megabytes(one["limits"]["memory"]) for name, one in resources.items()} == told
    measured = table()["worker"][0]
    assert measured is not None
    assert megabytes(resources["worker"]["requests"]["memory"]) >= measured


def documents(path: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(Path(KUBERNETES / path).read_text("utf-8")) if one]
