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
    complaints = _complaints(plan, world, incidents, chance)
    detectable = [_detectable(plan, world, one, reviews if one.kind == "review" else complaints) for one in incidents]
    batches = _batches(plan, world, chance)
    parts = [reviews, complaints, orders, *batches]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (*DIMENSIONS, *BASE)}
    columns["number"] = np.arange(len(columns["at"]))
    columns["arrival"] = _arrive(plan, columns, chance)
    return _assemble(plan, world, incidents, detectable, columns, chance)


BASE = ("kind", "at", "count", "negative", "customer")
COMPLAINT_BASE = 0.01  # an order
MOST_EFFECT = 4.0  # what dimensions, mood and drift may multiply together


def _dims(world: World, count: int, chance: Generator) -> dict[str, Any]:
    product = chance.choice(len(world.product_category), count, p=world.shares["product_id"])
    columns = {"product_id": product}
    columns |= {"category": world.product_category[product], "shop_id": world.product_shop[product]}
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
    """Counts of all combinations that `orders_by` tells apart, each interval; what is 0 is not told."""
    ends = np.arange(plan.order_every_s, plan.days * DAY_S + 1, plan.order_every_s)
    sample = _dims(world, 400_000, chance)
    keys = np.stack([sample[name] if name in plan.orders_by else np.full(400_000, -1) for name in DIMENSIONS], axis=1)
    cells, drawn = np.unique(keys, axis=0, return_counts=True)
    weights = volume(plan, ends - plan.order_every_s / 2)
    mean = np.outer(weights / weights.sum() * plan.complaints / COMPLAINT_BASE, drawn / drawn.sum())
    counts = chance.poisson(mean)
    told, cell = np.nonzero(counts)
    rows = {name: cells[cell, column] for column, name in enumerate(DIMENSIONS)}
    count = len(told) if plan.orders_by else 0
    rows |= {"kind": np.full(len(told), ORDERS), "at": ends[told].astype(float), "count": counts[told, cell],
             "negative": np.zeros(len(told), bool), "customer": np.full(len(told), -1)}  # fmt: skip
    return {name: values[:count] for name, values in rows.items()}


def _complaints(plan: Plan, world: World, incidents: list[Incident], chance: Generator) -> dict[str, Any]:
    """As many as orders, their effects and the incidents bring; drawn at the highest rate, then thinned."""
    most = MOST_EFFECT * max([1.0, *(one.ratio for one in incidents if one.kind == "complaint")])
    drift = wander(plan, np.arange(0.0, plan.days * DAY_S, 60.0), chance)
    at = arrivals(plan, int(plan.complaints * most), chance)
    columns = _dims(world, len(at), chance)
    mood = 1.0 + (plan.mood - 1.0) * peak_shape(plan, at)
    plain = _rate(world, columns, world.complaint, DIMENSIONS) * mood * drift[(at // 60.0).astype(int)]
    factor = plain.copy()
    for one in incidents:
        if one.kind == "complaint":
            mine = one.mine(columns)
            factor[mine] *= one.factor(at[mine])
    kept = np.flatnonzero(chance.random(len(at)) < factor / most)
    columns = {name: values[kept] for name, values in columns.items()}
    count = len(kept)
    return columns | {"kind": np.full(count, COMPLAINT), "at": at[kept], "count": np.ones(count, int),
                      "negative": np.zeros(count, bool), "customer": chance.integers(0, plan.reviews, count),
                      "drift": drift}  # fmt: skip


def _detectable(plan: Plan, world: World, one: Incident, events: dict[str, Any]) -> float | None:
    inside = one.mine({name: events[name] for name in DIMENSIONS})
    inside &= (events["at"] >= one.start) & (events["at"] < one.end)
    seconds = events["at"][inside]
    if one.kind == "review":
        return truth.detectable_at(one, seconds, events["rate"][inside], events["negative"][inside].astype(float))
    grid = np.arange(one.start, one.end, 5.0)
    everything = np.arange(0.0, plan.days * DAY_S, 30.0)
    a_second = plan.complaints / (volume(plan, everything).sum() * 30.0)
    minutes = np.minimum((grid // 60.0).astype(int), len(events["drift"]) - 1)  # an incident may outlast the stream
    mood = (1.0 + (plan.mood - 1.0) * peak_shape(plan, grid)) * events["drift"][minutes]
    due = volume(plan, grid) * a_second * 5.0 * mood * _part(world, one)
    at = np.concatenate([grid, seconds])
    rates = np.concatenate([due, np.zeros(len(seconds))])
    hits = np.concatenate([np.zeros(len(grid)), np.ones(len(seconds))])
    order = np.argsort(at, kind="stable")
    return truth.detectable_at(one, at[order], rates[order], hits[order])


def _part(world: World, one: Incident) -> float:
    """The slice's part of all complaints, in units of what the base rate alone would bring."""
    dims, factor = dict(one.dims), world.complaint
    category, shop = world.product_category, world.product_shop
    weight = world.shares["product_id"] * factor["product_id"] * factor["category"][category] * factor["shop_id"][shop]
    for name, value in dims.items():
        own = {"product_id": np.arange(len(category)), "category": category, "shop_id": shop}.get(name)
        if own is not None:
            weight = weight * (own == value)
    part = float(weight.sum())
    for name in ("region", "channel", "customer_tier"):
        each = world.shares[name] * factor[name]
        part *= float(each[dims[name]] if name in dims else each.sum())
    return part


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
    orders = kind == ORDERS
    arrival[orders] = at[orders] + plan.order_delay_s + chance.exponential(5.0, int(orders.sum()))
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
