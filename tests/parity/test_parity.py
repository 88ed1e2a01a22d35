"""The workers' windows, rows, clocks and alerts are those of `peakwatch replay`, figure by figure."""

from pathlib import Path
from typing import Final

import pytest

from tests.parity.arena import Arena, Replayed, difference
from tests.parity.evening import MINUTE, evening

pytestmark = [pytest.mark.broker, pytest.mark.embedded, pytest.mark.timeout(150)]

SPEED: Final = 900.0  # the evening passes in ten seconds


def test_worker_writes_the_windows_of_a_replay(arena: Arena, tmp_path: Path) -> None:
    """Budget: 45 s."""
    sent = evening(seed=11)
    arena.feed(sent.messages)
    arena.set_clock(ahead_ms=-60 * MINUTE, speed=SPEED, idle="60m")
    arena.start()
    replayed = Replayed(sent, tmp_path)
    arena.until(lambda: not difference(arena.windows(until_ms=sent.end_ms), replayed.windows), within_s=40)
    assert arena.stop() == [0], arena.last_words()
    assert difference(arena.windows(until_ms=sent.end_ms), replayed.windows) == ""
