"""One line for the lock screen: what, where, how much against what, since when."""

from typing import Any

import pytest

from alerts.summary import MAX_CHARS, summarize
from schemas.instants import parse_instant
from schemas.results import Alert

AT = parse_instant("2026-11-11T00:12:10+08:00")
BASE: dict[str, Any] = {
    "alert_id": "a", "rule": "r", "kind": "threshold", "status": "firing", "severity": "warning", "at": AT,
    "starts_at": AT - 160_000, "ends_at": None, "labels": {}, "value": None, "baseline": None, "peak": None,
    "summary": "", "evidence": {}, "reason": "",
}  # fmt: skip
SPIKE = {
    "kind": "negative_spike", "labels": {"dimension": "category", "value": "手机"}, "value": 0.41, "baseline": 0.12,
    "evidence": {"window_seconds": 300, "count": 812, "negative": 333, "phase": "双11 · 开门红"},
}  # fmt: skip
COMPLAINT = {
    "kind": "complaint_spike", "labels": {"dimension": "category+region", "value": "手机|华东"}, "value": 8.1,
    "baseline": 2.0, "evidence": {"window_seconds": 900, "count": 41, "complaints": 41},
}  # fmt: skip
BREACH = {
    "kind": "sla_breach", "labels": {"ticket_id": "T-1", "clock": "resolution", "policy": "p"},
    "evidence": {"target_ms": 5_400_000, "queue": "returns"},
}  # fmt: skip
RATE = {
    "kind": "sla_breach_rate", "labels": {"dimension": "all", "value": "all"}, "value": 0.34, "baseline": 0.3,
    "evidence": {"window_seconds": 300},
}  # fmt: skip
SILENT = {
    "kind": "feed_silent", "labels": {"topic": "reviews", "channel": "app"}, "value": 1380.0,
    "evidence": {"expected": 276.4},
}  # fmt: skip
SLOW = {
    "labels": {"dimension": "channel", "value": "chat"}, "value": 960_000.0, "baseline": 900_000.0,
    "evidence": {"figure": "first_response_ms.p90", "window_seconds": 900},
}  # fmt: skip
WAVE = {
    "labels": {"queue": "refund", "clock": "resolution"}, "value": 47.0, "baseline": 20.0,
    "evidence": {"figure": "breaches_due", "horizon_ms": 900_000, "count": 47},
}  # fmt: skip
STORM = {"evidence": {"storm": True, "count": 24, "window_seconds": 600, "by_severity": {"critical": 1, "warning": 23}}}


