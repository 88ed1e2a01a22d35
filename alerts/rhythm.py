"""What is alike for the alerts of all rules: how fast they may change, repeat and pile up."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.peaks import Phase

PhaseAt = Callable[[int], Phase | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """Settings of the lifecycle; durations are ms of event time."""

    flap_changes: int = 4  # so many changes …
    flap_window_ms: int = 3_600_000  # … within this time: hold it and say so once
    update_every_ms: int = 600_000
    quotes_every_ms: int = 1_800_000  # new quotes alone are news this often
    value_step: float = 0.5  # so much worse than the worst that was said is news
    storm_more_than: int = 20
    storm_window_ms: int = 600_000
    orphan_ms: int = 86_400_000  # an alert whose rule is gone is resolved after this time at the latest
    ticket_memory_ms: int = 21_600_000  # so long a stop that is taken back reopens the alert
    language: str = "zh"


def no_phase(_: int) -> Phase | None:
    """An ordinary day."""
    return None
