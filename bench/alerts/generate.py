"""A seeded stream: arrays of reviews, complaints and orders in order of arrival, with the incidents in them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.alerts import truth
from bench.alerts.truth import Incident
from bench.alerts.world import (
    DAY_S,
    DIMENSIONS,
    TIERS,
    Floats,
    Ints,
    Plan,
    World,
    arrivals,
    make_world,
    peak_shape,
    volume,
    wander,
)  # fmt: skip

NEGATIVE_BASE = 0.12
REVIEW, COMPLAINT, ORDERS = 0, 1, 2


@dataclass(frozen=True)
class Stream:
    """Events as columns, by arrival."""

    plan: Plan
    world: World
    incidents: list[Incident]
    detectable: list[float | None]  # for each incident the instant of 12 nats
    kind: Ints
    at: Floats  # event time, s since the start
    arrival: Floats
    dims: dict[str, Ints]  # -1: absent
    count: Ints  # of orders
    negative: NDArray[np.bool_]
    customer: Ints  # -1 unknown
    number: Ints  # the event's identity; a duplicate has the same


def make(plan: Plan) -> Stream:
    """The stream of a plan; the same plan gives the same stream."""
    chance = np.random.default_rng(plan.seed)
    world = make_world(plan, chance)
    incidents = truth.draw(plan, world, chance)
    reviews = _reviews(plan, world, incidents, chance)
    orders = _orders(plan, world, chance)
    complaints = _complaints(plan, world, incidents, orders, chance)
    detectable = [
        _detectable(one, reviews if one.kind == "review" else complaints, orders, world, plan.order_every_s)
        for one in incidents
    ]
    batches = _batches(plan, world, chance)
    parts = [reviews, complaints, orders["rows"], *batches]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (*DIMENSIONS, *BASE)}
    columns["number"] = np.arange(len(columns["at"]))
    columns["arrival"] = _arrive(plan, columns, chance)
    return _assemble(plan, world, incidents, detectable, columns, chance)


BASE = ("kind", "at", "count", "negative", "customer")
CELL = ("shop_id", "category", "region", "channel")  # what an order is known by, before its product


def _dims(world: World, count: int, chance: Generator) -> dict[str, Any]:
    product = chance.choice(len(world.product_category), count, p=world.shares["product_id"])
    columns = {"product_id": product, "category": world.product_category[product], "shop_id": world.product_shop[product]}
    for name in ("region", "channel", "customer_tier"):
        columns[name] = chance.choice(len(world.shares[name]), count, p=world.shares[name])
    return columns


def _rate(world: World, columns: dict[str, Any], factors: dict[str, Floats], names: tuple[str, ...]) -> Floats:
    rate = np.ones(len(columns["region"]))
    for name in names:
        rate = rate * factors[name][columns[name]]
    result: Floats = rate
    return result


def _reviews(plan: Plan, world: World, incidents: list[Incident], chance: Generator) -> dict[str, Any]:
    at = arrivals(plan, plan.reviews, chance)
    columns = _dims(world, len(at), chance)
    mood = (1.0 + (plan.mood - 1.0) * peak_shape(plan, at)) * wander(plan, at, chance)
    plain = np.clip(NEGATIVE_BASE * _rate(world, columns, world.negative, DIMENSIONS) * mood, 0.01, 0.6)
    raised = plain.copy()
    for one in incidents:
        if one.kind == "review":
            mine = one.mine(columns)
            raised[mine] *= one.factor(at[mine])
    negative = chance.random(len(at)) < np.minimum(raised, 0.95)
    customer = chance.integers(0, plan.reviews, len(at))
    return columns | {"kind": np.full(len(at), REVIEW), "at": at, "count": np.ones(len(at), int), "negative": negative,
                      "customer": customer, "rate": plain}  # fmt: skip


def _orders(plan: Plan, world: World, chance: Generator) -> dict[str, Any]:
    """Cells of orders in each interval, and the rows that tell of them."""
    ends = np.arange(plan.order_every_s, plan.days * DAY_S + 1, plan.order_every_s)
    weights = volume(plan, ends - plan.order_every_s / 2)
    total = plan.complaints / 0.01
    cells = max(1, plan.order_rows // len(ends))
    counts = chance.poisson(np.repeat(weights / weights.sum() * total / cells, cells))
    at = np.repeat(ends, cells).astype(float)
    fine = _dims(world, len(at), chance)
    told = {name: fine[name] if name in plan.orders_by else np.full(len(at), -1) for name in DIMENSIONS}
    none = np.full(len(at), -1)
    rows = told | {"kind": np.full(len(at), ORDERS), "at": at, "count": counts, "negative": np.zeros(len(at), bool),
                   "customer": none}  # fmt: skip
    return {"rows": rows if plan.orders_by else {name: values[:0] for name, values in rows.items()},
            "fine": fine, "at": at, "counts": counts}  # fmt: skip


def _complaints(
    plan: Plan, world: World, incidents: list[Incident], orders: dict[str, Any], chance: Generator
) -> dict[str, Any]:
    """Complaints on the orders of each cell, spread over its interval; each draws its product and its customer's tier."""
    fine, ends, counts = orders["fine"], orders["at"], orders["counts"]
    mood = (1.0 + (plan.mood - 1.0) * peak_shape(plan, ends)) * wander(plan, ends, chance)
    rate = 0.008 * _rate(world, fine, world.complaint, CELL) * mood
    orders["rate"] = rate * counts
    most = 2.5 * max([1.0, *(one.ratio for one in incidents if one.kind == "complaint")])
    drawn = chance.poisson(rate * counts * most)  # as many as the largest incident could bring, then thinned
    cell = np.repeat(np.arange(len(ends)), drawn)
    at = ends[cell] - chance.uniform(0.0, plan.order_every_s, len(cell))
    columns = {name: fine[name][cell] for name in CELL}
    columns["product_id"] = _products(world, columns["category"], columns["shop_id"], chance)
    columns["customer_tier"] = chance.choice(len(TIERS), len(at), p=world.shares["customer_tier"])
    factor = _rate(world, columns, world.complaint, ("product_id", "customer_tier"))
    for one in incidents:
        if one.kind == "complaint":
            mine = one.mine(columns)
            factor[mine] *= one.factor(at[mine])
    kept = np.flatnonzero(chance.random(len(at)) < factor / most)
    kept = kept[np.argsort(at[kept])]
    columns = {name: values[kept] for name, values in columns.items()}
    count = len(kept)
    return columns | {"kind": np.full(count, COMPLAINT), "at": at[kept], "count": np.ones(count, int),
                      "negative": np.zeros(count, bool), "customer": chance.integers(0, plan.reviews, count)}  # fmt: skip


