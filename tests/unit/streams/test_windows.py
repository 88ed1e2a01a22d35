"""Rolling windows against every window counted by hand: late contributions, restarts, sketches."""

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import pytest

from schemas.events import Dims
from streams import figures as f
from streams import sketch as sketches
from streams import window_pages
from streams.dimensions import Dimensions, Key
from streams.panes import Deltas, PaneDeltas, decode_deltas, encode_deltas
from streams.rows import window_rows
from streams.windows import RollingWindows, RowBatch

DIMENSIONS = Dimensions(("all", "category", "category+channel"))
WINDOWS = (60, 300, 900, 3600, 86400)
WindowKey = tuple[int, int, str, str]


class Contribution(NamedTuple):
    pane: int
    cell: Dims
    score: int
    duration: int | None
    opened: int = 1


class Figures(NamedTuple):
    reviews: int
    score: int
    tickets_open: int
    sketch: dict[int, int]


def contributions(rnd: random.Random, count: int) -> list[Contribution]:
    """Dense stretches and gaps from seconds to most of a day."""
    found = []
    pane = 1000
    for _ in range(count):
        pane += rnd.choice([0, 0, 1, 2, 3, 10, 50, 4000 if rnd.random() < 0.1 else 1])
        cell = (rnd.choice("ab"), rnd.choice("xy"), "", "", "", "")
        found.append(
            Contribution(pane, cell, rnd.randrange(100_000), rnd.randrange(10**7) if rnd.random() < 0.3 else None)
        )
    return found


def by_hand(all_of: list[Contribution]) -> dict[WindowKey, Figures]:
    """Every window that ever changed: where a contribution enters it, and where one has left."""
    of_key: defaultdict[Key, list[Contribution]] = defaultdict(list)
    for one in all_of:
        for key in DIMENSIONS.keys(one.cell):
            of_key[key].append(one)
    last = max(one.pane for one in all_of)
    rows: dict[WindowKey, Figures] = {}
    for key, mine in of_key.items():
        for seconds in WINDOWS:
            panes = seconds // 10
            for end in {one.pane for one in mine} | {one.pane + panes for one in mine}:
                if end > last:
                    continue
                inside = [one for one in mine if end - panes < one.pane <= end]
                sketch: dict[int, int] = {}
                for one in inside:
                    if one.duration is not None:
                        sketches.add(sketch, sketches.bucket(one.duration), 1)
                opened = sum(one.opened for one in mine if one.pane <= end)
                rows[seconds, (end + 1) * 10_000, *key] = Figures(
                    len(inside), sum(one.score for one in inside), opened, sketch
                )
    return rows


def gather(some: Iterable[Contribution]) -> Deltas:
    panes = PaneDeltas()
    for one in some:
        row = panes.row(one.pane, one.cell)
        row[f.REVIEWS] += 1
        row[f.SENTIMENT_MICROS] += one.score
        row[f.OPEN_CHANGE] += one.opened
        if one.duration is not None:
            panes.sketch(one.pane, one.cell, which=f.FIRST_RESPONSE, bucket=sketches.bucket(one.duration), count=1)
    return decode_deltas(encode_deltas(panes.drain()))


def take(rows: dict[WindowKey, Figures], batches: Iterable[RowBatch]) -> None:
    """Rows as the store keeps them: of two with one key the later counts."""
    for batch in batches:
        for i, key in enumerate(batch.keys):
            n = batch.figures[i].tolist()
            rows[batch.window_seconds, batch.window_end, *key] = Figures(
                n[f.REVIEWS], n[f.SENTIMENT_MICROS], int(batch.tickets_open[i]), dict(batch.sketches[i][0].counts)
            )
        assert len(list(window_rows(batch, version=1))) == len(batch.keys)


def played(seed: int, *, jitter: int, restarts: bool) -> tuple[dict[WindowKey, Figures], dict[WindowKey, Figures]]:
    """What the windows gave, and what they should have given."""
    rnd = random.Random(seed)
    all_of = contributions(rnd, 150)
    rows, _ = given(rnd, all_of, jitter=jitter, restarts=restarts)
    return rows, by_hand(all_of)


