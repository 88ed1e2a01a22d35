"""What a scrape of a worker shows."""

import urllib.request
from dataclasses import replace

import pytest

from agents.metrics import WorkerCollector, serve
from schemas.errors import ConfigError
from storage.figures import WriterSnapshot
from streams.intake import Record
from streams.judging import Judging
from streams.source import Source, SourceConfig

SNAPSHOT = WriterSnapshot(
    state="spooling", rows={"reviews": 3}, batches=2, retries=1, refused={}, spooled_rows=5, pending_bytes=10,
    pending_rows=4, oldest_pending_ms=1500, spool_records=1, spool_bytes=99, spool_age_ms=2000, spool_damaged=0,
    insert_ms=7, last_error="",
)  # fmt: skip


class NoJudge:
    """Complaints are not judged."""

    def judge_batch(self, texts: object, ratings: object = None) -> None:
        raise AssertionError("nothing to judge")


def source() -> Source:
    """Two complaints and one message that cannot be read."""
    judging = Judging(NoJudge(), lambda texts: [""] * len(texts))  # type: ignore[arg-type]  # never asked
    one = Source(SourceConfig(judging=judging, mask=str), "complaints", 3)
    rows = (
        b'{"event_id":"a","event_time":1000,"complaint_id":"k"}',
        b"{",
        b'{"event_id":"a","event_time":1,"complaint_id":"k"}',
    )
    one.feed([Record(offset, 0, raw) for offset, raw in enumerate(rows)])
    return one


def scrape(snapshot: WriterSnapshot | None) -> str:
    one = source()
    stop = serve(WorkerCollector(lambda: [(one, 3)], lambda: snapshot), port=0, host="127.0.0.1")
    stop()
    lines = []
    for family in WorkerCollector(lambda: [(one, 3)], lambda: snapshot).collect():
        lines += [f"{sample.name}{sample.labels} {sample.value}" for sample in family.samples]
    return "\n".join(lines)


def test_a_scrape_shows_what_came_of_the_messages() -> None:
    shown = scrape(SNAPSHOT)
    at = "{'topic': 'complaints', 'partition': '3'}"
    assert f"peakwatch_events_total{at} 2" in shown
    assert f"peakwatch_dead_letters_total{at} 1" in shown
    assert f"peakwatch_duplicates_total{at} 1" in shown
    assert f"peakwatch_event_time_seconds{at} 1.0" in shown


def test_a_scrape_shows_what_waits_for_the_store() -> None:
    shown = scrape(replace(SNAPSHOT, pending_rows=17))
    assert "peakwatch_store_pending_rows{} 17" in shown
    assert "peakwatch_store_state{'state': 'spooling'} 1.0" in shown
    assert "peakwatch_store_state{'state': 'ok'} 0.0" in shown


def test_without_a_writer_there_are_no_figures_of_the_store() -> None:
    assert "peakwatch_store" not in scrape(None)


def test_a_scrape_is_answered_over_http_and_a_taken_port_is_named() -> None:
    collector = WorkerCollector(list, lambda: SNAPSHOT)
    stop = serve(collector, port=19_377, host="127.0.0.1")
    try:
        with urllib.request.urlopen("http://127.0.0.1:19377/metrics", timeout=5) as answer:
            assert b"peakwatch_store_spool_bytes 99.0" in answer.read()
        with pytest.raises(ConfigError, match=r"metrics_port: 127\.0\.0\.1:19377"):
            serve(collector, port=19_377, host="127.0.0.1")
    finally:
        stop()
