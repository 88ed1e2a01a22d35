"""Events for parity tests, seeded: all four topics, out of order, some late, sent twice or unreadable.

Whatever could be seen differently by partitions and by whole topics is kept apart from what parity is about: an event
is either out of order by much less than the allowed lateness, or late behind an event of its own key that is the
newest of its topic, and so late for both.
"""

import json
import random
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

from peakwatch.demo.reviews import load_corpus
from schemas.topics import COMPLAINTS, ORDERS, REVIEWS, TICKETS, Source

ORIGIN_MS: Final = 1_794_322_800_000  # 2026-11-10T15:00:00Z: an hour before the promotion in Shanghai
SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
DISORDER_MS: Final = 90 * SECOND
CATEGORIES: Final = ("手机", "服装", "水果", "家电")
REGIONS: Final = ("华东", "华南")
CHANNELS: Final = ("app", "wechat", "phone")
TIERS: Final = ("金卡", "普通")
SHOPS: Final = 4
PRODUCTS: Final = 12
BURSTS: Final = 20  # when reviews come, so that windows are many but not a hundred thousand

Event = dict[str, Any]


class Message(NamedTuple):
    """One message, in order of arrival."""

    arrives_ms: int
    topic: Source
    key: str | None
    raw: bytes


class Evening(NamedTuple):
    """What was sent. `end_ms` is the end of the last pane, and the newest event lies a millisecond before it."""

    messages: list[Message]
    end_ms: int
    events: dict[Source, set[str]]  # the ids of those that can be read
    unreadable: list[bytes]


def evening(*, seed: int, minutes: int = 150, reviews: int = 1_300, tickets: int = 110) -> Evening:
    """An evening of so many minutes."""
    return _Drawing(seed, minutes).evening(reviews=reviews, tickets=tickets)


