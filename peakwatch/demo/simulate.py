"""A promotion's evening, seeded: events of all topics in order of event time, with two incidents in them.

Texts are real; dimensions, volumes and tickets are drawn. The shares of ways through a ticket's life are those of a
public help desk log of 3,804 tickets (verenich/ProcessSequencePrediction, helpdesk.csv): 12 % assigned first, 5 %
resolved at once, 19 % waiting for the customer, 3.4 % reopened, and delays spread log-normally; their medians are
those of a shop that promises an answer within the hour.
"""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from peakwatch.demo.reviews import Corpus

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

CATEGORIES: Final = {"手机": 3, "服装": 4, "水果": 3, "图书": 2, "家电": 2, "美妆": 3, "酒店": 1, "平板": 2}
CHANNELS: Final = {"app": 8, "wechat": 4, "douyin": 3, "web": 2, "weibo": 1}
REGIONS: Final = {"华东": 5, "华南": 4, "华北": 3, "西南": 2, "华中": 2, "东北": 1, "西北": 1}
TIERS: Final = {"普通": 6, "银卡": 3, "金卡": 2, "黑卡": 1}
PRIORITIES: Final = {"urgent": 1, "high": 3, "normal": 8, "low": 2}
SHOPS: Final = 12
PRODUCTS: Final = 15  # a shop

REVIEWS_A_SECOND: Final = 2.4  # of event time, on an ordinary evening
ORDERS_A_REVIEW: Final = 4.0
COMPLAINTS_AN_ORDER: Final = 0.003
TICKETS_A_SECOND: Final = 0.10
NEGATIVE_SHARE: Final = 0.12
OVERLOOKED: Final = 3  # every so many-th ticket of those minutes

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """When what happens, in ms after the beginning."""

    overlooked_to: int = 4 * MINUTE  # at the change of shifts, tickets are left lying for more than an hour
    midnight: int = 60 * MINUTE  # the promotion begins
    late_from: int = 38 * MINUTE  # parcels of one category get stuck in one region
    late_to: int = 62 * MINUTE
    fraud_from: int = 84 * MINUTE  # a shop sells what it does not have
    fraud_to: int = 104 * MINUTE


