"""Storm mode: when too many alerts are new at one time, one digest speaks for them, the worst first.

Counts and ranks; what is said of a storm, and when, is for the lifecycle. Alerts of single tickets do not
count: their bundling is the delivery's.
"""

from typing import Any, Final

import msgspec

from alerts.incident import RANK, Incident
from schemas.results import AlertSeverity

STORM_RULE: Final = "alert-storm"
SHOWN: Final = 10


class Gust(msgspec.Struct, frozen=True):
    """A new alert, as the digest shows it."""

    at: int
    severity: AlertSeverity
    alert_id: str
    rule: str
    labels: dict[str, str]


class Storm:
    """The new alerts of the last window, and whether they are too many."""

    def __init__(self, *, more_than: int, window_ms: int) -> None:
        self._more_than = more_than
        self._window_ms = window_ms
        self._gusts: list[Gust] = []
        self.raging = False

    def blow(self, incident: Incident, *, at: int) -> bool:
        """Count a new alert; True if with it the storm begins or is still going on."""
        self._drop(at)
        self._gusts.append(Gust(at, incident.severity, incident.alert_id, incident.rule, incident.labels))
        self.raging = self.raging or len(self._gusts) > self._more_than
        return self.raging

    def over_at(self) -> int | None:
        """When the storm is over if nothing new comes: when no more than half of the limit is new."""
        if not self.raging:
            return None
        keep = self._more_than // 2
        return self._gusts[-keep - 1].at + self._window_ms if len(self._gusts) > keep else self._gusts[-1].at

    def calm(self, at: int) -> None:
        """The storm is over."""
        self._drop(at)
        self.raging = False

    @property
    def severity(self) -> AlertSeverity:
        """The worst of the storm."""
        return max((gust.severity for gust in self._gusts), key=RANK.__getitem__, default="info")

    def evidence(self) -> dict[str, Any]:
        """How many alerts by severity, and the worst of them, the newest first among equals."""
        ranked = sorted(self._gusts, key=lambda gust: (-RANK[gust.severity], -gust.at, gust.alert_id))
        counts: dict[str, int] = {}
        for gust in ranked:
            counts[gust.severity] = counts.get(gust.severity, 0) + 1
        return {
            "storm": True,
            "count": len(ranked),
            "window_seconds": self._window_ms // 1000,
            "by_severity": counts,
            "worst": [{"alert_id": g.alert_id, "rule": g.rule, "labels": g.labels} for g in ranked[:SHOWN]],
        }

    def dump(self) -> dict[str, Any]:
        """Plain values for `load`."""
        return {"raging": self.raging, "gusts": [msgspec.to_builtins(gust) for gust in self._gusts]}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `dump` gave."""
        self.raging = state["raging"]
        self._gusts = msgspec.convert(state["gusts"], list[Gust])

    def _drop(self, at: int) -> None:
        self._gusts = [gust for gust in self._gusts if gust.at > at - self._window_ms]
