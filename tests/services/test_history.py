"""What the store tells of alerts: their state, what people did, which silences go on, where clocks stand."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from embedded.clickhouse import start
from peakwatch.demo.wall import look
from schemas.results import Alert, AlertAction, Delivery, OrdersRow, SlaClockRow, SlaTransition
from sentiment.training.corpora import read_files
from storage.client import ClickHouse, ClickHouseSettings
from storage.grounds import Grounds
from storage.history import History
from storage.migrate import migrate
from storage.past import Fading, Group, Past, Span
from storage.rows import to_block
from storage.spool import DiskSpool
from storage.writer import Writer, WriterSettings
from tests.unit.storage.stand_ins import SteppingClock, make_review, make_window

pytestmark = pytest.mark.embedded

ROOT: Final = Path(__file__).parents[2]
DATABASE: Final = "pw_history"
S: Final = 1_000
NOWHERE: Final = ("", "", "", "", "", "")  # no slice
ACK: Final = {"who": "li", "at": 70 * S}


def alert(name: str, status: Literal["firing", "updated", "resolved"], second: int, **evidence: Any) -> Alert:
    return Alert(
        name, "many", "threshold", status, "warning", second * S, S, None, {"value": name}, 1.0, 0.5, None, "",
        evidence, "",
    )  # fmt: skip


ROWS: Final[list[Any]] = [
    alert("a1", "firing", 61),
    alert("a2", "firing", 61), alert("a2", "updated", 70, acknowledged=ACK),
    alert("a3", "firing", 61), alert("a3", "updated", 70, muted={"by": "snooze", "until": 900_000}, acknowledged=ACK),
    alert("a4", "firing", 61), alert("a4", "updated", 70, acknowledged=ACK), alert("a4", "resolved", 80),
    AlertAction("a2", 70 * S, "acknowledge", "li", None, "好", "x1"),
    AlertAction("a1", 71 * S, "acknowledge", "wang", None, "", "x2", {}, "the alert is over"),
    AlertAction("s1", 70 * S, "silence", "li", 900 * S, "盘点", "s1", {"value": ("手机", "家电")}),
    AlertAction("s2", 70 * S, "silence", "li", 900 * S, "", "s2", {"kind": ("threshold",)}),
    AlertAction("s2", 80 * S, "unsilence", "li", None, "", "x3"),
    AlertAction("s3", 70 * S, "silence", "li", 60 * S, "", "s3", {"kind": ("threshold",)}, "it ends before it begins"),
    Delivery("a2", 61 * S, "firing", "hook", 1, 62 * S, "sent", 5, ""),
    SlaTransition("t1", "resolution", 0, "breach", 90 * S, "p", "v1", "c", "v2", 10, 10, *NOWHERE, "high", "q", 0, 7),
    SlaClockRow("t1", "resolution", 0, "p", "running", False, S, 89 * S, 0, None, 90 * S, None, None, None,
                *NOWHERE, "high", "q", 0, 6),
    SlaClockRow("t1", "resolution", 0, "p", "breached", False, S, 89 * S, 89 * S, None, None, None, 90 * S, None,
                *NOWHERE, "high", "q", 0, 7),
    make_review(1, label="negative"), make_review(2, invalid="empty"), make_review(3, late=True), make_review(4),
    make_window(1, window_seconds=300, dimension="category", value="手机", complaints=8),
]  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with start(tmp_path_factory.mktemp("clickhouse")) as server:
        client = ClickHouse(ClickHouseSettings(host=server.host, port=server.port))
        migrate(client, database=DATABASE)
        yield client
        client.close()


@pytest.fixture
async def history(client: ClickHouse, tmp_path: Path) -> History:
    """Over rows that came twice, as after a crash."""
    for number in range(2):
        settings = client.settings
        writer = Writer(
            ClickHouse(settings), DiskSpool(tmp_path / str(number)), clock=SteppingClock(),
            settings=WriterSettings(database=DATABASE),
        )  # fmt: skip
        await writer.start()
        await writer.safe(await writer.write(ROWS))
        assert writer.snapshot().spooled_rows == 0, writer.snapshot().last_error
        await writer.close()
    return History(client, database=DATABASE)


async def test_an_alert_is_in_the_state_that_was_said_last(history: History) -> None:
    found = {one.alert_id: one.state for one in history.alerts(since_ms=0, resolved=True)}
    assert found == {"a1": "firing", "a2": "acknowledged", "a3": "snoozed", "a4": "resolved"}
    assert {one.alert_id for one in history.alerts(since_ms=0)} == {"a1", "a2", "a3"}
    assert history.alerts(since_ms=0, severity="critical") == []
    assert history.ids("a") == ["a1", "a2", "a3", "a4"]


async def test_a_refused_action_acknowledges_nothing_and_is_kept_with_its_reason(history: History) -> None:
    state = history.alert("a1")
    assert state is not None
    assert (state.state, state.acknowledged_at) == ("firing", None)
    (action,) = history.actions("a1")
    assert (action.actor, action.refused) == ("wang", "the alert is over")
    assert [row.action_id for row in history.actions_of(["x1", "x2", "nothing"])] == ["x1", "x2"]


async def test_an_alert_s_story_comes_back_as_it_was(history: History) -> None:
    assert history.transitions("a4") == [row for row in ROWS if isinstance(row, Alert) and row.alert_id == "a4"]
    assert history.deliveries("a2") == [row for row in ROWS if isinstance(row, Delivery)]


async def test_the_demo_reads_an_alert_as_it_stands_and_each_of_its_transitions(
    history: History, client: ClickHouse
) -> None:
    there = replace(client.settings, database=DATABASE)
    with contextlib.closing(ClickHouse(there)) as reader:
        wall = look(reader, now_ms=90 * S, sent=0, before=None)
    told = [(one.alert_id, one.status, one.fired_at, one.changed_at) for one in wall.transitions]
    assert sorted(told[:4]) == [(f"a{number}", "firing", 61 * S, 61 * S) for number in (1, 2, 3, 4)]
    assert sorted(told[4:7]) == [(f"a{number}", "updated", 61 * S, 70 * S) for number in (2, 3, 4)]
    assert told[7:] == [("a4", "resolved", 61 * S, 80 * S)]
    assert {one.alert_id: one.status for one in wall.alerts} == {
        "a1": "firing", "a2": "updated", "a3": "updated", "a4": "resolved",
    }  # fmt: skip


async def test_silences_that_were_refused_ended_or_are_over_do_not_go_on(history: History) -> None:
    (silence,) = history.silences(now_ms=100 * S)
    assert (silence.silence_id, silence.matchers, silence.until) == ("s1", {"value": ["手机", "家电"]}, 900 * S)
    assert history.silences(now_ms=900 * S) == []


async def test_a_clock_is_one_row_and_its_ledger_names_policy_and_calendar(
    history: History, client: ClickHouse
) -> None:
    found = client.execute(f"SELECT state, version FROM {DATABASE}.sla_clocks_v")
    assert found == [("breached", 7)]
    (line,) = Grounds(client, database=DATABASE).ledger("t1", "resolution", 0)
    assert (line.kind, line.policy_version, line.calendar_version) == ("breach", "v1", "v2")


async def test_events_of_a_slice_are_those_that_the_detectors_saw(history: History, client: ClickHouse) -> None:
    grounds = Grounds(client, database=DATABASE)
    seen = grounds.reviews({"category": "手机", "region": "华东"}, begin=0, end=10**13)
    assert [(one.negative, one.score) for one in seen] == [(True, 0.8), (False, 0.8)]  # neither the empty nor the late
    assert grounds.reviews({}, begin=0, end=10**13, by={"c"}) == seen
    assert grounds.reviews({}, begin=0, end=10**13, by={"somebody else"}) == []
    row = make_window(1, window_seconds=300, dimension="category", value="手机", complaints=8)
    assert grounds.window(seconds=300, dimension="category", value="手机", at_ms=row.window_end + 9_999) == row
    assert grounds.window(seconds=300, dimension="category", value="手机", at_ms=row.window_end - 1) is None


EVENING: Final = 1_762_862_400_000  # 2025-11-11 20:00 in Shanghai, a Tuesday
FADING: Final = Fading(long_ms=3_600_000, level_ms=1_800_000, zone_ms=8 * 3_600_000)
HOUR: Final = 3_600_000


def counted(number: int, at: int, count: int, category: str) -> OrdersRow:
    return OrdersRow(f"o{number}", at, at, 0, number, category, "", "", "", "", "", count, False)


PAST: Final[list[Any]] = [
    make_review(1, event_time=EVENING - HOUR, score=0.02), make_review(2, event_time=EVENING - HOUR, score=0.02),
    make_review(3, event_time=EVENING - HOUR, category="家电"), make_review(4, event_time=EVENING - 1, late=True),
    make_review(5, event_time=EVENING - 1, invalid="empty"), make_review(6, event_time=EVENING),
    counted(1, EVENING - HOUR, 60, "手机"), counted(2, EVENING - HOUR // 2, 10, "手机"), counted(3, EVENING, 40, ""),
    alert("s1", "firing", 1)._replace(
        kind="negative_spike", labels={"dimension": "category+region", "value": "手机|华东"}, at=EVENING - HOUR,
        starts_at=EVENING - HOUR - 1,
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def past(client: ClickHouse) -> Past:
    migrate(client, database="pw_past")
    for row in PAST:
        block = to_block([row])
        client.insert(f"pw_past.{block.table}", block.names, block.columns)
    return Past(client, database="pw_past")


WEEK: Final[dict[str, Any]] = {"begin": EVENING - 24 * HOUR, "end": EVENING, "fading": FADING}


def test_reviews_of_before_are_told_apart_by_slice_hour_and_verdict_and_fade(past: Past) -> None:
    found = past.reviews({"category": "手机", "customer_tier": "silver"}, **WEEK, but=[])
    assert sorted(found) == [
        Group((0, 0), 19, 1.5, 1.0, 0.5, 0.25), Group((1, 0), 19, -4.0, 2.0, 1.0, 0.5),
    ]  # fmt: skip
    assert past.reviews({}, **WEEK, but=[])[0].match == ()


def test_what_other_alerts_speak_of_is_not_usual(past: Past) -> None:
    spans = past.spikes("negative_spike", begin=EVENING - 24 * HOUR, end=EVENING, but="")
    assert spans == [Span({"category": "手机", "region": "华东"}, EVENING - HOUR - 1, EVENING)]
    assert [one.match for one in past.reviews({"category": "手机"}, **WEEK, but=spans)] == [(0,)]
    assert past.spikes("negative_spike", begin=EVENING - 24 * HOUR, end=EVENING, but="s1") == []
    assert past.spikes("complaint_spike", begin=0, end=EVENING, but="") == []


def test_a_count_of_orders_is_of_the_time_before_it(past: Past, client: ClickHouse) -> None:
    later = past.orders({"category": "手机"}, **{**WEEK, "end": EVENING + 1}, but=[])
    assert {(one.match, one.hour): one.came for one in later} == {((1,), 18): 60.0, ((1,), 19): 10.0, ((-1,), 19): 40.0}
    assert past.denominators(begin=0, end=EVENING) == (None, EVENING - HOUR // 2)
    grounds = Grounds(client, database="pw_past")
    assert grounds.orders({}, begin=EVENING - HOUR // 2, end=EVENING - HOUR // 4) == pytest.approx(20.0)
    assert grounds.orders({"category": "手机"}, begin=EVENING - HOUR, end=EVENING) == pytest.approx(10.0)
    assert past.complaints({"category": "手机"}, **WEEK, but=[]) == []


def test_what_false_alarms_quoted_becomes_a_file_that_training_takes(
    past: Past, client: ClickHouse, tmp_path: Path
) -> None:
    texts = ["垃圾，用了一天就坏了，客服也不理人，电话13812345678", "质量很好，下次还买"]
    said = alert("f1", "firing", 61, texts=texts)._replace(kind="negative_spike")
    now_ms = time.time_ns() // 1_000_000
    mark = AlertAction("f1", now_ms, "false_alarm", "li", None, "演练", "x9")
    for row in (said, mark):
        block = to_block([row])
        client.insert(f"pw_past.{block.table}", block.names, block.columns)
    own = {"PEAKWATCH_CLICKHOUSE_PORT": str(client.settings.port), "PEAKWATCH_CLICKHOUSE_DATABASE": "pw_past"}

    def labels(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "peakwatch.cli", "alerts", "labels", *words],
            env={**os.environ, **own}, cwd=ROOT, capture_output=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    (weak,) = labels().splitlines()
    assert (json.loads(weak)["label"], json.loads(weak)["source"]) == ("neutral", "false_alarm")
    assert "13812345678" not in weak
    path = tmp_path / "labels.jsonl"
    for _ in range(2):  # nothing is asked twice
        labels("--ask", "--out", str(path))
    (blank,) = path.read_text("utf-8").splitlines()
    path.write_text(blank.replace('"label": ""', '"label": "negative"'), "utf-8")
    assert [(one.positive, one.source) for one in read_files([path])] == [(False, "labels")]
