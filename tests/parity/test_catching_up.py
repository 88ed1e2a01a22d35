"""A worker that finds hours of events lying ready tells what a replay of them tells, though it reads topic by topic."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.instants import parse_instant
from schemas.topics import COMPLAINTS, ORDERS, REVIEWS, Source
from tests.parity.arena import ROOT, RULES, Arena
from tests.parity.evening import MINUTE, ORIGIN_MS, Message, lines

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(240)]

HOURS: Final = 16
NEAR_MS: Final = 60_000  # what one partition knows of copies and panes, another does not
CATEGORIES: Final = ("手机", "服装", "水果", "家电")
REGIONS: Final = ("华东", "华南", "华北")
TROUBLES: Final = ((6, "手机", "华东"), (9, "水果", "华南"), (13, "服装", "华北"))  # hour, category, region

Told = tuple[str, ...]  # kind and labels


def test_what_lies_ready_is_told_as_a_replay_tells_it(arena: Arena, tmp_path: Path) -> None:
    """Two thirds of a day before the first worker starts; that one is killed on its way. Budget: 60 s."""
    messages = sorted(_day(seed=3))
    expected = _replayed(messages, tmp_path)
    assert len(expected) >= 3
    arena.feed(messages)
    arena.environment["PEAKWATCH_DIMENSIONS"] = "all"  # windows are not what this is about
    victim = arena.start()
    _wait_for(arena, rows=len(messages) // 4)
    victim.kill()
    victim.wait()
    arena.start()
    _wait_for(arena, rows=len(messages))
    told = _told(arena, wanted=expected.keys(), within_s=60)
    assert told.keys() == expected.keys(), arena.last_words()
    apart = {name: told[name] - at for name, at in expected.items() if abs(told[name] - at) > NEAR_MS}
    assert not apart
    assert arena.stop() == [0], arena.last_words()


def _day(*, seed: int) -> Iterator[Message]:
    """Orders every minute, some reviews, few complaints; and for half an hour many more of one category and region."""
    rng, number = random.Random(seed), 0
    begin = ORIGIN_MS - HOURS * 60 * MINUTE
    for minute in range(HOURS * 60):
        events: list[tuple[Source, dict[str, Any]]] = []
        for category, region in product(CATEGORIES, REGIONS):
            place = {"category": category, "region": region}
            events.append((ORDERS, {"count": 10, **place}))
            if rng.random() < 0.2:
                review = {"review_id": f"r{minute}{category}{region}", "text": "不错，很喜欢", "rating": 5}
                events.append((REVIEWS, review | place))
            trouble = any(0 <= minute - hour * 60 < 30 and [*place.values()] == where for hour, *where in TROUBLES)
            for copy in range((rng.random() < 0.05) + 4 * trouble):
                complaint = {"complaint_id": f"k{minute}{category}{region}{copy}", "reason": "quality", "text": "坏了"}
                events.append((COMPLAINTS, complaint | place))
        for topic, event in events:
            number += 1
            at = begin + minute * MINUTE + rng.randrange(MINUTE)
            whole = {"topic": topic, "event_id": f"e{number}", "event_time": at, "customer_id": f"c{number}", **event}
            yield Message(at, topic, f"{number % 7}", json.dumps(whole, ensure_ascii=False).encode())


def _replayed(messages: list[Message], folder: Path) -> dict[Told, int]:
    events, alerts = folder / "events.jsonl", folder / "alerts.jsonl"
    with events.open("wb") as file:
        file.writelines(lines(messages))
    command = [sys.executable, "-m", "peakwatch.cli", "replay", str(events), "--rules", str(RULES)]
    subprocess.run([*command, "--alerts", str(alerts)], cwd=ROOT, capture_output=True, timeout=60, check=True)
    told = [json.loads(line) for line in alerts.read_text("utf-8").splitlines()]
    return {_name(one["kind"], one["labels"]): parse_instant(one["at"]) for one in told if one["status"] == "firing"}


def _told(arena: Arena, *, wanted: object, within_s: float) -> dict[Told, int]:
    """What was told once all of it is, and some seconds later, in case there is more."""
    deadline = time.monotonic() + within_s
    query = (
        "SELECT kind, labels, toUnixTimestamp64Milli(at) FROM {db}.alert_transitions_v WHERE status = 'firing' "
        f"AND at < fromUnixTimestamp64Milli({ORIGIN_MS})"
    )
    told: dict[Told, int] = {}
    while time.monotonic() < deadline:
        told = {_name(kind, labels): at for kind, labels, at in arena.rows(query)}
        if told.keys() == wanted:
            break
        time.sleep(0.5)
    time.sleep(3)
    return {_name(kind, labels): at for kind, labels, at in arena.rows(query)}


def _name(kind: str, labels: dict[str, str]) -> Told:
    return kind, *(value for _, value in sorted(labels.items()))


def _wait_for(arena: Arena, *, rows: int) -> None:
    deadline = time.monotonic() + 90
    while _stored(arena) < rows:
        assert time.monotonic() < deadline, arena.last_words()
        time.sleep(0.3)


def _stored(arena: Arena) -> int:
    return sum(arena.rows(f"SELECT count() FROM {{db}}.{topic}_v")[0][0] for topic in (REVIEWS, COMPLAINTS, ORDERS))
