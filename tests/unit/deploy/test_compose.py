"""docker-compose.yml by the Compose specification, and by what the docs promise of it."""

import json
import re
import stat
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, Final

import pytest

from alerts.notify.config import load_notify
from schemas.settings import read_settings
from tests.suites.compose import COMPOSE, OWN_IMAGE, ROOT, compose, image_env, interpolated, make_env

ENDING: Final = {"migrate", "reader"}  # services that do their work and end
BIND: Final = re.compile(r"(\./[^:]+):(/[^:]+):ro")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return make_env(tmp_path_factory.mktemp("env"))


@pytest.fixture(scope="module")
def stack(env: dict[str, str]) -> dict[str, Any]:
    return compose(env)


@pytest.fixture(scope="module")
def services(stack: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack["services"]
    return found


def test_it_keeps_the_compose_specification(stack: dict[str, Any]) -> None:
    from compose_spec import PyCompose

    PyCompose.from_json(json.dumps(stack)).validate()


def test_everything_that_the_issue_names_is_there(services: dict[str, Any]) -> None:
    wanted = {"kafka", "clickhouse", "grafana", "prometheus", "alertmanager", "migrate", "reader", "worker", "feeder"}
    assert services.keys() == wanted
    assert services["feeder"]["profiles"] == ["demo"]
    assert [name for name, one in services.items() if "profiles" in one] == ["feeder"]


def test_images_are_pinned(services: dict[str, Any]) -> None:
    for name, one in services.items():
        tag = one["image"].rpartition(":")[2]
        assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?", tag), (name, one["image"])


def test_only_grafana_has_a_door_and_it_opens_to_this_machine(services: dict[str, Any]) -> None:
    doors = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert doors == {"grafana": ["127.0.0.1:3000:3000"]}
    assert [name for name, one in services.items() if one.get("network_mode") or one.get("privileged")] == []


def test_data_is_reached_from_inside_alone(stack: dict[str, Any], services: dict[str, Any]) -> None:
    assert stack["networks"]["inside"]["internal"] is True
    for name in ("kafka", "clickhouse", "prometheus", "migrate", "reader", "feeder"):
        assert services[name]["networks"] == ["inside"], name


def test_who_runs_on_has_a_health_check_and_who_waits_waits_for_it(services: dict[str, Any]) -> None:
    for name, one in services.items():
        own = one["image"].startswith(OWN_IMAGE)  # its image has one
        disabled = one.get("healthcheck", {}).get("disable", False)
        assert (("test" in one.get("healthcheck", {})) or (own and not disabled)) != (name in ENDING), name
        for other, how in one.get("depends_on", {}).items():
            assert other in services
            if other in ENDING:
                assert how["condition"] == "service_completed_successfully", (name, other)
            else:
                assert how["condition"] == "service_healthy", (name, other)


def test_memory_is_limited_and_logs_are_rolled(services: dict[str, Any]) -> None:
    for name, one in services.items():
        assert re.fullmatch(r"\d+[mg]", one["mem_limit"]), name
        assert one["logging"]["options"]["max-size"], name
        assert one["restart"] == ("on-failure" if name in ENDING else "unless-stopped"), name


def test_our_containers_may_do_little(services: dict[str, Any]) -> None:
    ours = {name: one for name, one in services.items() if one["image"].startswith(OWN_IMAGE)}
    assert ours.keys() == {"migrate", "worker", "feeder"}
    for name, one in ours.items():
        assert one["read_only"] is True, name
        assert one["user"] == "10001:10001", name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name


def test_what_is_kept_is_kept_in_named_volumes(stack: dict[str, Any], services: dict[str, Any]) -> None:
    used = {entry.split(":")[0] for one in services.values() for entry in one.get("volumes", ()) if entry[0] != "."}
    assert used == stack["volumes"].keys()


def test_what_is_mounted_is_there_and_read_only(services: dict[str, Any]) -> None:
    for name, one in services.items():
        for entry in one.get("volumes", ()):
            if entry.startswith("."):
                match = BIND.fullmatch(entry)
                assert match, (name, entry)
                assert (ROOT / match[1]).exists(), (name, entry)


def test_no_secret_stands_in_a_file(env: dict[str, str], services: dict[str, Any]) -> None:
    text = COMPOSE.read_text("utf-8")
    assert [value for name, value in env.items() if len(value) > 20 and value in text] == []
    for name, one in services.items():
        for key, value in one.get("environment", {}).items():
            if value and re.search("PASSWORD|SALT|SECRET|TOKEN", key):
                assert value in env.values(), f"{name}: {key} is not from .env"


def test_without_env_nothing_starts(env: dict[str, str]) -> None:
    secrets = [name for name in env if not name.startswith(("GRAFANA_ADDRESS", "GRAFANA_PORT", "PEAKWATCH_WORKERS"))]
    for name in secrets:
        with pytest.raises(KeyError, match=f"{name}: run make env"):
            interpolated(COMPOSE.read_text("utf-8"), env | {name: ""})


def test_make_env_makes_secrets_and_never_writes_over_them(tmp_path: Path) -> None:
    first = make_env(tmp_path)
    (tmp_path / "other").mkdir()
    second = make_env(tmp_path / "other")
    secrets = [name for name in first if name.endswith(("PASSWORD", "SALT", "ID"))]
    assert len(secrets) == 5
    assert all(first[name] != second[name] for name in secrets)
    assert len({first[name] for name in secrets}) == 5
    assert all(len(first[name]) == 32 for name in secrets if name != "KAFKA_CLUSTER_ID")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    with pytest.raises(subprocess.CalledProcessError) as refused:
        make_env(tmp_path)
    assert b"there already" in refused.value.stderr
    assert first["CLICKHOUSE_PASSWORD"] in (tmp_path / ".env").read_text()


def test_workers_settings_are_read_without_a_mistake(services: dict[str, Any]) -> None:
    for name in ("migrate", "worker", "feeder"):
        settings = read_settings(None, image_env() | services[name]["environment"])
        assert settings.clickhouse_user == services["clickhouse"]["environment"]["CLICKHOUSE_USER"]
        assert settings.clickhouse_password == services["clickhouse"]["environment"]["CLICKHOUSE_PASSWORD"]
        assert (
            settings.kafka_bootstrap
            == services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].partition("//")[2]
        )


