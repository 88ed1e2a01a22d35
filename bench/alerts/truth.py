"""Injected incidents: where, when, how large; and when their evidence reaches 12 nats."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.alerts.world import DAY_S, Floats, Plan, World

DETECTABLE_NATS: Final = 12.0
SLICES: Final = (
    ("category",), ("category",), ("channel",), ("region",), ("shop_id",), ("product_id",), ("customer_tier",),
    ("category", "region"), ("category", "region"), ("category", "channel"),
)  # fmt: skip


@dataclass(frozen=True)
class Incident:
    """One injected rise; times in seconds since the start."""

    kind: str  # review or complaint
    dims: tuple[tuple[str, int], ...]
    start: float
    end: float
    ratio: float
    ramp: float  # seconds until the full size, 0: a step

    def factor(self, seconds: Floats) -> Floats:
        """What the rate is multiplied by at these instants, in the slice."""
        size = np.ones(len(seconds)) if not self.ramp else np.clip((seconds - self.start) / self.ramp, 0.0, 1.0)
        result: Floats = np.where((seconds >= self.start) & (seconds < self.end), 1.0 + (self.ratio - 1.0) * size, 1.0)
        return result

    def mine(self, columns: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Which events lie in the slice."""
        mine = np.ones(len(next(iter(columns.values()))), bool)
        for name, value in self.dims:
            mine &= columns[name] == value
        return mine


def draw(plan: Plan, world: World, chance: Generator) -> list[Incident]:
    """Incidents of all sizes over the whole stream but its first hours."""
    found = []
    for number in range(plan.incidents):
        kind = "review" if number % 2 == 0 else "complaint"
        names = SLICES[int(chance.integers(len(SLICES)))]
        dims = tuple((name, _value(world, name, chance)) for name in names)
        start = float(chance.uniform(0.08 * plan.days, 0.96 * plan.days)) * DAY_S
        if number % 5 == 0 and plan.days >= 2:  # one in five in the promotion
            start = DAY_S + 20 * 3600.0 + float(chance.uniform(0.0, 5 * 3600.0))
        length = float(np.exp(chance.uniform(np.log(600.0), np.log(5400.0))))
        ratio = float(np.exp(chance.uniform(np.log(1.5), np.log(5.0)) if kind == "review"
                             else chance.uniform(np.log(2.0), np.log(6.0))))  # fmt: skip
        ramp = length * 0.5 if chance.random() < 0.35 else 0.0
        found.append(Incident(kind, dims, start, start + length, ratio, ramp))
    return sorted(found, key=lambda one: one.start)


def detectable_at(one: Incident, seconds: Floats, rates: Floats, hits: Floats) -> float | None:
    """When somebody who knows slice, start and size holds 12 nats; None: never.

    `rates`: the probability (or expectation) of each event without the incident; `hits`: 1 negative, 0 not. For
    complaints the events are orders (hits 0) and complaints (rate 0), in time order.
    """
    factor = one.factor(seconds)
    if one.kind == "review":
        raised = np.minimum(0.95, rates * factor)
        gains = np.where(hits > 0.0, np.log(raised / rates), np.log1p(-raised) - np.log1p(-rates))
    else:
        gains = hits * np.log(factor) - rates * (factor - 1.0)
    total = np.cumsum(gains)
    reached = np.flatnonzero(total >= DETECTABLE_NATS)
    return float(seconds[reached[0]]) if len(reached) else None


def _value(world: World, name: str, chance: Generator) -> int:
    size = len(world.names[name])
    if name == "product_id":  # those that sell at all
        return int(chance.integers(0, max(1, size // 20)))
    if name == "shop_id":
        return int(chance.choice(world.product_shop))
    return int(chance.integers(size))
