"""Draws a dashboard without Grafana: its built JSON laid out on the grid, with ClickHouse's real answers in it.

    python scripts/wall_picture.py docs/pictures [wall wall-4k service]

A preview, and no picture of Grafana: places, sizes, colours and figures are those of the dashboard; letters, axes and
frames are ours. The data are the demo's evening, played into an embedded ClickHouse. Chromium and Noto Sans CJK are
needed.
"""

import html
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.filled import fill
from embedded.clickhouse import start
from grafana.built import DIRECTORY
from grafana.macros import ALL, Context, expand
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


def main(target: Path, names: Sequence[str]) -> int:
    """The exit status: 1 where no Chromium is."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as directory, start(Path(directory, "clickhouse")) as server:
        client = ClickHouse(ClickHouseSettings(host=server.host, port=server.port))
        migrate(client, database="peakwatch")
        client.execute("USE peakwatch")
        filled = fill(client, database="peakwatch")
        for name in names:
            board = json.loads((DIRECTORY / "zh" / f"{name}.json").read_text(encoding="utf-8"))
            width, height, page = draw(board, client, filled.from_ms, filled.to_ms, SIZES.get(name))
            path = Path(directory, f"{name}.html")
            path.write_text(page, encoding="utf-8")
            picture = target / f"{name}.png"
            subprocess.run(
                [chromium, "--headless", "--no-sandbox", "--hide-scrollbars", f"--screenshot={picture.resolve()}",
                 f"--window-size={width},{height}", path.as_uri()], check=True, capture_output=True,
            )  # fmt: skip
            print(f"{picture} written")
        client.close()
    return 0


def draw(
    board: dict[str, Any], client: ClickHouse, from_ms: int, to_ms: int, size: tuple[int, int] | None
) -> tuple[int, int, str]:
    """Width, height and page of a dashboard at an instant."""
    chosen: dict[str, str | list[str]] = {one["name"]: ALL for one in board["templating"]["list"]}
    chosen |= {"window": "300", "ticket": "", "alert": "", "peak": "double-11"}
    context = Context(from_ms, to_ms, interval_s=30, chosen=chosen)
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    width, height = size or (WIDTH, rows * (UNIT_PX + GAP_PX) + GAP_PX)
    parts = [_panel(panel, client, context, width) for panel in board["panels"]]
    return width, height, f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style>{''.join(parts)}"


def _panel(panel: dict[str, Any], client: ClickHouse, context: Context, width: int) -> str:
    at = panel["gridPos"]
    column = (width - GAP_PX) / 24
    box = (
        f"left:{GAP_PX + at['x'] * column:.0f}px;top:{GAP_PX // 2 + at['y'] * (UNIT_PX + GAP_PX)}px;"
        f"width:{at['w'] * column - GAP_PX:.0f}px;height:{at['h'] * (UNIT_PX + GAP_PX) - GAP_PX}px"
    )
    title = html.escape(panel.get("title") or "")
    if panel["type"] == "row":
        return f"<div class=p style='{box};background:none'><h2>▾ {title}</h2></div>"
    sql = expand(panel["targets"][0]["rawSql"], context)
    names = [str(row[0]) for row in client.execute(f"DESCRIBE ({sql})")]
    rows = client.execute(sql)
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
        shown = _shown(value, defaults.get("unit", ""), defaults.get("decimals")) if rows else defaults["noValue"]
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
        values = {row[1]: row[2]} if labelled else dict(zip(names[1:], row[1:], strict=True))
        for name, value in values.items():
            if value is not None:
                shown = _override(panel, str(name)).get("displayName", name)
                series.setdefault(str(shown) or "–", []).append((moment, float(value)))
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
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:] or ("wall", "service")))
