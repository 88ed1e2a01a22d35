"""How the demo's wall looks: on a terminal as a whole, elsewhere as plain lines."""

import datetime as dt
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerts.notify.facts import aspects_of
from peakwatch.demo.wall import Alert, Wall

SHANGHAI: Final = dt.timezone(dt.timedelta(hours=8))  # where the demo's evening is
SIDE_BY_SIDE: Final = 104  # cells; on a narrower terminal the tables stand below one another
BAR_CELLS: Final = 12
BAR_FULL: Final = 0.6  # a share that fills the bar
BLOCKS: Final = "▁▂▃▄▅▆▇█"
OPEN_SHOWN: Final = 2  # with their evidence
CLOSED_SHOWN: Final = 3
QUOTES: Final = 2
QUOTE_CHARS: Final = 44
SPIKES: Final = ("negative_spike", "complaint_spike")


def draw(wall: Wall, *, speed: float, rate: float, phase: str, hints: list[str], width: int) -> RenderableType:
    """The whole screen. `rate`: events a second, `phase`: of the promotion, "" outside of one, `width`: in cells."""
    head = Text.assemble(
        (" PeakWatch ", "bold white on blue"), "  ", (clock(wall.now_ms, seconds=True), "bold"), f"  ×{speed:g}",
        (f"   {phase}" if phase else "", "magenta"),
    )  # fmt: skip
    up_to = f"   figures up to {clock(wall.figures_ms)[11:]}" if wall.figures else ""
    flow = Text(
        f"{rate:,.0f} events/s   {wall.sent:,} sent   {wall.reviews:,} reviews judged and stored   "
        f"{wall.windows:,} rolling windows{up_to}",
        style="dim",
    )
    service = Group(_service(wall), _worst(wall))
    figures: RenderableType = Group(_categories(wall), service)
    if width >= SIDE_BY_SIDE:
        figures = Table.grid(expand=True, padding=(0, 2))
        figures.add_column(ratio=11)
        figures.add_column(ratio=9)
        figures.add_row(_categories(wall), service)
    return Group(head, flow, _alerts(wall), figures, Text("\n".join(hints), style="dim"))


def line(wall: Wall) -> str:
    """The same in one plain line, where there is no terminal."""
    figures = wall.figures
    share = figures.get("negative_share")
    return (
        f"{clock(wall.now_ms, seconds=True)[11:]} sent={wall.sent} reviews={wall.reviews} "
        f"windows={wall.windows} negative={'-' if share is None else f'{share:.0%}'} "
        f"open_tickets={figures.get('tickets_open', 0)} "
        f"first_response_p90={duration(figures.get('first_response_p90_ms')).replace(' ', '')} "
        f"sla_breaches={wall.tally.get('sla_breach firing', 0)} alerts_open={len(_open(wall))}"
    )


def alert_text(alert: Alert) -> str:
    """An alert with its evidence: the words and quotes of customers."""
    text = f"[{alert.status}] {alert.summary}"
    if blamed := aspects_of(alert.evidence, "zh"):
        text += "\n      不满在: " + "、".join(blamed)
    if words := alert.evidence.get("keywords"):
        text += "\n      关键词: " + "、".join(words)
    for quote in _quotes(alert):
        text += f"\n      {quote}"
    return text


def duration(ms: int | None) -> str:
    """A duration for people."""
    if ms is None:
        return "-"
    return f"{ms / 60_000:.0f} min" if ms >= 60_000 else f"{ms / 1000:.0f} s"


def clock(ms: int, *, seconds: bool = False) -> str:
    """The wall clock in Shanghai: 2026-11-10 23:47."""
    return dt.datetime.fromtimestamp(ms / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def spark(shares: list[float]) -> str:
    """A line of blocks, a block a share."""
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[min(round(share / BAR_FULL * top), top)] for share in shares)


def _open(wall: Wall) -> list[Alert]:
    return [alert for alert in wall.alerts if alert.is_open]


