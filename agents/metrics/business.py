"""What customers do: reviews, complaints, orders, tickets' clocks, alerts.

Shares and rates are left to recording rules, which know over how long.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import Metric

from agents.metrics.families import Labelled, counter, gauge, histogram
from agents.metrics.figures import WorkerFigures


def business_families(figures: WorkerFigures) -> Iterable[Metric]:
    """What was counted since the process began, by names of bounded number."""
    yield counter("reviews", "Reviews judged", ("category", "sentiment"), _sorted(figures.reviews))
    yield counter("complaints", "Complaints", ("category", "severity"), _sorted(figures.complaints))
    yield counter(
        "orders", "Orders that the shops told of", ("category",),
        [((category,), count) for category, count in sorted(figures.orders.items())],
    )  # fmt: skip
    yield counter(
        "sla_transitions", "What happened to tickets' clocks; corrections are counted, not taken back",
        ("clock", "priority", "kind"), _sorted(figures.clocks),
    )  # fmt: skip
    yield histogram(
        "sla_clock_seconds", "Working time on a ticket's clock when it stopped", ("clock",),
        {(clock,): one for clock, one in figures.took.items()},
    )  # fmt: skip
    due = [
        ((topic, str(partition), clock, f"{horizon_ms // 1000}s"), count)
        for (topic, partition), counts in sorted(figures.due.items())
        for (clock, horizon_ms), count in sorted(counts.items())
    ]
    yield gauge(
        "sla_due_clocks", "Clocks that breach within the horizon if nobody acts, looked at every 30 s",
        ("topic", "partition", "clock", "horizon"), due,
    )  # fmt: skip
    yield counter("alert_transitions", "Transitions of alerts", ("kind", "severity", "status"), _sorted(figures.alerts))
    yield histogram(
        "alert_delay_seconds", "From the event time of an alert's transition to its being in topic alerts", (),
        {(): figures.alert_delay},
    )  # fmt: skip


def _sorted(counts: Mapping[Any, float]) -> Labelled:
    return sorted(counts.items())
