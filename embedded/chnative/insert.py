"""INSERTs whose data come as blocks: what the client must be told first, and the blocks' way into the engine."""

import re
from collections.abc import Callable

from embedded.chnative.blockstream import Arrived
from embedded.chnative.engine import ERRORS, Inserter, Session, rows
from embedded.chnative.packets import ServerError, engine_error
from embedded.chnative.statement import Statement

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


def run_insert(inserter: Inserter, next_block: Callable[[], Arrived | None]) -> None:
    """Hands blocks on until the client sends an empty one, then commits; commits nothing when it leaves or cancels.

    After an error the rest is read all the same: the client listens only when it has sent all.
    """
    failed: Exception | None = None
    with inserter:
        while (block := next_block()) is not None:
            if not block.columns:
                if failed is None:
                    inserter.finish()
                break
            if failed is None and block.rows:
                try:
                    inserter.append(block.native)
                except ERRORS as error:
                    failed = error
    if failed is not None:
        raise engine_error(failed)


def fill_external_table(session: Session, block: Arrived) -> None:
    """Makes a temporary table of a block that came along with a query."""
    columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in block.columns)
    table = _quoted(block.table)
    session.query(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns})")
    with session.send_insert(f"INSERT INTO {table}", "Native") as inserter:
        if block.rows:
            inserter.append(block.native)
        inserter.finish()


def _names(text: str) -> list[str]:
    out = []
    for match in _NAME.finditer(text):
        quoted = match[1] if match[1] is not None else match[2]
        out.append(match[3] if quoted is None else re.sub(r"\\(.)|``", lambda m: m[1] or "`", quoted))
    return out


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