@pytest.mark.parametrize(
    ("says", "chinese", "english"),
    [
        pytest.param(SPIKE, "差评突增：类目「手机」负面率 41%，平时 12%（3.4 倍），5 分钟 333/812 条，00:09 起，"
                     "双11 · 开门红",
                     "Negative reviews up: category 手机 41%, usually 12% (3.4x), 333/812 in 5m, "
                     "since 00:09, 双11 · 开门红",
                     id="negative_spike"),
        pytest.param(COMPLAINT, "投诉突增：类目+地区「手机|华东」每千单投诉 8.1，平时 2（4.0 倍），15 分钟 41 条，"
                     "00:09 起", "Complaints up: category+region 手机|华东 8.1 per 1k orders, usually 2 (4.0x), "
                     "41 in 15m, since 00:09",
                     id="complaint_spike"),
        pytest.param(COMPLAINT | {"value": None, "baseline": None,
                                  "evidence": {"window_seconds": 900, "complaints": 41, "expected": 7.25}},
                     "投诉突增：类目+地区「手机|华东」41 条，平时约 7.25 条（15 分钟），00:09 起",
                     "Complaints up: category+region 手机|华东 41, usually about 7.25 (15m), since 00:09",
                     id="no-denominator"),
        pytest.param(BREACH, "SLA 超时：工单 T-1 解决时限 1 小时 30 分钟，队列 returns",
                     "SLA breached: ticket T-1, resolution target 1h30m, queue returns", id="sla_breach"),
        pytest.param(BREACH | {"kind": "sla_warning", "evidence": {"target_ms": 5_400_000, "left_ms": 1_080_000}},
                     "SLA 将超时：工单 T-1 解决时限 1 小时 30 分钟，还剩 18 分钟",
                     "SLA about to breach: ticket T-1, resolution target 1h30m, 18m left", id="sla_warning"),
        pytest.param(RATE, "SLA 超时率高：全部超时率 34%，上限 30%（5 分钟），00:09 起",
                     "SLA breach rate high: all 34%, bound 30% (5m), since 00:09", id="sla_breach_rate"),
        pytest.param(SILENT, "数据中断：reviews/app 已 23 分钟无数据，本应约 276 条，00:09 起",
                     "Feed silent: reviews/app nothing for 23m, about 276 expected, since 00:09", id="feed_silent"),
        pytest.param(SLOW, "指标越界：渠道「chat」首响时长 p90 16 分钟 > 15 分钟（15 分钟），00:09 起",
                     "Threshold crossed: channel chat first_response_ms p90 16m > 15m (15m), since 00:09",
                     id="threshold"),
        pytest.param(WAVE, "将批量超时：refund 队列 15 分钟内 47 张工单解决超时，00:09 起",
                     "Breach wave: 47 tickets of queue refund breach resolution within 15m, since 00:09", id="wave"),
        pytest.param(STORM, "告警风暴：10 分钟内 24 条新告警（严重 1 警告 23），00:09 起",
                     "Storm: 24 new alerts in 10m (critical 1 warning 23), since 00:09", id="storm"),
    ],
)  # fmt: skip
def test_each_kind_says_what_where_and_how_much(says: dict[str, Any], chinese: str, english: str) -> None:
    alert = Alert(**(BASE | says))
    assert summarize(alert) == chinese
    assert summarize(alert, language="en") == english


@pytest.mark.parametrize(
    ("status", "reason", "opening"),
    [
        pytest.param("resolved", "", "[已恢复] 差评突增", id="resolved"),
        pytest.param("resolved", "corrected", "[已更正] 差评突增", id="corrected"),
        pytest.param("updated", "moved", "[更新] 差评突增", id="updated"),
        pytest.param("updated", "escalated", "[升级] 差评突增", id="escalated"),
        pytest.param("firing", "", "差评突增", id="firing"),
    ],
)
def test_a_later_transition_says_so_first(status: str, reason: str, opening: str) -> None:
    assert summarize(Alert(**(BASE | SPIKE | {"status": status, "reason": reason}))).startswith(opening)


def test_a_start_on_another_day_has_its_date() -> None:
    assert "11-10 23:12 起" in summarize(Alert(**(BASE | SPIKE | {"starts_at": AT - 3_610_000})))


def test_a_line_never_outgrows_the_lock_screen() -> None:
    labels = {"dimension": "category", "value": "手" * 500}
    assert len(summarize(Alert(**(BASE | SPIKE | {"labels": labels})))) == MAX_CHARS


@pytest.mark.parametrize("kind", ["negative_spike", "complaint_spike", "sla_breach_rate", "feed_silent", "threshold"])
def test_a_line_needs_no_evidence(kind: str) -> None:
    assert summarize(Alert(**(BASE | {"kind": kind})))


@pytest.mark.parametrize(
    ("labels", "chinese", "english"),
    [
        ({"dimension": "region", "value": ""}, "地区「未填」", "region (none)"),
        ({"dimension": "category+region", "value": "手机|"}, "类目+地区「手机|未填」", "category+region 手机|(none)"),
        ({"dimension": "category+region", "value": "手机|a|b"}, "类目+地区「手机|a|b」", "category+region 手机|a|b"),
    ],
)
def test_a_dimension_that_events_lack_is_named_so(labels: dict[str, str], chinese: str, english: str) -> None:
    alert = Alert(**(BASE | SPIKE | {"labels": labels}))
    assert chinese in summarize(alert)
    assert english in summarize(alert, language="en")
