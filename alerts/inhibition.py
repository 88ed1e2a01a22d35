"""Which alerts are held back while another fires: a spike that rests on a feed that has fallen silent.

A firing alert names what it holds back in `evidence["inhibits"]`, a list of `{"kind": …}` (all of a kind) or
`{"kind": …, "channel": …}` (those whose slice lies in the channel; any dimension may be named).
"""

from collections.abc import Mapping
from typing import Any

from alerts.incident import Incident, Key
from schemas.rules import slice_parts


class Inhibitors:
    """The firing alerts that hold others back."""

    def __init__(self) -> None:
        self._patterns: dict[Key, list[Mapping[str, Any]]] = {}

    def begin(self, incident: Incident) -> None:
        """An alert fires; if it names any, it holds others back from now on."""
        patterns = incident.evidence.get("inhibits")
        if patterns:
            self._patterns[incident.key] = patterns

    def end(self, incident: Incident) -> bool:
        """An alert is over; True if it held others back."""
        return self._patterns.pop(incident.key, None) is not None

    def holds_back(self, incident: Incident) -> bool:
        """Whether an alert may not fire now."""
        if not self._patterns:
            return False
        fields: dict[str, str] = {"kind": incident.kind}
        if "dimension" in incident.labels:
            fields |= slice_parts(incident.labels["dimension"], incident.labels.get("value", ""))
        return any(
            all(fields.get(key) == value for key, value in pattern.items())
            for patterns in self._patterns.values()
            for pattern in patterns
        )
