"""What an alert says, when it is worth saying again, and when nobody is told (`evidence.muted`).

The lifecycle decides that something happened; here it becomes a line. Muted lines are written all the same,
so that the store and the wall hide nothing; the delivery keeps quiet.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from alerts.decision import Decision
from alerts.incident import RANK, Incident
from alerts.rhythm import PhaseAt, Rhythm
from alerts.silences import Silences
from alerts.summary import summarize
from schemas.results import Alert, AlertStatus
from schemas.rules import Rule


class Voice:
    """Makes alerts of incidents, by the rules in force and the phase of the promotion."""

    def __init__(self, rules: Iterable[Rule], *, phase_at: PhaseAt, rhythm: Rhythm, silences: Silences) -> None:
        self.rules: dict[str, Rule] = {rule.name: rule for rule in rules}
        self._phase_at = phase_at
        self._rhythm = rhythm
        self._silences = silences

    def rule(self, name: str, at: int) -> Rule | None:
        """The rule as it counts at an instant."""
        rule = self.rules.get(name)
        return rule.in_phase(self._phase_at(at)) if rule is not None else None

    def news(self, incident: Incident, decision: Decision) -> str:
        """Why an update of a firing alert is worth saying; '' if it is not."""
        if RANK[incident.severity] > RANK[incident.said_severity] or decision.reason == "escalated":
            return "escalated"
        too_soon = decision.at - incident.said_at < self._rhythm.update_every_ms
        if incident.flapping or incident.acknowledged_at is not None or too_soon:
            return ""
        if decision.reason:
            return decision.reason
        if _worse(incident, self._rhythm.value_step):
            return "worse"
        if decision.at - incident.said_at < self._rhythm.quotes_every_ms:
            return ""
        return "quotes" if set(_quotes(incident.evidence)) - set(incident.said_quotes) else ""

    def say(self, incident: Incident, status: AlertStatus, *, at: int, reason: str) -> Alert:
        """The alert's line, and the incident remembers what was said.

        A person acts by the wall clock, which event time trails: what is decided for an instant before theirs is told
        as after it, so that the last word is the last to have been said.
        """
        if at <= incident.acted_at:
            at = incident.acted_at = incident.acted_at + 1
        incident.said_at, incident.said_severity = at, incident.severity
        if status == "firing" or incident.said_value is None or _worse(incident, 0.0):
            incident.said_value = incident.value
        incident.said_quotes = _quotes(incident.evidence)
        alert = self._alert(incident, status, at=at, reason=reason)
        return alert._replace(summary=summarize(alert, language=self._rhythm.language))

    def mute_changes(self, incident: Incident, *, at: int) -> bool:
        """Whether an alert is muted now and was not when it last spoke, or the other way round."""
        return bool(self._mute(incident, at=at)[0]) != bool(incident.said_muted)

    def _mute(self, incident: Incident, *, at: int) -> tuple[str, int | None]:
        """What keeps people from being told, with its end, if known; '' if nothing does."""
        if incident.snoozed_until is not None and at < incident.snoozed_until:
            return "snooze", incident.snoozed_until
        rule = self.rule(incident.rule, at)
        own = {"rule": incident.rule, "kind": incident.kind, "severity": incident.severity}
        silence = self._silences.covering({**(rule.labels if rule else {}), **incident.labels, **own}, at)
        if silence is not None:
            return "silence", silence.ends_at
        if rule is not None and rule.quiet_hours is not None and incident.severity != "critical":
            until = rule.quiet_hours.until(at)
            if until is not None:
                return "quiet_hours", until
        return ("storm" if incident.in_storm else ""), None

    def _alert(self, incident: Incident, status: AlertStatus, *, at: int, reason: str) -> Alert:
        phase = self._phase_at(at)
        rule = self.rule(incident.rule, at)
        evidence: dict[str, Any] = dict(incident.evidence)
        if phase is not None:
            evidence["phase"] = phase.label
        if rule is not None:
            told = (("owner", rule.owner), ("runbook", rule.runbook))
            evidence |= {key: text for key, text in told if text}
        if incident.acknowledged_at is not None:
            evidence["acknowledged"] = {"who": incident.acknowledged_by, "at": incident.acknowledged_at}
        if incident.notes:
            evidence["notes"] = [msgspec.to_builtins(note) for note in incident.notes]
        labels = {**(rule.labels if rule else {}), **incident.labels}
        incident.said_muted, incident.muted_until = self._mute(incident, at=at)
        if incident.said_muted:
            evidence["muted"] = {"by": incident.said_muted, "until": incident.muted_until}
        return Alert(
            alert_id=incident.alert_id, rule=incident.rule, kind=incident.kind, status=status,
            severity=incident.severity, at=at, starts_at=incident.starts_at,
            ends_at=at if status == "resolved" else None, labels=labels, value=incident.value,
            baseline=incident.baseline, peak=phase.peak if phase else None, summary="", evidence=evidence,
            reason=reason,
        )  # fmt: skip


def _worse(incident: Incident, step: float) -> bool:
    """Whether the value is by more than a step beyond the worst that was said: above it, or below for a floor."""
    said, value = incident.said_value, incident.value
    if said is None or value is None:
        return False
    beyond = said - value if incident.evidence.get("below") else value - said
    return beyond > step * abs(said)


def _quotes(evidence: Mapping[str, Any]) -> list[str]:
    found = evidence.get("texts") or evidence.get("sample_event_ids") or []
    return [str(quote) for quote in found][:10]
