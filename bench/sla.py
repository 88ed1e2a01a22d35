"""How many ticket steps a second do the SLA clocks take, and what does an open clock weigh?

`python -m bench.sla [--open N] [--calendar cn-office]`: one JSON line. Steps arrive in order, the watermark is 60 s
behind; every ticket has both clocks. Times are of the processor; the best of several runs, each in a process of its
own.
"""

import argparse
import gc
import json
import multiprocessing
import platform
import random
import resource
import sys
import time
from collections.abc import Sequence

from sla.defaults import default_calendars, default_policies
from sla.policy import Policy, make_policy
from sla.step import Step
from sla.watch import SlaWatch

START_MS = 1_762_790_400_000  # 2025-11-11T00:00:00+08:00
SPACING_MS = 40
LIFE = ("created", "assigned", "first_response", "customer_reply", "pending", "customer_reply", "resolved")

Arrivals = list[tuple[str, Step, dict[str, str]]]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=1_000_000, help="open tickets whose memory is measured")
    parser.add_argument("--tickets", type=int, default=30_000, help="whole lives of tickets that are timed")
    parser.add_argument("--calendar", default="always")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args(argv)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=1) as pool:
        lives = [pool.apply(steps_per_second, (arguments.tickets, arguments.calendar))
                 for _ in range(arguments.runs)]  # fmt: skip
        weight = pool.apply(open_tickets, (arguments.open, arguments.calendar))
    print(json.dumps({
        "bench": "sla", "calendar": arguments.calendar, "tickets": arguments.tickets,
        "steps_per_second": round(max(lives)), "us_per_step": round(1e6 / max(lives), 2),
        **weight, "python": platform.python_version(), "machine": platform.machine(),
    }))  # fmt: skip
    return 0


def steps_per_second(tickets: int, calendar: str) -> float:
    """Whole lives, warnings and breaches given out on the way."""
    arrivals = lives(tickets, seed=1)
    watch = SlaWatch(policies(calendar))
    gc.collect()
    given_out = 0
    began = time.process_time()
    for ticket_id, step, fields in arrivals:
        given_out += len(watch.add_step(ticket_id, step, fields).transitions)
        given_out += len(watch.advance(step.at_ms - 60_000))
    seconds = time.process_time() - began
    if given_out < tickets:
        raise RuntimeError(f"{given_out} transitions of {tickets} tickets: nothing was measured")
    return len(arrivals) / seconds


def open_tickets(count: int, calendar: str) -> dict[str, float]:
    """Bytes of one open ticket with two running clocks, and what a tick costs beside so many."""
    watch = SlaWatch(policies(calendar))
    fields = [{"priority": "high", "queue": f"queue-{i}", "category": "手机", "region": "华东"} for i in range(20)]
    gc.collect()
    before = resident_bytes()
    began = time.process_time()
    for i in range(count):
        at_ms = START_MS + i
        watch.add_step(f"ticket-{i:09d}", Step(at_ms, "created", i), fields[i % 20])
        if i % 4 == 0:
            watch.add_step(f"ticket-{i:09d}", Step(at_ms + 1, "customer_reply", i), None)
    seconds = time.process_time() - began
    bytes_each = (resident_bytes() - before) / count
    began = time.process_time()
    for tick in range(1000):
        watch.advance(START_MS + count + tick)
    tick_us = (time.process_time() - began) * 1000
    began = time.process_time()
    watch.forecast(START_MS + count + 1000)
    return {
        "open_tickets": count, "bytes_per_open_ticket": round(bytes_each),
        "us_per_opening": round(seconds / count * 1e6, 2), "us_per_idle_tick": round(tick_us, 2),
        "forecast_ms": round((time.process_time() - began) * 1000, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip


def lives(tickets: int, *, seed: int) -> Arrivals:
    """Lives that overlap, in order of time."""
    rng = random.Random(seed)
    arrivals: Arrivals = []
    for number in range(tickets):
        at_ms = START_MS + number * SPACING_MS
        fields = {"priority": "normal", "queue": f"queue-{number % 20}", "category": "手机"}
        for action in LIFE:
            arrivals.append((f"ticket-{number:09d}", Step(at_ms, action, 0), fields))
            at_ms += round(rng.lognormvariate(14.5, 1.5))
    arrivals.sort(key=lambda arrival: (arrival[1].at_ms, arrival[0]))
    return [(ticket_id, Step(step.at_ms, step.action, arrival), fields)
            for arrival, (ticket_id, step, fields) in enumerate(arrivals)]  # fmt: skip


def policies(calendar: str) -> tuple[Policy, ...]:
    """The shipped promise, on the calendar asked for."""
    calendars = default_calendars()
    return tuple(
        make_policy(policy.name, clock=policy.clock, target_ms=policy.target_ms, calendar=calendars[calendar])
        for policy in default_policies(calendars)
    )


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
