"""Alerts against incidents: found, delay, false alarms a day, alerts an incident."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from bench.alerts.generate import Stream
from bench.alerts.truth import Incident
from bench.alerts.world import DAY_S

GRACE_S: Final = 900.0  # after an incident's end its alert may still come
EARLY_S: Final = 60.0
SAME_AGAIN_S: Final = 1800.0


class Fired(NamedTuple):
    """An alert as the score needs it; `at` in seconds since the start."""

    kind: str  # review or complaint
    dimension: str
    value: str
    at: float


@dataclass(frozen=True)
class Score:
    """Of one stream and method."""

    detectable: int
    found: int
    delays: list[float]  # minutes, of the detectable found
    needed: list[float]  # minutes until 12 nats, of all detectable ones
    false: int
    alerts: int  # matched
    matched: int  # incidents with an alert, detectable or not
    exact: int  # detectable ones found whose first alert names their very slice, not one around or within it
    days: float
    missed: list[str]
    wrong: list[str]

    def row(self) -> dict[str, Any]:
        """The figures that count."""
        return {
            "detectable": self.detectable, "found": round(self.found / max(1, self.detectable), 3),
            "median_delay_min": _median(self.delays), "median_12_nats_min": _median(self.needed),
            "false_a_day": round(self.false / self.days, 2),
            "alerts_an_incident": round(self.alerts / max(1, self.matched), 3),
            "named_exactly": round(self.exact / max(1, self.found), 3),
        }  # fmt: skip


def score(stream: Stream, fired: list[Fired]) -> Score:
    """Match each alert to an incident of its kind that is on, in the same slice or one around or within it."""
    first: dict[int, float] = {}
    named: dict[int, bool] = {}
    counts: dict[int, int] = {}
    wrong = []
    for alert in sorted(fired, key=lambda one: one.at):
        mine = [(not _same(stream, alert, one), -one.ratio, number) for number, one in enumerate(stream.incidents)
                if _matches(stream, alert, one)]  # fmt: skip
        if not mine:
            wrong.append(f"{alert.at / 60:.1f} min {alert.kind} {alert.dimension}={alert.value}")
            continue
        other, _, number = min(mine)
        first.setdefault(number, alert.at)
        named.setdefault(number, not other)
        counts[number] = counts.get(number, 0) + 1
    certain = [number for number, at in enumerate(stream.detectable) if at is not None]
    found = [number for number in certain if number in first]
    return Score(
        detectable=len(certain), found=len(found),
        delays=[(first[number] - stream.incidents[number].start) / 60.0 for number in found],
        needed=[(at - stream.incidents[n].start) / 60.0 for n, at in enumerate(stream.detectable) if at is not None],
        false=len(wrong), alerts=sum(counts.values()), matched=len(first),
        exact=sum(named[number] for number in found), days=stream.plan.days,
        missed=[_tell(stream, number) for number in certain if number not in first], wrong=wrong,
    )  # fmt: skip


def merged(scores: list[Score]) -> Score:
    """Several streams as one."""
    return Score(
        detectable=sum(one.detectable for one in scores), found=sum(one.found for one in scores),
        delays=[delay for one in scores for delay in one.delays], needed=[n for one in scores for n in one.needed],
        false=sum(one.false for one in scores), alerts=sum(one.alerts for one in scores),
        matched=sum(one.matched for one in scores),
        exact=sum(one.exact for one in scores), days=sum(one.days for one in scores),
        missed=[m for one in scores for m in one.missed], wrong=[w for one in scores for w in one.wrong],
    )  # fmt: skip


def _matches(stream: Stream, alert: Fired, one: Incident) -> bool:
    if alert.kind != one.kind or not one.start - EARLY_S <= alert.at <= one.end + GRACE_S:
        return False
    told = _told(stream, alert)
    true = dict(one.dims)
    world = stream.world
    for slice_of in (true, told):
        if "product_id" in slice_of:
            slice_of["shop_id"] = int(world.product_shop[slice_of["product_id"]])
            slice_of["category"] = int(world.product_category[slice_of["product_id"]])
        elif "shop_id" in slice_of:
            sold = np.unique(world.product_category[world.product_shop == slice_of["shop_id"]])
            if len(sold) == 1:  # all that it sells lies in this category, so the shop does
                slice_of["category"] = int(sold[0])
    within = all(told.get(name) == value for name, value in one.dims)
    around = all(true.get(name) == value for name, value in _told(stream, alert).items())
    return within or around


def _same(stream: Stream, alert: Fired, one: Incident) -> bool:
    return _told(stream, alert) == dict(one.dims)


def _told(stream: Stream, alert: Fired) -> dict[str, int]:
    if alert.dimension == "all":
        return {}
    names, values = alert.dimension.split("+"), alert.value.split("|")
    return {name: stream.world.names[name].index(value) for name, value in zip(names, values, strict=True)}


def _tell(stream: Stream, number: int) -> str:
    one = stream.incidents[number]
    where = ", ".join(f"{name}={stream.world.names[name][value]}" for name, value in one.dims)
    needed = (stream.detectable[number] or 0.0) - one.start
    length = (one.end - one.start) / 60
    ramp = " ramp" if one.ramp else ""
    size = f"{one.kind} {where} x{one.ratio:.1f}{ramp}"
    when = f"from {one.start / 60:.1f} min for {length:.0f} min, day {one.start / DAY_S:.2f}"
    return f"{size} {when}, 12 nats after {needed / 60:.1f} min"


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None
