"""The connection to ClickHouse, and what its errors mean; the one importer of clickhouse-driver.

Decides which error is tried again, which one is a row's own fault, and what the user should do about the
rest. Not safe for threads: one `ClickHouse` a thread.
"""

import errno
import logging
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from clickhouse_driver import Client, errors
from clickhouse_driver.columns.exceptions import ColumnException

from schemas.errors import PeakWatchError, PermanentError, TransientError

# ClickHouse's own codes (src/Common/ErrorCodes.cpp), by what a caller can do.
UNKNOWN_TABLE: Final = 60
UNKNOWN_DATABASE: Final = 81
TABLE_EXISTS: Final = 57
ACCESS_DENIED: Final = 497
USERS_KEPT_ELSEWHERE: Final = (495, 514)  # a user of that name in a file of the server; no store that SQL may write to
_ADVICE: Final[dict[int, str]] = {
    UNKNOWN_TABLE: "run `peakwatch migrate`",
    UNKNOWN_DATABASE: "run `peakwatch migrate`",
    16: "the table lacks a column: run `peakwatch migrate`",
    192: "unknown user: check clickhouse.user",
    193: "wrong password: check clickhouse.password",
    194: "a password is required: set clickhouse.password",
    516: "check clickhouse.user and clickhouse.password",
    ACCESS_DENIED: "grant the user what it lacks",
}
_TRANSIENT: Final = frozenset({
    3,  # UNEXPECTED_END_OF_FILE
    159,  # TIMEOUT_EXCEEDED
    164,  # READONLY: of a whole server that is being maintained
    173,  # CANNOT_ALLOCATE_MEMORY
    198,  # DNS_ERROR
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    203,  # NO_FREE_CONNECTION
    209,  # SOCKET_TIMEOUT
    210,  # NETWORK_ERROR
    225,  # NO_ZOOKEEPER
    236,  # ABORTED
    241,  # MEMORY_LIMIT_EXCEEDED
    242,  # TABLE_IS_READ_ONLY: a replica that lost its Keeper
    243,  # NOT_ENOUGH_SPACE
    252,  # TOO_MANY_PARTS
    279,  # ALL_CONNECTION_TRIES_FAILED
    285,  # TOO_FEW_LIVE_REPLICAS
    286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
    319,  # UNKNOWN_STATUS_OF_INSERT
    394,  # QUERY_WAS_CANCELLED
    425,  # SYSTEM_ERROR
    439,  # CANNOT_SCHEDULE_TASK
    745,  # SERVER_OVERLOADED
    999,  # KEEPER_EXCEPTION
})  # fmt: skip
_ROWS: Final = frozenset({
    6, 26, 27,  # CANNOT_PARSE_…
    38, 41, 69, 70, 72, 117, 131, 246, 321, 349, 407, 441, 467, 469, 691,
})  # fmt: skip


_INSERTING: Final = {
    # A batch of old events may touch more months than the default of 100 partitions.
    "max_partitions_per_insert_block": 0,
    # A distributed table would say yes as soon as one node has queued the rows on its own disk.
    "insert_distributed_sync": 1,
    # A repeated insert that a replicated table skips would not reach its materialized views: the key does this job.
    "insert_deduplicate": 0,
}
# All that the driver is known to let through: its own tree, the network's, and Python's own for a value it cannot pack.
_DRIVER_FAILS: Final = (
    errors.Error, ColumnException, OSError, EOFError, struct.error,
    TypeError, ValueError, AttributeError, OverflowError, KeyError, IndexError,
)  # fmt: skip


class RowsRefused(PermanentError):
    """ClickHouse, or the driver before it, refuses a value: some row of the batch is at fault."""


class ServerRefused(PermanentError):
    """ClickHouse refuses a statement; `code` is its own number.

    `systemic`: what is wrong is known to be a table, a user or a right, so no other row would fare better.
    """

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code
        self.systemic = code in _ADVICE


@dataclass(frozen=True, kw_only=True)
class ClickHouseSettings:
    """Where ClickHouse is and how to reach it over its native protocol; times in ms."""

    host: str = "127.0.0.1"
    port: int = 9000
    alt_hosts: str = ""  # further "host:port,host:port", tried in turn
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = "peakwatch"
    secure: bool = False
    verify: bool = True  # of the server's certificate
    ca_certs: str = ""  # a PEM file; "" the system's
    certfile: str = ""  # the client's own certificate and key, where the server asks for one
    keyfile: str = field(default="", repr=False)
    compression: bool = True  # LZ4
    connect_timeout_ms: int = 5_000
    timeout_ms: int = 60_000  # of one statement
    insert_quorum: int = 0  # on a cluster: so many replicas have a row before it counts as stored; 0: one


