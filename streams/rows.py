"""A window's figures by name: shares, means, quantiles, as the contract and the wall show them."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.results import WindowRow
from streams import figures as f
from streams.sketch import Total
from streams.windows import RowBatch

DIGITS: Final = 6
SKETCHED_SECONDS: Final = 60  # the minutes' sketches are kept: those of any longer window follow from them


def window_rows(batch: RowBatch, *, version: int, chosen: Sequence[int] | None = None) -> Iterator[WindowRow]:
    """One row a key of the batch (or of those `chosen`, by place), ordered by dimension and value."""
    table = batch.figures.tolist()
    tickets_open = batch.tickets_open.tolist()
    for i in sorted(range(len(batch.keys)) if chosen is None else chosen, key=batch.keys.__getitem__):
        yield _row(batch, i, table[i], tickets_open[i], version)


def _row(batch: RowBatch, i: int, n: list[int], tickets_open: int, version: int) -> WindowRow:
    dimension, value = batch.keys[i]
    first_response, resolution = batch.sketches[i]
    drift = batch.drift[i] if batch.drift else None
    verdicts = n[f.SLA_BREACHES] + n[f.SLA_MET]
    return WindowRow(
        window_seconds=batch.window_seconds,
        window_end=batch.window_end,
        dimension=dimension,
        value=value,
        version=version,
        reviews=n[f.REVIEWS],
        judged=n[f.JUDGED],
        negative=n[f.NEGATIVE],
        neutral=n[f.NEUTRAL],
        negative_share=_ratio(n[f.NEGATIVE], n[f.JUDGED]),
        sentiment_mean=_ratio(n[f.SENTIMENT_MICROS], n[f.JUDGED] * f.MICROS),
        rating_mean=_ratio(n[f.RATING_MICROS], n[f.RATINGS] * f.MICROS),
        satisfaction=_ratio(n[f.CSAT_MICROS], n[f.CSATS] * f.MICROS),
        complaints=n[f.COMPLAINTS],
        orders=n[f.ORDERS],
        complaints_per_1k_orders=_ratio(n[f.COMPLAINTS] * 1000, n[f.ORDERS]),
        tickets_created=n[f.CREATED],
        tickets_open=tickets_open,
        first_response_ms=quantiles_of(first_response),
        resolution_ms=quantiles_of(resolution),
        sla_breaches=n[f.SLA_BREACHES],
        sla_met=n[f.SLA_MET],
        sla_breach_rate=_ratio(n[f.SLA_BREACHES], verdicts),
        reopened=n[f.REOPENED],
        agreement=_ratio(n[f.AGREEING], n[f.COMPARED]),
        first_response_sketch=_kept(first_response, batch.window_seconds),
        resolution_sketch=_kept(resolution, batch.window_seconds),
        compared=n[f.COMPARED],
        invalid_share=_ratio(n[f.REVIEWS] - n[f.JUDGED], n[f.REVIEWS]),
        uncertain_share=_ratio(n[f.NEUTRAL], n[f.JUDGED]),
        duplicate_share=_ratio(n[f.DUPLICATES], n[f.REVIEWS]),
        drift=None if drift is None else round(drift, DIGITS),
    )


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, DIGITS) if whole > 0 else None


def quantiles_of(total: Total) -> tuple[int, int, int] | None:
    """p50, p90, p99 in ms; None while there is nothing."""
    found = total.quantiles()
    return (found[0], found[1], found[2]) if found else None


def _kept(total: Total, seconds: int) -> dict[int, int]:
    return dict(total.counts) if seconds == SKETCHED_SECONDS else {}
