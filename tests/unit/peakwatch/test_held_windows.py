"""Windows made of what was held, five minutes at a time, are those made of everything at once."""

import random
import tempfile

import numpy as np
import pytest

from peakwatch.held_windows import HeldWindows
from schemas.errors import PermanentError
from schemas.settings import DEFAULT_DIMENSIONS
from sentiment.watch import BUCKETS
from streams import figures as f
from streams.dimensions import Dimensions
from streams.panes import Deltas, SketchEntry, WordEntry
from streams.window_lines import WindowLines
from streams.windows import RollingWindows

START = 180_000_000  # a pane


def deltas(seed: int, count: int) -> list[Deltas]:
    """What comes of a stream over more than a day, some of it an hour late, some panes with nothing."""
    rnd = random.Random(seed)
    found = []
    for step in range(count):
        pane = START + step * 97 - (360 if step % 7 == 3 else 0) - rnd.randrange(3)
        rows = rnd.randrange(1, 4)
        cells = [(rnd.choice("ab"), "app", rnd.choice("xy"), "", "", f"p{rnd.randrange(9)}") for _ in range(rows)]
        figures = np.zeros((rows, f.COLUMNS), np.int64)
        figures[:, [f.REVIEWS, f.JUDGED, f.NEGATIVE]] = [[3, 2, 1]] * rows
        figures[:, f.SENTIMENT_MICROS] = rnd.randrange(2_000_000)
        figures[:, f.OPEN_CHANGE] = rnd.choice((-1, 0, 1))
        sketches = [SketchEntry(pane - 1, cells[0], rnd.randrange(2), rnd.randrange(900), 1)]
        words = [WordEntry((pane - 1) // 30, cells[0][0], bytes(rnd.choices(range(BUCKETS), k=60)))]
        found.append(Deltas([pane - i for i in range(rows)], cells, figures, sketches, words))
    return found


def test_they_are_the_same_to_the_byte() -> None:
    came = deltas(1, 110)
    end = START + 110 * 97 + 1
    at_once = RollingWindows(Dimensions(DEFAULT_DIMENSIONS))
    for one in came:
        at_once.add(one)
    lines = WindowLines().lines
    wanted = [lines(batch) for batch in at_once.advance(end)]
    with HeldWindows(RollingWindows(Dimensions(DEFAULT_DIMENSIONS))) as held:
        for one in came:
            held.add(one)
        assert [lines(batch) for batch in held.advance(end)] == wanted
    assert sum(text.count(b"\n") for text in wanted) > 2000


def test_nothing_held_makes_no_window() -> None:
    with HeldWindows(RollingWindows(Dimensions(DEFAULT_DIMENSIONS))) as held:
        assert list(held.advance(START)) == []


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, piece: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda _: Full())
    with (
        HeldWindows(RollingWindows(Dimensions(DEFAULT_DIMENSIONS))) as held,
        pytest.raises(PermanentError, match="No space left on device; TMPDIR names another folder"),
    ):
        held.add(deltas(1, 1)[0])
