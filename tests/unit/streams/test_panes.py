"""Contributions to panes: they add up, and travel unchanged."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Dims
from streams import figures as f
from streams.panes import NO_DELTAS, Deltas, PaneDeltas, decode_deltas, encode_deltas, merge_deltas, pane_of

contributions = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(0, f.COLUMNS - 1), st.integers(-(10**15), 10**15)),
    max_size=30,
)
Contribution = tuple[int, str, int, int]


def cell(name: str) -> Dims:
    return (name, "", "", "", "", "")


def gathered(values: list[Contribution]) -> Deltas:
    deltas = PaneDeltas()
    for pane, name, column, amount in values:
        deltas.row(pane, cell(name))[column] += amount
        deltas.sketch(pane, cell(name), which=f.RESOLUTION, bucket=column, count=amount)
    return deltas.drain()


def summed(deltas: Deltas) -> dict[tuple[int, Dims], list[int]]:
    sums: dict[tuple[int, Dims], list[int]] = {}
    for pane, where, row in zip(deltas.panes, deltas.cells, deltas.figures.tolist(), strict=True):
        sums[pane, where] = [a + b for a, b in zip(sums.get((pane, where), [0] * f.COLUMNS), row, strict=True)]
    return sums


@given(contributions)
def test_what_is_drained_is_the_sum_of_what_was_added(values: list[Contribution]) -> None:
    want: dict[tuple[int, Dims], list[int]] = {}
    for pane, name, column, amount in values:
        want.setdefault((pane, cell(name)), [0] * f.COLUMNS)[column] += amount
    assert summed(gathered(values)) == want


@given(contributions)
def test_deltas_travel_unchanged(values: list[Contribution]) -> None:
    deltas = gathered(values)
    arrived = decode_deltas(encode_deltas(deltas))
    assert (arrived.panes, arrived.cells, arrived.sketches) == (deltas.panes, deltas.cells, deltas.sketches)
    assert np.array_equal(arrived.figures, deltas.figures)


@given(contributions, contributions)
def test_merged_deltas_are_the_sum_of_both(first: list[Contribution], second: list[Contribution]) -> None:
    merged = merge_deltas([gathered(first), gathered(second)])
    assert summed(merged) == summed(gathered(first + second))


def test_a_change_taken_back_leaves_no_sketch() -> None:
    deltas = PaneDeltas()
    deltas.sketch(1, cell("a"), which=0, bucket=7, count=1)
    deltas.sketch(1, cell("a"), which=0, bucket=7, count=-1)
    assert deltas.drain().sketches == []
    assert deltas.drain() is NO_DELTAS


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\x93\x01\x02\x03", msgspec.msgpack.encode([1, 2, 3, 4, 5, 6])])
def test_rubbish_is_no_delta(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_deltas(raw)


def test_a_pane_is_closed_on_the_left_and_open_on_the_right() -> None:
    assert [pane_of(at) for at in (0, 9_999, 10_000, 19_999, 20_000)] == [0, 0, 1, 1, 2]
