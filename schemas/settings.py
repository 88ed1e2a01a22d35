"""How one installation is connected and run: `peakwatch.yaml` and `PEAKWATCH_*` variables, read once at the edge.

Rules, calendars and promotion plans have files of their own; this only says where they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from schemas.errors import ConfigError
from schemas.events import DIMENSIONS
from schemas.strict import Mistakes, Node
from schemas.yaml import load_yaml

TICKET_MEMORY_MS: Final = 90 * 86_400_000  # rule O7: at least so long
PREFIX: Final = "PEAKWATCH_"
PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
DEFAULT_DIMENSIONS: Final = (
    "all", "category", "channel", "region", "customer_tier", "shop_id", "product_id",
    "category+region", "category+channel",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation. Durations are milliseconds; secrets show in no repr."""

    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_sasl_mechanism: str = "PLAIN"
    kafka_sasl_username: str = ""
    kafka_sasl_password: str = field(default="", repr=False)
    kafka_ssl_cafile: str = ""
    kafka_ssl_certfile: str = ""  # our own, where the brokers ask for one
    kafka_ssl_keyfile: str = ""
    kafka_replication: int = 1
    kafka_session_timeout_ms: int = 10_000
    group: str = "peakwatch"
    partitions: int = 4  # of each source topic
    window_partitions: int = 1  # of the topic between the stages: how many workers may share the windows
    clickhouse_host: str = "127.0.0.1"
    clickhouse_port: int = 9000
    clickhouse_user: str = "default"
    clickhouse_password: str = field(default="", repr=False)
    clickhouse_database: str = "peakwatch"
    clickhouse_secure: bool = False
    clickhouse_ca_certs: str = ""
    clickhouse_cluster: str = ""  # its name, where the tables are replicated and distributed
    spool_dir: str = "var/spool"  # where rows wait while ClickHouse is away
    spool_max_mb: int = 2048
    dimensions: tuple[str, ...] = DEFAULT_DIMENSIONS
    lateness_ms: int = 300_000
    sla_hold_ms: int = 60_000
    ticket_memory_ms: int = TICKET_MEMORY_MS  # how long a ticket that is over may still be reopened
    idle_ms: int = 30_000  # a silent source stops holding event time back after so long
    flush_ms: int = 500
    snapshot_ms: int = 15_000
    drop_copies: bool = False  # leave what one customer repeats, and bursts of copied praise, out of sentiment
    judge_url: str = ""  # of another judge, asked instead of the built-in one, which it falls back to
    judge_timeout_ms: int = 2_000
    judge_token: str = field(default="", repr=False)
    salt: str = field(default="peakwatch", repr=False)  # of the pseudonyms of customers and orders
    rehearsal: str = ""  # ORIGIN/BEGAN/SPEED: event time of a promotion that is played again, see docs/operations.md
    rules: str = ""
    calendars: str = ""
    peaks: str = ""
    notify: str = ""
    metrics_port: int = 0  # 0: no Prometheus endpoint
    metrics_host: str = "127.0.0.1"


def read_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """The file's settings, and over them the environment's. ConfigError holds every mistake of both."""
    raw: Any = {}
    if path is not None:
        try:
            raw = load_yaml(path.read_text(encoding="utf-8"), str(path)) or {}
        except OSError as error:
            raise ConfigError([f"{path}: {error.strerror or error}"]) from None
        except UnicodeDecodeError as error:
            raise ConfigError([f"{path}: not UTF-8 at byte {error.start}"]) from None
    mistakes: list[str] = []
    values = _read(raw, str(path), mistakes)
    values.update(_read(_from_environment(environment), "environment", mistakes))
    if mistakes:
        raise ConfigError(mistakes)
    return Settings(**values)


