"""The contract's lines: an alert, a window row and an SLA clock as JSON, with RFC 3339 instants."""

from typing import Any, Final

import msgspec

from schemas.instants import format_instant
from schemas.results import Alert, DeadLetter, WindowRow

_encode: Final = msgspec.json.Encoder().encode


def window_line(row: WindowRow) -> bytes:
    """A line of `--windows` and a message of topic `windows`; the contract's fields first, ours after them."""
    return _encode(
        {
            "window_seconds": row.window_seconds,
            "window_end": format_instant(row.window_end),
            "dimension": row.dimension,
            "value": row.value,
            "reviews": row.reviews,
            "negative": row.negative,
            "negative_share": row.negative_share or 0.0,
            "sentiment_mean": 0.5 if row.sentiment_mean is None else row.sentiment_mean,
            "rating_mean": row.rating_mean,
            "satisfaction": row.satisfaction,
            "complaints": row.complaints,
            "complaints_per_1k_orders": row.complaints_per_1k_orders,
            "tickets_created": row.tickets_created,
            "tickets_open": row.tickets_open,
            "first_response_ms": _percentiles(row.first_response_ms),
            "resolution_ms": _percentiles(row.resolution_ms),
            "sla_breaches": row.sla_breaches,
            "reopened": row.reopened,
            "judged": row.judged,
            "neutral": row.neutral,
            "orders": row.orders,
            "sla_met": row.sla_met,
            "sla_breach_rate": row.sla_breach_rate,
            "agreement": row.agreement,
            "compared": row.compared,
            "invalid_share": row.invalid_share,
            "uncertain_share": row.uncertain_share,
            "duplicate_share": row.duplicate_share,
            "drift": row.drift,
        }
    )


def alert_line(alert: Alert) -> bytes:
    """A line of `--alerts` and a message of topic `alerts`."""
    line: dict[str, Any] = {
        "alert_id": alert.alert_id,
        "rule": alert.rule,
        "kind": alert.kind,
        "status": alert.status,
        "severity": alert.severity,
        "at": format_instant(alert.at),
        "starts_at": format_instant(alert.starts_at),
        "ends_at": None if alert.ends_at is None else format_instant(alert.ends_at),
        "labels": alert.labels,
        "value": alert.value,
        "baseline": alert.baseline,
        "peak": alert.peak,
        "summary": alert.summary,
        "evidence": alert.evidence,
    }
    if alert.reason:
        line["reason"] = alert.reason
    return _encode(line)


def sla_line(
    *, ticket_id: str, clock: str, cycle: int, policy: str, target_ms: int, elapsed_ms: int, state: str,
    breached_at: int | None, warned_at: int | None,
) -> bytes:  # fmt: skip
    """A line of `--sla`; `cycle` only where a clock has cycles."""
    line: dict[str, Any] = {"ticket_id": ticket_id, "clock": clock, "policy": policy}
    if cycle:
        line["cycle"] = cycle
    return _encode(
        {
            **line,
            "target_ms": target_ms,
            "elapsed_ms": elapsed_ms,
            "state": state,
            "breached_at": None if breached_at is None else format_instant(breached_at),
            "warned_at": None if warned_at is None else format_instant(warned_at),
        }
    )


def dead_letter_line(letter: DeadLetter) -> bytes:
    """A message of topic `dead-letters`: the raw message whole, as text if it is UTF-8, else as base64."""
    line: dict[str, Any] = {
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "received_at": format_instant(letter.received_at),
        "reason": letter.reason,
        "detail": letter.detail,
    }
    try:
        line["raw"] = letter.raw.decode()
    except UnicodeDecodeError:
        line["raw_base64"] = letter.raw  # msgspec writes bytes as base64
    return _encode(line)


def _percentiles(values: tuple[int, int, int] | None) -> dict[str, int] | None:
    return None if values is None else dict(zip(("p50", "p90", "p99"), values, strict=True))
