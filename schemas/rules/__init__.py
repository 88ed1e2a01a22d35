"""The rules of alerts: shapes (`types.py`), keys (`read.py`), how a file becomes them (`parse.py`)."""

from schemas.rules.parse import parse_rules, with_peaks
from schemas.rules.types import (
    FIGURES,
    BreachWaveRule,
    BurnWindows,
    FeedSilentRule,
    PeakOverride,
    QuietHours,
    Rule,
    RuleBase,
    SlaTicketRule,
    SpikeRule,
    ThresholdRule,
    figure_of,
    matches,
    slice_parts,
)

__all__ = [
    "FIGURES",
    "BreachWaveRule",
    "BurnWindows",
    "FeedSilentRule",
    "PeakOverride",
    "QuietHours",
    "Rule",
    "RuleBase",
    "SlaTicketRule",
    "SpikeRule",
    "ThresholdRule",
    "figure_of",
    "matches",
    "parse_rules",
    "slice_parts",
    "with_peaks",
]
