"""The one composition: batching changes nothing, an id counts once whatever its topic, breaches keep their instant."""

import random
from typing import Any

import pytest

import sentiment.words
from peakwatch.config import load_config
from schemas.lines import alert_line, window_line
from schemas.results import Alert
from sla.policy import make_policy
from streams.decisions import Decisions
from streams.dimensions import Dimensions
from streams.engine import Engine, Line
from streams.judging import Judging
from streams.rows import window_rows
from streams.source import SourceConfig
from streams.windows import RollingWindows
from tests.unit.streams.event_streams import START_MS, lines, mixed_events, shuffled

TARGET_MS = 15 * 60_000
Told = tuple[list[bytes], list[bytes], list[str]]


def engine_of(judging: Judging, *, decisions: bool = True) -> Engine:
    config = load_config()
    policies = tuple(make_policy(clock, clock=clock, target_ms=TARGET_MS) for clock in ("first_response", "resolution"))
    return Engine(
        SourceConfig(judging=judging, mask=str, policies=policies),
        windows=RollingWindows(Dimensions(("all", "category"))),
        decisions=Decisions(config.rules, config.peaks, words=sentiment.words.load()) if decisions else None,
    )


def fed(engine: Engine, all_lines: list[Line], *, at_once: int) -> list[Alert]:
    alerts: list[Alert] = []
    for start in range(0, len(all_lines), at_once):
        alerts += engine.feed(all_lines[start : start + at_once])
    alerts += engine.finish()
    return alerts


def told(engine: Engine, alerts: list[Alert]) -> Told:
    rows = [window_line(row) for batch in engine.window_batches() for row in window_rows(batch, version=0)]
    return [alert_line(one) for one in alerts], rows, [repr(line) for line in engine.sla_lines()]


def step(after_ms: int, action: str, ticket: str = "t", **more: Any) -> tuple[str, dict[str, Any]]:
    at_ms = START_MS + after_ms
    return "tickets", {
        "event_id": f"{ticket}{action}{after_ms}",
        "event_time": at_ms,
        "ticket_id": ticket,
        "action": action,
        **more,
    }


def review(event_id: str, after_ms: int, text: str = "差") -> tuple[str, dict[str, Any]]:
    return "reviews", {"event_id": event_id, "event_time": START_MS + after_ms, "review_id": event_id, "text": text}


@pytest.mark.parametrize("seed", range(3))
def test_how_lines_are_batched_changes_nothing(seed: int, judging: Judging) -> None:
    pairs = mixed_events(seed, count=600)
    at = {i: event["event_time"] for i, (_, event) in enumerate(pairs)}
    all_lines = lines(shuffled(pairs, at, within_ms=600_000, seed=seed))
    rnd = random.Random(seed)
    wants = []
    for at_once in (10_000, 1, rnd.randrange(2, 60)):
        engine = engine_of(judging)
        wants.append(told(engine, fed(engine, all_lines, at_once=at_once)))
    assert wants[0] == wants[1] == wants[2]
    assert all(wants[0])


def test_an_id_counts_once_whatever_its_topic_and_the_first_readable_one_counts(judging: Judging) -> None:
    engine = engine_of(judging, decisions=False)
    complaint = {"event_id": "e", "event_time": START_MS + 5, "complaint_id": "c"}
    unreadable = ("tickets", {"event_id": "e", "event_time": START_MS, "ticket_id": "t", "action": "??"})
    fed(engine, lines([unreadable, ("complaints", complaint), review("e", 0), review("f", 0)]), at_once=10)
    tally = engine.tally
    assert (tally.events, tally.duplicates, tally.dead_letters) == (3, 1, 1)
    (minute, *_) = [row for batch in engine.window_batches() for row in window_rows(batch, version=0)]
    assert (minute.reviews, minute.complaints) == (1, 1)


def test_a_breach_alert_tells_the_instant_of_the_breach_and_the_end_of_the_file_is_the_end(judging: Judging) -> None:
    events = [step(0, "created"), review("r1", TARGET_MS - 1), review("r2", TARGET_MS)]
    alerts = fed(engine_of(judging), lines(events), at_once=10)
    breaches = [one for one in alerts if one.kind == "sla_breach"]
    assert {one.labels["clock"] for one in breaches} == {"first_response", "resolution"}
    assert {(one.status, one.at, one.starts_at) for one in breaches} == {
        ("firing", START_MS + TARGET_MS, START_MS + TARGET_MS)
    }


def test_what_is_due_after_the_end_has_not_happened(judging: Judging) -> None:
    alerts = fed(engine_of(judging), lines([step(0, "created"), review("r", TARGET_MS - 1)]), at_once=10)
    assert [one for one in alerts if one.kind == "sla_breach"] == []


def test_a_breach_taken_back_by_a_later_arrival_resolves_as_corrected(judging: Judging) -> None:
    events = [
        step(0, "created"), review("r", TARGET_MS + 70_000), review("next", TARGET_MS + 90_000),
        step(TARGET_MS - 1000, "first_response"), step(TARGET_MS - 500, "closed"), review("end", TARGET_MS + 200_000),
    ]  # fmt: skip
    alerts = [one for one in fed(engine_of(judging), lines(events), at_once=10) if one.kind == "sla_breach"]
    for clock in ("first_response", "resolution"):
        mine = [one for one in alerts if one.labels["clock"] == clock]
        assert [(one.status, one.reason) for one in mine] == [("firing", ""), ("resolved", "corrected")]
        assert mine[0].at == START_MS + TARGET_MS
        assert len({one.alert_id for one in mine}) == 1


def test_an_sla_alert_resolves_when_its_clock_stops(judging: Judging) -> None:
    events = [step(0, "created"), step(TARGET_MS + 600_000, "closed"), review("end", TARGET_MS + 800_000)]
    alerts = [one for one in fed(engine_of(judging), lines(events), at_once=10) if one.kind == "sla_breach"]
    told_at = sorted((one.status, one.at - START_MS) for one in alerts)
    assert told_at == [("firing", TARGET_MS)] * 2 + [("resolved", TARGET_MS + 600_000)] * 2
    assert {one.reason for one in alerts} == {""}


def test_of_an_empty_stream_nothing_is_said(judging: Judging) -> None:
    engine = engine_of(judging)
    assert fed(engine, [], at_once=1) == []
    assert told(engine, []) == ([], [], [])


def test_a_line_without_a_topic_of_ours_is_a_dead_letter(judging: Judging) -> None:
    engine = engine_of(judging)
    fed(engine, lines([("", {}), ("windows", {}), ("Reviews", review("r", 0)[1])]), at_once=10)
    assert (engine.tally.dead_letters, engine.tally.events) == (3, 0)