def _categories(wall: Wall) -> RenderableType:
    table = Table(
        title="差评占比 negative reviews, last 5 min", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
        expand=True, pad_edge=False,
    )  # fmt: skip
    table.add_column("类目", no_wrap=True, min_width=4)
    table.add_column("reviews", justify="right", no_wrap=True, min_width=7)
    table.add_column("negative", justify="right", no_wrap=True, min_width=8)
    table.add_column("", width=BAR_CELLS)
    table.add_column("last hour", no_wrap=True, overflow="crop")
    struck = {
        value for alert in _open(wall) if alert.kind in SPIKES for value in alert.labels.get("value", "").split("|")
    }
    for one in wall.categories:
        style = "bold red" if one.value in struck else "green"
        table.add_row(
            Text(one.value, style="bold red" if one.value in struck else ""), str(one.reviews),
            Text(f"{one.negative_share:.0%}", style=style),
            Text("█" * min(round(one.negative_share / BAR_FULL * BAR_CELLS), BAR_CELLS), style=style),
            Text(spark(wall.trends.get(one.value, [])), style=style),
        )  # fmt: skip
    return table


def _service(wall: Wall) -> RenderableType:
    figures = wall.figures
    table = Table(
        title="客服 service desk, last 5 min", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
        expand=True, show_header=False, pad_edge=False,
    )  # fmt: skip
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    rate = figures.get("complaints_per_1k_orders")
    half, most = (duration(figures.get(f"first_response_{name}_ms")) for name in ("p50", "p90"))
    breaches = wall.tally.get("sla_breach firing", 0)
    for name, value, style in (
        ("首响 first response p50 / p90", f"{half} / {most}", ""),
        ("待处理 tickets open", f"{figures.get('tickets_open', 0):,}", ""),
        ("SLA 预警 warned / 超时 breached", f"{wall.tally.get('sla_warning firing', 0):,} / {breaches:,}", ""),
        ("投诉 complaints per 1,000 orders", "-" if rate is None else f"{rate:.1f}", ""),
    ):
        table.add_row(name, Text(value, style=style or ("bold red" if name.startswith("SLA") and breaches else "bold")))
    return table


def _worst(wall: Wall) -> RenderableType:
    struck = [set(alert.labels.get("value", "").split("|")) for alert in _open(wall) if alert.kind in SPIKES]
    text = Text("最差切片 worst slices 类目|地区\n", style="bold")
    for one in wall.worst:
        named = any(parts <= set(one.value.split("|")) for parts in struck)
        text.append(
            f"{one.value}   {one.negative_share:.0%} of {one.reviews}\n", style="bold red" if named else "not bold"
        )
    return text


def _alerts(wall: Wall) -> RenderableType:
    calling = _open(wall)
    closed = [alert for alert in wall.alerts if not alert.is_open]
    text = Text()
    for alert in calling[:OPEN_SHOWN]:
        text.append(f"▲ {alert.summary}\n", style="bold red")
        if blamed := aspects_of(alert.evidence, "zh"):
            text.append("  不满在  ", style="dim").append("、".join(blamed) + "\n", style="yellow")
        if words := alert.evidence.get("keywords"):
            text.append("  关键词  ", style="dim").append("、".join(words) + "\n", style="yellow")
        for quote in _quotes(alert):
            text.append(f"  {quote}\n", style="italic")
        text.append(f"  fired {clock(alert.fired_at)}, last word {clock(alert.changed_at)[11:]}\n", style="dim")
    for alert in calling[OPEN_SHOWN:]:
        text.append(f"▲ {alert.summary}\n", style="red")
    for alert in closed[:CLOSED_SHOWN]:
        text.append("✓ ", style="green").append(f"{clock(alert.changed_at)[11:]} {alert.summary}\n", style="dim")
    if not wall.alerts:
        text.append("none yet: what is usual is being learned", style="green")
    text.rstrip()
    state = f"▲ {len(calling)} firing" if calling else "● calm again" if closed else "● calm"
    colour = "red" if calling else "green"
    return Panel(
        text, title=f"[bold white on {colour}] 告警 alerts: {state} [/]", title_align="left", border_style=colour,
        subtitle="single tickets' alerts are counted below" if wall.tally else None, subtitle_align="right",
    )  # fmt: skip


def _quotes(alert: Alert) -> list[str]:
    """Customers' own words, cut to a line."""
    texts = [" ".join(text.split()) for text in alert.evidence.get("texts") or []]
    return [f"“{text[:QUOTE_CHARS]}{'…' if len(text) > QUOTE_CHARS else ''}”" for text in texts[:QUOTES]]
