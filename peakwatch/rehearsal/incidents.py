"""Alerts of a replay as incidents: one line each for what began, got worse and ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from alerts.incident import RANK
from schemas.results import Alert, AlertSeverity


@dataclass(slots=True)
class Incident:
    """One alert from its first firing on. Instants are ms."""

    alert_id: str
    rule: str
    kind: str
    labels: Mapping[str, str]
    fired_at: int
    ended_at: int | None  # None: it still fired at the end
    severity: AlertSeverity  # the worst
    summary: str  # as it was first said
    muted: bool  # when it fired
    lines: list[Alert] = field(default_factory=list)

    def lasted_ms(self, end_ms: int) -> int:
        """From firing to its end, or to the end of the replay."""
        return max(0, (end_ms if self.ended_at is None else self.ended_at) - self.fired_at)


def incidents_of(alerts: Iterable[Alert]) -> list[Incident]:
    """The incidents, in the order in which they first fired."""
    found: dict[str, Incident] = {}
    for alert in alerts:
        one = found.get(alert.alert_id)
        if one is None:
            one = found[alert.alert_id] = Incident(
                alert.alert_id, alert.rule, alert.kind, alert.labels, alert.at, None, alert.severity, alert.summary,
                "muted" in alert.evidence,
            )  # fmt: skip
        one.lines.append(alert)
        one.ended_at = alert.at if alert.status == "resolved" else None
        if RANK[alert.severity] > RANK[one.severity]:
            one.severity = alert.severity
    return list(found.values())
