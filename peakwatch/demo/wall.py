"""What the demo shows: figures read from the store, as a value, and how it is drawn on a terminal."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.instants import format_instant
from storage.client import ClickHouse

NEGATIVE_RED: Final = 0.30
NEGATIVE_YELLOW: Final = 0.20
SHOWN_ALERTS: Final = 6


@dataclass(slots=True)
class Wall:
    """One look at the store."""

    now_ms: int
    sent: int
    reviews: int = 0
    windows: int = 0
    figures: dict[str, Any] = field(default_factory=dict)  # of `all`, last 5 min
    categories: list[tuple[str, int, float, float]] = field(default_factory=list)  # value, reviews, negative, sentiment
    alerts: list[dict[str, Any]] = field(default_factory=list)  # latest first, one an alert
    tally: dict[str, int] = field(default_factory=dict)  # transitions by "kind status"
    phase: str = ""


def look(client: ClickHouse, *, now_ms: int, sent: int) -> Wall:
    """Read the wall's figures; TransientError when the store is away."""
    wall = Wall(now_ms, sent)
    database = client.settings.database
    names = (
        "window_end", "reviews", "negative_share", "sentiment_mean", "complaints", "complaints_per_1k_orders",
        "tickets_open", "first_response_p50_ms", "first_response_p90_ms", "sla_breaches",
    )  # fmt: skip
    found = client.execute(
        f"SELECT {', '.join(names)} FROM {database}.windows_latest WHERE window_seconds = 300 AND dimension = 'all'"
    )
    if found:
        wall.figures = dict(zip(names, found[0], strict=True))
    wall.categories = client.execute(
        f"SELECT value, reviews, ifNull(negative_share, 0), ifNull(sentiment_mean, 0.5) FROM {database}.windows_latest "
        "WHERE window_seconds = 300 AND dimension = 'category' AND value != '' ORDER BY value"
    )
    wall.reviews = client.execute(f"SELECT uniqExact(event_id) FROM {database}.reviews")[0][0]
    wall.windows = client.execute(f"SELECT count() FROM {database}.windows")[0][0]
    for kind, status, count in client.execute(
        f"SELECT kind, status, count() FROM {database}.alert_transitions_v GROUP BY kind, status"
    ):
        wall.tally[f"{kind} {status}"] = count
    rows = client.execute(
        "SELECT alert_id, argMax(status, at), argMax(severity, at), argMax(summary, at), argMax(evidence, at), "
        f"any(kind), min(at), max(at) FROM {database}.alert_transitions_v "
        "WHERE kind NOT IN ('sla_breach', 'sla_warning') OR labels['ticket_id'] = '' "
        f"GROUP BY alert_id ORDER BY min(at) DESC LIMIT {SHOWN_ALERTS}"
    )
    for _, status, severity, summary, evidence, kind, first, _ in rows:
        wall.alerts.append(
            {
                "status": status, "severity": severity, "summary": summary, "kind": kind, "first": first,
                "evidence": msgspec.json.decode(evidence),
            }
        )  # fmt: skip
    return wall


def draw(wall: Wall, *, speed: float, hints: list[str]) -> RenderableType:
    """The whole screen."""
    head = Text.assemble(
        (" PeakWatch ", "bold white on blue"), "  ",
        (format_instant(wall.now_ms // 1000 * 1000)[:19].replace("T", " "), "bold"), f"  x{speed:g}   ",
        f"events sent {wall.sent:,}   reviews stored {wall.reviews:,}   windows written {wall.windows:,}",
    )  # fmt: skip
    columns = Table.grid(expand=True, padding=(0, 1))
    columns.add_column(ratio=3)
    columns.add_column(ratio=2)
    columns.add_row(_categories(wall), _service(wall))
    return Group(head, columns, _alerts(wall), Text("\n".join(hints), style="dim"))


def line(wall: Wall) -> str:
    """The same in one plain line, where there is no terminal."""
    figures = wall.figures
    share = figures.get("negative_share")
    return (
        f"{format_instant(wall.now_ms // 1000 * 1000)[11:19]} sent={wall.sent} reviews={wall.reviews} "
        f"windows={wall.windows} negative={'-' if share is None else f'{share:.0%}'} "
        f"open_tickets={figures.get('tickets_open', 0)} "
        f"first_response_p90={duration(figures.get('first_response_p90_ms'))} "
        f"sla_breaches={wall.tally.get('sla_breach firing', 0)} alerts_open={_open_count(wall)}"
    )


def alert_text(alert: dict[str, Any]) -> str:
    """An alert with its evidence: the words and quotes of customers."""
    words = alert["evidence"].get("keywords") or []
    quotes = alert["evidence"].get("texts") or []
    text = f"[{alert['status']}] {alert['summary']}"
    if words:
        text += "\n      关键词: " + "、".join(words)
    for quote in quotes[:2]:
        text += f"\n      “{quote[:60]}”"
    return text


def duration(ms: int | None) -> str:
    """A duration for people."""
    if ms is None:
        return "-"
    return f"{ms / 60_000:.0f} min" if ms >= 60_000 else f"{ms / 1000:.0f} s"


def _open_count(wall: Wall) -> int:
    return sum(alert["status"] != "resolved" for alert in wall.alerts)


def _categories(wall: Wall) -> RenderableType:
    table = Table(title="negative share by category, last 5 min", expand=True, title_justify="left")
    table.add_column("category")
    table.add_column("reviews", justify="right")
    table.add_column("negative", justify="right")
    table.add_column("")
    for value, reviews, share, _ in wall.categories:
        colour = "red" if share >= NEGATIVE_RED else "yellow" if share >= NEGATIVE_YELLOW else "green"
        table.add_row(value, str(reviews), f"[{colour}]{share:.0%}[/]", f"[{colour}]{'█' * round(share * 30)}[/]")
    return table


def _service(wall: Wall) -> RenderableType:
    figures = wall.figures
    table = Table(title="service, last 5 min", expand=True, title_justify="left", show_header=False)
    rate = figures.get("complaints_per_1k_orders")
    for name, value in (
        ("first response p50", duration(figures.get("first_response_p50_ms"))),
        ("first response p90", duration(figures.get("first_response_p90_ms"))),
        ("tickets open (SLA clocks run)", f"{figures.get('tickets_open', 0):,}"),
        ("SLA breaches so far", f"{wall.tally.get('sla_breach firing', 0):,}"),
        ("SLA warnings so far", f"{wall.tally.get('sla_warning firing', 0):,}"),
        ("complaints per 1,000 orders", "-" if rate is None else f"{rate:.1f}"),
        ("sentiment, 0 to 1", f"{figures['sentiment_mean']:.2f}" if figures.get("sentiment_mean") else "-"),
    ):
        table.add_row(name, value)
    return table


def _alerts(wall: Wall) -> RenderableType:
    if not wall.alerts:
        return Panel(Text("no alert yet", style="green"), title="alerts", title_align="left")
    text = Text()
    for alert in wall.alerts:
        red = alert["status"] != "resolved"
        text.append("● " if red else "○ ", style="bold red" if red else "green")
        text.append(alert_text(alert) + "\n", style="" if red else "dim")
    return Panel(text, title="alerts (tickets' own are counted above)", title_align="left")
