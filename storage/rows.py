"""Which table a result's row belongs to, and the columns that it becomes. Pure.

Rows are turned around into columns here, once: the driver sends columns, and the spool keeps them with their
names, so that a newer program can still read what an older one left behind.
"""

import hashlib
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from schemas import results
from schemas.errors import PermanentError

Row = (
    results.ReviewRow | results.ComplaintRow | results.TicketRow | results.OrdersRow | results.DeadLetter
    | results.SlaTransition | results.SlaClockRow | results.WindowRow | results.Alert | results.AlertAction
    | results.Delivery | results.PeakPhase
)  # fmt: skip
Columns = list[list[Any]]

# Bytes of memory by tracemalloc over the seeded rows of bench/writer.py, Python 3.11, November 2026.
ROW_WEIGHT: Final = 800
BUCKET_WEIGHT: Final = 55
REFUSED: Final = "refused_by_store"
_TEXT: Final = operator.attrgetter("text")
_SKETCHES: Final = operator.attrgetter("first_response_sketch", "resolution_sketch")
_RAW: Final = operator.attrgetter("raw")


@dataclass(frozen=True)
class Table:
    """A table and how its rows become columns; `spread` maps a field to the columns it is stored in."""

    name: str
    row_type: type[Any]
    spread: Mapping[str, tuple[str, ...]]
    convert: Mapping[str, Callable[[list[Any]], Columns]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, in the order of `to_columns`."""
        return tuple(name for fld in self.row_type._fields for name in self.spread.get(fld, (fld,)))


@dataclass(frozen=True)
class Block:
    """Rows of one table as columns of one length."""

    table: str
    names: tuple[str, ...]
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def part(self, start: int, end: int) -> "Block":
        """The rows from `start` to `end`, the end open."""
        return Block(self.table, self.names, [column[start:end] for column in self.columns])


def table_of(row: Row) -> Table:
    """The table of a row; PermanentError for a type that has none."""
    table = TABLES.get(type(row))
    if table is None:
        raise PermanentError(f"storage: {type(row).__name__} is no row of a table")
    return table


def to_block(rows: Sequence[Row]) -> Block:
    """Rows of one type, at least one, as columns."""
    table = table_of(rows[0])
    columns: Columns = []
    for name, values in zip(table.row_type._fields, zip(*rows, strict=True), strict=True):
        convert = table.convert.get(name)
        if convert is None:
            columns.append(list(values))
        else:
            columns.extend(convert(list(values)))
    return Block(table.name, table.columns, columns)


def weight(rows: Sequence[Row]) -> int:
    """About how many bytes of memory the rows take: what back-pressure goes by."""
    total = ROW_WEIGHT * len(rows)
    if rows and hasattr(rows[0], "text"):
        total += 2 * sum(len(text) for text in map(_TEXT, rows))
    elif rows and isinstance(rows[0], results.WindowRow):
        total += BUCKET_WEIGHT * sum(len(one) + len(other) for one, other in map(_SKETCHES, rows))
    elif rows and isinstance(rows[0], results.DeadLetter):
        total += sum(len(raw) for raw in map(_RAW, rows))
    return total


def refused(block: Block, *, why: str, now_ms: int) -> list[results.DeadLetter]:
    """The dead letters for rows that ClickHouse does not take: each named by where its event stood, if it had
    one.

    A row with no place in a source topic is named by its own hash, so that the same row refused twice is one
    letter.
    """
    letters: list[results.DeadLetter] = []
    for values in zip(*block.columns, strict=True):
        fields = dict(zip(block.names, values, strict=True))
        raw = _readable(fields)
        partition, offset = fields.get("topic_partition"), fields.get("topic_offset")
        if not (isinstance(partition, int) and isinstance(offset, int) and _fits(partition, 31) and _fits(offset, 63)):
            partition = -1
            offset = int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big") >> 1
        topic = f"store:{block.table}"
        letters.append(results.DeadLetter(topic, partition, offset, now_ms, REFUSED, why[:1000], raw))
    return letters


def _fits(value: int, bits: int) -> bool:
    return 0 <= value < 1 << bits


def _readable(fields: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(fields)
    except (ValueError, OverflowError, TypeError, UnicodeError):
        # What no JSON can hold (a lone surrogate, an integer beyond 64 bits) is shown as Python writes it.
        return ascii(fields).encode()


def _percentiles(values: list[Any]) -> Columns:
    nothing = (None, None, None)
    return [list(column) for column in zip(*(value or nothing for value in values), strict=True)]


def _sound(values: list[Any]) -> Columns:
    """Texts that can be written for sure: a dead letter must not be refused itself."""
    return [[value.encode("utf-8", "backslashreplace").decode() for value in values]]


def _as_json(values: list[Any]) -> Columns:
    return [[msgspec.json.encode(value).decode() for value in values]]


def _lists(values: list[Any]) -> Columns:
    return [[{key: list(matched) for key, matched in value.items()} for value in values]]


def _as_lists(values: list[Any]) -> Columns:
    return [[list(value) for value in values]]


def _tables() -> Iterable[Table]:
    plain: tuple[tuple[str, type[Any]], ...] = (
        ("complaints", results.ComplaintRow),
        ("tickets", results.TicketRow),
        ("orders", results.OrdersRow),
        ("sla_transitions", results.SlaTransition),
        ("sla_clocks", results.SlaClockRow),
        ("deliveries", results.Delivery),
        ("peaks", results.PeakPhase),
    )
    for name, row_type in plain:
        yield Table(name, row_type, {}, {})
    spread = {
        f"{clock}_ms": (f"{clock}_p50_ms", f"{clock}_p90_ms", f"{clock}_p99_ms")
        for clock in ("first_response", "resolution")
    }
    yield Table("windows", results.WindowRow, spread, dict.fromkeys(spread, _percentiles))
    yield Table("reviews", results.ReviewRow, {}, {"words": _as_lists})
    yield Table("dead_letters", results.DeadLetter, {}, {"detail": _sound})
    yield Table("alert_actions", results.AlertAction, {}, {"matchers": _lists})
    yield Table("alerts", results.Alert, {}, {"evidence": _as_json})


TABLES: Final[dict[type[Any], Table]] = {table.row_type: table for table in _tables()}
