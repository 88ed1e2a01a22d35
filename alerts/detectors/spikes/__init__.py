"""Spikes of the negative share and of complaints per order; docs/detection.md has the statistics."""

from alerts.detectors.spikes.config import COMPLAINT, DEFAULT_SLICES, NEGATIVE, KindSettings, SpikeConfig
from alerts.detectors.spikes.detector import SpikeDetector

__all__ = ["COMPLAINT", "DEFAULT_SLICES", "NEGATIVE", "KindSettings", "SpikeConfig", "SpikeDetector"]
