"""What the writer to ClickHouse is about."""

from collections.abc import Iterable
from typing import Final

from prometheus_client.core import Metric

from agents.metrics.families import counter, gauge, histogram
from storage.figures import WriterSnapshot

STATES: Final = ("ok", "retrying", "spooling", "blocked", "closed", "failed")


def store_families(now: WriterSnapshot) -> Iterable[Metric]:
    """The writer's figures."""
    table = ("table",)
    yield counter("store_rows", "Rows stored in ClickHouse", table, _by_table(now.rows))
    yield counter("store_refused_rows", "Rows that ClickHouse refused", table, _by_table(now.refused))
    yield counter("store_batches", "Inserts that succeeded", (), [((), now.batches)])
    yield counter("store_retries", "Inserts tried again", (), [((), now.retries)])
    yield counter("store_spooled_rows", "Rows that went to the spool on disk", (), [((), now.spooled_rows)])
    for name, text, value in (
        ("pending_rows", "Rows in memory, not yet safe", now.pending_rows),
        ("pending_bytes", "Bytes in memory, not yet safe", now.pending_bytes),
        ("oldest_pending_seconds", "Age of the oldest row that is not yet safe", now.oldest_pending_ms / 1000),
        ("spool_records", "Batches in the spool on disk", now.spool_records),
        ("spool_bytes", "Bytes in the spool on disk", now.spool_bytes),
        ("spool_age_seconds", "For how long ClickHouse has been behind the spool", now.spool_age_ms / 1000),
        ("spool_damaged_segments", "Parts of the spool that could not be read", now.spool_damaged),
    ):
        yield gauge(f"store_{name}", text, (), [((), value)])
    states = [((name,), float(name == now.state)) for name in STATES]
    yield gauge("store_state", "1 for the state that the writer is in", ("state",), states)
    yield histogram("store_batch_rows", "Rows of an insert", (), {(): now.batch_rows})
    yield histogram("store_insert_seconds", "How long an insert took", (), {(): now.insert_s})
    yield histogram(
        "store_delay_seconds", "From an event (of windows: the window's end) to its row in ClickHouse",
        table, {(name,): one for name, one in now.delay_s.items()},
    )  # fmt: skip


def _by_table(counts: dict[str, int]) -> list[tuple[tuple[str], float]]:
    return [((table,), count) for table, count in sorted(counts.items())]
