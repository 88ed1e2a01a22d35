"""What a scrape of a worker shows, and what its health says."""

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from asyncio import to_thread
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import pytest

from agents.metrics import Health, Progress, Reached, View, WorkerCollector, WorkerFigures, ensure_free, serve
from agents.metrics.figures import MOST_NAMES, Names
from alerts.notify.figures import ChannelFigures, NotifierSnapshot
from schemas.errors import ConfigError
from schemas.histogram import DELAYS_S, Histogram
from schemas.results import Alert, ComplaintRow, DeadLetter, OrdersRow, ReviewRow
from sla.policy import FIELDS
from sla.transition import Transition
from storage.figures import WriterSnapshot
from streams.facts import Facts
from streams.intake import Record
from streams.judging import Judging
from streams.source import Source, SourceConfig

SNAPSHOT: Final = WriterSnapshot(
    state="spooling", rows={"reviews": 3}, batches=2, retries=1, refused={"reviews": 2}, spooled_rows=5,
    pending_bytes=10, pending_rows=4, oldest_pending_ms=1500, spool_records=1, spool_bytes=99, spool_age_ms=2000,
    spool_damaged=0, insert_ms=7, last_error="", delay_s={"reviews": Histogram(DELAYS_S)},
)  # fmt: skip
CHANNEL: Final = ChannelFigures(
    kind="wecom", messages=2, digests=1, sent=3, failed=0, unsure=0, retried=1, failed_over=0, muted=0, superseded=0,
    waiting=4, held_back=2, oldest_held_ms=1500, tokens_left=7, tokens_left_ordinary=5, month_sent=3, month_quota=None,
    shut_ms=0,
)  # fmt: skip
WELL: Final = Health((), ())


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


def row(kind: Any, **fields: Any) -> Any:
    """A row with these fields; the others are empty."""
    return kind(*(fields.get(name, "") for name in kind._fields))


def transition(kind: Any, elapsed_ms: int, priority: str = "high") -> Transition:
    dims: Any = tuple(priority if name == "priority" else "" for name in FIELDS)
    return Transition("t", "resolution", 0, kind, 5, elapsed_ms, 9, "p", "1", "c", "1", dims)


def alert(at: int) -> Alert:
    return Alert("i", "r", "threshold", "firing", "critical", at, at, None, {}, None, None, None, "", {}, "")


def full() -> View:
    """A worker that owns something of everything."""
    figures = WorkerFigures()
    facts = Facts(
        reviews=[row(ReviewRow, category="书籍", label="negative"), row(ReviewRow, label="neutral", invalid="ad")],
        complaints=[row(ComplaintRow, category="书籍", severity="high")],
        orders=[row(OrdersRow, category="书籍", count=40)],
        dead_letters=[DeadLetter("reviews", 0, 1, 2, "not_json", "", b"{")],
        transitions=[transition("breach", 9), transition("stopped", 90_000)],
        forecast={("q1", "resolution", 900_000): 2, ("q2", "resolution", 900_000): 3},
    )
    figures.absorb(("tickets", 0), facts)
    figures.told([alert(1_000)], now_ms=4_000)
    figures.timers["flush"].add(0.1)
    figures.saved_bytes["reviews"] = 7
    return View(
        figures=figures, sources=lambda: [source()], writer=lambda: SNAPSHOT,
        owned=lambda: [Progress("complaints", 3, 7, 5, 10, 123), Progress("alerts", 0, 1, 1, None, 0)],
        reached=lambda: [Reached("peakwatch-deltas", 0, 1_000, 3_500, 6, 2), Reached("x", 0, -1, 3_500, 0, 0)],
        firing=lambda: {("threshold", "critical"): 2},
        notifier=lambda: NotifierSnapshot(channels={"群": CHANNEL}, unrouted=0, unclaimed=1, escalated=0, unwritten=0),
    )  # fmt: skip


def scrape(view: View) -> dict[str, float]:
    """Every sample, as Prometheus writes it but for the quotes."""
    found = {}
    for family in WorkerCollector(view).collect():
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def get(url: str) -> tuple[int, str]:
    """Status and text."""

    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await to_thread(ask)


def test_a_scrape_shows_what_came_of_the_messages() -> None:
    shown = scrape(full())
    at = "{topic=complaints,partition=3}"
    assert shown[f"peakwatch_events_total{at}"] == 2
    assert shown[f"peakwatch_duplicates_total{at}"] == 1
    assert shown[f"peakwatch_event_time_seconds{at}"] == 1
    assert shown[f"peakwatch_event_ids_remembered{at}"] == 1
    assert shown["peakwatch_dead_letters_total{topic=reviews,reason=not_json}"] == 1


def test_a_scrape_shows_what_customers_do() -> None:
    shown = scrape(full())
    assert shown["peakwatch_reviews_total{category=书籍,sentiment=negative}"] == 1
    assert shown["peakwatch_reviews_total{category=unknown,sentiment=invalid}"] == 1
    assert shown["peakwatch_complaints_total{category=书籍,severity=high}"] == 1
    assert shown["peakwatch_orders_total{category=书籍}"] == 40
    assert shown["peakwatch_sla_transitions_total{clock=resolution,priority=high,kind=breach}"] == 1
    assert shown["peakwatch_sla_clock_seconds_count{clock=resolution}"] == 1, "a breach is not the clock's end"
    assert shown["peakwatch_sla_clock_seconds_sum{clock=resolution}"] == 90
    assert shown["peakwatch_sla_due_clocks{topic=tickets,partition=0,clock=resolution,horizon=900s}"] == 5
    assert shown["peakwatch_alerts_open{kind=threshold,severity=critical}"] == 2
    assert shown["peakwatch_alerts_open{kind=feed_silent,severity=info}"] == 0
    assert shown["peakwatch_alert_transitions_total{kind=threshold,severity=critical,status=firing}"] == 1
    assert shown["peakwatch_alert_delay_seconds_bucket{le=2.5}"] == 0
    assert shown["peakwatch_alert_delay_seconds_bucket{le=5.0}"] == 1


