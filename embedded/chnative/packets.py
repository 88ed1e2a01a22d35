"""Packets of the native protocol at the revision that we announce: numbers, reading and writing.

Revision 54440: settings as strings, no secret between servers, no custom serialisation of columns, no profile events.
From 54454 on each column carries a further byte, and the engine's own Native bytes could not be passed on as they are.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from embedded.chnative import wire
from embedded.chnative.wire import ProtocolError, Source

REVISION = 54440
MIN_REVISION = 54058  # below, blocks have no info and hellos no time zone

WITH_QUOTA_KEY, WITH_DISPLAY_NAME, WITH_VERSION_PATCH = 54060, 54372, 54401
WITH_DATA_IN_TEXT, WITH_WRITE_PROGRESS, WITH_STRING_SETTINGS = 54415, 54420, 54429

MAX_NAME_BYTES = 1 << 16
MAX_QUERY_BYTES = 64 << 20
MAX_SETTINGS = 2_000

BLOCK_INFO = wire.varint(1) + b"\0" + wire.varint(2) + wire.int32(-1) + wire.varint(0)
EMPTY_BLOCK = b"\0\0"
_ERROR = re.compile(r"Code: (\d+)\. (DB::.*)", re.S)


class Client(IntEnum):
    HELLO, QUERY, DATA, CANCEL, PING, TABLES_STATUS = range(6)


class Server(IntEnum):
    HELLO, DATA, EXCEPTION, PROGRESS, PONG, END_OF_STREAM, PROFILE_INFO = range(7)


class Code(IntEnum):
    """Numbers of ClickHouse's own list for the errors that we raise ourselves."""

    NOT_IMPLEMENTED, SYNTAX_ERROR, UNKNOWN_DATABASE, UNKNOWN_PACKET, UNKNOWN_SETTING = 48, 62, 81, 99, 115
    AUTHENTICATION_FAILED, UNKNOWN_EXCEPTION = 516, 1002


class ServerError(Exception):
    """An error for the client, with ClickHouse's code; the connection lives on."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text if text.startswith("DB::") else f"DB::Exception: {text}"


def engine_error(error: Exception) -> ServerError:
    """The engine's error with its own code and text; 1002 (unknown exception) where it gives none."""
    match = _ERROR.search(str(error))
    return ServerError(int(match[1]), match[2]) if match else ServerError(1002, str(error))


@dataclass(frozen=True, slots=True)
class Hello:
    revision: int
    database: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Query:
    query_id: str
    settings: tuple[Setting, ...]
    compressed: bool
    sql: str


def read_hello(source: Source) -> Hello:
    """The client's first packet, after its number."""
    source.string(MAX_NAME_BYTES)
    source.varint()
    source.varint()
    revision = source.varint()
    database, user, password = (_text(source) for _ in range(3))
    if revision < MIN_REVISION:
        raise ProtocolError(f"client of revision {revision}; at least {MIN_REVISION} is needed")
    return Hello(min(revision, REVISION), database, user, password)


def server_hello(revision: int, *, version: tuple[int, int, int], timezone: str) -> bytes:
    major, minor, patch = version
    out = wire.varint(Server.HELLO) + wire.string("ClickHouse") + wire.varint(major) + wire.varint(minor)
    out += wire.varint(REVISION) + wire.string(timezone)
    if revision >= WITH_DISPLAY_NAME:
        out += wire.string("peakwatch-embedded")
    if revision >= WITH_VERSION_PATCH:
        out += wire.varint(patch)
    return out


def read_query(source: Source, revision: int, binary_setting: "BinarySetting") -> Query:
    """A query's packet after its number, without the data that follows it."""
    query_id = _text(source)
    _skip_client_info(source, revision)
    settings: list[Setting] = []
    while name := _text(source):
        if len(settings) == MAX_SETTINGS:
            raise ProtocolError(f"more than {MAX_SETTINGS} settings")
        if revision >= WITH_STRING_SETTINGS:
            flags = source.varint()
            settings.append(Setting(name, _text(source, MAX_QUERY_BYTES), bool(flags & 1)))
        else:
            settings.append(Setting(name, binary_setting(source, name), False))
    source.varint()  # the stage up to which to run: always the last
    compressed = source.varint()
    return Query(query_id, tuple(settings), bool(compressed), _text(source, MAX_QUERY_BYTES))


class BinarySetting:
    """Reads a setting's value as clients below revision 54429 send it: in a form that depends on the setting."""

    _NUMBERS = ("UInt", "Int", "Bool", "MaxThreads", "Seconds", "Milliseconds", "NonZeroUInt64")

    def __init__(self, types: dict[str, str]) -> None:
        self._types = types

    def __call__(self, source: Source, name: str) -> str:
        kind = self._types.get(name)
        if kind is None:
            raise ProtocolError(f"setting {name[:60]!r} is not known, so its value cannot be read at this old revision")
        return str(source.varint()) if kind.startswith(self._NUMBERS) else _text(source)


def exception(error: ServerError) -> bytes:
    out = wire.varint(Server.EXCEPTION) + wire.int32(error.code) + wire.string("DB::Exception")
    return out + wire.string(error.text) + wire.string("") + b"\0"


def progress(revision: int, *, rows: int, size: int) -> bytes:
    out = wire.varint(Server.PROGRESS) + wire.varint(rows) + wire.varint(size) + wire.varint(0)
    return out + (wire.varint(0) + wire.varint(0) if revision >= WITH_WRITE_PROGRESS else b"")


def profile_info(*, rows: int, blocks: int, size: int) -> bytes:
    head = wire.varint(Server.PROFILE_INFO) + wire.varint(rows) + wire.varint(blocks) + wire.varint(size)
    # "No limit applied, and this is counted": the old clickhouse-client would count for itself, and crash.
    return head + b"\0" + wire.varint(rows) + b"\1"


def header_block(columns: list[tuple[str, str]]) -> bytes:
    """A block of names and types without rows."""
    out = wire.varint(len(columns)) + wire.varint(0)
    return out + b"".join(wire.string(name) + wire.string(kind) for name, kind in columns)


def _skip_client_info(source: Source, revision: int) -> None:
    if not source.byte():
        return
    for _ in range(3):
        source.string(MAX_NAME_BYTES)
    if source.byte() != 1:
        raise ProtocolError("a query that came to its sender by other means than TCP")
    for _ in range(3):
        source.string(MAX_NAME_BYTES)
    for _ in range(3):
        source.varint()
    if revision >= WITH_QUOTA_KEY:
        source.string(MAX_NAME_BYTES)
    if revision >= WITH_VERSION_PATCH:
        source.varint()


def _text(source: Source, limit: int = MAX_NAME_BYTES) -> str:
    return source.string(limit).decode("utf-8", "surrogateescape")
