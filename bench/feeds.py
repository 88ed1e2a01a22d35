"""How often does a feed that is alive count as silent, and how soon is one that is silent seen?

    python -m bench.feeds [--days 30] [--seed 1] [--cluster 1.0] [--outages]

Nine feeds from 3 an hour to 60 a minute, with a daily curve (a fifteenth at night), quieter weekends and one evening
of twelve times the volume; `--cluster 3`: events come three at a time on average. Prints one JSON line.
"""

import argparse
import json
import platform
import resource
import time
from collections import Counter
from typing import Any, Final

import numpy as np

from alerts.detectors.feed_silent import FeedSilentDetector
from schemas.results import PANE_MS
from schemas.rules import FeedSilentRule

FEEDS: Final = (  # topic, channel, events a minute in an ordinary hour
    ("reviews", "app", 60.0), ("reviews", "web", 20.0), ("reviews", "douyin", 5.0), ("complaints", "phone", 2.0),
    ("complaints", "weibo", 0.3), ("tickets", "chat", 30.0), ("orders", "", 6.0), ("tickets", "email", 1.0),
    ("complaints", "forum", 0.05),
)  # fmt: skip
RATES: Final = np.array([rate for _, _, rate in FEEDS]) / 6.0  # a pane
CURVE: Final = (
    0.25, 0.12, 0.08, 0.06, 0.06, 0.08, 0.2, 0.4, 0.7, 1.0, 1.2, 1.2, 1.3, 1.2, 1.1, 1.1, 1.1, 1.1, 1.2, 1.5, 1.8,
    1.8, 1.3, 0.7,
)  # fmt: skip
START_MS: Final = 1_792_972_800_000  # 2026-10-26T08:00:00+08:00, a Monday
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
OUTAGE_DAYS: Final = (4, 8, 11)

Feed = tuple[str, str]


def run(*, days: float, seed: int, cluster: float = 1.0, outages: tuple[int, ...] = ()) -> dict[str, Any]:
    """False alarms, outages found, and how long each took, in minutes."""
    rng = np.random.default_rng(seed)
    detector = FeedSilentDetector([FeedSilentRule(name="feed-silent", kind="feed_silent")])
    silent = _outages(rng, outages)
    began = time.process_time()
    false_alarms = 0
    delays: dict[tuple[Feed, int], float] = {}
    for pane in range(START_MS // PANE_MS, int(START_MS + days * DAY_MS) // PANE_MS):
        counts = _counts(rng, pane, cluster=cluster, silent=silent)
        for decision in [*detector.feed(counts), *detector.advance((pane + 1) * PANE_MS)]:
            if decision.state != "raise":
                continue
            feed = (decision.labels["topic"], decision.labels["channel"])
            known = [begin for begin, end in silent.get(feed, []) if begin <= decision.at <= end]
            if known:
                delays.setdefault((feed, known[0]), (decision.at - known[0]) / 60_000)
            else:
                false_alarms += 1
    found = sorted(delays.values())
    return {
        "bench": "feeds", "days": days, "seed": seed, "cluster": cluster, "false_alarms": false_alarms,
        "outages": sum(map(len, silent.values())), "found": len(found),
        "median_delay_minutes": round(float(np.median(found)), 1) if found else None,
        "cpu_seconds": round(time.process_time() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "machine": platform.machine(),
    }  # fmt: skip


def _outages(rng: np.random.Generator, days: tuple[int, ...]) -> dict[Feed, list[tuple[int, int]]]:
    """Three hours of silence on each outage day in a feed of more than one event a minute, else twenty."""
    found: dict[Feed, list[tuple[int, int]]] = {}
    for topic, channel, rate in FEEDS:
        for day in days:
            begin = START_MS + day * DAY_MS + int(rng.integers(2, 20)) * HOUR_MS
            found.setdefault((topic, channel), []).append((begin, begin + (3 if rate > 1.0 else 20) * HOUR_MS))
    return found


def _counts(
    rng: np.random.Generator, pane: int, *, cluster: float, silent: dict[Feed, list[tuple[int, int]]]
) -> Counter[tuple[str, str, int]]:
    at = pane * PANE_MS
    hour, part = divmod(at + 8 * HOUR_MS, HOUR_MS)
    share = part / HOUR_MS
    level = CURVE[hour % 24] * (1.0 - share) + CURVE[(hour + 1) % 24] * share
    day = (at - START_MS) // DAY_MS
    level *= (12.0 if day == 9 and hour % 24 >= 20 else 1.0) * (0.7 if day % 7 >= 5 else 1.0)
    counts: Counter[tuple[str, str, int]] = Counter()
    drawn = rng.poisson(RATES * (level / cluster)).tolist()
    for (topic, channel, _), groups in zip(FEEDS, drawn, strict=True):
        if groups and not any(begin <= at < end for begin, end in silent.get((topic, channel), [])):
            count = groups if cluster <= 1.0 else int(rng.geometric(1.0 / cluster, groups).sum())
            counts[topic, channel, pane] = count
    return counts


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cluster", type=float, default=1.0)
    parser.add_argument("--outages", action="store_true")
    args = parser.parse_args()
    outages = tuple(day for day in OUTAGE_DAYS if args.outages and day < args.days)
    print(json.dumps(run(days=args.days, seed=args.seed, cluster=args.cluster, outages=outages)))


if __name__ == "__main__":
    main()
