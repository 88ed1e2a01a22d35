"""What the writer counts, and how it is shown to metrics and health checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.histogram import DELAYS_S, ROWS, WORKS_S, Histogram
from storage.inserting import Outcome
from storage.rows import Block

State = Literal["ok", "retrying", "spooling", "blocked", "closed", "failed"]


@dataclass(frozen=True, kw_only=True)
class WriterSnapshot:
    """The writer's figures at one moment, for metrics and health checks."""

    state: State
    rows: dict[str, int]  # stored in ClickHouse, by table
    batches: int  # inserts that succeeded
    retries: int
    refused: dict[str, int]  # rows turned into dead letters, by table
    spooled_rows: int  # rows ever put into the spool
    pending_bytes: int  # in memory, not yet safe
    pending_rows: int
    oldest_pending_ms: int  # age of the oldest row that is not yet safe
    spool_records: int
    spool_bytes: int
    spool_age_ms: int  # for how long ClickHouse has been behind the spool
    spool_damaged: int
    insert_ms: int  # the last insert took so long
    last_error: str
    batch_rows: Histogram = field(default_factory=lambda: Histogram(ROWS))  # of the inserts that succeeded
    insert_s: Histogram = field(default_factory=lambda: Histogram(WORKS_S))
    delay_s: Mapping[str, Histogram] = field(default_factory=dict)  # from an event to its row in ClickHouse, by table


# Which column of a table tells when what the row stands for happened.
HAPPENED = dict.fromkeys(("reviews", "complaints", "tickets", "orders"), "event_time") | {"windows": "window_end"}


@dataclass
class Figures:
    rows: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    batches: int = 0
    retries: int = 0
    spooled_rows: int = 0
    insert_ms: int = 0
    last_error: str = ""
    batch_rows: Histogram = field(default_factory=lambda: Histogram(ROWS))
    insert_s: Histogram = field(default_factory=lambda: Histogram(WORKS_S))
    delay_s: dict[str, Histogram] = field(default_factory=dict)

    def arrived(self, block: Block, *, now_ms: int) -> None:
        """Count how old the rows of a block are that ClickHouse has now."""
        column = HAPPENED.get(block.table)
        if column in block.names:
            delays = self.delay_s.setdefault(block.table, Histogram(DELAYS_S))
            happened = block.columns[block.names.index(column)]
            delays.add_all(max(0, now_ms - at_ms) / 1000 for at_ms in happened if isinstance(at_ms, int))

    def stored(self, outcome: Outcome, *, insert_ms: int) -> None:
        """Count a block that is in ClickHouse."""
        self.batch_rows.add(outcome.rows)
        self.insert_s.add(insert_ms / 1000)
        self.batches += 1
        self.insert_ms = insert_ms
        self.rows[outcome.table] = self.rows.get(outcome.table, 0) + outcome.rows
        if outcome.refused:
            self.refused[outcome.table] = self.refused.get(outcome.table, 0) + outcome.refused
            self.last_error = outcome.why

    def turned_away(self, table: str, letters: Block | None) -> None:
        """Count rows that became dead letters before they reached ClickHouse."""
        if letters:
            self.refused[table] = self.refused.get(table, 0) + len(letters)