def test_grafana_reads_as_the_reader_that_is_made(services: dict[str, Any]) -> None:
    grafana, reader = services["grafana"]["environment"], services["reader"]["environment"]
    script = (ROOT / "deploy" / "clickhouse" / "make-reader").read_text("utf-8")
    assert f"READER_USER:-{grafana['GRAFANA_CLICKHOUSE_USER']}" in script
    assert grafana["GRAFANA_CLICKHOUSE_PASSWORD"] == reader["READER_PASSWORD"] != reader["CLICKHOUSE_PASSWORD"]


def test_provisioning_asks_for_nothing_that_the_stack_does_not_say(services: dict[str, Any]) -> None:
    grafana = services["grafana"]
    asked: set[str] = set()
    for path in (ROOT / "grafana" / "provisioning").rglob("*.y*ml"):
        asked |= set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)\}?", path.read_text("utf-8")))
    assert len(asked) > 5
    assert asked <= grafana["environment"].keys()
    inside = [entry.split(":")[1] for entry in grafana["volumes"]]
    assert grafana["environment"]["PEAKWATCH_DASHBOARDS"] in inside


def test_notices_go_where_alertmanager_listens() -> None:
    config = load_notify(ROOT / "deploy" / "peakwatch" / "notify.yaml", environment={})
    assert config.channels["alertmanager"].url.reveal() == "http://alertmanager:9093"


def test_clickhouse_tells_prometheus_where_it_is_asked() -> None:
    document = ET.parse(ROOT / "deploy" / "clickhouse" / "peakwatch.xml")
    port = document.findtext("prometheus/port")
    assert f'targets: ["clickhouse:{port}"]' in (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text("utf-8")
