"""The histogram of durations: stated error, exact merging and taking away."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sketch import RELATIVE_ERROR, Sketch, Total, add, bucket, estimate, quantiles

durations = st.integers(1, 10 * 366 * 86_400_000) | st.integers(1, 3000)


@given(durations)
def test_a_bucket_stands_for_its_values_within_one_percent(value_ms: int) -> None:
    # Half a millisecond more, since estimates are whole milliseconds.
    assert abs(estimate(bucket(value_ms)) - value_ms) <= RELATIVE_ERROR * value_ms + 0.5


def test_no_duration_has_a_bucket_of_its_own() -> None:
    assert estimate(bucket(0)) == estimate(bucket(-5)) == 0


@given(st.lists(durations | st.just(0), min_size=1, max_size=200))
def test_quantiles_are_those_of_the_sorted_values_within_one_percent(values: list[int]) -> None:
    sketch: Sketch = {}
    for value in values:
        add(sketch, bucket(value), 1)
    ordered = sorted(values)
    for share, found in zip((0.5, 0.9, 0.99), quantiles(sketch), strict=True):
        exact = ordered[max(1, math.ceil(round(share * len(values), 9))) - 1]
        assert abs(found - exact) <= RELATIVE_ERROR * exact + 0.5


@given(st.lists(durations, max_size=40), st.lists(durations, max_size=40))
def test_what_was_added_and_taken_away_leaves_no_trace(stay: list[int], leave: list[int]) -> None:
    alone, both = Total(), Total()
    for value in stay:
        alone.add({bucket(value): 1}, 1)
        both.add({bucket(value): 1}, 1)
    for value in leave:
        both.add({bucket(value): 1}, 1)
    for value in reversed(leave):
        both.add({bucket(value): 1}, -1)
    assert both.counts == alone.counts
    assert both.quantiles() == alone.quantiles()


def test_quantiles_are_worked_out_anew_after_a_change() -> None:
    total = Total({bucket(100): 1})
    first = total.quantiles()
    total.add({bucket(100_000): 5}, 1)
    assert total.quantiles() != first


def test_an_empty_sketch_has_no_quantiles() -> None:
    assert Total().quantiles() == ()
    with pytest.raises(ValueError):
        quantiles({})
