"""A stream as the contract's events, one JSON object a line with its topic, in order of arrival."""

import json
from collections.abc import Iterator
from typing import Any

from bench.alerts.generate import COMPLAINT, ORDERS, Stream
from bench.alerts.texts import STARS, choices, corpus
from bench.alerts.world import DIMENSIONS

TOPICS = {ORDERS: "orders", COMPLAINT: "complaints"}


def lines(stream: Stream) -> Iterator[str]:
    """What `peakwatch replay` reads."""
    texts, (text, stars) = corpus(), choices(stream)
    for i in range(len(stream.at)):
        kind, number = int(stream.kind[i]), int(stream.number[i])
        event: dict[str, Any] = {
            "topic": TOPICS.get(kind, "reviews"), "event_id": f"e{number}",
            "event_time": stream.plan.start_ms + int(stream.at[i] * 1000.0),
        }  # fmt: skip
        dims = {name: int(stream.dims[name][i]) for name in DIMENSIONS}
        event |= {name: stream.world.names[name][value] for name, value in dims.items() if value >= 0}
        if kind != ORDERS:
            event["customer_id"] = f"c{stream.customer[i]}"
        if kind == ORDERS:
            event["count"] = int(stream.count[i])
        elif kind == COMPLAINT:
            event |= {"complaint_id": f"k{number}", "reason": "quality", "text": texts[True][text[i]]}
        else:
            words = texts[bool(stream.negative[i])][text[i]]
            event |= {"review_id": f"r{number}", "rating": 1.0 + 4.0 * STARS[stars[i]], "text": words}
        yield json.dumps(event, ensure_ascii=False)