class Evening:
    """Events from `origin_ms` on, without end."""

    def __init__(self, corpus: Corpus, *, origin_ms: int, seed: int, story: Story | None = None) -> None:
        self._corpus = corpus
        self._origin_ms = origin_ms
        self._rng = random.Random(seed)
        self._story = story or Story()
        self._later: list[tuple[int, int, Event]] = []
        self._number = 0
        self._turns = dict.fromkeys(("positive", "negative", "late", "broken"), 0)

    def events(self) -> Iterator[tuple[int, Event]]:
        """(event time in ms, event with its `topic`), by ascending time."""
        at = 0
        while True:
            for due, event in self._second(at):
                self._put(due, event)
            at += SECOND
            while self._later and self._later[0][0] < at:
                due, _, event = heapq.heappop(self._later)
                yield self._origin_ms + due, self._dated(due, event)

    def load(self, at: int) -> float:
        """Volume over an ordinary evening's: it triples at midnight and falls off slowly."""
        since = at - self._story.midnight
        return 1.0 if since < -20 * MINUTE else 1.4 if since < 0 else 1.2 + 2.0 * math.exp(-since / (2 * HOUR))

    # --- one second

    def _second(self, at: int) -> Iterator[tuple[int, Event]]:
        load = self.load(at)
        for _ in range(self._poisson(REVIEWS_A_SECOND * load)):
            yield self._moment(at), self._review(at)
        if at % (20 * SECOND) == 0:
            yield from self._orders(at, load)
        for _ in range(self._poisson(REVIEWS_A_SECOND * ORDERS_A_REVIEW * COMPLAINTS_AN_ORDER * load)):
            yield self._moment(at), self._complaint(self._dims(), "negative")
        if self._story.fraud_from <= at < self._story.fraud_to:
            for _ in range(self._poisson(0.05 * load)):
                yield self._moment(at), self._complaint({**self._dims(), "shop_id": "s03"}, "broken", reason="fraud")
        for _ in range(self._poisson(TICKETS_A_SECOND * load)):
            yield from self._ticket(self._moment(at))

    def _review(self, at: int) -> Event:
        dims = self._dims()
        late = self._story.late_from <= at < self._story.late_to
        if late and dims["category"] == "手机" and dims["region"] == "华东" and self._rng.random() < 0.8:
            text, stars = self._text("late"), self._rng.choice((1, 1, 2))
        elif self._rng.random() < NEGATIVE_SHARE:
            text, stars = self._text("negative"), self._rng.choice((1, 1, 2, 3))
        else:
            text, stars = self._text("positive"), self._rng.choice((4, 5, 5, 5))
        return {
            "topic": "reviews", "review_id": self._id("r"), "rating": stars, "text": text, **dims,
            "customer_id": f"c{self._rng.randrange(200_000)}", "order_id": self._id("o"),
        }  # fmt: skip

    def _orders(self, at: int, load: float) -> Iterator[tuple[int, Event]]:
        mean = REVIEWS_A_SECOND * ORDERS_A_REVIEW * 20 * load / SHOPS
        for shop in range(SHOPS):
            count = self._poisson(mean)
            yield at, {"topic": "orders", "shop_id": f"s{shop:02d}", "count": count}

    def _complaint(self, dims: Event, about: str, *, reason: str = "") -> Event:
        return {
            "topic": "complaints", "complaint_id": self._id("k"),
            "reason": reason or self._rng.choice(("quality", "logistics", "service", "refund", "price")),
            "severity": self._rng.choice(("low", "normal", "normal", "high")), "text": self._text(about), **dims,
            "customer_id": f"c{self._rng.randrange(200_000)}",
        }  # fmt: skip

    # --- a ticket's life

    def _ticket(self, at: int) -> Iterator[tuple[int, Event]]:
        rng = self._rng
        ticket = {"topic": "tickets", "ticket_id": self._id("t")}
        busy = 4.0 if self._story.late_from <= at < self._story.late_to + HOUR // 2 else 1.0
        created = {
            **ticket, "action": "created", "priority": self._drawn(PRIORITIES),
            "queue": rng.choice(("refund", "logistics", "returns", "technical")), **self._dims(),
        }  # fmt: skip
        yield at, created
        if rng.random() < 0.12:
            yield at + self._delay(2 * MINUTE, 1.0), {**ticket, "action": "assigned", "agent_id": self._agent()}
        if rng.random() < 0.05:
            yield at + self._delay(9 * MINUTE * busy, 1.2), {**ticket, "action": "resolved", "bot": True}
            return
        now = at + self._delay(6 * MINUTE * busy, 1.3)
        if at < self._story.overlooked_to and self._number % OVERLOOKED == 0:
            now += HOUR
        yield now, {**ticket, "action": "first_response", "agent_id": self._agent()}
        if rng.random() < 0.19:
            now += self._delay(4 * MINUTE, 1.0)
            yield now, {**ticket, "action": "pending"}
            now += self._delay(20 * MINUTE, 1.2)
            yield now, {**ticket, "action": rng.choice(("customer_reply", "resumed"))}
        now += self._delay(25 * MINUTE * busy, 1.4)
        yield now, {**ticket, "action": "resolved", "agent_id": self._agent()}
        if rng.random() < 0.034:
            now += self._delay(15 * MINUTE, 1.0)
            yield now, {**ticket, "action": "reopened"}
            now += self._delay(30 * MINUTE, 1.0)
            yield now, {**ticket, "action": "resolved", "agent_id": self._agent()}
        elif rng.random() < 0.4:
            yield (
                now + self._delay(5 * MINUTE, 1.0),
                {**ticket, "action": "closed", "csat": rng.choice((1, 3, 4, 5, 5))},
            )

    def _agent(self) -> str:
        return f"a{self._rng.randrange(30):02d}"

    def _delay(self, median: float, sigma: float) -> int:
        return round(median * math.exp(self._rng.gauss(0.0, sigma)))

    # --- what everything is made of

    def _dims(self) -> Event:
        shop = self._rng.randrange(SHOPS)
        return {
            "category": self._drawn(CATEGORIES), "channel": self._drawn(CHANNELS), "region": self._drawn(REGIONS),
            "customer_tier": self._drawn(TIERS), "shop_id": f"s{shop:02d}",
            "product_id": f"p{shop:02d}{self._rng.randrange(PRODUCTS):02d}",
        }  # fmt: skip

    def _drawn(self, weights: dict[str, int]) -> str:
        return self._rng.choices(tuple(weights), tuple(weights.values()))[0]

    def _text(self, about: str) -> str:
        texts: tuple[str, ...] = getattr(self._corpus, about)
        turn = self._turns[about]
        self._turns[about] = turn + 1
        return texts[turn % len(texts)]

    def _poisson(self, mean: float) -> int:
        limit, product, count = math.exp(-mean), self._rng.random(), 0
        while product > limit:
            product *= self._rng.random()
            count += 1
        return count

    def _moment(self, at: int) -> int:
        return at + self._rng.randrange(SECOND)

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    def _put(self, due: int, event: Event) -> None:
        self._number += 1
        heapq.heappush(self._later, (due, self._number, event))

    def _dated(self, due: int, event: Event) -> Event:
        self._number += 1
        return {"event_id": f"demo-{self._number}", "event_time": self._origin_ms + due, **event}
