"""What a detector says at one instant; the lifecycle makes alerts of it.

A detector is a fold over observations or window rows and keeps saying what holds; it knows nothing of alert ids,
cooldown, flapping, silences or who was told.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from schemas.results import AlertKind, AlertSeverity


class Decision(NamedTuple):
    """The condition of one rule for one set of labels, at one instant."""

    rule: str
    kind: AlertKind
    state: Literal["raise", "update", "clear"]
    severity: AlertSeverity
    labels: Mapping[str, str]  # rule and labels name the incident
    at: int  # event time, ms, at which it was decided
    starts_at: int  # best estimate of when the trouble began, ms
    value: float | None
    baseline: float | None
    evidence: Mapping[str, Any]  # JSON values, by kind
    reason: str = ""  # of an update or a clear: 'escalated', 'corrected', 'folded' …
