"""One client: login, then queries until it leaves. All that a session of ClickHouse holds, a chDB session holds."""

import hmac
import socket
import time
from dataclasses import dataclass, field

from embedded.chnative import packets, wire
from embedded.chnative.blocks import Fixture, UnknownTypeError, find_block, rows_of, split_blocks
from embedded.chnative.blockstream import Arrived, read_data
from embedded.chnative.compression import frames
from embedded.chnative.engine import ERRORS, Engine, Session, rows
from embedded.chnative.insert import Inserting, describe_insert, fill_external_table, run_insert
from embedded.chnative.packets import Client, Code, Query, Server, ServerError, engine_error
from embedded.chnative.settings import LentSettings
from embedded.chnative.statement import Kind, Statement, sort_statement
from embedded.chnative.watch import Watch
from embedded.chnative.wire import ClientGoneError, ProtocolError, Source

LOGIN_S = 10.0
STALL_S = 300.0
_NOT_STREAMED = "Streaming query is not supported"


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    password: str = field(repr=False)

    def admits(self, user: str, password: str) -> bool:
        """Compares in constant time."""
        same_user = hmac.compare_digest(_raw(self.user), _raw(user))
        return hmac.compare_digest(_raw(self.password), _raw(password)) and same_user


class Connection:
    """Serves one socket until its client leaves, errs beyond repair, or the server stops."""

    def __init__(self, sock: socket.socket, ident: int, *, engine: Engine, account: Account, watch: Watch) -> None:
        self._sock = sock
        self._ident = ident
        self._engine = engine
        self._account = account
        self._watch = watch
        self._source = Source(sock, idle_s=None, stall_s=STALL_S)
        self._revision = packets.REVISION
        self._session: Session | None = None
        self._database = ""
        self._sent = 0
        self.busy = False
        self.wants_shutdown = False

    def serve(self) -> None:
        """Never raises what the client caused."""
        try:
            if self._login():
                while not self.wants_shutdown and self._source.wait_for_packet():
                    self._packet()
        except (ProtocolError, UnknownTypeError) as error:
            self._say_goodbye(error)
        except (ClientGoneError, OSError):
            return
        finally:
            if self._session is not None:
                self._session.close()
            self._sock.close()

    def _login(self) -> bool:
        source = self._source
        source.deadline = time.monotonic() + LOGIN_S
        number = source.byte()
        if number in b"GPH":
            self._send(b"HTTP/1.0 400 Bad Request\r\n\r\nThis port speaks ClickHouse's native protocol, not HTTP.\r\n")
            return False
        if number != Client.HELLO:
            raise ProtocolError(f"packet {number} where a hello must come first")
        hello = packets.read_hello(source)
        source.deadline = None
        self._revision = hello.revision
        if not self._account.admits(hello.user, hello.password):
            text = f"{hello.user}: Authentication failed: password is incorrect, or there is no user with such name."
            self._send(packets.exception(ServerError(Code.AUTHENTICATION_FAILED, text)))
            return False
        self._database = hello.database
        try:
            self._open_session()
        except ERRORS as error:
            self._send(packets.exception(engine_error(error)))
            return False
        engine = self._engine
        self._send(packets.server_hello(self._revision, version=engine.version, timezone=engine.timezone))
        return True

    def _open_session(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = self._engine.open_session(self._ident)
        if self._database:
            self._session.query("USE `" + self._database.replace("\\", "\\\\").replace("`", "\\`") + "`")
        self._settings = LentSettings(self._session)

    def _packet(self) -> None:
        number = self._source.varint()
        if number == Client.PING:
            self._send(wire.varint(Server.PONG))
        elif number == Client.QUERY:
            self.busy = True
            try:
                self._query()
            finally:
                self.busy = False
        elif number != Client.CANCEL:  # a cancel that came after the end of its query is no matter
            raise ProtocolError(f"packet {number} where a query was due")

    def _query(self) -> None:
        query = packets.read_query(self._source, self._revision, packets.BinarySetting(self._engine.setting_types))
        external = self._external_tables(query)
        try:
            self._run(query, external)
        except ServerError as error:
            self._send(packets.exception(error))
        except ERRORS as error:
            self._send(packets.exception(engine_error(error)))
        else:
            self._send(wire.varint(Server.END_OF_STREAM))
        for block in external:
            self._own_session.query(f"DROP TEMPORARY TABLE IF EXISTS `{block.table}`")
        if self._settings.spoiled:
            self._open_session()

    @property
    def _own_session(self) -> Session:
        assert self._session is not None
        return self._session

    def _external_tables(self, query: Query) -> list[Arrived]:
        out: list[Arrived] = []
        while True:
            block = self._data(query)
            if block is None:
                raise ClientGoneError("cancelled before it began")
            if not block.columns:
                return out
            out.append(block)

    def _run(self, query: Query, external: list[Arrived]) -> None:
        statement = sort_statement(query.sql, data_in_text=self._revision >= packets.WITH_DATA_IN_TEXT)
        words = query.sql.split(None, 1)
        self._settings.lend(() if words and words[0].upper() == "SET" else query.settings)
        for block in external:
            fill_external_table(self._own_session, block)
        match statement.kind:
            case Kind.EMPTY:
                raise ServerError(Code.SYNTAX_ERROR, "Syntax error: Empty query. (SYNTAX_ERROR)")
            case Kind.MANY:
                text = "Syntax error (Multi-statements are not allowed). (SYNTAX_ERROR)"
                raise ServerError(Code.SYNTAX_ERROR, text)
            case Kind.SHUTDOWN:
                self.wants_shutdown = True
            case Kind.INSERT_BLOCKS:
                self._insert(query, statement)
            case Kind.SELECT:
                self._select(query, statement)
            case Kind.OTHER:
                self._other(query, statement)

    def _insert(self, query: Query, statement: Statement) -> None:
        session = self._own_session
        columns = describe_insert(session, statement)
        self._send_block(query, packets.header_block(columns))
        run_insert(Inserting(session, statement.text, [name for name, _ in columns]), lambda: self._data(query))

    def _select(self, query: Query, statement: Statement) -> None:
        self._sent = 0
        count = read = size = 0
        with self._watch.over(self._ident, self._sock):
            try:
                for chunk in self._own_session.send_query(statement.text, "Native"):
                    native = chunk.bytes()
                    if not self._sent:
                        self._send_header(query, statement, native)
                    whole = rows_of(native) == chunk.rows_read()
                    for block in [native] if whole else split_blocks(native):
                        self._send_block(query, block)
                    count, read, size = count + chunk.rows_read(), read + chunk.storage_rows_read(), size + len(native)
                    if self._cancelled():
                        return
            except ERRORS as error:
                if _NOT_STREAMED in str(error) and not self._sent:
                    self._other(query, statement)
                    return
                if self._cancelled():
                    return
                raise
        if not self._sent:
            self._send_empty_result(query, statement)
        self._send(packets.progress(self._revision, rows=read, size=size))
        self._send(packets.profile_info(rows=count, blocks=self._sent, size=size))

    def _send_empty_result(self, query: Query, statement: Statement) -> None:
        """The engine gives no block at all for no rows, the protocol wants names and types all the same."""
        self._send_block(query, packets.header_block(self._described(statement)))

    def _described(self, statement: Statement) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in rows(self._own_session, f"DESCRIBE ({statement.text}\n)")]

    def _send_header(self, query: Query, statement: Statement, first: bytes) -> None:
        """Clients learn names and types from a block without rows that comes first."""
        try:
            columns = list(find_block(Fixture(first)).columns)
        except UnknownTypeError:
            columns = self._described(statement)
        self._send_block(query, packets.header_block(columns))

    def _other(self, query: Query, statement: Statement) -> None:
        with self._watch.over(self._ident, self._sock):
            try:
                native = self._own_session.query(statement.text, "Native").bytes()
            except ERRORS:
                if self._cancelled():
                    return
                raise
        if native:
            self._send_header(query, statement, native)
        for block in split_blocks(native):
            self._send_block(query, block)

    def _data(self, query: Query) -> Arrived | None:
        """The next block of data; None when the client cancels instead."""
        number = self._source.varint()
        if number == Client.CANCEL:
            return None
        if number != Client.DATA:
            raise ProtocolError(f"packet {number} where a block of data was due")
        return read_data(self._source, compressed=query.compressed)

    def _cancelled(self) -> bool:
        """Whether the client has asked to stop the query that runs; raises ClientGoneError when it has left."""
        if not self._source.pending():
            return False
        self._source.ensure(1)
        if self._source.buf[self._source.pos] != Client.CANCEL:
            raise ProtocolError("a packet in the middle of a query")
        self._source.byte()
        return True

    def _send_block(self, query: Query, native: bytes) -> None:
        block = packets.BLOCK_INFO + native
        self._send(wire.varint(Server.DATA) + wire.string("") + (frames(block) if query.compressed else block))
        self._sent += 1

    def _send(self, raw: bytes) -> None:
        self._sock.settimeout(STALL_S)
        try:
            self._sock.sendall(raw)
        finally:
            self._sock.settimeout(None)

    def _say_goodbye(self, error: Exception) -> None:
        try:
            self._send(packets.exception(ServerError(Code.UNKNOWN_PACKET, f"{error}. Connection closed.")))
        except OSError:
            return


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
