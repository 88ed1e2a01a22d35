"""Plain numbers to Prometheus' families, in few words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from schemas.histogram import Histogram

PREFIX: Final = "peakwatch_"

Labelled = Iterable[tuple[Sequence[str], float]]


def counter(name: str, text: str, labels: Sequence[str], values: Labelled) -> CounterMetricFamily:
    """Counters by their labels' values; `name` without the prefix and `_total`."""
    family = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def gauge(name: str, text: str, labels: Sequence[str], values: Labelled) -> GaugeMetricFamily:
    """Gauges by their labels' values."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def histogram(
    name: str, text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], Histogram]
) -> HistogramMetricFamily:
    """Histograms by their labels' values."""
    family = HistogramMetricFamily(PREFIX + name, text, labels=labels)
    for of, one in sorted(values.items()):
        family.add_metric(of, one.buckets(), sum_value=one.total)
    return family
