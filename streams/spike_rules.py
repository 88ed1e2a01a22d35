"""From the rules' words to the spike detector's settings, and from its decisions to what a rule says of them."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from alerts.decision import Decision
from alerts.detectors.spikes import chances
from alerts.detectors.spikes.config import COMPLAINT, DEFAULT_SLICES, NEGATIVE, KindSettings, Slice, SpikeConfig
from alerts.detectors.spikes.series import rank_of
from alerts.detectors.spikes.watch import CONFIRMED
from schemas.peaks import Peaks, Phase
from schemas.results import AlertSeverity
from schemas.rules import SpikeRule, matches, slice_parts


def spike_config(pair: tuple[SpikeRule | None, SpikeRule | None], peaks: Peaks) -> SpikeConfig:
    """One detector for a rule of each kind; a kind without a rule is off."""
    negative, complaint = pair
    named = [rule.dimensions for rule in pair if rule is not None and rule.dimensions is not None]
    # One rule's category+region is the other's region+category: the slice is watched once, in the first one's order.
    slices: dict[frozenset[str], Slice] = {}
    for name in (name for names in named for name in names if name != "all"):
        parts = tuple(name.split("+"))
        slices.setdefault(frozenset(parts), parts)
    dimensions = tuple(slices.values()) or DEFAULT_SLICES

    def peak_at(at_ms: int) -> str | None:
        phase = peaks.phase_at(at_ms)
        return None if phase is None else f"{phase.peak}/{phase.name}"

    return SpikeConfig(
        dimensions=dimensions,
        negative=_settings(NEGATIVE, negative),
        complaint=_settings(COMPLAINT, complaint),
        peak_at=peak_at,
    )


def by_rule(decision: Decision, base: SpikeRule, *, phase: Phase | None, running: bool) -> Decision | None:
    """What a rule says of a decision in a promotion's phase; None where it says nothing.

    The detector goes by the rule itself, so a phase can only ask for more: of what begins, and of what went on unsaid
    and has grown since. `running`: the alert was told, or waits for its `for`.
    """
    rule = base.in_phase(phase)
    if decision.state != "clear":
        if base.match and not matches(base.match, slice_parts(**_slice(decision))):
            return None
        if not rule.enabled or not (running or _enough(decision, base, rule)):
            return None
    severity = _severity(decision, base, rule)
    escalated = decision.reason == "escalated" and severity == rule.severity  # by the detector alone
    return decision._replace(severity=severity, reason="" if escalated else decision.reason)


def _enough(decision: Decision, base: SpikeRule, rule: SpikeRule) -> bool:
    """Whether the rise is as large, and as sure, as the rule wants it in the phase."""
    got, due = _counts(decision)
    if rule.min_ratio is not None and got < rule.min_ratio * due:
        return False
    if rule.min_events != base.min_events and rule.min_events is not None and got < rule.min_events:
        return False
    if rule.evidence_nats == base.evidence_nats:
        return True
    stream = float(decision.evidence.get("stream_nats", 0.0))
    least = least_nats(rule, slice_parts(**_slice(decision)), due=due, stream=stream)
    return _nats(decision, _settings(own_settings(rule), rule)) >= least


def least_nats(rule: SpikeRule, parts: Mapping[str, str], *, due: float, stream: float = 0.0) -> float:
    """The evidence that a slice must keep which is named for an alarm, with so much due in its run.

    `stream`: the nats that the stream as a whole asked for.
    """
    settings = _settings(own_settings(rule), rule)
    size = min(0.0, float(chances.by_size(settings, due)))
    return CONFIRMED * (settings.wanted(rank_of(tuple(parts))) + stream + size)


def _nats(decision: Decision, settings: KindSettings) -> float:
    """The evidence that was said at the beginning; of what has grown since, that of its counts."""
    said = float(decision.evidence["log_likelihood_ratio"])
    got, due = _counts(decision)
    if decision.state == "raise" or not got > due > 0.0:
        return said
    return max(said, (got * math.log(got / due) - (got - due)) / (1.0 + due * settings.drift**2))


def _severity(decision: Decision, base: SpikeRule, rule: SpikeRule) -> AlertSeverity:
    """The rule's own; critical by size, but where the rule is for information and does not say from what size on."""
    large = decision.severity == "critical"
    limits = (rule.critical_ratio, rule.critical_events)
    if limits != (base.critical_ratio, base.critical_events):
        settings = _settings(own_settings(rule), rule)
        got, due = _counts(decision)
        excess = got - due
        large = excess >= 8 * settings.critical_excess or (
            excess >= settings.critical_excess and got + 0.5 >= settings.critical_ratio * (due + 0.5)
        )
    if large and (rule.severity != "info" or any(one is not None for one in limits)):
        return "critical"
    return rule.severity


def _counts(decision: Decision) -> tuple[float, float]:
    """Negatives (complaints), and what was expected."""
    due = float(decision.evidence["expected"])
    if decision.value is not None and decision.baseline:
        return due * decision.value / decision.baseline, due
    ratio = decision.evidence["ratio"]
    return (math.inf if ratio is None else due * float(ratio)), due


def _slice(decision: Decision) -> dict[str, str]:
    return {name: decision.labels.get(name, "") for name in ("dimension", "value")}


def own_settings(rule: SpikeRule) -> KindSettings:
    """What ships for a rule's kind."""
    return NEGATIVE if rule.kind == "negative_spike" else COMPLAINT


def _settings(own: KindSettings, rule: SpikeRule | None) -> KindSettings:
    """What the rule says over the detector's own settings, which were tuned; None is left as it is."""
    if rule is None:
        return dataclasses.replace(own, enabled=False)
    said: dict[str, Any] = {
        "min_ratio": rule.min_ratio,
        "min_count": rule.min_events,
        "evidence_nats": rule.evidence_nats,
        "critical_ratio": rule.critical_ratio,
        "critical_excess": rule.critical_events,
    }
    return dataclasses.replace(own, rule=rule.name, **{key: value for key, value in said.items() if value is not None})
