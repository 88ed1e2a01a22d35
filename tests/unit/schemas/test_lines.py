"""The contract's lines, field by field."""

import base64
import json
from typing import Any

import pytest

from schemas.lines import alert_line, dead_letter_line, sla_line, window_line
from schemas.results import Alert, DeadLetter
from tests.unit.storage.stand_ins import make_window

START_MS = 1_794_327_130_000  # 2026-11-11T00:12:10+08:00
ALERT = Alert(
    alert_id="a", rule="negative-spike", kind="negative_spike", status="firing", severity="critical", at=START_MS,
    starts_at=START_MS - 1, ends_at=None, labels={"dimension": "category", "value": "手机"}, value=0.41, baseline=0.12,
    peak="double-11", summary="差评突增", evidence={"count": 812}, reason="",
)  # fmt: skip


def test_an_alert_s_line_has_the_contract_s_fields() -> None:
    line = json.loads(alert_line(ALERT))
    assert list(line)[:14] == [
        "alert_id", "rule", "kind", "status", "severity", "at", "starts_at", "ends_at", "labels", "value", "baseline",
        "peak", "summary", "evidence",
    ]  # fmt: skip
    assert (line["at"], line["starts_at"], line["ends_at"]) == (
        "2026-11-11T00:12:10+08:00", "2026-11-11T00:12:09.999+08:00", None,
    )  # fmt: skip
    assert "手机".encode() in alert_line(ALERT)


def test_a_reason_stands_only_where_there_is_one() -> None:
    assert "reason" not in json.loads(alert_line(ALERT))
    corrected = ALERT._replace(status="resolved", reason="corrected", ends_at=START_MS)
    assert json.loads(alert_line(corrected))["reason"] == "corrected"


def test_a_window_s_line_has_the_contract_s_fields_first() -> None:
    line = json.loads(window_line(make_window(1)))
    assert list(line)[:18] == [
        "window_seconds", "window_end", "dimension", "value", "reviews", "negative", "negative_share", "sentiment_mean",
        "rating_mean", "satisfaction", "complaints", "complaints_per_1k_orders", "tickets_created", "tickets_open",
        "first_response_ms", "resolution_ms", "sla_breaches", "reopened",
    ]  # fmt: skip


def test_percentiles_are_named_and_a_window_without_reviews_has_numbers_where_the_contract_wants_them() -> None:
    row = make_window(1)._replace(
        first_response_ms=(1, 2, 3), resolution_ms=None, negative_share=None, sentiment_mean=None, rating_mean=None
    )
    line = json.loads(window_line(row))
    assert line["first_response_ms"] == {"p50": 1, "p90": 2, "p99": 3}
    assert line["resolution_ms"] is None
    assert (line["negative_share"], line["sentiment_mean"], line["rating_mean"]) == (0.0, 0.5, None)


@pytest.mark.parametrize("cycle", [0, 2])
def test_a_clock_s_line_names_its_cycle_only_where_it_has_any(cycle: int) -> None:
    clock: dict[str, Any] = {"ticket_id": "t", "clock": "resolution", "policy": "p", "target_ms": 5, "elapsed_ms": 6}
    line = json.loads(sla_line(**clock, cycle=cycle, state="breached", breached_at=START_MS, warned_at=None))
    assert line.get("cycle", 0) == cycle
    assert {key: line[key] for key in clock} == clock
    assert (line["state"], line["breached_at"], line["warned_at"]) == ("breached", "2026-11-11T00:12:10+08:00", None)


def test_a_dead_letter_is_whole_as_text_or_else_in_base64() -> None:
    letter = DeadLetter("reviews", 3, 9, START_MS, "not_json", "why", "坏".encode())
    assert json.loads(dead_letter_line(letter))["raw"] == "坏"
    line = json.loads(dead_letter_line(letter._replace(raw=b"\xff\x00")))
    assert base64.b64decode(line["raw_base64"]) == b"\xff\x00"
    assert (line["topic"], line["partition"], line["offset"], line["reason"]) == ("reviews", 3, 9, "not_json")
