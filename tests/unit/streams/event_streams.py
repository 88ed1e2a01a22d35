"""Seeded streams of all topics for the stream's tests: tickets with whole lives, arrivals out of order, duplicates."""

import json
import random
from typing import Any, TypeVar

from streams.engine import Line
from streams.intake import Record

T = TypeVar("T")

START_MS = 1_794_325_500_000  # 2026-11-10T23:45:00+08:00
TEXTS = ("好用，很满意", "差，物流太慢", "一般", "", "差评，客服不理人", "好")
AFTER = {
    "created": ("first_response", "agent_reply", "customer_reply", "pending", "assigned", "resolved", "escalated"),
    "first_response": ("customer_reply", "pending", "resolved", "closed"),
    "agent_reply": ("customer_reply", "pending", "resolved"),
    "customer_reply": ("agent_reply", "resolved"),
    "pending": ("customer_reply", "resumed", "resolved"),
    "assigned": ("first_response", "agent_reply", "closed"),
    "escalated": ("agent_reply", "resolved"),
    "resumed": ("agent_reply", "resolved"),
    "resolved": ("closed", "reopened", "customer_reply"),
    "closed": ("reopened", "closed"),
    "reopened": ("agent_reply", "resolved", "pending"),
}


def ticket_events(seed: int, *, tickets: int = 12, gap_ms: int = 30 * 60_000) -> list[dict[str, Any]]:
    """Lives of tickets in order of event time."""
    rnd = random.Random(seed)
    events = []
    for number in range(tickets):
        at_ms = START_MS + rnd.randrange(4 * 3_600_000)
        action = "created"
        dims = {"category": rnd.choice(["手机", "家电"]), "priority": rnd.choice(["high", "normal"])}
        for step in range(rnd.randrange(1, 9)):
            event = {
                "event_id": f"t{number}-{step}",
                "event_time": at_ms,
                "ticket_id": f"t{number}",
                "action": action,
                "seq": step,
                **dims,
            }
            if action == "closed":
                event["csat"] = rnd.choice([1, 3, 5, 9])
            if action == "agent_reply":
                event["bot"] = rnd.random() < 0.3
            events.append(event)
            action = rnd.choice(AFTER[action])
            at_ms += rnd.choice([0, 1, 999, 60_000, rnd.randrange(1, gap_ms)])
    return sorted(events, key=lambda event: (event["event_time"], event["event_id"]))


def mixed_events(seed: int, *, count: int = 400) -> list[tuple[str, dict[str, Any]]]:
    """Events of all topics, in order of event time."""
    rnd = random.Random(seed)
    found = [("tickets", event) for event in ticket_events(seed)]
    for number in range(count):
        topic = rnd.choice(("reviews", "reviews", "complaints", "orders"))
        event: dict[str, Any] = {
            "event_id": f"{topic}{number}", "event_time": START_MS + rnd.randrange(4 * 3_600_000),
            "category": rnd.choice(["手机", "家电", None]), "region": rnd.choice(["华东", "华北"]),
            "channel": rnd.choice(["app", "weibo"]), "customer_id": f"c{rnd.randrange(50)}", "product_id": "p1",
        }  # fmt: skip
        if topic == "reviews":
            event |= {"review_id": f"r{number}", "text": rnd.choice(TEXTS), "rating": rnd.choice([None, 1, 3, 5])}
        elif topic == "complaints":
            event |= {"complaint_id": f"c{number}", "text": rnd.choice(TEXTS)}
        else:
            event |= {"count": rnd.randrange(20)}
        found.append((topic, event))
    return sorted(found, key=lambda pair: (pair[1]["event_time"], pair[1]["event_id"]))


def shuffled(events: list[T], at: dict[int, int], *, within_ms: int, seed: int) -> list[T]:
    """The events in another order of arrival, none more than `within_ms` behind a newer one; `at`: their instants."""
    rnd = random.Random(seed)
    keys = {i: at[i] + rnd.randrange(within_ms + 1) for i in range(len(events))}
    return [events[i] for i in sorted(range(len(events)), key=lambda i: (keys[i], i))]


def record(number: int, event: dict[str, Any]) -> Record:
    return Record(number, 0, json.dumps(event).encode())


def lines(pairs: list[tuple[str, dict[str, Any]]]) -> list[Line]:
    """As a replay would read them."""
    return [Line(topic, record(number, event)) for number, (topic, event) in enumerate(pairs)]
