"""The worker's own figures for Prometheus: what it has read, how far it has come, what waits for the store.

Read at a scrape from plain numbers that the worker keeps anyway; few labels, all of bounded cardinality.
"""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.errors import ConfigError
from storage.figures import WriterSnapshot
from streams.source import Source

_TALLIES: Final = (
    ("events", "Readable events taken, duplicates included"),
    ("duplicates", "Events whose event_id was seen before"),
    ("late", "Events later than the allowed lateness"),
    ("dead_letters", "Messages that could not be read"),
)
STATES: Final = ("ok", "retrying", "spooling", "blocked", "closed", "failed")


class WorkerCollector(Collector):
    """`sources` and `writer` are asked at each scrape; `writer` gives None before there is one."""

    def __init__(
        self, sources: Callable[[], list[tuple[Source, int]]], writer: Callable[[], WriterSnapshot | None]
    ) -> None:
        self._sources = sources
        self._writer = writer

    def collect(self) -> Iterable[Metric]:
        """All families, at this moment."""
        yield from self._streams()
        snapshot = self._writer()
        if snapshot is not None:
            yield from _store(snapshot)

    def _streams(self) -> Iterable[Metric]:
        owned = self._sources()
        for name, text in _TALLIES:
            counter = CounterMetricFamily(
                f"peakwatch_{name}", f"{text}, since the partition was taken over", labels=_AT
            )
            for source, _ in owned:
                counter.add_metric(_place(source), getattr(source.intake.tally, name))
            yield counter
        newest = GaugeMetricFamily(
            "peakwatch_event_time_seconds", "Newest event time of the partition, seconds since the epoch", labels=_AT
        )
        position = GaugeMetricFamily("peakwatch_position", "Offset of the next record to be taken", labels=_AT)
        for source, offset in owned:
            if source.newest_ms >= 0:
                newest.add_metric(_place(source), source.newest_ms / 1000)
            position.add_metric(_place(source), offset)
        yield newest
        yield position
        tickets = GaugeMetricFamily("peakwatch_tickets_remembered", "Tickets in memory, open or not", labels=_AT)
        for source, _ in owned:
            tickets.add_metric(_place(source), len(source.desk.watch))
        yield tickets


_AT: Final = ("topic", "partition")


def _place(source: Source) -> list[str]:
    return [source.intake.topic, str(source.intake.partition)]


def _store(snapshot: WriterSnapshot) -> Iterable[Metric]:
    rows = CounterMetricFamily("peakwatch_store_rows", "Rows stored in ClickHouse", labels=("table",))
    for table, count in sorted(snapshot.rows.items()):
        rows.add_metric([table], count)
    yield rows
    refused = CounterMetricFamily("peakwatch_store_refused_rows", "Rows that ClickHouse refused", labels=("table",))
    for table, count in sorted(snapshot.refused.items()):
        refused.add_metric([table], count)
    yield refused
    yield CounterMetricFamily("peakwatch_store_batches", "Inserts that succeeded", value=snapshot.batches)
    yield CounterMetricFamily("peakwatch_store_retries", "Inserts tried again", value=snapshot.retries)
    for name, text, value in (
        ("pending_rows", "Rows in memory, not yet safe", snapshot.pending_rows),
        ("pending_bytes", "Bytes in memory, not yet safe", snapshot.pending_bytes),
        ("oldest_pending_seconds", "Age of the oldest row that is not yet safe", snapshot.oldest_pending_ms / 1000),
        ("spool_bytes", "Bytes in the spool on disk", snapshot.spool_bytes),
        ("spool_age_seconds", "For how long ClickHouse has been behind the spool", snapshot.spool_age_ms / 1000),
        ("spool_damaged_segments", "Parts of the spool that could not be read", snapshot.spool_damaged),
    ):
        yield GaugeMetricFamily(f"peakwatch_store_{name}", text, value=value)
    state = GaugeMetricFamily("peakwatch_store_state", "1 for the state that the writer is in", labels=("state",))
    for name in STATES:
        state.add_metric([name], float(name == snapshot.state))
    yield state


def serve(collector: Collector, *, port: int, host: str) -> Callable[[], None]:
    """Answer scrapes at http://host:port/metrics until the function that is returned is called.

    ConfigError when the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise ConfigError([f"metrics_port: {host}:{port}: {error.strerror or error}"]) from None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
