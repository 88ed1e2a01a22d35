"""What Grafana reads at its start: whole, without a secret, and fitting the dashboards that are built."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

import grafana
from grafana.queries import PLUGIN
from schemas.yaml import load_yaml
from storage.migrate import DDL

ROOT: Final = Path(grafana.__file__ or "").parent / "provisioning"
FILES: Final = sorted(ROOT.rglob("*.yaml"))
# Keys under which Grafana keeps secrets, and those that tell an installation from another.
OWN: Final = re.compile(r"pass|secret|token|user|host|url|path$", re.IGNORECASE)


def document(kind: str) -> dict[str, Any]:
    loaded = load_yaml((ROOT / kind / "peakwatch.yaml").read_text(encoding="utf-8"), source=kind)
    assert isinstance(loaded, dict)
    return loaded


def test_there_is_a_file_for_each_kind_that_grafana_reads() -> None:
    assert {path.parent.name for path in FILES} == {"datasources", "dashboards", "alerting"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_what_is_an_installations_own_comes_from_the_environment(path: Path) -> None:
    def look(value: object, key: str = "") -> None:
        if isinstance(value, dict):
            for name, one in value.items():
                look(one, str(name))
        elif isinstance(value, list):
            for one in value:
                look(one, key)
        elif isinstance(value, str) and OWN.search(key):
            assert re.fullmatch(r"\$[A-Z_]+", value), f"{key}: {value}"

    look(load_yaml(path.read_text(encoding="utf-8"), source=path.name))


def test_the_data_sources_are_of_the_kinds_that_the_dashboards_choose_from() -> None:
    sources = {one["type"]: one for one in document("datasources")["datasources"]}
    assert set(sources) == {PLUGIN, "prometheus"}
    clickhouse = sources[PLUGIN]
    assert clickhouse["jsonData"]["protocol"] == "native"
    assert set(clickhouse["secureJsonData"]) == {"password"}  # the plugin reads the user's name from jsonData
    assert all(one["editable"] is False for one in sources.values())


def test_the_time_that_the_data_source_sets_is_within_the_readers_bounds() -> None:
    (source,) = (one for one in document("datasources")["datasources"] if one["type"] == PLUGIN)
    profile = (DDL / "0005_reader.sql").read_text(encoding="utf-8")
    bounds = re.search(r"max_execution_time = \d+ MIN (\d+) MAX (\d+)", profile)
    assert bounds
    # The driver behind the plugin sets max_execution_time to the time left and five seconds.
    assert int(bounds[1]) <= int(source["jsonData"]["queryTimeout"]) + 5 <= int(bounds[2])
    assert "readonly = 2" in profile


def test_alerts_defined_in_grafana_have_a_receiver() -> None:
    alerting = document("alerting")
    assert {one["receiver"] for one in alerting["policies"]} == {one["name"] for one in alerting["contactPoints"]}
