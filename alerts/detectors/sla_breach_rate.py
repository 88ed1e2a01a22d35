"""The share of clocks that breached, of all that got their verdict in a window (rule A6), by burn rate.

A burn rate of n spends n times the allowed share: with `above: 0.1` and `factor: 3` more than 30 % must have
breached, in the long window (it matters) and in the short one (it still goes on). The arithmetic is
`threshold.py`'s.
"""

from typing import ClassVar

from alerts.detectors.threshold import ThresholdDetector
from schemas.results import AlertKind


class SlaBreachRateDetector(ThresholdDetector):
    """All rules of the kind sla_breach_rate; `count` of the evidence is the number of verdicts."""

    kind: ClassVar[AlertKind] = "sla_breach_rate"
