"""What may be set of spike detection, with its documented defaults; nothing here decides."""

from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.errors import ConfigError
from schemas.events import DIMENSIONS

Slice = tuple[str, ...]  # one dimension, or several joined

DEFAULT_SLICES: tuple[Slice, ...] = (
    ("category",), ("channel",), ("region",), ("customer_tier",), ("shop_id",), ("product_id",),
    ("category", "region"), ("category", "channel"),
)  # fmt: skip

# How far a value's rate strays from what its parents say, as a prior: the expected negatives (or complaints)
# that the prior is worth, 1 / variance of the log ratio. 4: a standard deviation of 50 %, 25: of 20 %.
PRIOR_STRENGTH: dict[Slice, float] = {
    (): 1.0, ("category",): 4.0, ("channel",): 12.0, ("region",): 25.0, ("customer_tier",): 25.0,
    ("shop_id",): 12.0, ("product_id",): 8.0,
}  # fmt: skip
JOINED_STRENGTH = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSettings:
    """One of the two rules."""

    rule: str
    enabled: bool = True
    ratios: tuple[float, ...]  # the alternatives that are tested side by side
    min_ratio: float  # significant is not enough: observed over expected
    min_count: float  # negatives (complaints) that an alert rests on; a bad batch of five is none
    evidence_nats: float  # log-likelihood ratio at which an incident is called one
    spread_nats: float  # so much more for wide dimensions and products, less for shops and joined ones
    prior_rate: float  # before anything was learnt: the negativity of a review, complaints an order
    prior_strength: float  # expected negatives that this prior is worth
    drift: float  # relative day-to-day wandering of a rate that no baseline can know (standard deviation)
    haste: float  # how much of the chances that short runs have is asked for: nats a factor e of shortness
    size: float  # the same of runs in which little is due: nats a factor e of smallness
    volume: float  # the same of streams in which more than usual is due a day: nats a factor e of volume
    calm: float  # and so much more where no incident was told of late
    critical_ratio: float
    critical_excess: float  # negatives (complaints) beyond the expectation

    def wanted(self, rank: float) -> float:
        """The nats that an alarm of a slice of this rank takes: fewer where an incident brings little evidence.

        Each dimension has all events, and so as many chances as any other. What products let expect is the least sure.
        """
        spread = min(self.spread_nats, 0.5 * self.evidence_nats)
        return self.evidence_nats + spread * (-1.0 if 1.0 < rank < 3.0 else 1.0)


NEGATIVE = KindSettings(
    rule="negative-spike", ratios=(1.5, 2.0, 3.0, 4.5), min_ratio=1.4, min_count=6.0, evidence_nats=11.1,
    spread_nats=0.3, prior_rate=0.15, prior_strength=1.0, drift=0.025, haste=0.85, size=0.5, volume=0.55, calm=0.6,
    critical_ratio=2.5, critical_excess=25.0,
)  # fmt: skip
COMPLAINT = KindSettings(
    rule="complaint-spike", ratios=(1.6, 2.4, 3.8, 6.0), min_ratio=1.55, min_count=6.0, evidence_nats=11.2,
    spread_nats=0.3, prior_rate=0.01, prior_strength=0.5, drift=0.035, haste=0.85, size=0.5, volume=0.55, calm=0.6,
    critical_ratio=3.5, critical_excess=25.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeConfig:
    """Settings of a `SpikeDetector`; raises ConfigError with every mistake."""

    dimensions: tuple[str | Slice, ...] = DEFAULT_SLICES
    negative: KindSettings = field(default=NEGATIVE)
    complaint: KindSettings = field(default=COMPLAINT)
    judge_prior: float = 0.4  # the share of negatives at which the judge's scores are probabilities
    baseline_lag_ms: int = 40 * 60_000  # the newest events teach nothing, lest an incident become normal
    baseline_half_life_ms: int = 3 * 86_400_000
    recent_ms: int = 2 * 3_600_000  # how far back a cause is looked for
    recent_rows: int = 400_000  # and at most so many reviews (orders and complaints)
    clear_nats: float = 3.5  # evidence that it is over
    hold_ms: int = 10 * 60_000  # an incident lives at least as long
    quiet_ms: int = 60 * 60_000  # and at most so long without an event in its slice
    update_ms: int = 5 * 60_000  # updates come at most so often, but for a change of severity
    max_series: int = 300_000
    customer_ms: int = 12 * 3_600_000  # one customer's anger counts once a shop in so long
    zone_offset_ms: int = 8 * 3_600_000  # hours of the day are Chinese ones
    peak_at: Callable[[int], str | None] | None = None  # the promotion phase's name at an instant

    def __post_init__(self) -> None:
        mistakes = [
            f"dimensions: {joined!r} is not of {', '.join(DIMENSIONS)}"
            for joined in self.slices
            if not joined or len(set(joined)) != len(joined) or not set(joined) <= set(DIMENSIONS)
        ]
        if len(set(self.slices)) != len(self.slices):
            mistakes.append("dimensions: a slice stands twice")
        for name, kind in (("negative", self.negative), ("complaint", self.complaint)):
            if not kind.ratios or min(kind.ratios) <= 1.0:
                mistakes.append(f"{name}.ratios: {kind.ratios} must all be above 1")
            if kind.min_ratio <= 1.0:
                mistakes.append(f"{name}.min_ratio: {kind.min_ratio} is not above 1")
            if kind.evidence_nats <= 0.0 or kind.prior_rate <= 0.0 or kind.prior_strength <= 0.0:
                mistakes.append(f"{name}: evidence_nats, prior_rate and prior_strength must be above 0")
        if not 0.0 < self.judge_prior < 1.0:
            mistakes.append(f"judge_prior: {self.judge_prior} is not between 0 and 1")
        if mistakes:
            raise ConfigError(mistakes)

    @property
    def slices(self) -> tuple[Slice, ...]:
        """The watched dimensions, each as a tuple."""
        return tuple((one,) if isinstance(one, str) else tuple(one) for one in self.dimensions)