def test_a_scrape_shows_how_far_each_partition_has_come() -> None:
    shown = scrape(full())
    at = "{topic=complaints,partition=3}"
    assert shown[f"peakwatch_consumer_lag_records{at}"] == 3
    assert shown[f"peakwatch_unsaved_records{at}"] == 2
    assert shown[f"peakwatch_state_bytes{at}"] == 123
    assert "peakwatch_consumer_lag_records{topic=alerts,partition=0}" not in shown, "its end is not known yet"
    assert shown["peakwatch_watermark_delay_seconds{topic=peakwatch-deltas,partition=0}"] == 2.5
    assert "peakwatch_watermark_delay_seconds{topic=x,partition=0}" not in shown, "nothing has come yet"
    assert shown["peakwatch_window_keys{topic=peakwatch-deltas,partition=0}"] == 6


def test_a_scrape_shows_what_waits_for_the_store_and_for_people() -> None:
    view = full()
    shown = scrape(replace(view, writer=lambda: replace(SNAPSHOT, pending_rows=17)))
    assert shown["peakwatch_store_pending_rows"] == 17
    assert shown["peakwatch_store_state{state=spooling}"] == 1
    assert shown["peakwatch_store_state{state=ok}"] == 0
    assert shown["peakwatch_notices_total{channel=群,outcome=retried}"] == 1
    assert shown["peakwatch_notices_held_back{channel=群}"] == 2
    assert shown["peakwatch_alerts_unclaimed"] == 1


def test_what_is_not_there_shows_no_figures() -> None:
    shown = scrape(View(figures=WorkerFigures()))
    assert not [name for name in shown if re.match("peakwatch_(store|notice|alerts)_", name)]


def test_names_are_bounded() -> None:
    names = Names()
    shown = {names(f"category {number}") for number in range(1_000)}
    assert len(shown) == MOST_NAMES + 1
    assert names("category 999") == "other"
    assert names("category 3") == "category 3"
    assert names("") == "unknown"


def test_a_partition_that_went_takes_its_forecast_with_it() -> None:
    view = full()
    view.figures.gone(("tickets", 0))
    assert not [name for name in scrape(view) if name.startswith("peakwatch_sla_due_clocks")]


@pytest.mark.parametrize("values", [[], [0.5], [1.0, 1.0, 3.0], [99.0, 2.0]])
def test_a_histogram_counts_what_is_at_most_each_bound(values: list[float]) -> None:
    one, all_at_once = Histogram([1, 2]), Histogram([1, 2])
    for value in values:
        one.add(value)
    all_at_once.add_all(values)
    want = [("1", sum(v <= 1 for v in values)), ("2", sum(v <= 2 for v in values)), ("+Inf", len(values))]
    assert one.buckets() == all_at_once.buckets() == want
    assert one.total == all_at_once.total == sum(values)
    assert len(one) == len(values)


async def test_a_scrape_is_answered_over_http_and_a_taken_port_is_named() -> None:
    stop = await serve(WorkerCollector(full()), lambda: WELL, port=19_377, host="127.0.0.1")
    try:
        status, text = await get("http://127.0.0.1:19377/metrics")
        assert status == 200
        assert "peakwatch_store_spool_bytes 99.0" in text
        assert "process_resident_memory_bytes" in text
        assert "python_gc_collections_total" in text
        with pytest.raises(ConfigError, match=r"metrics_port: 127\.0\.0\.1:19377"):
            await serve(WorkerCollector(full()), lambda: WELL, port=19_377, host="127.0.0.1")
        with pytest.raises(ConfigError, match=r"metrics_port: 127\.0\.0\.1:19377"):
            ensure_free(port=19_377, host="127.0.0.1")
    finally:
        await stop()


@pytest.mark.parametrize(
    ("health", "alive", "ready"),
    [
        (WELL, 200, 200),
        (Health((), ("tickets/0: being taken over",)), 200, 503),
        (Health(("failed: no broker",), ()), 503, 503),
    ],
)
async def test_health_tells_what_is_wrong(health: Health, alive: int, ready: int) -> None:
    stop = await serve(WorkerCollector(full()), lambda: health, port=19_378, host="127.0.0.1")
    try:
        assert (await get("http://127.0.0.1:19378/healthz"))[0] == alive
        status, text = await get("http://127.0.0.1:19378/readyz")
        assert status == ready
        assert text.split("\n")[:-1] == ([*health.ills, *health.lacks] or ["ok"])
    finally:
        await stop()


def promtool() -> str:
    """The program; without it the test is skipped, and in CI, where nobody would see that, fails."""
    found = shutil.which("promtool")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is missing: apt-get install prometheus")
        pytest.skip("promtool is not installed")
    return found


async def test_the_endpoint_keeps_prometheus_conventions() -> None:
    program = promtool()
    stop = await serve(WorkerCollector(full()), lambda: WELL, port=19_379, host="127.0.0.1")
    try:
        _, text = await get("http://127.0.0.1:19379/metrics")
    finally:
        await stop()
    ours = keep_own(text.splitlines())
    assert len(ours) > 100
    done = subprocess.run([program, "check", "metrics"], input="\n".join(ours) + "\n", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def keep_own(lines: Iterable[str]) -> list[str]:
    """Without what the client library names itself, which is not ours to mend."""
    return [line for line in lines if not re.match(r"(# (HELP|TYPE) )?(python|process)_", line)]
