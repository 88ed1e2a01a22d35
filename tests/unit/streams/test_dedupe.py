"""An event_id counts once, and a snapshot of segments remembers it."""

import random

from streams.dedupe import SEGMENT_MS, Dedupe


def test_an_id_is_new_once() -> None:
    dedupe = Dedupe()
    assert [dedupe.seen(one) for one in ("a", "b", "a", "A", "a")] == [False, False, True, False, True]
    assert len(dedupe) == 3


def test_without_a_horizon_nothing_is_forgotten() -> None:
    dedupe = Dedupe()
    dedupe.seen("a", arrived_ms=0)
    assert dedupe.seen("a", arrived_ms=10**15)
    assert list(dedupe.dump_dirty()) == []


def test_within_the_horizon_every_id_is_remembered_and_long_after_it_is_forgotten() -> None:
    horizon = 3 * SEGMENT_MS
    dedupe = Dedupe(horizon)
    dedupe.seen("old", arrived_ms=0)
    assert dedupe.seen("old", arrived_ms=horizon)
    dedupe.seen("new", arrived_ms=horizon + 2 * SEGMENT_MS)
    assert not dedupe.seen("old", arrived_ms=horizon + 2 * SEGMENT_MS)


def test_a_restart_from_pages_changes_no_answer() -> None:
    rnd = random.Random(5)
    arrivals = [(f"e{rnd.randrange(300)}", at * 40_000) for at in range(600)]
    whole = Dedupe(4 * SEGMENT_MS)
    want = [whole.seen(one, arrived_ms=at) for one, at in arrivals]
    pages: dict[int, bytes] = {}
    dedupe, got = Dedupe(4 * SEGMENT_MS), []
    for one, at in arrivals:
        got.append(dedupe.seen(one, arrived_ms=at))
        if rnd.random() < 0.05:
            pages.update(dedupe.dump_dirty())
            dedupe = Dedupe(4 * SEGMENT_MS)
            for number, page in pages.items():
                dedupe.load_segment(number, page)
    assert got == want
    assert len(dedupe) == len(whole)
