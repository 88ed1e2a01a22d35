"""Old panes lie packed and come back as they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.figures import COLUMNS
from streams.pane_log import Block, SketchPane, block_log, sketch_log

amount = st.one_of(st.just(0), st.integers(-3, 300), st.integers(-(2**62), 2**62))


@given(st.lists(st.tuples(st.integers(0, 2**40), st.lists(amount, min_size=COLUMNS, max_size=COLUMNS)), max_size=5))
def test_figures_come_back_as_they_were(rows: list[tuple[int, list[int]]]) -> None:
    block = Block(
        np.array([key for key, _ in rows], np.int64),
        np.array([figures for _, figures in rows], np.int64).reshape(len(rows), COLUMNS),
    )
    log = block_log()
    log[7] = block
    log.pack_before(8)
    found = log[7]
    assert {found.keys.dtype, found.figures.dtype} == {np.dtype(np.int64)}
    assert (found.keys.tolist(), found.figures.tolist()) == (block.keys.tolist(), block.figures.tolist())


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 10**6), st.integers(0, 1)),
        st.dictionaries(st.integers(-1, 2000), st.integers(-5, 5).filter(bool), max_size=3), max_size=4,
    )
)  # fmt: skip
def test_sketches_come_back_as_they_were(pane: SketchPane) -> None:
    log = sketch_log()
    log[1] = {key: dict(held) for key, held in pane.items()}
    log.pack_before(2)
    assert log[1] == pane


def test_what_is_changed_after_packing_stays_changed() -> None:
    log = sketch_log()
    log[1] = {(0, 0): {5: 1}}
    log.pack_before(2)
    log.setdefault(1, {})[0, 0][5] = 2
    log.pack_before(2)
    assert log[1] == {(0, 0): {5: 2}}


def test_it_is_a_mapping_whatever_is_packed() -> None:
    log = sketch_log()
    for pane in range(4):
        log[pane] = {(pane, 0): {1: 1}}
    log.pack_before(2)
    assert (len(log), sorted(log), 1 in log, 9 in log) == (4, [0, 1, 2, 3], True, False)
    assert log.get(9) is None
    del log[0]
    assert log.pop(2, None) == {(2, 0): {1: 1}}
    log[1] = {}
    assert dict(log) == {1: {}, 3: {(3, 0): {1: 1}}}
