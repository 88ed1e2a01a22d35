"""From what detectors say to what people are told: pending, firing, resolved, each transition once.

Decides on `for`, cooldown, flapping, inhibition and storms. What holds is the detectors' business, what an
alert says is `voice.py`'s, who hears of it the delivery's. Nothing is resolved that still holds, also not at
the end of a replay.
"""

import heapq
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

from alerts import incident_pages
from alerts.decision import Decision
from alerts.incident import RANK, Incident, Key, key_of, new_incident
from alerts.inhibition import Inhibitors
from alerts.rhythm import PhaseAt, Rhythm, no_phase
from alerts.silences import Silences
from alerts.storm import STORM_RULE, Storm
from alerts.voice import Voice
from schemas.results import Alert, AlertKind, AlertSeverity
from schemas.rules import Rule

NO_RULES: Final[tuple[Rule, ...]] = ()
_FINAL: Final = ("corrected", "folded", "resolved", "false_alarm")  # no flapping: these ends are meant


class Lifecycle:
    """All incidents. Deterministic: the same decisions, actions and ticks give the same transitions."""

    def __init__(
        self, rules: Iterable[Rule] = NO_RULES, *, phase_at: PhaseAt = no_phase, rhythm: Rhythm | None = None
    ) -> None:
        self._rhythm = rhythm or Rhythm()
        self.silences = Silences()
        self._voice = Voice(rules, phase_at=phase_at, rhythm=self._rhythm, silences=self.silences)
        self._storm = Storm(more_than=self._rhythm.storm_more_than, window_ms=self._rhythm.storm_window_ms)
        self._inhibitors = Inhibitors()
        self._incidents: dict[Key, Incident] = {}
        self._by_id: dict[str, Key] = {}
        self._timers: list[tuple[int, Key]] = []
        self._armed: dict[Key, int] = {}
        self._now = 0
        self._born = 0

    def decide(self, decision: Decision) -> list[Alert]:
        """Take what a detector says; the transitions that follow from it at once."""
        key = key_of(decision.rule, decision.labels)
        out: list[Alert] = []
        if key in self._incidents:
            # Its own timers first: what was due before this decision has happened, whenever the tick comes.
            self._settle(self._incidents[key], decision.at - 1, out)
        incident = self._incidents.get(key)
        if decision.state == "clear":
            if incident is not None:
                self._clear(incident, decision, out)
        elif decision.state == "update" and decision.reason == "corrected":
            if incident is not None and incident.stage == "resolved" and not incident.closed:
                self._reopen(incident, decision.at, out)
        elif incident is None or incident.stage == "resolved":
            self._raise(incident, decision, out)
        else:
            self._refresh(incident, decision, out)
        return out

    def advance(self, to_ms: int) -> list[Alert]:
        """All that falls due by an instant, in order; a late or repeated tick changes nothing."""
        out: list[Alert] = []
        while self._timers and self._timers[0][0] <= to_ms:
            due, key = heapq.heappop(self._timers)
            if self._armed.get(key) == due:
                del self._armed[key]
                self._settle(self._incidents[key], due, out)
        self._now = max(self._now, to_ms)
        self.silences.forget(self._now)
        return out

    def reconfigure(self, rules: Iterable[Rule], *, anew: Container[str] = ()) -> list[Alert]:
        """Go on with other rules. No running alert is dropped; one that no rule speaks for says so, ends later.

        `anew`: rules whose detector begins anew, and so knows nothing of what runs under them.
        """
        self._voice.rules = {rule.name: rule for rule in rules}
        out: list[Alert] = []
        for _, incident in sorted(self._incidents.items()):
            known = incident.rule in self._voice.rules or incident.rule == STORM_RULE
            why = "rule_removed" if not known else "rule_changed" if incident.rule in anew else ""
            if not why and incident.orphaned_as != "rule_changed":
                incident.orphaned_at, incident.orphaned_as = None, ""
            elif why and incident.orphaned_at is None:
                incident.orphaned_at, incident.orphaned_as = self._now, why
                if incident.stage == "firing":
                    at = _next_word(incident, self._now)
                    out.append(self._voice.say(incident, "updated", at=at, reason=why))
            self._arm(incident)
        return out

    def find(self, alert_id: str) -> Incident | None:
        """The incident that carries this alert, while it is remembered."""
        key = self._by_id.get(alert_id)
        return self._incidents.get(key) if key is not None else None

    def firing(self) -> Counter[tuple[AlertKind, AlertSeverity]]:
        """How many alerts fire, by kind and severity: for metrics, which ask often."""
        return Counter((one.kind, one.severity) for one in self._incidents.values() if one.stage == "firing")

    def running(self) -> list[Incident]:
        """All incidents that are pending or firing, by rule and labels."""
        return [one for _, one in sorted(self._incidents.items()) if one.stage != "resolved"]

    def runs(self, rule: str, labels: Mapping[str, str]) -> bool:
        """Whether an incident of these labels is pending or firing."""
        incident = self._incidents.get(key_of(rule, labels))
        return incident is not None and incident.stage != "resolved"

    def tell(self, incident: Incident, *, at: int, reason: str) -> list[Alert]:
        """Say what a person did to a firing alert."""
        out = []
        if incident.stage == "firing":
            at = _next_word(incident, at)
            out.append(self._voice.say(incident, "updated", at=at, reason=reason))
            incident.acted_at = at
        self._arm(incident)
        return out

    def remute(self, *, at: int) -> list[Alert]:
        """A silence has begun or ended: firing alerts that are muted now, or no longer are, say so."""
        out = []
        for _, incident in sorted(self._incidents.items()):
            if incident.stage == "firing" and self._voice.mute_changes(incident, at=at):
                out += self.tell(incident, at=at, reason="muted" if incident.said_muted == "" else "unmuted")
        return out

    def close(self, incident: Incident, *, at: int, reason: str) -> list[Alert]:
        """A person ends an alert (`resolved`, `false_alarm`): silent until it clears or is worse, a day at most."""
        out: list[Alert] = []
        if incident.stage == "resolved":
            return out
        incident.closed = reason if incident.holds else ""
        if incident.stage == "firing":
            at = _next_word(incident, at)
            self._resolve(incident, at, reason, out)
            incident.acted_at = at
        else:
            self._end_pending(incident, at)
        return out

    def dump(self) -> dict[str, Any]:
        """All but the incidents, as values that msgpack knows."""
        return {
            "now": self._now,
            "born": self._born,
            "silences": self.silences.dump(),
            "storm": self._storm.dump(),
        }

    def pages(self) -> dict[str, bytes]:
        """The incidents, which may be many, as pages of which few change (`incident_pages`)."""
        return incident_pages.pack(self._incidents.values())

    def load(self, state: Mapping[str, Any], pages: Mapping[str, bytes]) -> None:
        """Go on from what `dump` and `pages` gave."""
        self._now, self._born = state["now"], state["born"]
        self.silences.load(state["silences"])
        self._storm.load(state["storm"])
        self._incidents, self._by_id, self._timers, self._armed = {}, {}, [], {}
        self._inhibitors = Inhibitors()
        incidents = incident_pages.unpack(pages)
        for incident in incidents:
            if incident.stage == "firing":
                self._inhibitors.begin(incident)
        for incident in incidents:
            self._keep(incident)

    def _raise(self, old: Incident | None, decision: Decision, out: list[Alert]) -> None:
        """A condition begins to hold, or does again."""
        rule = self._voice.rule(decision.rule, decision.at)
        not_before = decision.at + (rule.for_ms if rule else 0)
        if old is None:
            incident = self._new(decision, not_before)
        else:
            assert old.ended_at is not None
            worse = RANK[decision.severity] > RANK[old.said_severity]
            if (old.closed and not worse) or _is_repeat(old, decision):
                return
            cool_at = old.ended_at + (rule.cooldown_ms if rule else 0)
            cooling = decision.at < cool_at or bool(old.closed)
            if decision.at == old.raised_at if old.per_ticket else cooling:
                incident = old
                self._raise_again(old, decision, not_before if worse else max(not_before, cool_at))
            else:
                self._forget(old)
                incident = self._new(decision, not_before)
                incident.changes = old.changes
        self._keep(incident)
        self._settle(incident, decision.at, out)

    def _new(self, decision: Decision, not_before: int) -> Incident:
        self._born += 1
        return new_incident(decision, not_before=not_before, serial=self._born)

    def _raise_again(self, old: Incident, decision: Decision, not_before: int) -> None:
        """Within the cooldown it is the same incident, under the same id; it waits unless it is worse."""
        old.stage, old.holds, old.closed = "pending", True, ""
        old.not_before = decision.at if old.per_ticket else not_before
        old.severity = decision.severity
        old.refresh(decision)

    def _refresh(self, incident: Incident, decision: Decision, out: list[Alert]) -> None:
        """A condition goes on holding: take it over, and say so if it is news."""
        if incident.flapping and not incident.holds:
            incident.changes = [*incident.changes, decision.at]
        worse = incident.stage == "pending" and RANK[decision.severity] > RANK[incident.severity]
        incident.holds = True
        incident.orphaned_at, incident.orphaned_as = None, ""  # some rule speaks for it
        incident.refresh(decision)
        if worse and incident.ended_at is not None:  # the cooldown does not hold back what got worse
            rule = self._voice.rule(decision.rule, decision.at)
            incident.not_before = min(incident.not_before, decision.at + (rule.for_ms if rule else 0))
        reason = self._voice.news(incident, decision) if incident.stage == "firing" else ""
        if reason:
            out.append(self._voice.say(incident, "updated", at=decision.at, reason=reason))
        self._settle(incident, decision.at, out)

    def _clear(self, incident: Incident, decision: Decision, out: list[Alert]) -> None:
        flipped, incident.holds = incident.holds, False
        if incident.stage == "firing" and decision.reason not in _FINAL:
            incident.refresh(decision)  # what it came to in all
        if incident.stage == "resolved":
            incident.closed = ""
            if incident.per_ticket and decision.reason == "corrected" != incident.ended_as:
                # The clock had stopped; now it turns out that it never breached.
                self._end(incident, max(decision.at, incident.ended_at or 0), "corrected", out)
        elif incident.stage == "pending":
            self._end_pending(incident, decision.at)
        elif incident.flapping and decision.reason not in _FINAL:
            incident.changes = [*incident.changes, decision.at] if flipped else incident.changes
        else:
            self._resolve(incident, max(decision.at, incident.said_at), decision.reason, out)
        self._arm(incident)

    def _fire(self, incident: Incident, at: int, out: list[Alert]) -> None:
        again = incident.fired_at is not None
        incident.stage, incident.fired_at, incident.ended_at = "firing", at, None
        incident.flapping = self._count_change(incident, at)
        counts = not incident.per_ticket and incident.rule != STORM_RULE
        if counts:
            self._settle_storm(at - 1, out)
            incident.in_storm = self._storm.blow(incident, at=at)
        reason = "flapping" if incident.flapping else "again" if again else ""
        out.append(self._voice.say(incident, "firing", at=at, reason=reason))
        self._inhibitors.begin(incident)
        if incident.in_storm:
            self._tell_storm(at, out)

    def _resolve(self, incident: Incident, at: int, reason: str, out: list[Alert]) -> None:
        if self._count_change(incident, at) and reason not in _FINAL:
            incident.flapping = True
            out.append(self._voice.say(incident, "updated", at=at, reason="flapping"))
            self._arm(incident)
        else:
            self._end(incident, at, reason, out)

    def _end(self, incident: Incident, at: int, reason: str, out: list[Alert]) -> None:
        incident.flapping = False
        incident.stage, incident.ended_at, incident.snoozed_until = "resolved", at, None
        incident.ended_as = reason
        out.append(self._voice.say(incident, "resolved", at=at, reason=reason))
        self._arm(incident)
        if self._inhibitors.end(incident):  # what it held back may fire now, if it still holds
            for _, held in sorted(self._incidents.items()):
                if held.stage == "pending":
                    held.not_before = max(held.not_before, at)
                    self._settle(held, at, out)

    def _reopen(self, incident: Incident, at: int, out: list[Alert]) -> None:
        """The stop of a ticket's clock was taken back: the alert goes on, under the same id (rule A2)."""
        incident.stage, incident.holds, incident.ended_at = "firing", True, None
        out.append(self._voice.say(incident, "updated", at=max(at, incident.raised_at), reason="corrected"))
        self._arm(incident)

    def _end_pending(self, incident: Incident, at: int) -> None:
        if incident.fired_at is not None or incident.closed:  # it fired, or nobody wants it
            incident.stage, incident.ended_at = "resolved", incident.ended_at or at
            self._arm(incident)
        else:
            self._forget(incident)

    def _settle(self, incident: Incident, up_to: int, out: list[Alert]) -> None:
        """What falls due for one incident by an instant, each at its own."""
        due = self._due(incident)
        while due is not None and due <= up_to:
            if incident.orphaned_at is not None and due == incident.orphaned_at + self._rhythm.orphan_ms:
                if incident.stage == "firing":
                    self._end(incident, max(due, incident.said_at), incident.orphaned_as or "rule_removed", out)
                self._forget(incident)
                return
            if incident.stage == "resolved":
                self._forget(incident)
                return
            if incident.stage == "pending":
                self._fire(incident, due, out)
            elif incident.rule == STORM_RULE:
                self._storm.calm(due)
                self._end(incident, max(due, incident.said_at), "", out)
            elif incident.muted_until == due:
                out.append(self._voice.say(incident, "updated", at=due, reason="unmuted"))
            else:
                incident.flapping = False
                if not incident.holds:
                    self._end(incident, due, "calm", out)
            due = self._due(incident)
        self._arm(incident)

    def _settle_storm(self, up_to: int, out: list[Alert]) -> None:
        incident = self._incidents.get(key_of(STORM_RULE, {"storm": "alerts"}))
        if incident is not None:
            self._settle(incident, up_to, out)

    def _tell_storm(self, at: int, out: list[Alert]) -> None:
        """Begin the digest, or let it say what is new."""
        evidence = self._storm.evidence()
        out += self.decide(Decision(
            rule=STORM_RULE, kind="threshold", state="raise", severity=self._storm.severity,
            labels={"storm": "alerts"}, at=at, starts_at=at, value=float(evidence["count"]),
            baseline=float(self._rhythm.storm_more_than), evidence=evidence,
        ))  # fmt: skip

    def _count_change(self, incident: Incident, at: int) -> bool:
        """Note a change; True if it was one too many."""
        if incident.per_ticket:
            return False
        since = at - self._rhythm.flap_window_ms
        incident.changes = [*(one for one in incident.changes if one > since), at]
        return len(incident.changes) >= self._rhythm.flap_changes

    def _due(self, incident: Incident) -> int | None:
        """When time alone changes something for an incident."""
        dues: list[int] = []
        if incident.orphaned_at is not None:
            dues.append(incident.orphaned_at + self._rhythm.orphan_ms)
        if incident.stage == "resolved":
            assert incident.ended_at is not None
            dues.append(incident.ended_at + self._memory_ms(incident))
        elif incident.stage == "pending":
            if not self._inhibitors.holds_back(incident):
                dues.append(incident.not_before)
        elif incident.rule == STORM_RULE:
            over_at = self._storm.over_at()
            dues.append(incident.said_at if over_at is None else over_at)
        else:
            if incident.flapping:
                dues.append(incident.changes[-self._rhythm.flap_changes] + self._rhythm.flap_window_ms)
            if incident.muted_until is not None:
                dues.append(incident.muted_until)
        return min(dues, default=None)

    def _memory_ms(self, incident: Incident) -> int:
        if incident.per_ticket:
            return self._rhythm.ticket_memory_ms
        if incident.closed:
            return self._rhythm.orphan_ms
        rule = self._voice.rules.get(incident.rule)
        return max(self._rhythm.flap_window_ms, rule.cooldown_ms if rule else 0)

    def _keep(self, incident: Incident) -> None:
        self._incidents[incident.key] = incident
        self._by_id[incident.alert_id] = incident.key
        self._arm(incident)

    def _arm(self, incident: Incident) -> None:
        key = incident.key
        due = self._due(incident)
        if due is None or self._incidents.get(key) is not incident:
            self._armed.pop(key, None)
        elif self._armed.get(key) != due:
            self._armed[key] = due
            heapq.heappush(self._timers, (due, key))

    def _forget(self, incident: Incident) -> None:
        self._incidents.pop(incident.key, None)
        self._armed.pop(incident.key, None)
        self._by_id.pop(incident.alert_id, None)


def _next_word(incident: Incident, at: int) -> int:
    """When a word from outside is told: when it came, and after all that was said (rows go by id and `at`)."""
    return max(at, incident.said_at + 1)


def _is_repeat(old: Incident, decision: Decision) -> bool:
    """A raise that was seen before: a replayed offset, not a new trouble."""
    assert old.ended_at is not None
    if old.per_ticket:
        return decision.at == old.raised_at and old.ended_as != "corrected"
    return decision.at < old.ended_at or decision.at == old.raised_at
