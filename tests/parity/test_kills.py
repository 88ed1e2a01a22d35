"""Nothing lost and nothing doubled: workers and the store are killed while an evening passes."""

import random
import signal
import time
from pathlib import Path
from typing import Final

import pytest

from tests.parity.arena import Arena, Replayed
from tests.parity.checks import check_alerts, check_clocks, check_rows, check_windows
from tests.parity.evening import evening, slices

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(400)]

SPEED: Final = 450.0  # two hours and a half pass in 20 s
SLICE_MS: Final = 300_000


def test_killed_workers_and_a_killed_store_change_nothing(arena: Arena, tmp_path: Path) -> None:
    """Two workers; three are killed, one is ended, and so is the store for a while. Budget: 60 s."""
    sent, chance = evening(seed=23), random.Random(23)
    replayed = Replayed(sent, tmp_path)
    arena.set_clock(ahead_ms=-10 * 60_000, speed=SPEED, idle="45m")
    for spool in (0, 1):
        arena.start(spool=spool)
    blows = dict.fromkeys(chance.sample(range(5, 27), 3), "kill") | {13: "end", 17: "store away", 22: "store back"}
    for number, messages in enumerate(slices(sent, of_ms=SLICE_MS)):
        arena.feed(messages)
        _strike(arena, blows.get(number, ""), chance.randrange(2))
        time.sleep(SLICE_MS / SPEED / 1000)
    arena.settle(replayed, until_ms=sent.end_ms, within_s=150)
    assert arena.stop() == [0, 0], arena.last_words()
    check_windows(arena, sent, replayed)
    check_rows(arena, sent, replayed)
    check_clocks(arena, sent, replayed)
    check_alerts(arena, replayed)


def _strike(arena: Arena, blow: str, spool: int) -> None:
    if blow == "kill":
        victim = arena.running[spool]
        victim.kill()
        victim.wait()
        arena.start(spool=spool)
    elif blow == "end":
        # The one that has run for longest: one that is still loading its parts has no handler yet.
        spool = min(arena.running, key=lambda number: arena.workers.index(arena.running[number]))
        victim = arena.running[spool]
        victim.terminate()
        # By the signal itself if it came before Python had so much as loaded the command.
        assert victim.wait(30) in (0, -signal.SIGTERM), arena.last_words()
        arena.start(spool=spool)
    elif blow == "store away":
        arena.kill_store()
    elif blow == "store back":
        arena.restart_store()
