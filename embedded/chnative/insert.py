"""INSERTs whose data come as blocks: what the client must be told first, and the blocks' way into the engine."""

import contextlib
import os
import re
from collections.abc import Callable

from embedded.chnative.blockstream import Arrived
from embedded.chnative.engine import ERRORS, Session, rows
from embedded.chnative.packets import ServerError, engine_error
from embedded.chnative.statement import Statement

PART_ROWS, PART_BYTES = 1_000_000, 128 << 20
_NO_SUCH_COLUMN = 16
_NAME = re.compile(r"`((?:[^`\\]|\\.|``)*)`|\"((?:[^\"\\]|\\.|\"\")*)\"|([^\s,`\"]+)", re.S)
_EXCEPT = re.compile(r"\s*\*\s*EXCEPT\s*\(?(.*?)\)?\s*", re.S | re.I)


def describe_insert(session: Session, statement: Statement) -> list[tuple[str, str]]:
    """Names and types of the columns that an INSERT fills, in its order."""
    table = re.sub(r"^FUNCTION\s+", "", statement.table, flags=re.I)
    described = rows(session, f"DESCRIBE TABLE {table}")
    types = {row[0]: row[1] for row in described if row[2] not in ("MATERIALIZED", "ALIAS")}
    names = list(types)
    if statement.columns is not None and statement.columns.strip() not in ("", "*"):
        left_out = _EXCEPT.fullmatch(statement.columns)
        written = _names(left_out[1] if left_out else statement.columns)
        names = [name for name in names if name not in written] if left_out else written
    for name in names:
        if name not in types:
            text = f"No such column {name} in table {statement.table}. (NO_SUCH_COLUMN_IN_TABLE)"
            raise ServerError(_NO_SUCH_COLUMN, text)
    return [(name, types[name]) for name in names]


class Inserting:
    """An INSERT that is fed block by block; the blocks wait in memory that the engine reads as a file.

    chDB's own streaming insert was not taken: it reports success for rows that a constraint has refused. As on
    ClickHouse's server an INSERT is committed in parts of a million rows or so, each whole or not at all.
    """

    def __init__(self, session: Session, head: str, names: list[str] | None = None) -> None:
        self._session = session
        self._head = head
        self._names = names
        self._columns: tuple[tuple[str, str], ...] = ()
        self._file = os.memfd_create("insert")
        self._bytes = self._rows = 0

    def append(self, block: Arrived) -> None:
        """Takes a block. Raises the engine's errors, at once or with a later block."""
        if not block.rows:
            return
        if self._rows and block.columns != self._columns:
            self.flush()
        self._columns = block.columns
        rest = memoryview(block.native)
        while rest:
            written = os.write(self._file, rest)
            rest = rest[written:]
        self._bytes, self._rows = self._bytes + len(block.native), self._rows + block.rows
        if self._rows >= PART_ROWS or self._bytes >= PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Commits what has come since the last time."""
        if not self._rows:
            return
        structure = ", ".join(f"{_quoted(name)} {kind}" for name, kind in self._columns)
        chosen = ", ".join(_quoted(name) for name in self._names or [name for name, _ in self._columns])
        file = f"file('/proc/self/fd/{self._file}', 'Native', {_text(structure)})"
        self._session.query(f"{self._head}\nSELECT {chosen} FROM {file}", "Null")
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self._bytes = self._rows = 0

    def close(self) -> None:
        """Forgets what was not committed."""
        os.close(self._file)


def run_insert(inserting: Inserting, next_block: Callable[[], Arrived | None]) -> None:
    """Hands blocks on until the client sends an empty one, then commits; commits no more when it leaves or cancels.

    After an error the rest is read all the same: the client listens only when it has sent all.
    """
    failed: Exception | None = None
    with contextlib.closing(inserting):
        while (block := next_block()) is not None:
            try:
                if failed is None and block.columns:
                    inserting.append(block)
                elif failed is None:
                    inserting.flush()
            except ERRORS as error:
                failed = error
            if not block.columns:
                break
    if failed is not None:
        raise engine_error(failed)


def fill_external_table(session: Session, block: Arrived) -> None:
    """Makes a temporary table of a block that came along with a query."""
    columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in block.columns)
    table = _quoted(block.table)
    session.query(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns})")
    with contextlib.closing(Inserting(session, f"INSERT INTO {table}")) as inserting:
        inserting.append(block)
        inserting.flush()


def _names(text: str) -> list[str]:
    out = []
    for match in _NAME.finditer(text):
        quoted = match[1] if match[1] is not None else match[2]
        out.append(match[3] if quoted is None else re.sub(r"\\(.)|``", lambda m: m[1] or "`", quoted))
    return out


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
