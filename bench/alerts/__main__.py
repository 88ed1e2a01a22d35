"""`python -m bench.alerts`: finds spikes in seeded streams by our rules and by people's usual ones; JSON lines.

--seeds 101 102   streams, one a seed            --reviews 400000   size of each (complaints: a sixth)
--days 3          length                         --calm             no incidents, no promotion: false alarms only
--benign          a promotion, no incidents      --rivals           the usual rules as well
--judge real|94   our judge, or a simulated one
--nats 9 11 13    thresholds to compare          --write FILE       the first stream as the contract's events
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from alerts.detectors.spikes import COMPLAINT, NEGATIVE, SpikeConfig
from bench.alerts import ours, rivals
from bench.alerts.contract import lines
from bench.alerts.generate import Stream, make
from bench.alerts.observe import Bools, observations, simulated_negativity
from bench.alerts.score import Score, merged, score
from bench.alerts.texts import judged
from bench.alerts.world import Floats, Plan

# Orders are told in different ways by different platforms; streams take turns.
ORDERS_BY = (("shop_id", "category"), ("category", "region"), ("shop_id",), ("category", "region", "channel"))


def plan_of(seed: int, *, reviews: int, days: float, calm: bool, benign: bool = False) -> Plan:
    """The stream of a seed; without incidents if it is calm, or has a promotion in which everything rises alike."""
    plan = Plan(
        seed=seed, reviews=reviews, complaints=reviews // 6, days=days, orders_by=ORDERS_BY[seed % len(ORDERS_BY)],
        order_every_s=(300, 600)[seed // 4 % 2],
    )  # fmt: skip
    if calm:
        return replace(plan, incidents=0, batches=0, peak=1.0, mood=1.0, drift=0.03)
    return replace(plan, incidents=0) if benign else plan


def config_of(nats: float | None) -> SpikeConfig:
    """The shipped settings, or those with another threshold."""
    if nats is None:
        return SpikeConfig()
    return SpikeConfig(negative=replace(NEGATIVE, evidence_nats=nats), complaint=replace(COMPLAINT, evidence_nats=nats))


def measure(args: argparse.Namespace) -> None:
    """Print a line a stream and method, and a line a method over all."""
    scores: dict[str, list[Score]] = {}
    for seed in args.seeds:
        plan = plan_of(seed, reviews=args.reviews, days=args.days, calm=args.calm, benign=args.benign)
        stream = make(plan)
        negativity, called = _judged(stream, args.judge)
        for nats in args.nats or [None]:
            name = "ours" if nats is None else f"ours at {nats:g} nats"
            fired, seconds, _ = ours.run(stream, negativity, config_of(nats), called=called)
            found = score(stream, fired)
            scores.setdefault(name, []).append(found)
            cost = {"events": len(stream.at), "us_an_event": round(seconds / len(stream.at) * 1e6, 1)}
            told = {"missed": found.missed, "wrong": found.wrong} if args.tell else {}
            _print(name, found, seed=seed, **cost, **told)
        if args.rivals:
            for name, fired in rivals.run(observations(stream, negativity, called), stream.plan).items():
                scores.setdefault(name, []).append(score(stream, fired))
                _print(name, scores[name][-1], seed=seed)
    for name, several in scores.items():
        _print(name, merged(several), seeds=len(several))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.alerts", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--reviews", type=int, default=150_000)
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--calm", action="store_true")
    parser.add_argument("--benign", action="store_true")
    parser.add_argument("--judge", choices=["real", "94"], default="real")
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--nats", type=float, nargs="*")
    parser.add_argument("--tell", action="store_true", help="name what was missed and what was wrong")
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    if args.write:
        _write(args)
    else:
        measure(args)


def _judged(stream: Stream, judge: str) -> tuple[Floats, Bools | None]:
    return judged(stream) if judge == "real" else (simulated_negativity(stream), None)


def _write(args: argparse.Namespace) -> None:
    plan = plan_of(args.seeds[0], reviews=args.reviews, days=args.days, calm=args.calm, benign=args.benign)
    stream = make(plan)
    with args.write.open("w", encoding="utf-8") as file:
        for line in lines(stream):
            file.write(line + "\n")
    print(json.dumps({"events": len(stream.at), "incidents": len(stream.incidents)}))


def _print(method: str, found: Score, **more: Any) -> None:
    print(json.dumps({"method": method, **more, **found.row()}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
