"""Draws a dashboard without Grafana: its built JSON laid out on the grid, with ClickHouse's real answers in it.

    python scripts/wall_picture.py docs/pictures [wall wall-4k service …] [--minutes 75] [--prometheus URL]

A preview, and no picture of Grafana: places, sizes, colours and figures are those of the dashboard; letters, axes and
frames are ours. The data are the demo's evening, played into an embedded ClickHouse (`promo` needs some hours, for two
editions), and of a Prometheus that scrapes a worker. A picture ends above the first table of customers' texts. Chromium
and Noto Sans CJK are needed; pngquant, where it is, makes files smaller.
"""

import argparse
import html
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.filled import ORIGIN_MS, fill
from embedded.clickhouse import start
from grafana.built import DIRECTORY
from grafana.macros import ALL, Context, expand
from schemas.results import PeakPhase
from storage.client import ClickHouse, ClickHouseSettings
from storage.migrate import migrate

UNIT_PX: Final = 30
GAP_PX: Final = 8
SIZES: Final = {"wall": (1920, 1080), "wall-4k": (3840, 2160)}
WIDTH: Final = 1920
COLOURS: Final = ("#5794f2", "#ff9830", "#73bf69", "#f2495c", "#b877d9", "#fade2a", "#8ab8ff", "#ffb357", "#96d98d")
STYLE: Final = """body{margin:0;background:#111217;color:#d8dadf;font-family:'Noto Sans CJK SC',sans-serif}
.p{position:absolute;overflow:hidden;border-radius:3px;background:#181b1f;box-sizing:border-box}
.s{display:flex;align-items:center;justify-content:center;color:#fff;font-weight:600}
.s>div{text-align:center;flex:1;height:100%;display:flex;flex-direction:column;justify-content:center;line-height:1.15}
h2{font-size:14px;font-weight:500;margin:6px 10px}table{width:100%;border-collapse:collapse;font-size:14px}
td,th{text-align:left;padding:5px 10px;border-top:1px solid #2c3036;white-space:nowrap}
.l{font-size:12px;padding:0 10px;color:#aab}"""


RATE: Final = "1m"
POINTS: Final = 120
PHASES: Final = ("预热", "高潮", "返场")


