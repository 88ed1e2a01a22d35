"""How long does each query of the wall take, and how much does it read, as the store grows?

    python -m bench.wall [--windows 100] [--reviews 20] [--repeat 9] [--keep DIRECTORY]

Fills a ClickHouse (chDB in this process: no network, no client) with 1, 10 and 100 million window rows and a fifth of
that many reviews, and asks every query of every dashboard at each size, as Grafana would: with its macros expanded,
over the dashboard's own time, nothing filtered out. One JSON line a size: the wall's p95, the slowest query, and per
query the median and the worst of the runs in ms, the CPU's ms, and the bytes read from storage. Nothing is merged by
hand.
`--windows 1` takes a minute.
"""

import argparse
import json
import platform
import re
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import chdb.session

from bench.wall import generate
from grafana.board import Board
from grafana.build import boards
from grafana.macros import ALL, Context, expand
from schemas.results import PANE_MS
from storage.client import ServerRefused
from storage.migrate import migrate

MILLION: Final = 1_000_000
POINTS: Final = 600  # of a line: about a panel's width
HOUR_MS: Final = 3_600_000
UNITS: Final = {"h": HOUR_MS, "d": 24 * HOUR_MS}
WALLS: Final = ("wall", "wall-4k")


class Store:
    """chDB, as the migration and the generator speak to it."""

    def __init__(self, directory: Path) -> None:
        self._session: Any = chdb.session.Session(str(directory))  # type: ignore[no-untyped-call]

    def execute(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        """A statement's rows."""
        try:
            raw = self._session.query(_bound(sql, params), "JSONCompactEachRow").bytes()
        except RuntimeError as error:
            code = re.match(r"Code: (\d+)", str(error))
            raise ServerRefused(str(error), code=int(code[1]) if code else 0) from error
        return [tuple(json.loads(line)) for line in raw.split(b"\n") if line]

    def timed(self, sql: str) -> tuple[float, float, int, int]:
        """Wall ms, CPU ms, bytes read from storage, bytes of the answer."""
        before, began = _cpu_ms(), time.perf_counter()
        answer = self._session.query(sql, "Native")
        took = (time.perf_counter() - began) * 1000
        return took, _cpu_ms() - before, int(answer.storage_bytes_read()), len(answer.bytes())

    def close(self) -> None:
        """End the engine."""
        self._session.close()


def _bound(sql: str, params: Any) -> str:
    for name, value in (params or {}).items():
        shown = str(value) if isinstance(value, int) else "'" + str(value).replace("'", "\\'") + "'"
        sql = sql.replace(f"%({name})s", shown)
    return sql


def _cpu_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


def asked() -> Iterator[tuple[str, str, Board]]:
    """Every query once: where it stands first, and its SQL."""
    seen: set[str] = set()
    for board in boards():
        for place, query in board.queries():
            if query.sql not in seen:
                seen.add(query.sql)
                yield place, query.sql, board


def context_of(board: Board) -> Context:
    """The dashboard's own time, ending at the newest row; everything chosen."""
    since = board.since.removeprefix("now-")
    span_ms = int(since[:-1]) * UNITS[since[-1]]
    chosen: dict[str, str | list[str]] = {choice.name: ALL for choice in board.choices}
    chosen |= {"window": "300", "ticket": "t1", "alert": "A", "peak": "sale"}
    interval_s = max(10, span_ms // POINTS // 1000)
    return Context(generate.TO_MS - span_ms, generate.TO_MS, interval_s=interval_s, chosen=chosen)


def measure(store: Store, *, repeat: int) -> dict[str, dict[str, float]]:
    """Each query's figures, by place; the first run of each warms up and does not count."""
    figures: dict[str, dict[str, float]] = {}
    for place, sql, board in asked():
        ready = expand(sql, context_of(board))
        runs = [store.timed(ready) for _ in range(repeat + 1)]
        walls = sorted(run[0] for run in runs[1:])
        figures[place] = {
            "median_ms": round(statistics.median(walls), 1), "worst_ms": round(walls[-1], 1),
            "best_ms": round(walls[0], 1), "cpu_ms": round(statistics.median(run[1] for run in runs[1:]), 1),
            "mb_read": round(runs[-1][2] / MILLION, 2),
        }  # fmt: skip
        figures[place]["_runs"] = walls  # type: ignore[assignment]  # for the p95 over all, then dropped
    return figures


def summary(figures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The p95 over all runs of the wall's queries, of their CPU over the queries, and the slowest of all."""
    walls = [place for place in figures if place.split()[0] in WALLS]
    runs = [run for place in walls for run in figures[place]["_runs"]]
    cpu = [figures[place]["cpu_ms"] for place in walls]
    slowest = max(figures, key=lambda place: figures[place]["median_ms"])
    for one in figures.values():
        del one["_runs"]
    return {
        "wall_p95_ms": round(statistics.quantiles(runs, n=20)[-1], 1),
        "wall_worst_ms": round(max(runs), 1),
        "wall_p95_cpu_ms": round(statistics.quantiles(cpu, n=20)[-1], 1),
        "slowest": slowest,
        "slowest_ms": figures[slowest]["median_ms"],
        "over_1_s": sorted(place for place, one in figures.items() if one["median_ms"] > 1000),
    }


def grow(store: Store, *, panes: range, span_ms: int, reviews: range, whole: int) -> None:
    """Go further back: windows of these panes, these reviews."""
    generate.windows(store.execute, panes=panes)
    generate.events(store.execute, reviews=reviews, span_ms=span_ms, whole=whole)


def run(directory: Path, *, windows: float, reviews: float, repeat: int) -> Iterator[dict[str, Any]]:
    """Fill and measure at each size up to the last."""
    store = Store(directory)
    migrate(store, database="peakwatch")
    store.execute("USE peakwatch")
    sizes = [size for size in (1.0, 10.0) if size < windows] + [windows]
    panes = [round(size * MILLION / generate.ROWS_A_PANE) for size in sizes]
    span_ms = panes[-1] * PANE_MS
    whole = round(reviews * MILLION)
    counts = [whole * one // panes[-1] for one in panes]
    began = time.perf_counter()
    for at in range(len(sizes)):
        before = (panes[at - 1], counts[at - 1]) if at else (0, 0)
        grow(store, panes=range(before[0], panes[at]), span_ms=span_ms,
             reviews=range(before[1], counts[at]), whole=whole)  # fmt: skip
        if at == 0:
            generate.newest_products(store.execute)
            generate.alerts(store.execute, count=20_000, span_ms=800 * 24 * HOUR_MS)
            generate.ledger(store.execute, tickets=round(windows * 5_000), span_ms=span_ms)
        filled_s = time.perf_counter() - began
        yield {"filled_s": round(filled_s), **_line(store, repeat=repeat)}
        began = time.perf_counter()
    store.close()


def again(directory: Path, *, repeat: int) -> dict[str, Any]:
    """Measure a store that was kept, at the size that it has."""
    store = Store(directory)
    store.execute("USE peakwatch")
    line = _line(store, repeat=repeat)
    store.close()
    return line


def _line(store: Store, *, repeat: int) -> dict[str, Any]:
    figures = measure(store, repeat=repeat)
    parts, rows, size = store.execute(
        "SELECT count(), sum(rows), sum(bytes_on_disk) FROM system.parts "
        "WHERE active AND database = 'peakwatch' AND table = 'windows'"
    )[0]
    ((reviews,),) = store.execute("SELECT count() FROM reviews")
    return {
        "window_rows": int(rows), "reviews": int(reviews), "parts": int(parts),
        "gb_of_windows": round(int(size) / 1e9, 2),
        **summary(figures), "python": platform.python_version(), "queries": figures,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one JSON line a size."""
    parser = argparse.ArgumentParser(prog="python -m bench.wall", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--windows", type=float, default=100.0, help="million window rows (default: %(default)s)")
    parser.add_argument("--reviews", type=float, help="million reviews (default: a fifth of the windows)")
    parser.add_argument("--repeat", type=int, default=9, help="runs a query that count (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="where the store is to lie and stay; none: thrown away")
    parser.add_argument("--again", action="store_true", help="measure the store in --keep as it is")
    chosen = parser.parse_args(arguments)
    if chosen.again and chosen.keep is None:
        parser.error("--again needs --keep")
    if chosen.again:
        print(json.dumps(again(chosen.keep, repeat=chosen.repeat), ensure_ascii=False), flush=True)
        return
    directory = chosen.keep or Path(tempfile.mkdtemp(prefix="peakwatch-wall-"))
    reviews = chosen.windows / 5 if chosen.reviews is None else chosen.reviews
    try:
        for line in run(directory, windows=chosen.windows, reviews=reviews, repeat=chosen.repeat):
            print(json.dumps(line, ensure_ascii=False), flush=True)
    finally:
        if chosen.keep is None:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
