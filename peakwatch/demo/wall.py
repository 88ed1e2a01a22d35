"""What the demo shows, read from the store as a value; `screen.py` draws it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from storage.client import ClickHouse

SHOWN_ALERTS: Final = 6
NEWEST_TRANSITIONS: Final = 20  # many more than come between two looks
SHOWN_SLICES: Final = 3
FEWEST_REVIEWS: Final = 15  # a share of fewer says little
TREND_STEP_MS: Final = 180_000
TREND_STEPS: Final = 20  # an hour

ALERTS_SQL: Final = """
SELECT alert_id, argMax(status, at) AS status, argMax(severity, at), argMax(summary, at), argMax(evidence, at),
       any(labels), any(kind), min(at), max(at)
FROM {database}.alert_transitions_v WHERE kind NOT IN ('sla_breach', 'sla_warning')
GROUP BY alert_id ORDER BY status = 'resolved', min(at) DESC LIMIT %(limit)s
"""
TRANSITIONS_SQL: Final = """
SELECT alert_id, status, severity, summary, evidence, labels, kind, min(at) OVER (PARTITION BY alert_id), at
FROM {database}.alert_transitions_v WHERE kind NOT IN ('sla_breach', 'sla_warning')
ORDER BY at DESC, status DESC LIMIT %(limit)s
"""
FIGURES: Final = (
    "window_end", "reviews", "negative_share", "sentiment_mean", "complaints", "complaints_per_1k_orders",
    "tickets_open", "first_response_p50_ms", "first_response_p90_ms", "sla_breaches",
)  # fmt: skip


class Slice(NamedTuple):
    """One value of a dimension in its last 5 min."""

    value: str
    reviews: int
    negative_share: float


@dataclass(slots=True)
class Alert:
    """An alert as it stands, or stood after a transition; instants are ms."""

    alert_id: str
    status: str
    severity: str
    summary: str
    evidence: dict[str, Any]
    labels: dict[str, str]
    kind: str
    fired_at: int
    changed_at: int

    @property
    def is_open(self) -> bool:
        """Whether it still calls."""
        return self.status != "resolved"


@dataclass(slots=True)
class Wall:
    """One look at the store."""

    now_ms: int
    sent: int
    reviews: int = 0
    windows: int = 0  # rolling windows that are moving
    figures: dict[str, Any] = field(default_factory=dict)  # of `all`, last 5 min
    categories: list[Slice] = field(default_factory=list)
    trends: dict[str, list[float]] = field(default_factory=dict)  # category -> negative share, every third minute
    trend_ms: int = 0  # the window's end at their last value
    worst: list[Slice] = field(default_factory=list)  # of category and region
    alerts: list[Alert] = field(default_factory=list)  # open ones first, then the latest
    transitions: list[Alert] = field(default_factory=list)  # the newest, in their order
    tally: dict[str, int] = field(default_factory=dict)  # transitions by "kind status"

    @property
    def figures_ms(self) -> int:
        """The end of the newest window; 0 before any."""
        return _ms(self.figures["window_end"]) if self.figures else 0


def look(client: ClickHouse, *, now_ms: int, sent: int, before: Wall | None) -> Wall:
    """Read the wall's figures, to go on from those of the look before; TransientError when the store is away."""
    wall = Wall(now_ms, sent)
    database = client.settings.database
    last = f"FROM {database}.windows_latest WHERE window_seconds = 300 AND dimension"
    found = client.execute(f"SELECT {', '.join(FIGURES)} {last} = 'all'")
    if found:
        wall.figures = dict(zip(FIGURES, found[0], strict=True))
    columns = "SELECT value, reviews, ifNull(negative_share, 0)"
    wall.categories = [
        Slice(*row) for row in client.execute(f"{columns} {last} = 'category' AND value != '' ORDER BY 1")
    ]
    wall.worst = [
        Slice(*row)
        for row in client.execute(
            f"{columns} {last} = 'category+region' AND judged >= {FEWEST_REVIEWS} ORDER BY 3 DESC LIMIT {SHOWN_SLICES}"
        )
    ]
    _go_on(wall, before)
    wall.reviews = client.execute(f"SELECT uniqExact(event_id) FROM {database}.reviews")[0][0]
    wall.windows = client.execute(f"SELECT count() FROM {database}.windows_latest")[0][0]
    for kind, status, count in client.execute(
        f"SELECT kind, status, count() FROM {database}.alert_transitions_v GROUP BY kind, status"
    ):
        wall.tally[f"{kind} {status}"] = count
    rows = client.execute(ALERTS_SQL.format(database=database), {"limit": SHOWN_ALERTS})
    wall.alerts = [_alert(row) for row in rows]
    rows = client.execute(TRANSITIONS_SQL.format(database=database), {"limit": NEWEST_TRANSITIONS})
    wall.transitions = [_alert(row) for row in reversed(rows)]
    return wall


def _go_on(wall: Wall, before: Wall | None) -> None:
    """Take the trends over, and add to them once the windows have moved on by a step."""
    if before is not None:
        wall.trends, wall.trend_ms = before.trends, before.trend_ms
    end_ms = wall.figures_ms
    if end_ms - wall.trend_ms >= TREND_STEP_MS:
        wall.trend_ms = end_ms
        for one in wall.categories:
            wall.trends[one.value] = [*wall.trends.get(one.value, []), one.negative_share][-TREND_STEPS:]


def _alert(row: tuple[Any, ...]) -> Alert:
    alert_id, status, severity, summary, evidence, labels, kind, fired, changed = row
    said = msgspec.json.decode(evidence)
    return Alert(alert_id, status, severity, summary, said, dict(labels), kind, _ms(fired), _ms(changed))


def _ms(instant: dt.datetime) -> int:
    return round(instant.replace(tzinfo=dt.UTC).timestamp() * 1000)