def _products(world: World, category: Ints, shop: Ints, chance: Generator) -> Ints:
    """A product of this category and shop for each, by what sells."""
    home = world.product_category * len(world.names["shop_id"]) + world.product_shop
    wanted = category * len(world.names["shop_id"]) + shop
    found = np.zeros(len(wanted), int)
    for one in np.unique(wanted):
        products = np.flatnonzero(home == one)
        mine = wanted == one
        shares = world.shares["product_id"][products]
        found[mine] = chance.choice(products, int(mine.sum()), p=shares / shares.sum())
    return found


def _detectable(one: Incident, events: dict[str, Any], orders: dict[str, Any], world: World, every: float) -> float | None:
    inside = one.mine({name: events[name] for name in DIMENSIONS}) & (events["at"] >= one.start) & (events["at"] < one.end)
    seconds = events["at"][inside]
    if one.kind == "review":
        return truth.detectable_at(one, seconds, events["rate"][inside], events["negative"][inside].astype(float))
    fine, part = orders["fine"], np.ones(len(orders["at"]))
    for name, value in one.dims:
        part *= _part(world, fine, name, value)
    cells = np.flatnonzero((part > 0.0) & (orders["at"] > one.start) & (orders["at"] - every < one.end))
    pieces = 10  # the orders of an interval come evenly
    spread = (orders["at"][cells][:, None] - every * (np.arange(pieces) + 0.5) / pieces).ravel()
    due = np.repeat((orders["rate"] * part)[cells] / pieces, pieces)
    within = (spread >= one.start) & (spread < one.end)
    at = np.concatenate([seconds, spread[within]])
    rates = np.concatenate([np.zeros(len(seconds)), due[within]])
    hits = np.concatenate([np.ones(len(seconds)), np.zeros(int(within.sum()))])
    order = np.argsort(at, kind="stable")
    return truth.detectable_at(one, at[order], rates[order], hits[order])


def _part(world: World, fine: dict[str, Ints], name: str, value: int) -> Floats:
    """The part of each cell's expected complaints that lies in this value."""
    factor = world.complaint[name]
    if name in CELL:
        here: Floats = (fine[name] == value).astype(float)
        return here
    if name == "customer_tier":
        return np.full(len(fine["category"]), world.shares[name][value] * factor[value])
    inside = (world.product_category == world.product_category[value]) & (world.product_shop == world.product_shop[value])
    share = world.shares[name][value] / world.shares[name][inside].sum() * factor[value]
    mine = (fine["category"] == world.product_category[value]) & (fine["shop_id"] == world.product_shop[value])
    return np.where(mine, share, 0.0)


def _batches(plan: Plan, world: World, chance: Generator) -> list[dict[str, Any]]:
    found = []
    for number in range(plan.batches):
        count = int(chance.integers(3, 6))
        columns = {name: np.repeat(values[:1], count) for name, values in _dims(world, 1, chance).items()}
        at = float(chance.uniform(0.0, plan.days * DAY_S - 1200.0)) + np.sort(chance.uniform(0.0, 900.0, count))
        review = number % 2 == 0
        customer = np.full(count, int(chance.integers(plan.reviews))) if number % 3 == 0 else (
            chance.integers(0, plan.reviews, count))  # fmt: skip
        found.append(columns | {"kind": np.full(count, REVIEW if review else COMPLAINT), "at": at,
                                "count": np.ones(count, int), "negative": np.full(count, review),
                                "customer": customer})  # fmt: skip
    return found


def _arrive(plan: Plan, columns: dict[str, Any], chance: Generator) -> Floats:
    at, kind = columns["at"], columns["kind"]
    arrival = at + chance.exponential(2.0, len(at))
    late = chance.random(len(at)) < plan.late
    arrival[late] += chance.uniform(10.0, 280.0, int(late.sum()))
    arrival[kind == ORDERS] = at[kind == ORDERS] + plan.order_delay_s + chance.exponential(5.0, int((kind == ORDERS).sum()))
    result: Floats = arrival
    return result


def _assemble(
    plan: Plan, world: World, incidents: list[Incident], detectable: list[float | None], columns: dict[str, Any],
    chance: Generator,
) -> Stream:  # fmt: skip
    again = np.flatnonzero(chance.random(len(columns["at"])) < plan.duplicates)
    columns = {name: np.concatenate([values, values[again]]) for name, values in columns.items()}
    columns["arrival"][-len(again) or len(columns["at"]) :] += chance.uniform(1.0, 60.0, len(again))
    order = np.argsort(columns["arrival"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    dims = {name: columns[name] for name in DIMENSIONS}
    return Stream(plan, world, incidents, detectable, columns["kind"], columns["at"], columns["arrival"], dims,
                  columns["count"], columns["negative"], columns["customer"], columns["number"])  # fmt: skip