class _Drawing:
    def __init__(self, seed: int, minutes: int) -> None:
        self._rng = random.Random(seed)
        self._corpus = load_corpus(seed)
        self._span = minutes * MINUTE
        self._number = 0
        self._messages: list[Message] = []
        self._bursts = [self._moment() for _ in range(BURSTS)]
        self._events: dict[Source, set[str]] = {REVIEWS: set(), COMPLAINTS: set(), TICKETS: set(), ORDERS: set()}
        self._unreadable: list[bytes] = []

    def evening(self, *, reviews: int, tickets: int) -> Evening:
        rng = self._rng
        for _ in range(reviews):
            self._put(REVIEWS, f"p{rng.randrange(PRODUCTS)}", self._burst(), self._review())
        for _ in range(reviews // 6):
            self._put(COMPLAINTS, self._name("k"), self._burst(), self._complaint())
        for at in range(0, self._span - MINUTE, MINUTE):
            self._put(ORDERS, f"s{rng.randrange(SHOPS)}", at, {"count": rng.randrange(60)})
        for number in range(tickets):
            self._ticket(f"t{number}")
        self._late()
        self._twice()
        self._rubbish()
        self._put(REVIEWS, "p0", self._span - 1, self._review(), arrives=self._span)
        self._messages.sort(key=lambda message: message.arrives_ms)
        return Evening(self._messages, ORIGIN_MS + self._span, self._events, self._unreadable)

    # --- kinds of events

    def _review(self) -> Event:
        rng = self._rng
        kind = rng.choices((self._corpus.positive, self._corpus.negative, ("", "好评！", "👍👍")), (6, 3, 1))[0]
        event: Event = {"review_id": self._name("r"), "text": rng.choice(kind)[:2_000], "customer_id": self._customer()}
        if rng.random() < 0.8:
            event["rating"] = rng.choice((1, 2, 3, 4, 4.5, 5))
        return event

    def _complaint(self) -> Event:
        rng = self._rng
        reason = rng.choice(("quality", "logistics", "refund", "other"))
        return {"reason": reason, "text": rng.choice(self._corpus.negative)[:500], "customer_id": self._customer()}

    def _ticket(self, name: str) -> None:
        """A ticket's steps: pauses, reopenings, answers that come too late or never."""
        rng, at = self._rng, self._moment()
        dims = {"priority": rng.choice(("urgent", "high", "normal", "low")), "queue": rng.choice(("refund", "returns"))}
        steps: list[tuple[int, Event]] = [(at, {"action": "created", **dims, **self._dims()})]
        if rng.random() < 0.2:
            steps.append((at, {"action": "first_response", "bot": True}))
        if rng.random() < 0.85:
            at += self._delay(8 * MINUTE)
            steps.append((at, {"action": rng.choice(("first_response", "agent_reply")), "agent_id": "a1"}))
        if rng.random() < 0.35:
            at += self._delay(4 * MINUTE)
            steps.append((at, {"action": "pending"}))
            at += self._delay(12 * MINUTE)
            steps.append((at, {"action": rng.choice(("resumed", "customer_reply"))}))
        if rng.random() < 0.8:
            at += self._delay(15 * MINUTE)
            steps.append((at, {"action": "resolved"}))
            if rng.random() < 0.25:
                at += self._delay(6 * MINUTE)
                steps.append((at, {"action": "reopened"}))
                at += self._delay(15 * MINUTE)
                steps.append((at, {"action": "resolved"}))
            at += self._delay(3 * MINUTE)
            steps.append((at, {"action": "closed", "csat": rng.choice((0, 1, 3, 4, 5, 5))}))
        for number, (due, event) in enumerate(steps):
            if due < self._span - 2 * MINUTE:
                self._put(TICKETS, name, due, {**event, "seq": number}, dims={})

    # --- what makes it hard

    def _late(self) -> None:
        """Events far behind one of their own key, which is the newest of its topic when they arrive."""
        rng = self._rng
        for number in range(40):
            arrives = rng.randrange(self._span // 2, self._span - 2 * MINUTE)
            at = arrives - rng.randrange(11 * MINUTE, 40 * MINUTE)
            ticket = f"t{rng.randrange(80)}"
            late: tuple[tuple[Source, str, Event, Event], ...] = (
                (REVIEWS, f"p{rng.randrange(PRODUCTS)}", self._review(), self._review()),
                (ORDERS, f"s{rng.randrange(SHOPS)}", {"count": 3}, {"count": 900}),
                (TICKETS, ticket, {"action": "escalated"}, {"action": rng.choice(("agent_reply", "resolved"))}),
            )
            topic, key, newest, event = late[number % 3]
            self._put(topic, key, arrives, newest, arrives=arrives)
            self._put(topic, key, at, event, arrives=arrives)

    def _twice(self) -> None:
        for message in self._rng.sample(self._messages, len(self._messages) // 25):
            again = message.arrives_ms + self._rng.randrange(20 * MINUTE)
            if again < ORIGIN_MS + self._span:
                self._messages.append(message._replace(arrives_ms=again))

    def _rubbish(self) -> None:
        for number in range(36):
            topic: Source = self._rng.choice((REVIEWS, COMPLAINTS, TICKETS, ORDERS))
            wrong: tuple[Event, ...] = (
                {"event_id": f"bad{number}", "event_time": "yesterday"},
                {"event_id": f"bad{number}", "event_time": ORIGIN_MS, "ticket_id": "", "action": "danced", "rating": 9},
                {"event_time": ORIGIN_MS, "text": ["no", "text"]},
            )
            raw = (
                *(json.dumps({"topic": topic, **event}).encode() for event in wrong),
                b'{"topic":"%s","event_id":"cut %d' % (topic.encode(), number),
                b"\xff\x00\xfe rubbish %d" % number,
                b"[" * 400 + b"%d" % number,
            )[number % 6]
            self._unreadable.append(raw)
            self._messages.append(Message(ORIGIN_MS + self._moment() + DISORDER_MS, topic, None, raw))

    # --- pieces

    def _put(
        self, topic: Source, key: str, at: int, event: Event, *, arrives: int | None = None, dims: Event | None = None
    ) -> None:
        if arrives is None:
            arrives = at + self._rng.randrange(DISORDER_MS)
        self._number += 1
        event_id = f"e{self._number}"
        self._events[topic].add(event_id)
        named = {REVIEWS: "product_id", COMPLAINTS: "complaint_id", TICKETS: "ticket_id", ORDERS: "shop_id"}[topic]
        whole = {
            "topic": topic, "event_id": event_id, "event_time": ORIGIN_MS + at,
            **(self._dims() if dims is None else dims), **event, named: key,
        }  # fmt: skip
        raw = json.dumps(whole, ensure_ascii=False).encode()
        self._messages.append(Message(ORIGIN_MS + arrives, topic, key, raw))

    def _burst(self) -> int:
        return self._rng.choice(self._bursts) + self._rng.randrange(15 * SECOND)

    def _moment(self) -> int:
        """Anywhere, so that the event still arrives before the end."""
        return self._rng.randrange(self._span - 5 * MINUTE)

    def _delay(self, median: int) -> int:
        return round(median * self._rng.lognormvariate(0.0, 1.2))

    def _dims(self) -> Event:
        rng = self._rng
        return {
            "category": rng.choice(CATEGORIES), "region": rng.choice(REGIONS), "channel": rng.choice(CHANNELS),
            "customer_tier": rng.choice(TIERS), "shop_id": f"s{rng.randrange(SHOPS)}",
        }  # fmt: skip

    def _customer(self) -> str:
        return f"c{self._rng.randrange(900)}"

    def _name(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"


def slices(evening: Evening, *, of_ms: int) -> Iterator[list[Message]]:
    """The messages that arrive in each such span, in order."""
    for _, messages in groupby(evening.messages, lambda message: (message.arrives_ms - ORIGIN_MS) // of_ms):
        yield list(messages)


def lines(messages: list[Message]) -> Iterator[bytes]:
    """As the lines of a file."""
    return (message.raw + b"\n" for message in messages)