def given(
    rnd: random.Random, all_of: list[Contribution], *, jitter: int, restarts: bool
) -> tuple[dict[WindowKey, Figures], int]:
    """What the windows gave, and the most keys that they held at once."""
    arrivals = sorted(all_of, key=lambda one: one.pane + rnd.randrange(jitter))
    windows, pages = RollingWindows(DIMENSIONS, windows=WINDOWS), dict[str, bytes]()
    rows: dict[WindowKey, Figures] = {}
    newest = most = 0
    while arrivals:
        count = rnd.choice([1, 3, 20])
        part, arrivals = arrivals[:count], arrivals[count:]
        windows.add(gather(part))
        newest = max(newest, *(one.pane for one in part), 0)
        take(rows, windows.advance(newest))
        most = max(most, windows.keys)
        if restarts and rnd.random() < 0.15:
            pages.update(window_pages.dump_dirty(windows))
            if rnd.random() < 0.5:
                windows = RollingWindows(DIMENSIONS, windows=WINDOWS)
                window_pages.load(windows, pages)
    take(rows, windows.advance(newest + 1))
    return rows, most


@pytest.mark.parametrize("seed", range(6))
def test_in_order_every_window_is_what_counting_by_hand_gives(seed: int) -> None:
    rows, want = played(seed, jitter=1, restarts=False)
    assert rows == want


@pytest.mark.parametrize("seed", range(6))
def test_late_contributions_mend_the_rows_already_given(seed: int) -> None:
    rows, want = played(seed, jitter=25, restarts=False)
    assert rows == want


@pytest.mark.parametrize("seed", range(8))
def test_restarts_from_pages_change_no_row(seed: int) -> None:
    rows, want = played(seed, jitter=25, restarts=True)
    assert rows == want


@pytest.mark.parametrize("restarts", [False, True])
def test_keys_that_nobody_writes_of_any_more_are_given_back_and_come_again(restarts: bool) -> None:
    rnd = random.Random(7)
    hours = range(12 * 24)  # every hour a category of its own; some come again after days, one never closes a ticket
    all_of = [
        Contribution(
            hour * 360 + rnd.randrange(360),
            (f"c{hour if rnd.random() < 0.8 else rnd.randrange(hour + 1)}", "x", "", "", "", ""),
            rnd.randrange(1000),
            rnd.choice([None, 5_000]),
            opened=0,
        )
        for hour in hours
        for _ in range(2)
    ]
    all_of.append(Contribution(100, ("left open", "x", "", "", "", ""), 1, None))
    all_of.sort(key=lambda one: one.pane)
    rows, most = given(rnd, all_of, jitter=200, restarts=restarts)
    assert rows == by_hand(all_of)
    assert most < 2 * 60  # of some 500: those of a day, of the 6 h that may still be mended, and of the sweep's hour


def test_a_window_holds_its_left_edge_and_not_its_right() -> None:
    windows = RollingWindows(Dimensions(("all",)), windows=(60,))
    cell: Dims = ("", "", "", "", "", "")
    windows.add(gather([Contribution(6, cell, 0, None), Contribution(12, cell, 0, None)]))
    counts = {batch.window_end: int(batch.figures[0, f.REVIEWS]) for batch in windows.advance(13)}
    # Pane 6 is [60 s, 70 s): in windows that end at 70 s to 120 s; the one that ends at 130 s has only pane 12.
    assert counts == {70_000: 1, 130_000: 1}


def test_another_owners_keys_are_left_out() -> None:
    windows = RollingWindows(DIMENSIONS, windows=(60,), owns=lambda key: key[0] == "category")
    windows.add(gather([Contribution(1, ("a", "x", "", "", "", ""), 1, 50)]))
    assert [batch.keys for batch in windows.advance(2)] == [[("category", "a")]]


def test_nothing_is_given_twice_and_nothing_before_anything_came() -> None:
    windows = RollingWindows(DIMENSIONS)
    assert list(windows.advance(10)) == []
    windows.add(gather([Contribution(3, ("a", "x", "", "", "", ""), 1, None)]))
    assert len(list(windows.advance(4))) == len(WINDOWS)
    assert list(windows.advance(4)) == []


def test_a_leap_of_thousands_of_years_costs_nothing() -> None:
    windows = RollingWindows(DIMENSIONS)
    cell: Dims = ("a", "x", "", "", "", "")
    last = 25_340_230_079
    windows.add(gather([Contribution(0, cell, 1, None), Contribution(last, cell, 1, None)]))
    ends = {batch.window_end for batch in windows.advance(last + 1)}
    assert ends == {10_000 * (pane + 1) for pane in (0, 6, 30, 90, 360, 8640, last)}
