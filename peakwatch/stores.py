"""Settings to the store's connection and writer."""

from pathlib import Path

from agents.clock import SystemClock
from schemas.settings import Settings
from storage.client import ClickHouse, ClickHouseSettings
from storage.spool import DiskSpool
from storage.writer import Writer, WriterSettings


def clickhouse_settings(settings: Settings) -> ClickHouseSettings:
    """How ClickHouse is reached."""
    return ClickHouseSettings(
        host=settings.clickhouse_host, port=settings.clickhouse_port, user=settings.clickhouse_user,
        password=settings.clickhouse_password, database=settings.clickhouse_database,
        secure=settings.clickhouse_secure, ca_certs=settings.clickhouse_ca_certs,
    )  # fmt: skip


def clickhouse(settings: Settings) -> ClickHouse:
    """A connection, made on first use."""
    return ClickHouse(clickhouse_settings(settings))


def writer(settings: Settings) -> Writer:
    """The writer with its spool; to be made inside an event loop."""
    spool = DiskSpool(Path(settings.spool_dir), max_bytes=settings.spool_max_mb << 20)
    return Writer(
        clickhouse(settings), spool, clock=SystemClock(),
        settings=WriterSettings(database=settings.clickhouse_database),
    )  # fmt: skip