class ClickHouse:
    """A connection that is made on first use and again after it broke.

    Every method raises TransientError, RowsRefused, ServerRefused or PermanentError, each with one line for
    the user.
    """

    def __init__(self, settings: ClickHouseSettings) -> None:
        self.settings = settings
        self._client = _driver_client(settings)

    def execute(
        self, sql: str, params: Mapping[str, Any] | None = None, *, settings: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows that a statement answers with; [] for one that answers none."""
        try:
            answer = self._client.execute(sql, params, settings=settings)
        except _DRIVER_FAILS as error:
            self._fail(error)
        return answer if isinstance(answer, list) else []

    def insert(self, table: str, names: Sequence[str], columns: Sequence[list[Any]]) -> int:
        """Insert columns of one length in one statement; the number of rows."""
        if not columns or not columns[0]:
            return 0
        listed = ", ".join(f"`{name}`" for name in names)
        try:
            self._client.execute(f"INSERT INTO {table} ({listed}) VALUES", columns, columnar=True)
        except _DRIVER_FAILS as error:
            self._fail(error)
        return len(columns[0])

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        self._client.disconnect()

    def _fail(self, error: Exception) -> NoReturn:
        # The driver's connection is in the middle of something after any failure but the server's own answer.
        if not isinstance(error, errors.ServerException):
            self._client.disconnect()
        raise explain(error, where=f"{self.settings.host}:{self.settings.port}") from error


def explain(error: Exception, *, where: str) -> PeakWatchError:
    """The error of ours that an error of the driver (or of the network) stands for, with one line for the
    user.
    """
    if isinstance(error, PeakWatchError):
        return error
    if isinstance(error, errors.ServerException) and type(error) is errors.ServerException:
        return _explain_answer(error, where)
    if isinstance(error, ColumnException | errors.TypeMismatchError | errors.TooLargeStringSize | struct.error):
        return RowsRefused(f"clickhouse {where}: a value does not fit its column: {_first_line(error)}")
    if isinstance(error, TypeError | ValueError | AttributeError | OverflowError):
        return RowsRefused(f"clickhouse {where}: a value does not fit its column: {_first_line(error)}")
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return PermanentError(f"clickhouse {where}: {_first_line(error)}")
    if isinstance(error, errors.NetworkError | errors.SocketTimeoutError | OSError | EOFError):
        return TransientError(f"clickhouse {where}: not reached ({_first_line(error)}): is it running there?")
    if isinstance(error, errors.Error):  # a half-read or unknown packet: a new connection may go better
        return TransientError(f"clickhouse {where}: broken conversation ({_first_line(error)})")
    return PermanentError(f"clickhouse {where}: {type(error).__name__}: {_first_line(error)}")


def _explain_answer(error: Any, where: str) -> PeakWatchError:
    code = int(error.code or 0)
    text = f"clickhouse {where}: code {code}: {_first_line(error.message or '')}"
    if code in _TRANSIENT:
        return TransientError(text)
    if code in _ROWS:
        return RowsRefused(text)
    advice = _ADVICE.get(code)
    return ServerRefused(f"{text}: {advice}" if advice else text, code=code)


def _first_line(error: object) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text.removeprefix("DB::Exception: ").split(" Stack trace:")[0][:300]


def _driver_client(settings: ClickHouseSettings) -> Any:
    # It logs a traceback for each refused connection; our errors say that in a line.
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)
    tls: dict[str, Any] = {}
    if settings.secure:
        tls = {"secure": True, "verify": settings.verify}
        tls |= {
            name: value
            for name in ("ca_certs", "certfile", "keyfile")
            if (value := getattr(settings, name))
        }  # fmt: skip
    return Client(
        settings.host,
        port=settings.port,
        alt_hosts=settings.alt_hosts or None,
        user=settings.user,
        password=settings.password,
        # Not the database of the settings: it may not exist yet, and every statement of ours names it.
        database="default",
        client_name="peakwatch",
        compression="lz4" if settings.compression else False,
        connect_timeout=settings.connect_timeout_ms / 1000,
        send_receive_timeout=settings.timeout_ms / 1000,
        sync_request_timeout=settings.connect_timeout_ms / 1000,
        settings=_INSERTING | {"insert_quorum": settings.insert_quorum},
        **tls,
    )