def main(target: Path, names: Sequence[str], *, minutes: int, prometheus: str) -> int:
    """The exit status: 1 where no Chromium is."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as directory, start(Path(directory, "clickhouse")) as server:
        client = ClickHouse(ClickHouseSettings(host=server.host, port=server.port))
        migrate(client, database="peakwatch")
        client.execute("USE peakwatch")
        filled = fill(client, database="peakwatch", minutes=minutes, phases=editions(minutes))
        for name in names:
            board = json.loads((DIRECTORY / "zh" / f"{name}.json").read_text(encoding="utf-8"))
            ask = Asked(client, prometheus, filled.from_ms, filled.to_ms)
            width, height, page = draw(board, ask, SIZES.get(name))
            path = Path(directory, f"{name}.html")
            path.write_text(page, encoding="utf-8")
            picture = target / f"{name}.png"
            subprocess.run(
                [chromium, "--headless", "--no-sandbox", "--hide-scrollbars", f"--screenshot={picture.resolve()}",
                 f"--window-size={width},{height}", path.as_uri()], check=True, capture_output=True,
            )  # fmt: skip
            if smaller := shutil.which("pngquant"):
                subprocess.run([smaller, "--force", "--ext", ".png", "64", picture], check=True)
            print(f"{picture} written")
        client.close()
    return 0


def editions(minutes: int) -> list[PeakPhase]:
    """One promotion twice, half of the time each, in phases of equal length."""
    phase_ms = minutes * 60_000 // (2 * len(PHASES))
    return [
        PeakPhase("evening", edition, phase, ORIGIN_MS + at * phase_ms, ORIGIN_MS + (at + 1) * phase_ms, "晚会")
        for at, (edition, phase) in enumerate((year, phase) for year in ("2025", "2026") for phase in PHASES)
    ]


class Asked:
    """Who answers, and for which time: ClickHouse for the evening's, Prometheus for its own newest minutes."""

    def __init__(self, client: ClickHouse, prometheus: str, from_ms: int, to_ms: int) -> None:
        self._client = client
        self._prometheus = prometheus
        self._time = (from_ms, to_ms)

    def sql(self, sql: str, chosen: dict[str, str | list[str]]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names and rows of a query, with its macros."""
        ready = expand(sql, Context(*self._time, interval_s=30, chosen=chosen))
        names = [str(row[0]) for row in self._client.execute(f"DESCRIBE ({ready})")]
        return names, self._client.execute(ready)

    def promql(self, targets: list[dict[str, Any]]) -> list[tuple[datetime, str, float]]:
        """Instant, line and value of all that the targets ask, oldest first."""
        found = []
        for target in targets:
            now = int(time.time())
            asked = {"query": target["expr"].replace("$__rate_interval", RATE), "end": now, "start": now - 2 * POINTS}
            url = f"{self._prometheus}/api/v1/query_range?{urllib.parse.urlencode(asked | {'step': 2})}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                lines = json.load(answer)["data"]["result"]
            for line in lines:
                legend = target.get("legendFormat", "").replace("__auto", "")
                for label, value in line["metric"].items():
                    legend = legend.replace("{{" + label + "}}", value)
                found += [(datetime.fromtimestamp(at, UTC), legend, float(value)) for at, value in line["values"]]
        return sorted((row for row in found if row[2] == row[2]), key=lambda row: row[0])


def draw(board: dict[str, Any], ask: Asked, size: tuple[int, int] | None) -> tuple[int, int, str]:
    """Width, height and page of a dashboard at an instant."""
    chosen: dict[str, str | list[str]] = {one["name"]: ALL for one in board["templating"]["list"]}
    chosen |= {"window": "300", "ticket": "", "alert": "", "peak": "evening"}
    panels = board["panels"]
    rows = min(
        [panel["gridPos"]["y"] for panel in panels if _texts(panel)]
        or [max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)]
    )
    width, height = size or (WIDTH, rows * (UNIT_PX + GAP_PX) + GAP_PX)
    parts = [_panel(panel, ask, chosen, width) for panel in panels if size or panel["gridPos"]["y"] < rows]
    return width, height, f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style>{''.join(parts)}"


def _texts(panel: dict[str, Any]) -> bool:
    """Whether it lists what customers wrote."""
    return panel["type"] == "table" and bool(_override(panel, "text"))


def _panel(panel: dict[str, Any], ask: Asked, chosen: dict[str, str | list[str]], width: int) -> str:
    at = panel["gridPos"]
    column = (width - GAP_PX) / 24
    box = (
        f"left:{GAP_PX + at['x'] * column:.0f}px;top:{GAP_PX // 2 + at['y'] * (UNIT_PX + GAP_PX)}px;"
        f"width:{at['w'] * column - GAP_PX:.0f}px;height:{at['h'] * (UNIT_PX + GAP_PX) - GAP_PX}px"
    )
    title = html.escape(panel.get("title") or "")
    if panel["type"] == "row":
        return f"<div class=p style='{box};background:none'><h2>▾ {title}</h2></div>"
    names: list[str]
    rows: list[tuple[Any, ...]]
    if "expr" in panel["targets"][0]:
        rows = list(ask.promql(panel["targets"]))
        names = ["time", "line", "value"]
        if panel["type"] == "stat":
            names, rows = ["value"], [row[2:] for row in rows[-1:]]
    else:
        names, rows = ask.sql(panel["targets"][0]["rawSql"], chosen)
    if panel["type"] == "stat":
        return f"<div class='p s' style='{box}'>{_stat(panel, names, rows)}</div>"
    inner = {"timeseries": _lines, "table": _table, "bargauge": _bars}.get(panel["type"], _table)(panel, names, rows)
    return f"<div class=p style='{box}'><h2>{title}</h2>{inner}</div>"


def _override(panel: dict[str, Any], name: str) -> dict[str, Any]:
    for one in panel["fieldConfig"].get("overrides", []):
        if one["matcher"]["options"] == name:
            return {each["id"]: each["value"] for each in one["properties"]}
    return {}


def _stat(panel: dict[str, Any], names: list[str], rows: list[tuple[Any, ...]]) -> str:
    defaults, text = panel["fieldConfig"]["defaults"], panel["options"].get("text") or {}
    cells = []
    for place, name in enumerate(names):
        value = rows[0][place] if rows else None
        own = _override(panel, name)
        steps = own.get("thresholds", defaults["thresholds"])["steps"]
        label = own.get("displayName") or defaults.get("displayName") or panel.get("title") or name
        unit = defaults.get("unit", "")
        shown = _shown(value, unit, defaults.get("decimals")) if rows and value is not None else defaults["noValue"]
        cells.append(
            f"<div style='background:{_colour(value, steps)}'><span style='font-size:{text.get('titleSize', 16)}px'>"
            f"{html.escape(str(label))}</span><span style='font-size:{text.get('valueSize', 40)}px'>"
            f"{html.escape(shown)}</span></div>"
        )
    return "".join(cells)


def _colour(value: Any, steps: list[dict[str, Any]]) -> str:
    colour = str(steps[0]["color"])
    for step in steps[1:]:
        if isinstance(value, int | float) and value >= step["value"]:
            colour = str(step["color"])
    return colour


def _shown(value: Any, unit: str, decimals: int | None = None) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%m-%d %H:%M:%S}"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    digits = 1 if decimals is None and isinstance(value, float) else decimals or 0
    if unit == "percentunit":
        return f"{value * 100:.{digits}f}%"
    if unit == "dtdhms":
        days, rest = divmod(int(value), 86_400)
        return f"{days} d {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}" if days else (
            f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}")  # fmt: skip
    if unit == "bytes":
        return f"{value / 1_000_000:,.0f} MB"
    if unit in ("ms", "s"):
        seconds = value / 1000 if unit == "ms" else value
        return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
    return f"{value:,.{digits}f}"


def _lines(panel: dict[str, Any], names: list[str], rows: list[tuple[Any, ...]]) -> str:
    """Lines as a drawing of 1,000 by 300, stretched into the panel."""
    series: dict[str, list[tuple[float, float]]] = {}
    labelled = len(names) > 2 and isinstance(rows[0][1], str) if rows else False
    for row in rows:
        moment = row[0].replace(tzinfo=UTC).timestamp()
        label, first = (row[1], 2) if labelled else ("", 1)
        for name, value in zip(names[first:], row[first:], strict=True):
            if value is not None:
                shown = str(_override(panel, name).get("displayName", label if labelled else name))
                shown = shown.replace("${__field.labels.value}", label).strip()
                series.setdefault(shown or "–", []).append((moment, float(value)))
    points = [point for line in series.values() for point in line]
    if not points:
        return ""
    left, right = min(at for at, _ in points), max(at for at, _ in points)
    top = max(value for _, value in points) * 1.05 or 1.0
    drawn = []
    for number, line in enumerate(series.values()):
        path = " ".join(
            f"{(at - left) / max(1, right - left) * 1000:.1f},{300 - value / top * 300:.1f}" for at, value in line
        )
        colour = COLOURS[number % len(COLOURS)]
        drawn.append(
            f"<polyline points='{path}' fill=none stroke='{colour}' stroke-width=2 vector-effect=non-scaling-stroke />"
        )
    for step in (panel["fieldConfig"]["defaults"].get("thresholds") or {"steps": []})["steps"][1:]:
        if step["value"] < top:
            y = 300 - step["value"] / top * 300
            drawn.append(f"<line x1=0 x2=1000 y1={y} y2={y} stroke='{step['color']}' stroke-dasharray=6 />")
    legend = " · ".join(
        f"<span style='color:{COLOURS[number % len(COLOURS)]}'>{html.escape(name)}</span>"
        for number, name in enumerate(series)
    )
    unit = panel["fieldConfig"]["defaults"].get("unit", "")
    times = f"{datetime.fromtimestamp(left, UTC):%H:%M} – {datetime.fromtimestamp(right, UTC):%H:%M} UTC"
    return (
        f"<div class=l>0 … {_shown(top, unit)} · {times}</div><svg viewBox='0 0 1000 300' preserveAspectRatio=none "
        f"style='width:98%;height:calc(100% - 84px);margin:4px 1%'>{''.join(drawn)}</svg><div class=l>{legend}</div>"
    )


def _table(panel: dict[str, Any], names: list[str], rows: list[tuple[Any, ...]]) -> str:
    kept = [(place, name, _override(panel, name)) for place, name in enumerate(names)]
    kept = [one for one in kept if not one[2].get("custom.hidden")]
    head = "".join(f"<th>{html.escape(str(own.get('displayName', name)))}</th>" for _, name, own in kept)
    body = []
    for row in rows[:14]:
        cells = []
        for place, _, own in kept:
            value = row[place]
            style = f"color:{_colour(value, own['thresholds']['steps'])}" if "thresholds" in own else ""
            for mapping in own.get("mappings", []):
                if found := mapping["options"].get(str(value)):
                    style = f"background:{found['color']};color:#fff"
            cells.append(f"<td style='{style}'>{html.escape(_shown(value, own.get('unit', ''))[:90])}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def _bars(panel: dict[str, Any], names: list[str], rows: list[tuple[Any, ...]]) -> str:
    number = next(place for place, value in enumerate(rows[0]) if isinstance(value, int | float))
    most = max(row[number] for row in rows) or 1
    return "".join(
        f"<div style='font-size:12px;margin:3px 10px'>{html.escape(str(row[0]))} <span style='display:inline-block;"
        f"height:10px;background:#3274d9;width:{row[number] / most * 60:.0f}%'></span> {_shown(row[number], '')}</div>"
        for row in rows[:15]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw dashboards without Grafana.")
    parser.add_argument("target", type=Path)
    parser.add_argument("names", nargs="*", default=["wall", "service"])
    parser.add_argument("--minutes", type=int, default=75)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    told = parser.parse_args()
    sys.exit(main(told.target, told.names, minutes=told.minutes, prometheus=told.prometheus))
