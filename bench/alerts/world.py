"""A made-up marketplace: who sells what where, how often people complain, how the day and the promotion run."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_S: Final = 86_400
CATEGORIES: Final = (
    "手机", "家电", "服饰", "美妆", "食品", "图书", "母婴", "家居", "运动", "数码配件", "生鲜", "宠物", "乐器", "钟表",
)  # fmt: skip
REGIONS: Final = ("华东", "华南", "华北", "华中", "西南", "东北", "西北", "港澳台")
CHANNELS: Final = ("app", "web", "wechat", "weibo", "douyin", "phone", "email", "store")
TIERS: Final = ("普通", "银卡", "金卡", "黑金")
DIMENSIONS: Final = ("category", "channel", "region", "customer_tier", "shop_id", "product_id")
# Hourly volume of a working day, from memory of no particular shop: a low at 4, peaks at noon and at 21.
DAY_CURVE: Final = (5, 3, 2, 1.5, 1.2, 1.5, 3, 5, 7, 9, 10, 11, 12, 10.5, 10, 10, 10, 10, 11, 13, 15, 16, 13, 9)


@dataclass(frozen=True)
class Plan:
    """How large and how nasty a stream is."""

    seed: int
    days: float = 3.0
    reviews: int = 400_000
    complaints: int = 50_000
    incidents: int = 36
    peak: float = 12.0  # times the usual volume, from the second evening at 20:00 for four hours, then fading
    mood: float = 1.25  # times the usual negatives and complaints per order in the peak: benign
    drift: float = 0.10  # how far the base rates wander, relative
    batches: int = 40  # bad batches: 3 to 5 related negatives of one product
    duplicates: float = 0.01
    late: float = 0.02
    order_delay_s: int = 120
    order_every_s: int = 300
    orders_by: tuple[str, ...] = ("shop_id", "category", "region")
    products: int = 2000
    shops: int = 60
    start_ms: int = field(default=1_794_067_200_000)  # 2026-11-08 00:00 in Shanghai


@dataclass(frozen=True)
class World:
    """Shares and rates by dimension."""

    shares: dict[str, Floats]
    negative: dict[str, Floats]  # factors on the base
    complaint: dict[str, Floats]
    product_category: Ints
    product_shop: Ints
    names: dict[str, tuple[str, ...]]


def make_world(plan: Plan, chance: Generator) -> World:
    """Zipf-like shares, log-normal rates."""
    sizes = {"category": len(CATEGORIES), "region": len(REGIONS), "channel": len(CHANNELS),
             "customer_tier": len(TIERS), "product_id": plan.products, "shop_id": plan.shops}  # fmt: skip
    slopes = {"category": 1.2, "region": 0.9, "channel": 1.0, "customer_tier": 1.2, "product_id": 0.8}
    shares = {name: _zipf(sizes[name], slope) for name, slope in slopes.items()}
    spread = {"category": 0.35, "region": 0.08, "channel": 0.15, "customer_tier": 0.08, "shop_id": 0.15,
              "product_id": 0.25}  # fmt: skip
    negative, complaint = (
        {name: np.exp(chance.normal(0.0, sigma, sizes[name])) for name, sigma in spread.items()} for _ in range(2)
    )
    category = chance.choice(len(CATEGORIES), plan.products, p=shares["category"])
    home = chance.integers(0, len(CATEGORIES), plan.shops)
    shop = np.array([chance.choice(_shops_of(home, one)) for one in category])
    names = {
        "category": CATEGORIES, "region": REGIONS, "channel": CHANNELS, "customer_tier": TIERS,
        "shop_id": tuple(f"shop-{i:03d}" for i in range(plan.shops)),
        "product_id": tuple(f"p-{i:06d}" for i in range(plan.products)),
    }  # fmt: skip
    return World(shares, negative, complaint, category, shop, names)


def volume(plan: Plan, seconds: Floats) -> Floats:
    """Relative volume at these seconds since the start."""
    hours = seconds / 3600.0 % 24.0
    curve = np.interp(hours, np.arange(25), (*DAY_CURVE, DAY_CURVE[0])) / np.mean(DAY_CURVE)
    result: Floats = curve * (1.0 + (plan.peak - 1.0) * peak_shape(plan, seconds))
    return result


def peak_shape(plan: Plan, seconds: Floats) -> Floats:
    """0 outside of the promotion, 1 in its hours, up within minutes and down within two hours."""
    begin = (DAY_S + 20 * 3600) if plan.days >= 2 else 0.5 * plan.days * DAY_S
    up = np.clip((seconds - begin) / 420.0, 0.0, 1.0)
    down = np.clip(1.0 - (seconds - begin - 4 * 3600.0) / 7200.0, 0.0, 1.0)
    result: Floats = np.minimum(up, down)
    return result


def arrivals(plan: Plan, count: int, chance: Generator) -> Floats:
    """Sorted seconds of that many events."""
    grid = np.arange(0.0, plan.days * DAY_S, 30.0)
    weights = volume(plan, grid)
    cells = chance.choice(len(grid), count, p=weights / weights.sum())
    result: Floats = np.sort(grid[cells] + chance.uniform(0.0, 30.0, count))
    return result


def wander(plan: Plan, seconds: Floats, chance: Generator) -> Floats:
    """A slow common drift of a rate around 1."""
    knots = np.arange(0.0, plan.days * DAY_S + 21_600.0, 21_600.0)
    levels = np.cumsum(chance.normal(0.0, plan.drift / 3.0, len(knots)))
    result: Floats = np.exp(np.interp(seconds, knots, levels))
    return result


def _zipf(size: int, slope: float) -> Floats:
    weights = 1.0 / np.arange(1, size + 1) ** slope
    result: Floats = weights / weights.sum()
    return result


def _shops_of(home: Ints, category: int) -> Ints:
    own = np.flatnonzero(home == category)
    return own if len(own) else np.arange(len(home))
