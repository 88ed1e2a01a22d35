"""What the storage tests share: a clock that moves when it sleeps, a ClickHouse of memory, rows to write."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.results import ReviewRow, WindowRow


@dataclass
class SteppingClock:
    """Time passes only when somebody sleeps."""

    now: int = 1_000_000
    slept: list[int] = field(default_factory=list)

    def now_ms(self) -> int:
        return self.now

    async def sleep(self, ms: int) -> None:
        self.slept.append(ms)
        self.now += ms
        await asyncio.sleep(0)


@dataclass
class MemoryClickHouse:
    """Keeps what is inserted; `refuse` may raise for a table's rows as ClickHouse would."""

    refuse: Callable[[str, list[dict[str, Any]]], None] = lambda table, rows: None
    inserts: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    calls: int = 0
    closed: bool = False

    def insert(self, table: str, names: Sequence[str], columns: Sequence[list[Any]]) -> int:
        rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        self.calls += 1
        self.refuse(table, rows)
        self.inserts.append((table, rows))
        return len(rows)

    def close(self) -> None:
        self.closed = True

    def ids(self, table: str = "peakwatch.reviews") -> list[str]:
        """The event ids stored in a table, in the order of arrival."""
        return [row["event_id"] for name, rows in self.inserts if name == table for row in rows]


def make_review(number: int, **changes: Any) -> ReviewRow:
    fields: dict[str, Any] = {
        "event_id": f"e{number}", "event_time": 1_762_790_400_000 + number, "received_at": 1_762_790_500_000,
        "topic_partition": 0, "topic_offset": number, "category": "手机", "channel": "app", "region": "华东",
        "customer_tier": "gold", "shop_id": "s1", "product_id": f"p{number % 7}", "customer": "c", "order": "o",
        "review_id": f"r{number}", "rating": None if number % 3 else 0.75, "text": "质量很好", "text_score": 0.9,
        "score": 0.8, "label": "positive", "invalid": "", "duplicates": 0, "late": False,
    }  # fmt: skip
    return ReviewRow(**(fields | changes))


def make_window(number: int, **changes: Any) -> WindowRow:
    fields: dict[str, Any] = {
        "window_seconds": 300, "window_end": 1_762_790_400_000 + number * 10_000, "dimension": "category",
        "value": "手机", "version": number, "reviews": 5, "judged": 5, "negative": 1, "neutral": 1,
        "negative_share": 0.2, "sentiment_mean": 0.5, "rating_mean": None, "satisfaction": 0.8, "complaints": 1,
        "orders": 0, "complaints_per_1k_orders": None, "tickets_created": 1, "tickets_open": 1,
        "first_response_ms": (100, 200, 300), "resolution_ms": None, "sla_breaches": 0, "sla_met": 0,
        "sla_breach_rate": None, "reopened": 0, "agreement": None, "first_response_sketch": {-1: 1, 100: 4},
        "resolution_sketch": {},
    }  # fmt: skip
    return WindowRow(**(fields | changes))
