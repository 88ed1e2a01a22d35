"""Facts that wait for slower sources: each in its pane, in order, all of them, also over a restart."""

from collections import Counter
from typing import Final

import numpy as np

from agents.batches import decode_held, encode_held
from schemas.results import PANE_MS, Observation
from sla.transition import Transition
from streams.facts import Facts
from streams.holding import Holding
from streams.panes import PaneDeltas

TICKETS: Final = ("tickets", 0)
CELL: Final = ("手机", "", "", "", "", "")


def seen(*instants: int) -> Facts:
    panes = PaneDeltas()
    for at in instants:
        panes.row(at // PANE_MS, CELL)[0] += 1
        panes.sketch(at // PANE_MS, CELL, which=0, bucket=3, count=1)
        panes.words(at, CELL[0], bytes([at % 250]))
    observations = [Observation("complaint", at, CELL, 1, 0.0, False, "", f"e{at}", "") for at in instants]
    feeds = Counter({("complaints", "", at // PANE_MS): 1 for at in instants})
    return Facts(observations=observations, feeds=feeds, deltas=panes.drain())


def transition(kind: str, at_ms: int) -> Transition:
    dims = ("", "", "", "")
    return Transition("t1", "first_response", 0, kind, at_ms, 1, 1, "p", "1", "c", "1", dims)  # type: ignore[arg-type]


def instants(facts: Facts) -> list[int]:
    return [one.at for one in facts.observations]


def test_panes_are_handed_on_in_the_order_of_time_and_none_before_its_end() -> None:
    holding = Holding()
    holding.add(seen(25_000, 3_000), ("complaints", 0))
    holding.add(seen(14_000, 29_000), ("complaints", 1))
    assert [(pane, instants(facts)) for pane, facts in holding.release(2)] == [(0, [3_000]), (1, [14_000])]
    assert [(pane, instants(facts)) for pane, facts in holding.release(3)] == [(2, [25_000, 29_000])]
    assert not holding


def test_all_of_a_pane_goes_with_it_and_nothing_else() -> None:
    holding = Holding()
    whole = seen(1_000, 12_000, 13_000, 400_000)
    holding.add(whole, TICKETS)
    parts = dict(holding.release(1_000))
    assert [facts.deltas.panes for facts in parts.values()] == [[0], [1], [40]]
    assert [len(facts.deltas.sketches) for facts in parts.values()] == [1, 1, 1]
    assert sum((facts.feeds for facts in parts.values()), Counter()) == whole.feeds
    assert np.array_equal(np.concatenate([facts.deltas.figures for facts in parts.values()]), whole.deltas.figures)
    words = sorted(bytes(one.buckets) for facts in parts.values() for one in facts.deltas.words)
    assert words == sorted(bytes(one.buckets) for one in whole.deltas.words)


def test_what_comes_late_joins_the_first_pane_and_keeps_its_own_instant() -> None:
    holding = Holding()
    assert list(holding.release(5)) == []
    holding.add(seen(1_000), TICKETS)
    assert list(holding.release(5)) == []
    assert [(pane, instants(facts), facts.deltas.panes) for pane, facts in holding.release(6)] == [(5, [1_000], [0])]


def test_what_takes_a_breach_back_never_comes_before_it() -> None:
    holding = Holding()
    told, taken_back = transition("breach", 95_000), transition("corrected", 12_000)
    holding.add(Facts(transitions=[told]), TICKETS)
    holding.add(Facts(transitions=[taken_back]), TICKETS)
    assert [one for _, facts in holding.release(100) for one in facts.transitions] == [told, taken_back]


def test_beyond_its_measure_the_oldest_panes_wait_no_longer() -> None:
    holding = Holding(most=4)
    holding.add(seen(1_000, 11_000, 21_000), TICKETS)  # three observations, three rows
    assert [pane for pane, _ in holding.release(0)] == [0]
    assert holding.passed == 1


def test_once_nobody_lags_all_is_handed_on_and_the_open_pane_stays_open() -> None:
    holding = Holding()
    holding.add(seen(1_000, 25_000), TICKETS)
    assert [pane for pane, _ in holding.release(2, whole=True)] == [0, 2]
    assert holding.passed == 2


def test_what_waits_outlives_a_restart() -> None:
    one, two = Holding(), Holding()
    for holding in (one, two):
        list(holding.release(1))
        holding.add(seen(25_000, 3_000), TICKETS)
        holding.add(Facts(transitions=[transition("breach", 95_000)]), TICKETS)
    two = decode_held(encode_held(two))
    for holding in (one, two):
        holding.add(Facts(transitions=[transition("corrected", 2_000)]), TICKETS)
        holding.add(seen(26_000), TICKETS)
    got = [[(pane, facts.observations, facts.transitions) for pane, facts in one.release(50)] for one in (one, two)]
    assert got[0] == got[1]
    assert one.passed == two.passed
