"""Windows of hours are handed on a few minutes at a time: whoever waits for the stage has its turn between them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agents.batches import encode_delta_batch
from agents.claims import Fence, Mark, Stamp, encode_stamp
from agents.transport.chunks import Chunk
from agents.window_stage import PANES_AT_ONCE, EventTime, WindowPorts, WindowStage, event_time_of
from schemas.results import PANE_MS, WindowRow
from streams import figures as f
from streams import window_pages
from streams.dimensions import Dimensions
from streams.panes import PaneDeltas
from streams.windows import RollingWindows
from tests.unit.agents.lines import Line

T0: Final = 1_793_980_800_000
IDLE_MS: Final = 30_000
MINUTES: Final = 120


class Store:
    """Rows, pages and the topic."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.pages: dict[str, bytes] = {}
        self.root: dict[str, Any] = {}

    async def write(self, rows: Sequence[Any]) -> int:
        self.rows += rows
        return len(self.rows)

    async def safe(self, ticket: int) -> None:
        """All is."""

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None:
        self.pages = {name: page for name, page in {**self.pages, **pages}.items() if page}
        self.root = dict(root)

    async def add(self, key: bytes, value: bytes) -> None:
        """Nobody reads it."""

    async def flush(self) -> None:
        """At once."""


def stage(store: Store) -> WindowStage:
    windows, event_time, fence, position = RollingWindows(Dimensions(("all",))), EventTime(IDLE_MS), Fence(), 0
    if store.root:
        window_pages.load(windows, store.pages)
        event_time, fence = event_time_of(store.root, IDLE_MS), Fence.load(store.root["fence"])
        position = store.root["position"]
    ports = WindowPorts(store, store, store)
    return WindowStage(windows, ports, event_time=event_time, fence=fence, position=position)


def hours() -> Chunk:
    """A complaint a minute, as one batch of one source."""
    panes, source = PaneDeltas(), ("complaints", 0)
    for minute in range(MINUTES):
        panes.row((T0 + minute * 60_000) // PANE_MS, ("", "", "", "", "", ""))[f.COMPLAINTS] += 1
    batch = encode_delta_batch(T0 + MINUTES * 60_000, panes.drain())
    claim, count = Stamp("claim", source, b"a", 1, 0, Mark(0, 0)), Stamp("batch", source, b"a", 1, 0, Mark(1, 0))
    records = [Line(0, T0, b"", headers=[encode_stamp(claim)]), Line(1, T0, batch, headers=[encode_stamp(count)])]
    return Chunk("deltas", 0, 0, records)


def figures(rows: Sequence[WindowRow]) -> list[tuple[int, int, int]]:
    return sorted((row.window_seconds, row.window_end, row.complaints) for row in rows)


async def _all(one: WindowStage) -> int:
    turns = 1
    while not await one.emit(T0):
        turns += 1
    return turns


async def test_windows_of_hours_are_handed_on_in_turns() -> None:
    store = Store()
    one = stage(store)
    await one.chunk(hours(), now_ms=T0)
    assert not await one.emit(T0)
    assert {row.window_end for row in store.rows} <= {T0 + pane * PANE_MS for pane in range(PANES_AT_ONCE + 1)}
    assert await _all(one) >= MINUTES * 6 // PANES_AT_ONCE - 1
    day = [row for row in store.rows if row.window_seconds == 86_400]
    assert max(row.complaints for row in day) == MINUTES


async def test_what_was_not_handed_on_before_a_snapshot_is_handed_on_by_whoever_loads_it() -> None:
    whole, broken = Store(), Store()
    one = stage(whole)
    await one.chunk(hours(), now_ms=T0)
    await _all(one)
    two = stage(broken)
    await two.chunk(hours(), now_ms=T0)
    await two.emit(T0)
    await two.snapshot(T0)
    early = len(broken.rows)
    await _all(stage(broken))
    assert 0 < early < len(broken.rows)
    assert figures(broken.rows) == figures(whole.rows)
