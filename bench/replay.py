"""How many events a second does `peakwatch replay` take on one core, and in how much memory?

`python -m bench.replay [--events N] [--runs N] [--outputs]`: one JSON line. Each run is the command itself, in a fresh
process tied to one core, on the same seeded file (`bench/generate.py`); the best run counts. `--outputs`: with
`--windows`, `--sla` and `--alerts` written as well.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.generate import SEED, events

ROOT: Final = Path(__file__).resolve().parent.parent


def main(argv: Sequence[str] | None = None) -> int:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--outputs", action="store_true", help="write windows, clocks and alerts as well")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        with file.open("wb") as out:
            out.writelines(line + b"\n" for line in events(arguments.events, seed=arguments.seed))
        runs = [measure(file, outputs=arguments.outputs) for _ in range(arguments.runs)]
    best = max(runs, key=lambda run: run["events_per_second"])
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({"bench": "replay", "outputs": arguments.outputs, **best, **machine}))
    return 0


def measure(file: Path, *, outputs: bool) -> dict[str, Any]:
    """The command's own summary, its wall and processor time with start-up, and its peak memory."""
    command = [sys.executable, "-m", "peakwatch.cli", "replay", str(file)]
    if outputs:
        for name in ("windows", "sla", "alerts"):
            command += [f"--{name}", str(file.parent / f"{name}.jsonl")]
    began = time.perf_counter()
    with _on_one_core():
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)  # this child's own usage, not the largest of all
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"bench.replay: peakwatch replay ended with {child.returncode}")
    return {
        **json.loads(said.splitlines()[-1]),
        "wall_seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }


@contextmanager
def _on_one_core() -> Iterator[None]:
    """What is started within stays on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    sys.exit(main())
