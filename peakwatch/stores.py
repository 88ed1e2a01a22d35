"""Settings to the store's connection and writer."""

from pathlib import Path
from typing import Final

from agents.clock import SystemClock
from schemas.errors import PeakWatchError, PermanentError
from schemas.results import Delivery
from schemas.settings import Settings
from storage.client import ClickHouse, ClickHouseSettings
from storage.migrate import status
from storage.spool import DiskSpool
from storage.writer import Writer, WriterSettings

MOST_WORKERS: Final = 64  # on one machine


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


def deliveries_since(settings: Settings, at_ms: int) -> list[Delivery]:
    """The delivery log from an instant on. TransientError when ClickHouse is away."""
    instants = {"alert_at", "at"}
    columns = [f"toUnixTimestamp64Milli({name})" if name in instants else name for name in Delivery._fields]
    client = clickhouse(settings)
    try:
        rows = client.execute(
            f"SELECT {', '.join(columns)} FROM {settings.clickhouse_database}.deliveries_v "
            "WHERE at >= fromUnixTimestamp64Milli(%(at_ms)s)",
            {"at_ms": at_ms},
        )
    finally:
        client.close()
    return [Delivery(*row) for row in rows]


def trouble(settings: Settings) -> str:
    """Why rows cannot be stored now, and what to do; '' if they can."""
    client = clickhouse(settings)
    try:
        todo = status(client, database=settings.clickhouse_database).needed
    except PeakWatchError as error:
        return f"{error} (settings clickhouse_host, clickhouse_port)"
    finally:
        client.close()
    return f"clickhouse: {len(todo)} steps are still to do ({', '.join(todo)}): run `peakwatch migrate`" if todo else ""


def writer(settings: Settings) -> Writer:
    """The writer with its spool; to be made inside an event loop."""
    return Writer(
        clickhouse(settings), _spool(settings), clock=SystemClock(),
        settings=WriterSettings(database=settings.clickhouse_database),
    )  # fmt: skip


def _spool(settings: Settings) -> DiskSpool:
    """A spool of our own: the first under `spool_dir` that no other worker of this machine holds.

    PermanentError when there is none, or the directory cannot be written.
    """
    refusal: PermanentError | None = None
    for number in range(MOST_WORKERS):
        try:
            return DiskSpool(Path(settings.spool_dir) / f"{number:02d}", max_bytes=settings.spool_max_mb << 20)
        except PermanentError as error:
            refusal = error
        except OSError as error:
            raise PermanentError(f"spool_dir: {settings.spool_dir}: {error.strerror or error}") from None
    raise refusal or PermanentError("spool_dir: no spool")
