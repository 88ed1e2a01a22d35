"""What the writer counts, and how it is shown to metrics and health checks."""

from dataclasses import dataclass, field
from typing import Literal

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


@dataclass
class Figures:
    rows: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    batches: int = 0
    retries: int = 0
    spooled_rows: int = 0
    insert_ms: int = 0
    last_error: str = ""

    def stored(self, outcome: Outcome, *, insert_ms: int) -> None:
        """Count a block that is in ClickHouse."""
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
