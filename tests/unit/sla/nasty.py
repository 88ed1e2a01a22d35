"""Seeded tickets that hurt: calendars with DST, moved weekends and lunch breaks, steps at the very edges, two
`created`, pauses of stopped clocks, ties, bots, and any order of arrival."""

import random
from datetime import UTC, datetime
from typing import Any

CALENDARS: dict[str, dict[str, Any]] = {
    "cn-office": {
        "timezone": "Asia/Shanghai",
        "hours": {"mon-fri": "09:00-18:00", "sat": ["09:00-12:00", "13:30-18:00"]},
        "holidays": ["2026-09-25..2026-09-27", "2026-10-01..2026-10-07"],
        "workdays": ["2026-09-20", "2026-10-10"],
        "special": {"2026-11-01..2026-11-11": "08:00-24:00", "2026-11-13": "closed"},
    },
    "berlin-night": {
        "timezone": "Europe/Berlin",
        "hours": {"mon-sun": ["00:00-02:30", "22:00-24:00"]},
        "workdays": ["2026-10-25"],
    },
    "berlin-day": {
        "timezone": "Europe/Berlin",
        "hours": {"mon-sat": ["08:30-12:00", "13:00-17:15"], "sun": "02:15-02:45"},
        "holidays": ["2026-10-03"],
    },
    "new-york": {
        "timezone": "America/New_York",
        "hours": {"tue-fri": "09:00-17:00", "sun": "01:30-03:00"},
        "workdays": ["2026-11-07"],
        "special": {"2026-11-26": "closed", "2026-11-27": "10:00-14:00"},
    },
    "all-day": {
        "timezone": "Australia/Lord_Howe",
        "hours": {"mon-sun": "00:00-24:00"},
        "holidays": ["2026-10-05"],
    },
    "kathmandu": {"timezone": "Asia/Kathmandu", "hours": {"mon-fri": "10:00-16:30", "sun": "10:00-13:00"}},
}
H = 3_600_000
POLICIES: list[dict[str, Any]] = [
    {"name": "urgent-first", "clock": "first_response", "match": {"priority": ["urgent"]}, "target_ms": H // 4},
    {"name": "berlin-first", "clock": "first_response", "match": {"queue": "berlin"}, "target_ms": 2 * H,
     "calendar": "berlin-night", "warn_at": 0.333},
    {"name": "ny-first", "clock": "first_response", "match": {"region": ["us", "ca"]}, "target_ms": 8 * H,
     "calendar": "new-york", "warn_at": None},
    {"name": "any-first", "clock": "first_response", "target_ms": 9 * H, "calendar": "cn-office", "warn_at": 0.9999},
    {"name": "second", "clock": "resolution", "match": {"priority": "low", "queue": "berlin"}, "target_ms": 1000,
     "calendar": "berlin-day", "warn_at": 0.9999},
    {"name": "low", "clock": "resolution", "match": {"priority": "low"}, "target_ms": 5 * H, "calendar": "berlin-day"},
    {"name": "ny", "clock": "resolution", "match": {"region": "us"}, "target_ms": 16 * H, "calendar": "new-york",
     "warn_at": 0.5},
    {"name": "island", "clock": "resolution", "match": {"region": "ca"}, "target_ms": 24 * H, "calendar": "all-day"},
    {"name": "berlin", "clock": "resolution", "match": {"queue": "berlin"}, "target_ms": 9 * H // 2,
     "calendar": "berlin-night"},
    {"name": "returns", "clock": "resolution", "match": {"queue": "returns"}, "target_ms": 27 * H,
     "calendar": "cn-office", "warn_at": 0.123},
    {"name": "night", "clock": "resolution", "match": {"queue": ""}, "target_ms": 13 * H // 2, "calendar": "kathmandu"},
    {"name": "rest", "clock": "resolution", "match": {"channel": "chat"}, "target_ms": 24 * H},
    {"name": "chat-next", "clock": "next_response", "match": {"channel": "chat"}, "target_ms": H // 2},
    {"name": "office-next", "clock": "next_response", "match": {"priority": ["high", "low"]}, "target_ms": 2 * H,
     "calendar": "cn-office", "warn_at": 0.7},
]  # fmt: skip

EDGES = [
    datetime(2026, 10, 24, 22, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 15, tzinfo=UTC),  # Berlin: the hour twice
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # New York
    datetime(2026, 11, 1, 6, 0, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe, half an hour
    datetime(2026, 9, 18, 10, 0, tzinfo=UTC), datetime(2026, 9, 20, 1, 0, tzinfo=UTC),  # China: moved weekend
    datetime(2026, 9, 30, 10, 0, tzinfo=UTC), datetime(2026, 10, 8, 1, 0, tzinfo=UTC),  # National Day
    datetime(2026, 10, 31, 16, 0, tzinfo=UTC), datetime(2026, 11, 11, 16, 0, tzinfo=UTC),  # Double 11, midnight
    datetime(2026, 9, 14, 0, 0, tzinfo=UTC), datetime(2026, 11, 7, 14, 0, tzinfo=UTC),
]  # fmt: skip
SPRING = [datetime(2026, 3, 28, 22, 0, tzinfo=UTC), datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
          datetime(2026, 3, 8, 6, 30, tzinfo=UTC), datetime(2026, 4, 4, 14, 0, tzinfo=UTC)]  # fmt: skip
GAPS = [0, 0, 1, 999, 60_000, 5 * 60_000, 17 * 60_000 + 1, H // 2, H, 2 * H, 4 * H, 9 * H, 15 * H, 24 * H, 61 * H]
ACTIONS = [
    "assigned", "first_response", "first_response", "agent_reply", "agent_reply", "customer_reply", "customer_reply",
    "pending", "pending", "pending", "resumed", "escalated", "resolved", "resolved", "reopened", "reopened", "closed",
]  # fmt: skip


def tickets(seed: int, count: int) -> dict[str, list[dict[str, Any]]]:
    """Steps by ticket, in order of time; the caller shuffles them as it likes."""
    rng = random.Random(seed)
    return {f"t{number:06d}": _ticket(rng) for number in range(count)}


def _ticket(rng: random.Random) -> list[dict[str, Any]]:
    edge = rng.choice(EDGES + SPRING)
    at = int(edge.timestamp() * 1000) + rng.choice([0, 0, -1, 1, 60_000, -H, H // 2]) - rng.choice(GAPS)
    steps = [_step(rng, at, "created", _fields(rng))]
    for _ in range(rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 12, 20])):
        at += rng.choice(GAPS) + rng.choice([0, 0, 0, rng.randrange(60_000)])
        steps.append(_step(rng, at, rng.choice(ACTIONS), {}))
    if rng.random() < 0.15:  # before `created`
        early = _step(rng, steps[0]["at"] - rng.choice([0, 1, H]), rng.choice(ACTIONS), {})
        steps.insert(0, early)
    if rng.random() < 0.12:  # a second `created`, of other fields
        steps.append(_step(rng, steps[0]["at"] + rng.choice([0, 1, H]), "created", _fields(rng)))
    if rng.random() < 0.03:
        steps = [step for step in steps if step["action"] != "created"]
    return steps


def _fields(rng: random.Random) -> dict[str, str]:
    drawn = {
        "priority": rng.choice(["urgent", "high", "normal", "low", "low"]),
        "queue": rng.choice(["berlin", "returns", "refund"]),
        "region": rng.choice(["us", "ca", "华东"]),
        "channel": rng.choice(["chat", "phone"]),
    }
    return {field: value for field, value in drawn.items() if rng.random() < 0.7}


def _step(rng: random.Random, at: int, action: str, fields: dict[str, str]) -> dict[str, Any]:
    step: dict[str, Any] = {"at": at, "action": action, "fields": fields}
    if rng.random() < 0.4:
        step["seq"] = rng.randrange(-2, 4)
    if rng.random() < 0.2:
        step["bot"] = rng.random() < 0.6
    return step
