"""From the rules' words to the spike detector's settings."""

import dataclasses
from typing import Any

from alerts.detectors.spikes.config import COMPLAINT, DEFAULT_SLICES, NEGATIVE, KindSettings, SpikeConfig
from schemas.peaks import Peaks
from schemas.rules import SpikeRule


def spike_config(pair: tuple[SpikeRule | None, SpikeRule | None], peaks: Peaks) -> SpikeConfig:
    """One detector for a rule of each kind; a kind without a rule is off."""
    negative, complaint = pair
    named = [rule.dimensions for rule in pair if rule is not None and rule.dimensions is not None]
    slices = dict.fromkeys(name for names in named for name in names if name != "all")
    dimensions = tuple(tuple(name.split("+")) for name in slices) or DEFAULT_SLICES

    def peak_at(at_ms: int) -> str | None:
        phase = peaks.phase_at(at_ms)
        return None if phase is None else f"{phase.peak}/{phase.name}"

    return SpikeConfig(
        dimensions=dimensions,
        negative=_settings(NEGATIVE, negative),
        complaint=_settings(COMPLAINT, complaint),
        peak_at=peak_at,
    )


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
