"""The clocks of `sla/` and those of the naive oracle agree to the millisecond, in whatever order steps arrive."""

import gzip
import json
import os
import random
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pytest

from sla.calendar import parse_calendars
from sla.policy import Policy, parse_policies
from sla.step import Step
from sla.transition import Transition
from sla.watch import SlaLine, SlaWatch
from tests.unit.sla import nasty, oracle

LOG_VARIABLE = "PEAKWATCH_TICKET_LOG"
Events = list[tuple[str, dict[str, Any]]]  # (ticket, step) in order of arrival


@pytest.fixture(scope="module")
def minutes() -> dict[str, Any]:
    calendars: dict[str, Any] = {"always": oracle.EveryMinute()}
    for name, definition in nasty.CALENDARS.items():
        calendars[name] = oracle.calendar_span(definition, date(2026, 2, 25), 340)
    return calendars


@pytest.fixture(scope="module")
def policies() -> tuple[Policy, ...]:
    calendars = parse_calendars(nasty.CALENDARS, source="")
    return parse_policies([_written(policy) for policy in nasty.POLICIES], calendars, source="")


@pytest.mark.parametrize("seed", range(5))
def test_clocks_of_nasty_tickets_agree_to_the_millisecond(
    seed: int, minutes: dict[str, Any], policies: tuple[Policy, ...]
) -> None:
    tickets = nasty.tickets(seed, 3000)
    rng = random.Random(seed)
    events = [(ticket_id, step) for ticket_id, steps in tickets.items() for step in steps]
    events.sort(key=lambda event: event[1]["at"] + rng.choice([0, 0, 0, rng.randrange(nasty.H), 50 * nasty.H]))
    if seed == 0:
        rng.shuffle(events)
    end = max(step["at"] for _, step in events)
    wanted = _oracle_lines(events, nasty.POLICIES, minutes, end)
    assert len(wanted) > 5000  # five seeds: more than 25,000 clocks
    watch, net = _run(events, policies, end, rng)
    assert [tuple(line) for line in watch.final_lines(end)] == [tuple(line) for line in wanted]
    assert net == _due(wanted)


def test_clocks_of_a_real_log_agree_to_the_millisecond() -> None:
    path = os.environ.get(LOG_VARIABLE)
    if not path:
        pytest.skip(f"{LOG_VARIABLE} names no log of real tickets in the contract's format")
    events = list(_read(path))
    times = [step["at"] for _, step in events]
    first = datetime.fromtimestamp(min(times) / 1000 - 3 * 86_400).date()
    days = (max(times) - min(times)) // 86_400_000 + 6
    names = ("cn-office", "berlin-day")
    minutes: dict[str, Any] = {"always": oracle.EveryMinute()}
    minutes |= {name: oracle.calendar_span(nasty.CALENDARS[name], first, days) for name in names}
    hours = nasty.H
    raw = [
        {"name": "u", "clock": "first_response", "match": {"priority": ["urgent", "high"]}, "target_ms": hours},
        {"name": "b", "clock": "first_response", "match": {"queue": "berlin"}, "target_ms": 4 * hours,
         "calendar": "berlin-day"},
        {"name": "f", "clock": "first_response", "target_ms": 9 * hours, "calendar": "cn-office"},
        {"name": "rb", "clock": "resolution", "match": {"queue": "berlin"}, "target_ms": 40 * hours,
         "calendar": "berlin-day", "warn_at": 0.75},
        {"name": "r", "clock": "resolution", "match": {"priority": "low"}, "target_ms": 240 * hours},
        {"name": "o", "clock": "resolution", "target_ms": 45 * hours, "calendar": "cn-office"},
    ]  # fmt: skip
    calendars = parse_calendars(nasty.CALENDARS, source="")
    policies = parse_policies([_written(policy) for policy in raw], calendars, source="")
    wanted = _oracle_lines(events, raw, minutes, max(times))
    watch, net = _run(events, policies, max(times), random.Random(0))
    assert [tuple(line) for line in watch.final_lines(max(times))] == [tuple(line) for line in wanted]
    assert net == _due(wanted)


def _run(
    events: Events, policies: tuple[Policy, ...], end: int, rng: random.Random
) -> tuple[SlaWatch, set[tuple[Any, ...]]]:
    """Feed the events, with the watermark 60 s behind and a restart from pages midway; what fired and stood."""
    watch = SlaWatch(policies, buckets=16)
    fired: set[tuple[Any, ...]] = set()
    newest = 0
    restart_at = len(events) // 2
    for arrival, (ticket_id, step) in enumerate(events):
        if arrival == restart_at:
            pages = [watch.dump_page(bucket) for bucket in range(16)]
            watch = SlaWatch(policies, buckets=16)
            for page in pages:
                _take(fired, watch.load_page(page))
        taken = Step(step["at"], step["action"], arrival, step.get("seq"), bool(step.get("bot")))
        _take(fired, watch.add_step(ticket_id, taken, step["fields"]).transitions)
        newest = max(newest, step["at"])
        if rng.random() < 0.1:  # ticks are intervals: how many there are changes nothing
            _take(fired, watch.advance(newest - 60_000))
    _take(fired, watch.advance(end))
    return watch, {moment for moment in fired if moment[2] in ("warning", "breach")}


def _take(fired: set[tuple[Any, ...]], transitions: Iterable[Transition]) -> None:
    for one in transitions:
        moment = (one.ticket_id, (one.clock, one.cycle), one.corrects or one.kind, one.at_ms, one.policy)
        if one.kind == "corrected":
            fired.remove(moment)
        else:
            assert moment not in fired
            fired.add(moment)


def _due(lines: Iterable[oracle.Line | SlaLine]) -> set[tuple[Any, ...]]:
    due: set[tuple[Any, ...]] = set()
    for line in lines:
        for kind, at in (("warning", line.warned_at), ("breach", line.breached_at)):
            if at is not None:
                due.add((line.ticket_id, (line.clock, line.cycle), kind, at, line.policy))
    return due


def _oracle_lines(
    events: Events, policies: list[dict[str, Any]], calendars: dict[str, Any], end: int
) -> list[oracle.Line]:
    tickets: dict[str, list[dict[str, Any]]] = {}
    for ticket_id, step in events:
        tickets.setdefault(ticket_id, []).append(step)
    return [line for ticket_id in sorted(tickets)
            for line in oracle.clocks_of(ticket_id, tickets[ticket_id], policies, calendars, end)]  # fmt: skip


def _written(policy: dict[str, Any]) -> dict[str, Any]:
    """The policy as YAML has it: the target is a duration."""
    return {key: value for key, value in policy.items() if key != "target_ms"} | {
        "target": f"{policy['target_ms'] // 1000}s"
    }


def _read(path: str) -> Iterable[tuple[str, dict[str, Any]]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event["topic"] == "tickets":
                at = round(datetime.fromisoformat(event["event_time"]).timestamp() * 1000)
                fields = {key: value for key, value in event.items() if isinstance(value, str)}
                yield event["ticket_id"], {"at": at, "action": event["action"], "fields": fields}
