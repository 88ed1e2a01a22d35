"""Settings: a file, the environment over it, and every mistake of both at once."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.settings import DEFAULT_DIMENSIONS, Settings, read_settings


def mistakes_of(path: Path | None, environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_settings(path, environment)
    return caught.value.mistakes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "peakwatch.yaml"


def test_nothing_said_is_what_ships() -> None:
    assert read_settings(None, {}) == Settings()
    assert Settings().dimensions == DEFAULT_DIMENSIONS


def test_an_empty_file_says_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert read_settings(file, {}) == Settings()


def test_the_environment_stands_over_the_file(file: Path) -> None:
    file.write_text("kafka_bootstrap: a:1\ngroup: from-file\nlateness: 2m\nclickhouse_secure: true\n")
    settings = read_settings(file, {"PEAKWATCH_GROUP": "from-env", "HOME": "/", "PEAKWATCH_CLICKHOUSE_PORT": "9440"})
    assert (settings.kafka_bootstrap, settings.group, settings.clickhouse_port) == ("a:1", "from-env", 9440)
    assert settings.lateness_ms == 120_000
    assert settings.clickhouse_secure is True


def test_texts_of_the_environment_stay_texts() -> None:
    settings = read_settings(None, {"PEAKWATCH_CLICKHOUSE_PASSWORD": "0123", "PEAKWATCH_SALT": "true"})
    assert (settings.clickhouse_password, settings.salt) == ("0123", "true")


def test_a_dimension_in_another_order_is_a_mistake_with_its_place(file: Path) -> None:
    file.write_text("dimensions: [all, category+region, region+category]\n")
    with pytest.raises(ConfigError, match=r"dimensions\[2\]: 'region\+category' is category\+region in another order"):
        read_settings(file, {})


def test_dimensions_come_as_a_list_or_separated_by_commas(file: Path) -> None:
    file.write_text("dimensions: [all, category+region]\n")
    assert read_settings(file, {}).dimensions == ("all", "category+region")
    assert read_settings(file, {"PEAKWATCH_DIMENSIONS": "all, channel"}).dimensions == ("all", "channel")


def test_every_mistake_of_both_is_told_at_once(file: Path) -> None:
    file.write_text("kafka_bootstrp: x\nlateness: 5\npartitions: 0\nclickhouse_secure: maybe\n")
    found = mistakes_of(file, {"PEAKWATCH_NOPE": "1", "PEAKWATCH_CLICKHOUSE_PORT": "70000"})
    text = "\n".join(found)
    for part in ("kafka_bootstrp", "did you mean kafka_bootstrap", "lateness", "partitions", "clickhouse_secure",
                 "nope", "clickhouse_port"):  # fmt: skip
        assert part in text
    assert len(found) == 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIMENSIONS", "all,all"), ("DIMENSIONS", "colour"), ("DIMENSIONS", "category+region+channel"),
        ("DIMENSIONS", "category+category"), ("DIMENSIONS", "all+category"), ("DIMENSIONS", ""),
        ("LATENESS", "-5m"), ("LATENESS", "300"), ("FLUSH", "soon"), ("PARTITIONS", "4.5"), ("PARTITIONS", "many"),
        ("METRICS_PORT", "-1"), ("DROP_COPIES", "maybe"), ("DROP_COPIES", "1"), ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI"), ("SPOOL_MAX_MB", "0"), ("CLICKHOUSE_PORT", "[1"), ("TICKET_MEMORY", "89d"),
    ],
)  # fmt: skip
def test_a_value_out_of_its_range_is_a_mistake_with_its_place(name: str, value: str) -> None:
    found = mistakes_of(None, {f"PEAKWATCH_{name}": value})
    assert any(name.lower() in mistake.lower() for mistake in found)


@pytest.mark.parametrize(
    "content", [b"- a\n", b"just text\n", b"a: [1\n", b"\xff\xfe", b"group: !!python/object:os.system x\n"]
)
def test_a_file_that_is_no_mapping_is_a_mistake(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert str(file) in mistakes_of(file, {})[0]


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert "No such file" in mistakes_of(tmp_path / "none.yaml", {})[0]


def test_secrets_show_in_no_repr() -> None:
    secret = "hunter2-密码"
    settings = Settings(kafka_sasl_password=secret, clickhouse_password=secret, salt=secret)
    assert secret not in repr(settings)
    assert secret not in str(settings)


@pytest.mark.parametrize("brokers", ["kafka", "kafka:9092", "a:1,b:65535", "a:1, b:2", "[::1]:9092"])
def test_brokers_are_hosts_with_or_without_a_port(brokers: str) -> None:
    assert read_settings(None, {"PEAKWATCH_KAFKA_BOOTSTRAP": brokers}).kafka_bootstrap == brokers


@pytest.mark.parametrize(
    "brokers", [":", ":9092", "kafka:", "kafka:x", "kafka:0", "kafka:65536", "a:1,,b:2", "", "a:²"]
)
def test_a_broker_that_has_no_address_is_a_mistake(brokers: str) -> None:
    assert len(mistakes_of(None, {"PEAKWATCH_KAFKA_BOOTSTRAP": brokers})) == 1
