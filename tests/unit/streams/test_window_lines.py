"""Lines a column at a time are the lines row by row, to the byte."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.lines import window_line
from streams import figures as f
from streams.rows import window_rows
from streams.sketch import Total, bucket
from streams.window_lines import WindowLines
from streams.windows import RowBatch

sketch = st.lists(st.integers(0, 10**8), max_size=4).map(lambda ms: Total({bucket(one): 2 for one in ms}))
count = st.one_of(st.integers(0, 3), st.integers(0, 2000), st.integers(0, 10**7), st.integers(0, 10**18))
row = st.tuples(
    st.tuples(st.sampled_from(["all", "category", "category+region"]), st.text(max_size=5)),
    st.lists(count, min_size=f.COLUMNS, max_size=f.COLUMNS), st.integers(-3, 10**6), st.tuples(sketch, sketch),
    st.one_of(st.none(), st.floats(0, 1)),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(row, max_size=6, unique_by=lambda one: one[0]), st.sampled_from([60, 3600]), st.booleans())
def test_they_are_the_same_bytes(rows: list[tuple], seconds: int, drifts: bool) -> None:  # type: ignore[type-arg]
    keys, figures, levels, sketches, drift = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    batch = RowBatch(
        seconds, 1_794_310_200_000, list(keys), np.array(figures, np.int64).reshape(len(keys), f.COLUMNS),
        np.array(levels, np.int64), list(sketches), drift if drifts else (),
    )  # fmt: skip
    wanted = b"".join(window_line(one) + b"\n" for one in window_rows(batch, version=0))
    assert WindowLines().lines(batch) == wanted


def test_a_share_in_the_middle_between_two_roundings_is_rounded_as_python_does() -> None:
    """Of all parts of a million and a few more: the ties, and what a product with a million would shift."""
    wholes = [8, 64, 128, 125_000, 2_000_000, 16_000_000, 3, 7, 999_983]
    table = np.zeros((len(wholes) * 200, f.COLUMNS), np.int64)
    for i, whole in enumerate(wholes):
        for part in range(200):
            table[i * 200 + part, [f.NEGATIVE, f.JUDGED]] = (part * 2 + 1) % whole, whole
    keys = [("shop_id", str(number)) for number in range(len(table))]
    empty = [(Total(), Total())] * len(table)
    batch = RowBatch(60, 10_000, keys, table, np.zeros(len(table), np.int64), empty)
    wanted = b"".join(window_line(one) + b"\n" for one in window_rows(batch, version=0))
    assert WindowLines().lines(batch) == wanted
