"""Workers that come and go while others save: a rebalance ends nobody, and every figure stays exact."""

import signal
import time
from pathlib import Path
from typing import Final

import pytest

from tests.parity.arena import Arena, Replayed
from tests.parity.checks import check_alerts, check_clocks, check_rows, check_windows
from tests.parity.evening import evening, slices

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(400)]

SPEED: Final = 250.0  # two hours and a half pass in 36 s
SLICE_MS: Final = 300_000
COMES, GOES = 1, 0  # of every fourth slice: what comes is there for 4 s


def test_workers_that_come_and_go_end_no_other_and_change_nothing(arena: Arena, tmp_path: Path) -> None:
    """Two workers that stay and one that comes and goes, with snapshots so often that each meets a rebalance."""
    sent = evening(seed=29)
    replayed = Replayed(sent, tmp_path)
    arena.environment["PEAKWATCH_SNAPSHOT"] = "200ms"
    arena.set_clock(ahead_ms=-10 * 60_000, speed=SPEED, idle="45m")
    staying = [arena.start(spool=spool) for spool in (0, 1)]
    for number, messages in enumerate(slices(sent, of_ms=SLICE_MS)):
        arena.feed(messages)
        if number > 4 and number % 4 == COMES:
            arena.start(spool=2)
        elif number > 5 and number % 4 == GOES:
            going = arena.running[2]
            going.terminate()
            # By the signal itself if it came before Python had so much as loaded the command.
            assert going.wait(30) in (0, -signal.SIGTERM), arena.last_words()
        time.sleep(SLICE_MS / SPEED / 1000)
    arena.settle(replayed, until_ms=sent.end_ms, within_s=150)
    assert [worker.poll() for worker in staying] == [None, None], arena.last_words()
    assert set(arena.stop()) == {0}, arena.last_words()
    check_windows(arena, sent, replayed)
    check_rows(arena, sent, replayed)
    check_clocks(arena, sent, replayed)
    check_alerts(arena, replayed)