def read_dimensions(words: str, source: str) -> tuple[str, ...]:
    """The windows' dimensions from a list with commas. ConfigError holds every mistake, `source` says where it is."""
    mistakes: list[str] = []
    values = _read({"dimensions": _parted(words)}, source, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    found: tuple[str, ...] = values["dimensions"]
    return found


def _parted(words: str) -> list[str]:
    return [part.strip() for part in words.split(",")]


def _read(raw: Any, source: str, mistakes: list[str]) -> dict[str, Any]:
    found = Mistakes(source)
    fields = Node(raw, "", found).fields(tuple(_READERS))
    values = {_FIELDS[key]: fields.take(key, reader, None) for key, reader in _READERS.items() if key in fields}
    try:
        found.stop()
    except ConfigError as error:
        mistakes += error.mistakes
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Texts become what YAML would make of them; lists are separated by commas."""
    values: dict[str, Any] = {}
    for name, text in environment.items():
        if name.startswith(PREFIX) and name not in _ELSEWHERE:
            key = name.removeprefix(PREFIX).lower()
            if key == "dimensions":
                values[key] = _parted(text)
            elif _READERS.get(key) in (_port, _count, _flag):
                values[key] = load_yaml(text, name)
            else:
                values[key] = text
    return values


# Variables that others read, which may stand in the same environment.
_ELSEWHERE: Final = frozenset({
    "PEAKWATCH_CONFIG",  # where the settings' own file is
    "PEAKWATCH_GRAFANA_URL", "PEAKWATCH_GRAFANA_TOKEN",  # peakwatch grafana
    "PEAKWATCH_PROMETHEUS_URL", "PEAKWATCH_ALERTMANAGER_URL", "PEAKWATCH_ALERTMANAGER_USER",
    "PEAKWATCH_ALERTMANAGER_PASSWORD", "PEAKWATCH_DASHBOARDS",  # Grafana itself
    "PEAKWATCH_WORKERS",  # docker-compose.yml
    "PEAKWATCH_KAFKA_JARS", "PEAKWATCH_KAFKA_HEAP",  # scripts/kafka
    "PEAKWATCH_TEST_BROKER", "PEAKWATCH_TICKET_LOG",  # tests
})  # fmt: skip


def _text(node: Node) -> str:
    return node.text(max_chars=1000, empty=True)


def _secret(node: Node) -> str:
    if isinstance(node.value, str):
        return _text(node)
    node.mistakes.add(node.place, "is not a text; put it in quotes")  # the value would show in a log
    return ""


def _port(node: Node) -> int:
    return node.whole(at_most=65_535)


def _count(node: Node) -> int:
    return node.whole(at_least=1, at_most=1_000_000)


def _flag(node: Node) -> bool:
    return node.flag()


def _duration(node: Node) -> int:
    return node.duration_ms()


def _ticket_memory(node: Node) -> int:
    return node.duration_ms(at_least_ms=TICKET_MEMORY_MS)


def _dimensions(node: Node) -> tuple[str, ...]:
    names = [item.text() for item in node.items()]
    known: dict[frozenset[str], str] = {}
    for item in node.items():
        parts = str(item.value).split("+")
        joined = 1 <= len(parts) <= 2 and len(set(parts)) == len(parts) and set(parts) <= set(DIMENSIONS)
        if item.value != "all" and not joined:
            item.wrong(f"is not all, one of {', '.join(DIMENSIONS)}, or two of these joined by +")
        first = known.setdefault(frozenset(parts), str(item.value))
        if first != item.value:
            item.wrong(f"is {first} in another order: it would count twice")
    if len(set(names)) != len(names):
        node.wrong("names a dimension twice")
    return tuple(names)


def _brokers(node: Node) -> str:
    words = node.text(max_chars=1000, empty=True)
    if not all(_is_address(part.strip()) for part in words.split(",")):
        node.wrong("is not HOST:PORT, or several of them with commas between")
    return words


def _is_address(words: str) -> bool:
    host, colon, port = words.rpartition(":")
    if not colon:
        return bool(words)
    return bool(host) and port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= 65_535


def _protocol(node: Node) -> str:
    return node.one_of(PROTOCOLS)


def _mechanism(node: Node) -> str:
    return node.one_of(MECHANISMS)


_SPECIAL: Final[dict[str, Callable[[Node], Any]]] = {
    "dimensions": _dimensions,
    "kafka_bootstrap": _brokers,
    "kafka_security_protocol": _protocol,
    "kafka_sasl_mechanism": _mechanism,
    "clickhouse_port": _port,
    "metrics_port": _port,
    "ticket_memory_ms": _ticket_memory,
}


def _reader(name: str, default: Any) -> Callable[[Node], Any]:
    if name in _SPECIAL:
        return _SPECIAL[name]
    if not Settings.__dataclass_fields__[name].repr:
        return _secret
    if name.endswith("_ms"):
        return _duration
    if isinstance(default, bool):
        return _flag
    return _count if isinstance(default, int) else _text


# A key is the field's name; a duration's goes without its unit, since `5m` says it.
_FIELDS: Final = {name.removesuffix("_ms"): name for name in Settings.__dataclass_fields__}
_READERS: Final = {key: _reader(name, Settings.__dataclass_fields__[name].default) for key, name in _FIELDS.items()}
