"""What is told with a decision: counts, ratio, what each narrower slice brought, samples and quotes."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from alerts.detectors.spikes.incidents import Incident

if TYPE_CHECKING:
    from alerts.detectors.spikes.watch import Watch

CHILDREN: Final = 5
SAMPLES, QUOTES, TEXTS = 5, 3, 50


class Told(NamedTuple):
    """Value and baseline on one scale (a share, or complaints per 1,000 orders), and the evidence."""

    value: float | None
    baseline: float | None
    evidence: dict[str, Any]


def of(watch: "Watch", incident: Incident, now_ms: int) -> Told:
    """The evidence of an incident's slice since its start (of the last two hours at most)."""
    rows = watch.history(incident.sid, now_ms)
    end = incident.ends_at or now_ms + 1
    inside = (rows.at >= incident.starts_at) & (rows.at < end)
    got, due = float(rows.got[inside].sum()), float(rows.due[inside].sum())
    trials, bad = float(rows.trials[inside].sum()), round(float(rows.bad[inside].sum()))
    notes = watch.recent.notes(incident.column, incident.sid, since_ms=incident.starts_at, most=TEXTS)
    texts = [text for _, text in notes if text]
    told: dict[str, Any] = {
        "window_seconds": max(10, (now_ms - incident.starts_at) // 1000),
        "ratio": round(got / due, 2) if due > 0.0 else None,
        "expected": round(due, 2),
        "log_likelihood_ratio": round(incident.evidence, 1),
        "stream_nats": round(incident.stream_nats, 2),
        "contributions": _children(watch, incident, now_ms),
        "sample_event_ids": [sample for sample, _ in notes if sample][:SAMPLES],
        "texts": list(dict.fromkeys(texts))[:QUOTES],
        "sample_texts": texts,
    }
    if watch.kind == "negative_spike":
        told |= {"count": round(trials), "negative": bad}
        scale = 1.0 / trials if trials > 0.0 else None
    else:
        scale = _per_1k(watch, incident, trials, now_ms, told)
        told |= {"count": bad, "complaints": bad}
    value, baseline = (None, None) if scale is None else (round(got * scale, 4), round(due * scale, 4))
    return Told(value, baseline, told)


def _per_1k(watch: "Watch", incident: Incident, orders: float, now_ms: int, told: dict[str, Any]) -> float | None:
    """Complaints to complaints per 1,000 orders; where no orders are known, to complaints an hour."""
    per_order = watch.orders_due(incident.sid, now_ms)
    if per_order is not None:
        due = told["expected"]
        told["orders"] = round(due / per_order if per_order > 0.0 else orders)
        return 1000.0 * per_order / due if due > 0.0 else None
    told["orders"], told["per"] = None, "hour"
    return 3_600_000.0 / max(60_000, now_ms - incident.starts_at)


def _children(watch: "Watch", incident: Incident, now_ms: int) -> list[dict[str, Any]]:
    """The narrower slices with the largest excess, and their part of it."""
    rows = watch.recent.rows(incident.starts_at)
    mine = rows.sids[:, incident.column] == incident.sid
    rows = rows.where(mine)
    heard, everything = np.ones(rows.sids.shape), np.ones(len(rows.at), bool)
    found: list[tuple[float, int, float, float]] = []
    for column in np.flatnonzero(watch.table.refines[incident.column]):
        sums = watch.tally(
            int(column), rows, due=rows.due, heard=heard, alarm=everything, since_ms=incident.starts_at, now_ms=now_ms
        )
        for place in np.argsort(sums.due - sums.got)[:CHILDREN]:
            if sums.ids[place] > 0 and sums.got[place] > sums.due[place]:
                excess = float(sums.got[place] - sums.due[place])
                found.append((excess, int(sums.ids[place]), float(sums.got[place]), float(sums.due[place])))
    total = max(1e-9, incident.excess())
    found.sort(key=lambda one: (-one[0], one[1]))
    return [
        {**watch.table.label(sid), "observed": round(got, 1), "expected": round(due, 2),
         "share_of_excess": round(min(1.0, excess / total), 2)}
        for excess, sid, got, due in found[:CHILDREN]
    ]  # fmt: skip
