"""Every finding of the doctor, on things that are there and things that are not."""

import json
import socket
from pathlib import Path

import pytest

from embedded import clickhouse as local_clickhouse
from embedded import kafka as local_kafka
from peakwatch import doctor, stores
from peakwatch.cli import main
from schemas.settings import Settings
from storage.migrate import migrate


@pytest.fixture
def nothing(tmp_path: Path) -> Settings:
    """Settings under which no server is reached."""
    with socket.socket() as taken, socket.socket() as other:
        taken.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = taken.getsockname()[1], other.getsockname()[1]
    return Settings(
        kafka_bootstrap=f"127.0.0.1:{ports[0]}", clickhouse_port=ports[1], spool_dir=str(tmp_path / "spool")
    )


def _by_name(findings: list[doctor.Finding]) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in findings}


def test_servers_that_are_away_fail_with_what_to_do(nothing: Settings) -> None:
    found = _by_name(doctor.examine(nothing))
    assert found["kafka"].state == found["clickhouse"].state == "fail"
    assert nothing.kafka_bootstrap in found["kafka"].detail
    assert "PEAKWATCH_KAFKA_BOOTSTRAP" in found["kafka"].todo
    assert "PEAKWATCH_CLICKHOUSE_HOST" in found["clickhouse"].todo
    assert not {"topics", "tables", "clock"} & found.keys()
    assert [found[name].state for name in ("python", "packages", "judge", "spool")] == ["ok"] * 4
    assert "nobody is told" in found["configuration"].detail


def test_the_command_ends_with_status_1_and_no_traceback_when_something_is_away(
    nothing: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PEAKWATCH_KAFKA_BOOTSTRAP", nothing.kafka_bootstrap)
    monkeypatch.setenv("PEAKWATCH_CLICKHOUSE_PORT", str(nothing.clickhouse_port))
    monkeypatch.setenv("PEAKWATCH_SPOOL_DIR", nothing.spool_dir)
    assert main(["doctor", "--json"]) == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["ok"] is False
    assert {check["name"] for check in told["checks"] if check["state"] == "fail"} == {"kafka", "clickhouse"}
    assert "Traceback" not in out + err


@pytest.mark.embedded
def test_all_is_well_when_servers_topics_and_tables_are_there(tmp_path: Path) -> None:
    import asyncio

    from agents.app import topic_specs
    from agents.broker import ensure_topics

    with local_kafka.start() as broker, local_clickhouse.start(tmp_path / "clickhouse") as store:
        settings = Settings(
            kafka_bootstrap=broker.bootstrap, clickhouse_host=store.host, clickhouse_port=store.port,
            spool_dir=str(tmp_path / "spool"), partitions=2,
        )  # fmt: skip
        bare = _by_name(doctor.examine(settings))
        assert (bare["topics"].state, bare["tables"].state) == ("warn", "fail")
        assert bare["tables"].todo == "peakwatch migrate"
        client = stores.clickhouse(settings)
        migrate(client, database=settings.clickhouse_database)
        client.close()
        asyncio.run(ensure_topics(settings.kafka_bootstrap, topic_specs(settings)))
        found = doctor.examine(settings)
        # A ClickHouse without users in SQL leaves the reader's role out, and says so.
        assert {finding.name for finding in found if finding.state != "ok"} <= {"tables", "configuration"}
        assert doctor.is_well(found)
        assert _by_name(found)["clickhouse"].version
        others = Settings(kafka_bootstrap=broker.bootstrap, partitions=3)
        assert "reviews has 2 partitions, wanted are 3" in _by_name(doctor.kafka(others))["topics"].detail


@pytest.mark.parametrize(
    ("requirements", "state", "detail"),
    [
        (["numpy<1000,>=1"], "ok", "all 1 are there"),
        (["numpy"], "ok", "all 1 are there"),
        (["numpy>=1000"], "fail", "wanted is >=1000"),
        (["numpy<1"], "fail", "wanted is <1"),
        (["numpy==1.0.0.1"], "fail", "wanted is ==1.0.0.1"),
        (["no-such-package-of-ours>=1"], "fail", "no-such-package-of-ours is missing"),
        (['no-such-package-of-ours==1; extra == "embedded"'], "warn", "only `peakwatch demo` lacks"),
    ],
)
def test_a_package_that_is_missing_or_of_a_wrong_version_is_named(
    requirements: list[str], state: str, detail: str
) -> None:
    found = doctor.packages(requirements)
    assert found.state == state
    assert detail in found.detail


@pytest.mark.parametrize(
    ("installed", "bound", "fits"),
    [("3.0", ">=3", True), ("2.10", ">=2.9", True), ("1.0.2.4", "<1.0.2.5", True), ("3.0.0", "<3", False)],
)
def test_versions_compare_by_number_and_not_by_text(
    installed: str, bound: str, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: installed)
    assert (doctor.packages([f"anything{bound}"]).state == "ok") is fits


def test_a_spool_with_less_room_than_its_limit_is_a_warning(tmp_path: Path) -> None:
    assert doctor.spool(Settings(spool_dir=str(tmp_path / "spool"), spool_max_mb=1)).state == "ok"
    assert doctor.spool(Settings(spool_dir=str(tmp_path / "spool"), spool_max_mb=1 << 40)).state == "warn"


def test_a_spool_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("", encoding="utf-8")
    assert doctor.spool(Settings(spool_dir=str(tmp_path / "spool"))).state == "fail"


def test_mistakes_in_the_configuration_are_counted(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{name: a, kind: none}]", encoding="utf-8")
    found = doctor.configuration(Settings(rules=str(rules)))
    assert (found.state, found.todo) == ("fail", "peakwatch check tells them all")


def test_weights_that_cannot_be_read_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no such file")

    monkeypatch.setattr("sentiment.judge.load", broken)
    assert doctor.weights().state == "fail"


def test_a_clock_that_is_off_is_a_warning() -> None:
    assert doctor.clock(doctor.MOST_SKEW_MS).state == "ok"
    assert doctor.clock(-doctor.MOST_SKEW_MS - 1).state == "warn"
