"""The workers' windows, rows, clocks and alerts are those of `peakwatch replay`, figure by figure."""

from pathlib import Path
from typing import Final

import pytest

from tests.parity.arena import Arena, Replayed
from tests.parity.checks import check_alerts, check_clocks, check_rows, check_windows
from tests.parity.evening import MINUTE, evening

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(350)]

SPEED: Final = 900.0  # the evening passes in ten seconds


def test_worker_writes_what_a_replay_says(arena: Arena, tmp_path: Path) -> None:
    """A backlog of an evening, with the wall clock still before it. Budget: 45 s."""
    sent = evening(seed=11)
    arena.feed(sent.messages)
    arena.set_clock(ahead_ms=-60 * MINUTE, speed=SPEED, idle="60m")
    arena.start()
    replayed = Replayed(sent, tmp_path)
    arena.settle(replayed, until_ms=sent.end_ms, within_s=150)
    assert arena.stop() == [0], arena.last_words()
    check_windows(arena, sent, replayed)
    check_rows(arena, sent, replayed)
    check_clocks(arena, sent, replayed)
    check_alerts(arena, replayed)
