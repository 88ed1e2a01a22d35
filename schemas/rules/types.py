"""The rules as values: one frozen class a shape of rule, whatever file they came from.

What a rule means is decided by its detector (`alerts/detectors/`), its rhythm by `alerts/lifecycle.py`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, get_args

from schemas.events import DIMENSIONS
from schemas.peaks import Phase
from schemas.results import AlertKind, AlertSeverity, WindowRow
from schemas.zones import instant_of_wall, wall_ms

KINDS: Final[tuple[AlertKind, ...]] = get_args(AlertKind)
SEVERITIES: Final[tuple[AlertSeverity, ...]] = get_args(AlertSeverity)
ANY_PEAK: Final = "*"

PERCENTILES: Final = {"p50": 0, "p90": 1, "p99": 2}
DURATION_FIGURES: Final = (
    *(f"first_response_ms.{p}" for p in PERCENTILES), *(f"resolution_ms.{p}" for p in PERCENTILES),
)  # fmt: skip
COUNT_FIGURES: Final = (
    "reviews", "judged", "negative", "neutral", "complaints", "orders", "tickets_created", "tickets_open",
    "sla_breaches", "sla_met", "reopened", "sla_verdicts", "compared",
)  # fmt: skip
SHARE_FIGURES: Final = (
    "negative_share", "sentiment_mean", "rating_mean", "satisfaction", "complaints_per_1k_orders",
    "sla_breach_rate", "agreement", "invalid_share", "uncertain_share", "duplicate_share", "drift",
)  # fmt: skip
FIGURES: Final = COUNT_FIGURES + SHARE_FIGURES + DURATION_FIGURES
FORECAST: Final = "breaches_due"  # not of a window: what the SLA clocks say will breach within a horizon
HORIZONS_MS: Final = (900_000, 1_800_000, 3_600_000)

TICKET_FIELDS: Final = (*DIMENSIONS, "priority", "queue", "clock", "policy")

Match = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of the day, on a zone's wall clock, in which nobody is woken; they may span midnight."""

    start_minute: int
    end_minute: int
    timezone: str

    def until(self, at_ms: int) -> int | None:
        """When the quiet hours that hold at an instant are over; None outside of them."""
        wall = wall_ms(self.timezone, at_ms) // 60_000 * 60_000
        length = (self.end_minute - self.start_minute) % 1440
        inside = (wall // 60_000 - self.start_minute) % 1440
        if inside >= length:
            return None
        left_ms = (length - inside) * 60_000
        end_ms = instant_of_wall(self.timezone, wall + left_ms)  # the clock may change in between
        return end_ms if end_ms > at_ms else at_ms - at_ms % 60_000 + left_ms  # in an hour that comes again


@dataclass(frozen=True, slots=True)
class BurnWindows:
    """Both windows must show `factor` times the bound: the long that it matters, the short that it lasts."""

    long_seconds: int
    short_seconds: int
    factor: float


@dataclass(frozen=True, slots=True)
class PeakOverride:
    """What a rule says instead during a promotion (`*`: any, planned or not) or one phase of it."""

    peak: str
    phase: str | None
    changes: Mapping[str, Any]  # by field of the rule's class

    def holds(self, phase: Phase) -> bool:
        """Whether it counts in this phase."""
        return self.peak in (ANY_PEAK, phase.peak) and self.phase in (None, phase.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleBase:
    """What every rule has. Durations are milliseconds."""

    name: str
    kind: AlertKind
    severity: AlertSeverity = "warning"
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    runbook: str = ""
    match: Match = field(default_factory=dict)
    for_ms: int = 0
    cooldown_ms: int = 0
    quiet_hours: QuietHours | None = None
    peaks: tuple[PeakOverride, ...] = ()
    enabled: bool = True

    def in_phase(self, phase: Phase | None) -> Self:
        """The rule as it counts in a phase: of several overrides the later one wins, field by field."""
        changes: dict[str, Any] = {}
        if phase is not None:
            for override in self.peaks:
                if override.holds(phase):
                    changes.update(override.changes)
        return dataclasses.replace(self, **changes) if changes else self


@dataclass(frozen=True, kw_only=True, slots=True)
class SpikeRule(RuleBase):
    """negative_spike, complaint_spike. What is None is left to the detector's own, documented default."""

    dimensions: tuple[str, ...] | None = None
    min_ratio: float | None = None  # observed over expected; significant is not enough
    min_events: float | None = None  # unrelated negatives or complaints that an alert rests on
    evidence_nats: float | None = None  # log-likelihood ratio at which it speaks
    critical_ratio: float | None = None  # from here on it is critical …
    critical_events: float | None = None  # … if so many beyond the expectation stand behind it


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdRule(RuleBase):
    """threshold on a window figure or a ratio of two; sla_breach_rate with its figure given."""

    figure: str
    per: str | None = None  # the figure that it is divided by
    above: float | None = None
    below: float | None = None
    clear_at: float | None = None  # resolves beyond this; None: beyond the bound itself
    window_seconds: int = 300
    dimensions: tuple[str, ...] = ("all",)
    min_count: int = 0
    count: str = "reviews"  # the figure that `min_count` counts
    burn_rate: tuple[BurnWindows, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BreachWaveRule(RuleBase):
    """threshold on `breaches_due`: so many clocks of a queue will breach within the horizon."""

    horizon_ms: int = 900_000
    above: float = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SlaTicketRule(RuleBase):
    """sla_breach, sla_warning: one alert a clock of a ticket."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedSilentRule(RuleBase):
    """feed_silent: a topic × channel whose learnt cadence says that it should have spoken."""

    topics: tuple[str, ...] = ("reviews", "complaints", "tickets", "orders")
    false_alarm_days: float = 30.0  # about one false alarm in so many days, all feeds together
    min_silence_ms: int = 300_000
    min_history_ms: int = 7_200_000


Rule = SpikeRule | ThresholdRule | BreachWaveRule | SlaTicketRule | FeedSilentRule


def slice_parts(dimension: str, value: str) -> dict[str, str]:
    """`category+region`, `手机|华东` as {category: 手机, region: 华东}; `all` has no parts."""
    if dimension == "all":
        return {}
    names = dimension.split("+")
    if len(names) == 1:
        return {dimension: value}
    # A value may itself hold the bar; the last dimension takes what is left over.
    return dict(zip(names, value.split("|", len(names) - 1), strict=False))


def matches(match: Match, fields: Mapping[str, str]) -> bool:
    """Whether every key holds: one value equals exactly, an absent field is ""."""
    return all(fields.get(key, "") in values for key, values in match.items())


def figure_of(row: WindowRow, figure: str) -> float | None:
    """A figure of a window; None where the window has nothing to say on it."""
    if figure == "sla_verdicts":
        return row.sla_met + row.sla_breaches
    name, _, percentile = figure.partition(".")
    found = getattr(row, name)
    if percentile and found is not None:
        found = found[PERCENTILES[percentile]]
    return None if found is None else float(found)
