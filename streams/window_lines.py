"""A batch of windows as the contract's lines, a column at a time: what `window_line` gives row by row, to the byte.

A replay writes some nine rows for each event; made one by one as objects they cost most of its time.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.instants import format_instant
from schemas.lines import window_line
from streams import figures as f
from streams.dimensions import Key
from streams.panes import Ints
from streams.rows import DIGITS, quantiles_of, window_rows
from streams.sketch import Total
from streams.windows import RowBatch

EXACT: Final = 2**52  # whole numbers beyond this are no longer exact as floats
SCALE: Final = 10**DIGITS
_UNSURE: Final = 1e-3  # so near to the middle between two roundings the slow way decides
_FAR: Final = 1e9

_encode: Final = msgspec.json.Encoder().encode

_LINE: Final = (
    b'{"window_seconds":%d,"window_end":%b,%%b,"reviews":%%d,"negative":%%d,"negative_share":%%b,'
    b'"sentiment_mean":%%b,"rating_mean":%%b,"satisfaction":%%b,"complaints":%%d,"complaints_per_1k_orders":%%b,'
    b'"tickets_created":%%d,"tickets_open":%%d,"first_response_ms":%%b,"resolution_ms":%%b,"sla_breaches":%%d,'
    b'"reopened":%%d,"judged":%%d,"neutral":%%d,"orders":%%d,"sla_met":%%d,"sla_breach_rate":%%b,"agreement":%%b,'
    b'"compared":%%d,"invalid_share":%%b,"uncertain_share":%%b,"duplicate_share":%%b,"drift":%%b}\n'
)


class WindowLines:
    """Writes batches; remembers how keys are written."""

    def __init__(self) -> None:
        self._keys: dict[Key, bytes] = {}

    def lines(self, batch: RowBatch) -> bytes:
        """One line a key of the batch, ordered by dimension and value, each with its end."""
        if not len(batch.keys):
            return b""
        if np.abs(batch.figures).max() >= EXACT // 1000:
            return b"".join(window_line(row) + b"\n" for row in window_rows(batch, version=0))
        order = sorted(range(len(batch.keys)), key=batch.keys.__getitem__)
        table = batch.figures[order]
        column = table.T
        judged, reviews, orders = column[f.JUDGED], column[f.REVIEWS], column[f.ORDERS]
        verdicts = column[f.SLA_BREACHES] + column[f.SLA_MET]

        def whole(number: int) -> list[int]:
            return column[number].tolist()  # type: ignore[no-any-return]

        head = _LINE % (batch.window_seconds, _encode(format_instant(batch.window_end)))
        rows = zip(
            [self._key(batch.keys[i]) for i in order],
            whole(f.REVIEWS), whole(f.NEGATIVE), _shares(column[f.NEGATIVE], judged, nothing=b"0.0"),
            _shares(column[f.SENTIMENT_MICROS], judged * f.MICROS, nothing=b"0.5"),
            _shares(column[f.RATING_MICROS], column[f.RATINGS] * f.MICROS),
            _shares(column[f.CSAT_MICROS], column[f.CSATS] * f.MICROS),
            whole(f.COMPLAINTS), _shares(column[f.COMPLAINTS] * 1000, orders),
            whole(f.CREATED), batch.tickets_open[order].tolist(),
            *(_quantiles([batch.sketches[i] for i in order], which) for which in (f.FIRST_RESPONSE, f.RESOLUTION)),
            whole(f.SLA_BREACHES), whole(f.REOPENED), whole(f.JUDGED), whole(f.NEUTRAL), whole(f.ORDERS),
            whole(f.SLA_MET), _shares(column[f.SLA_BREACHES], verdicts),
            _shares(column[f.AGREEING], column[f.COMPARED]), whole(f.COMPARED),
            _shares(reviews - judged, reviews), _shares(column[f.NEUTRAL], judged),
            _shares(column[f.DUPLICATES], reviews), _drifts(batch, order),
            strict=True,
        )  # fmt: skip
        return b"".join(map(head.__mod__, rows))

    def _key(self, key: Key) -> bytes:
        found = self._keys.get(key)
        if found is None:
            dimension, value = key
            found = self._keys[key] = b'"dimension":%b,"value":%b' % (_encode(dimension), _encode(value))
        return found


def _shares(part: Ints, whole: Ints, *, nothing: bytes = b"null") -> list[bytes]:
    """`round(part / whole, DIGITS)` as JSON, and `nothing` where the whole is nothing."""
    found = [nothing] * len(part)
    there = np.flatnonzero(whole > 0)
    if not len(there):
        return found
    exact = part[there] / whole[there]
    scaled = exact * SCALE
    rounded: NDArray[np.float64] = np.rint(scaled)
    values: list[float] = (rounded / SCALE).tolist()
    unsure = (np.abs(np.abs(scaled - rounded) - 0.5) < _UNSURE) | (np.abs(scaled) > _FAR)
    for i in np.flatnonzero(unsure).tolist():
        values[i] = round(float(exact[i]), DIGITS)
    for i, text in zip(there.tolist(), _each(values), strict=True):
        found[i] = text
    return found


def _quantiles(pairs: Sequence[tuple[Total, Total]], which: int) -> list[bytes]:
    return [_percentiles(pair[which]) if pair[which].counts else b"null" for pair in pairs]


def _percentiles(total: Total) -> bytes:
    found = quantiles_of(total)
    return b"null" if found is None else b'{"p50":%d,"p90":%d,"p99":%d}' % found


def _drifts(batch: RowBatch, order: Sequence[int]) -> list[bytes]:
    if not batch.drift:
        return [b"null"] * len(order)
    drifts = [batch.drift[i] for i in order]
    return _each([None if one is None else round(one, DIGITS) for one in drifts])


def _each(values: Sequence[float | None]) -> list[bytes]:
    """Each number as JSON has it; none of them has a comma."""
    return _encode(values)[1:-1].split(b",")
