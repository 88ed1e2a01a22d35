"""The demo's evening tells its story whatever the seed."""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pytest

from peakwatch.demo.reviews import Corpus, load_corpus
from peakwatch.demo.simulate import HOUR, MINUTE, Evening


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(1)


def _events(corpus: Corpus, *, seed: int, until_ms: int) -> Iterator[tuple[int, dict[str, Any]]]:
    return takewhile(lambda item: item[0] < until_ms, Evening(corpus, origin_ms=0, seed=seed).events())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_first_responses_break_their_promise_soon_after_the_first_hour(corpus: Corpus, seed: int) -> None:
    waiting: dict[str, int] = {}
    breached = []
    for at, event in _events(corpus, seed=seed, until_ms=70 * MINUTE):
        if event["topic"] != "tickets":
            continue
        if event["action"] == "created":
            waiting[event["ticket_id"]] = at
        elif event["action"] in ("first_response", "resolved"):
            since = waiting.pop(event["ticket_id"], at)
            breached += [since] if at - since > HOUR else []
    assert len([at for at in (*breached, *waiting.values()) if at < 4 * MINUTE]) >= 3


def test_events_come_in_order_of_time_each_with_an_id_of_its_own(corpus: Corpus) -> None:
    events = list(_events(corpus, seed=4, until_ms=5 * MINUTE))
    assert [at for at, _ in events] == sorted(at for at, _ in events)
    assert len({event["event_id"] for _, event in events}) == len(events) > 500
