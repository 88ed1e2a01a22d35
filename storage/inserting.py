"""One block into ClickHouse, or into the spool, without its bad rows: found by halving, they become dead
letters.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from schemas.errors import PermanentError
from storage.client import RowsRefused, ServerRefused
from storage.rows import Block, refused, to_block

DEAD_LETTERS: Final = "dead_letters"
# So many refused rows and not one accepted: then it is the table or this program that is wrong, and not the
# rows. A bad release must stop and wait for people instead of turning everything into dead letters.
SUSPICIOUS: Final = 16


class Inserter(Protocol):
    """What of `storage.client.ClickHouse` is needed; called from one thread at a time."""

    def insert(self, table: str, names: Sequence[str], columns: Sequence[list[Any]]) -> int:
        """Insert columns; raises as `storage.client.ClickHouse.insert`."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...


class Outcome(NamedTuple):
    """What became of a block: the rows stored, the rows refused, and why the last of them was."""

    table: str
    rows: int
    refused: int
    why: str


class _Bad(NamedTuple):
    block: Block
    error: PermanentError


def insert_block(inserter: Inserter, database: str, block: Block, now_ms: int) -> Outcome:
    """Insert a block, and dead letters for the rows that ClickHouse refuses.

    A block that was partly inserted when an error struck may be inserted again whole: rows are idempotent by
    key. Raises TransientError, and PermanentError where what is refused is not the rows' fault.
    """

    def put(part: Block) -> None:
        inserter.insert(f"{database}.{part.table}", part.names, part.columns)

    good, bad = _sift(block, put)
    if not bad:
        return Outcome(block.table, good, 0, "")
    if block.table == DEAD_LETTERS:
        raise bad[-1].error
    letters = [letter for part in bad for letter in refused(part.block, why=str(part.error), now_ms=now_ms)]
    put(to_block(letters))
    return Outcome(block.table, good, len(letters), str(bad[-1].error))


def keepable(block: Block, now_ms: int) -> tuple[Block, Block | None]:
    """What of a block can be written to the spool, and dead letters for the rest (a lone surrogate, say)."""
    kept: list[Block] = []

    def encode(part: Block) -> None:
        try:
            msgspec.msgpack.encode(part.columns)
        except (ValueError, OverflowError, TypeError) as error:  # UnicodeEncodeError is a ValueError
            raise RowsRefused(f"a value cannot be kept in the spool: {error}") from error
        kept.append(part)

    _, bad = _sift(block, encode)
    if not bad:
        return block, None
    letters = [letter for part in bad for letter in refused(part.block, why=str(part.error), now_ms=now_ms)]
    columns = [[value for part in kept for value in part.columns[i]] for i in range(len(block.names))]
    return Block(block.table, block.names, columns), to_block(letters)


def _sift(block: Block, put: Callable[[Block], None]) -> tuple[int, list[_Bad]]:
    """Do `put` with the largest parts that it takes; the number of rows done, and the single rows it refuses.

    Larger parts first, so that what is good shows before much is called bad.
    """
    good = 0
    bad: list[_Bad] = []
    todo = deque([block])
    while todo:
        part = todo.popleft()
        try:
            put(part)
        except (RowsRefused, ServerRefused) as error:
            if isinstance(error, ServerRefused) and error.systemic:
                raise
            if len(part) > 1:
                middle = len(part) // 2
                todo += (part.part(0, middle), part.part(middle, len(part)))
                continue
            bad.append(_Bad(part, error))
            if not good and len(bad) >= SUSPICIOUS:
                raise PermanentError(f"{block.table}: none of {len(bad)} rows tried is taken: {error}") from error
            continue
        good += len(part)
    if bad and not good and isinstance(bad[0].error, ServerRefused):
        raise bad[0].error  # an error that is not known to be a row's, and no row to prove that the table takes any
    return good, bad
