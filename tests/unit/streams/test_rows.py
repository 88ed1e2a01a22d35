"""A window's figures by name."""

import numpy as np

from schemas.results import WindowRow
from streams import figures as f
from streams.rows import window_rows
from streams.sketch import Total, bucket
from streams.windows import RowBatch


def row_of(figures: dict[int, int], *, seconds: int = 60, sketch: Total | None = None) -> WindowRow:
    table = np.zeros((1, f.COLUMNS), np.int64)
    for column, amount in figures.items():
        table[0, column] = amount
    pair = (sketch or Total(), Total())
    batch = RowBatch(seconds, 10_000, [("all", "")], table, np.array([2], np.int64), [pair])
    return next(iter(window_rows(batch, version=9)))


def test_a_share_without_a_denominator_is_nothing() -> None:
    row = row_of({f.REVIEWS: 3, f.COMPLAINTS: 2})
    assert (row.negative_share, row.sentiment_mean, row.rating_mean, row.satisfaction) == (None,) * 4
    assert (row.complaints_per_1k_orders, row.sla_breach_rate, row.agreement) == (None,) * 3
    assert (row.first_response_ms, row.resolution_ms) == (None, None)


def test_shares_are_of_what_they_are_named_after() -> None:
    row = row_of(
        {
            f.REVIEWS: 10, f.JUDGED: 8, f.NEGATIVE: 2, f.SENTIMENT_MICROS: 4_000_000, f.RATINGS: 4,
            f.RATING_MICROS: 3_000_000, f.CSATS: 2, f.CSAT_MICROS: 1_500_000, f.COMPLAINTS: 3, f.ORDERS: 600,
            f.SLA_BREACHES: 1, f.SLA_MET: 3, f.COMPARED: 4, f.AGREEING: 3,
        }
    )  # fmt: skip
    assert (row.negative_share, row.sentiment_mean, row.rating_mean) == (0.25, 0.5, 0.75)
    assert (row.satisfaction, row.complaints_per_1k_orders) == (0.75, 5.0)
    assert (row.sla_breach_rate, row.agreement) == (0.25, 0.75)
    assert (row.tickets_open, row.version) == (2, 9)


def test_only_minutes_carry_their_sketch() -> None:
    sketch = Total({bucket(60_000): 2})
    minute, hour = row_of({}, sketch=sketch), row_of({}, seconds=3600, sketch=sketch)
    assert minute.first_response_sketch == sketch.counts
    assert hour.first_response_sketch == {}
    assert minute.first_response_ms == hour.first_response_ms is not None


def test_rows_are_ordered_by_dimension_and_value() -> None:
    keys = [("category", "b"), ("all", ""), ("category", "a")]
    batch = RowBatch(
        60, 10_000, keys, np.zeros((3, f.COLUMNS), np.int64), np.array([1, 2, 3]), [(Total(), Total())] * 3
    )
    rows = list(window_rows(batch, version=0))
    assert [(row.dimension, row.value, row.tickets_open) for row in rows] == [
        ("all", "", 2), ("category", "a", 3), ("category", "b", 1),
    ]  # fmt: skip
