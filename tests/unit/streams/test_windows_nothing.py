"""What came to nothing before its pane closed has no row; what was told and taken back is told again."""

from schemas.events import Dims
from streams import figures as f
from streams.dimensions import Dimensions
from streams.panes import PaneDeltas
from streams.windows import RollingWindows

CELL: Dims = ("手机", "app", "", "", "", "")


def windows() -> RollingWindows:
    return RollingWindows(Dimensions(("all",)), windows=(60,))


def add(rolling: RollingWindows, pane: int, figure: int, amount: int) -> None:
    panes = PaneDeltas()
    panes.row(pane, CELL)[figure] += amount
    rolling.add(panes.drain())


def told(rolling: RollingWindows, to_pane: int) -> list[tuple[int, int]]:
    return [(batch.window_end // 10_000, int(batch.figures[0, f.SLA_BREACHES])) for batch in rolling.advance(to_pane)]


def test_a_breach_taken_back_before_its_pane_closes_has_no_row() -> None:
    rolling = windows()
    add(rolling, 5, f.REVIEWS, 1)
    add(rolling, 8, f.SLA_BREACHES, 1)
    add(rolling, 8, f.SLA_BREACHES, -1)
    assert told(rolling, 20) == [(6, 0), (12, 0)]


def test_a_breach_taken_back_after_its_row_was_given_gives_the_row_again() -> None:
    rolling = windows()
    add(rolling, 5, f.REVIEWS, 1)
    add(rolling, 8, f.SLA_BREACHES, 1)
    assert told(rolling, 10) == [(6, 0), (9, 1)]
    add(rolling, 8, f.SLA_BREACHES, -1)
    assert told(rolling, 10) == [(9, 0)]


def test_a_sketch_alone_makes_a_row() -> None:
    rolling = windows()
    panes = PaneDeltas()
    panes.sketch(5, CELL, which=f.FIRST_RESPONSE, bucket=100, count=1)
    rolling.add(panes.drain())
    assert [end for end, _ in told(rolling, 20)] == [6, 12]
