"""A spike recomputed from rows: its counts, what was usual, and the threshold that held for its run."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Final, cast

import numpy as np
import pytest

from alerts.detectors.spikes import chances
from alerts.detectors.spikes.config import NEGATIVE
from alerts.detectors.spikes.watch import CONFIRMED
from alerts.rules import load_peaks
from peakwatch.config import Config
from peakwatch.explaining.checks import Check
from peakwatch.explaining.explain import Explanation, explain
from schemas.results import Alert
from schemas.rules import parse_rules
from storage.grounds import Grounds, Told
from storage.past import Group, Past, Span

MINUTE: Final = 60_000
T0: Final = 1_793_980_800_000
SPIKE: Final = Alert(
    alert_id="a", rule="spike", kind="negative_spike", status="firing", severity="warning", at=T0 + 10 * MINUTE,
    starts_at=T0, ends_at=None, labels={"dimension": "category", "value": "手机"}, value=0.5, baseline=0.1, peak=None,
    summary="", reason="", evidence={
        "count": 40, "negative": 20, "expected": 4.0, "ratio": 5.0, "log_likelihood_ratio": 14.0, "window_seconds": 600,
    },
)  # fmt: skip
LOUD: Final = SPIKE._replace(
    kind="complaint_spike",
    evidence={"complaints": 30, "orders": 1_000, "expected": 10.0, "ratio": 3.0, "log_likelihood_ratio": 12.0},
)


class Rows:
    """What a store would answer, of the run and of the week before."""

    def __init__(self, **found: Any) -> None:
        self.found = found
        self.asked: list[dict[str, Any]] = []

    def reviews(
        self, parts: Mapping[str, str], *, begin: int, end: int, by: Collection[str] | None = None, **_: Any
    ) -> list[Any]:
        if "fading" in _:
            return cast("list[Any]", self.found.get("before", []))
        self.asked.append({"parts": parts, "begin": begin, "end": end})
        rows: list[Told] = self.found["reviews"]
        return [one for one in rows if begin <= one.at < end and (by is None or one.customer in by)]

    def complaints(self, parts: Mapping[str, str], **how: Any) -> list[Any]:
        return self.reviews(parts, **how)

    def orders(self, parts: Mapping[str, str], **how: Any) -> Any:
        return self.found.get("orders_before", []) if "fading" in how else self.found["orders"]

    def spikes(self, kind: str, **_: Any) -> list[Span]:
        return []

    def denominators(self, **_: Any) -> tuple[int | None, int | None]:
        return (T0 - 86_400_000, T0 - MINUTE) if self.found.get("before") else (None, None)


NO_PEAKS: Final = "peaks: []"
NIGHT: Final = "peaks: [{name: double-11, phases: [{name: 夜, from: 2026-11-01, to: 2026-11-30}]}]"


def why(alert: Alert, rows: Rows, *, plan: str = NO_PEAKS, **said: Any) -> Explanation:
    rules = parse_rules([{"name": "spike", "kind": alert.kind, **said}], source="r")
    config = Config((), {}, rules, load_peaks(plan, source="p"))
    return explain([alert], cast(Grounds, rows), cast(Past, rows), config)


def check(found: Explanation, what: str) -> Check:
    (one,) = (one for one in found.checks if one.what == what)
    return one


def told(count: int, *, negative: bool, customer: str = "", at: int = T0 + MINUTE) -> list[Told]:
    score = 0.02 if negative else 0.98
    return [Told(at, customer or f"{negative}{number}", negative, score) for number in range(count)]


TRUE: Final = [*told(20, negative=False), *told(20, negative=True)]


def week(share: float, *, count: int = 2_000) -> list[Group]:
    """Reviews of the slice in all hours of the week before."""
    parts = ((-4.0, share), (4.0, 1.0 - share))
    return [
        Group((1,), hour, odds, count * part / 48, count * part / 48, 0.0) for odds, part in parts for hour in range(48)
    ]


def test_counts_are_counted_anew_and_a_customer_s_anger_once() -> None:
    again = [*told(9, negative=True, customer="angry"), *told(1, negative=True, customer="angry", at=T0 - MINUTE)]
    found = why(SPIKE, Rows(reviews=[*TRUE, *again]))
    assert [(one.said, one.found, one.agrees) for one in found.checks[:2]] == [(40, 40, True), (20, 20, True)]
    assert check(found, "times the expected").agrees is True
    assert found.agrees is True


def test_what_came_after_the_decision_is_not_held_against_it() -> None:
    after = told(9, negative=True, customer="", at=T0 + 10 * MINUTE - 5_000)
    late = [one._replace(customer=f"late{number}") for number, one in enumerate(after)]
    assert why(SPIKE, Rows(reviews=[*TRUE, *late])).agrees is True
    early = [one._replace(at=T0 + MINUTE) for one in late]
    assert why(SPIKE, Rows(reviews=[*TRUE, *early])).agrees is False


def test_a_spike_without_its_reviews_is_not_borne_out() -> None:
    found = why(SPIKE, Rows(reviews=told(40, negative=False)))
    assert check(found, "negative ones").agrees is False
    assert check(found, "times the expected").agrees is False


def test_a_rule_that_waits_is_judged_by_the_run_that_it_waited_for() -> None:
    rows = Rows(reviews=TRUE)
    why(SPIKE._replace(at=T0 + 30 * MINUTE), rows)
    assert rows.asked[0]["end"] == T0 + 10 * MINUTE


@pytest.mark.parametrize(
    ("dimension", "value", "sign"),
    [("all", "", 1), ("category", "手机", 1), ("product_id", "p1", 1), ("category+region", "手机|华东", -1)],
)
@pytest.mark.parametrize("asked", [None, 20.0], ids=["shipped", "by-the-rule"])
def test_the_threshold_is_that_of_the_slice_and_of_its_run(
    dimension: str, value: str, sign: int, asked: float | None
) -> None:
    alert = SPIKE._replace(labels={"dimension": dimension, "value": value})
    said: dict[str, Any] = {} if asked is None else {"evidence_nats": asked}
    found = check(why(alert, Rows(reviews=TRUE), **said), "threshold in nats")
    settings = dataclasses.replace(NEGATIVE, evidence_nats=asked or NEGATIVE.evidence_nats)
    width = sign * min(settings.spread_nats, settings.evidence_nats / 2)
    size = float(chances.by_size(settings, 4.0))
    length = float(chances.owed(settings, np.array([10 * MINUTE]), np.array([4.0]))[0]) - size
    assert found.found == pytest.approx(settings.evidence_nats + width + length + size, abs=0.011)
    terms = f"{settings.evidence_nats:g} base, {width:+.2g} for {dimension}, "
    assert found.note.startswith(terms)
    assert f"{length:+.2f} for a run of 10m, {size:+.2f} for 4 due" in found.note


LEAST: Final = CONFIRMED * NEGATIVE.wanted(1.0)  # of a category in which less is due than usually


@pytest.mark.parametrize(("beyond", "agrees", "named"), [(3.0, True, False), (0.2, True, True), (-0.2, False, True)])
def test_a_slice_that_is_named_for_another_s_alarm_owes_less(beyond: float, agrees: bool, named: bool) -> None:
    alert = SPIKE._replace(evidence={**SPIKE.evidence, "log_likelihood_ratio": LEAST + beyond})
    found = check(why(alert, Rows(reviews=TRUE)), "threshold in nats")
    assert found.agrees is agrees
    assert (f"the slice named for it must keep {LEAST:.2f}" in found.note) is named


def test_what_a_promotion_s_phase_asks_for_counts_as_well() -> None:
    def agrees(alert: Alert = SPIKE, **there: Any) -> bool | None:
        return why(alert, Rows(reviews=TRUE), plan=NIGHT, peaks=[{"peak": "double-11", **there}]).agrees

    assert agrees(min_ratio=3.0, evidence_nats=12) is True
    busy = SPIKE._replace(evidence={**SPIKE.evidence, "stream_nats": 2.5})
    assert agrees(busy, evidence_nats=12) is False
    assert agrees(min_ratio=6.0) is False
    assert agrees(evidence_nats=18) is False


def test_the_evidence_of_the_rows_stands_beside_the_one_that_was_said() -> None:
    found = check(why(SPIKE, Rows(reviews=TRUE)), "evidence in nats")
    assert found.said == 14.0
    assert 10.0 < found.found < 20.0
    assert check(why(SPIKE, Rows(reviews=told(40, negative=False))), "evidence in nats").found <= 0.0


@pytest.mark.parametrize(("share", "words"), [(0.1, "no plain difference"), (0.25, "they DIFFER")])
def test_what_was_usual_is_learnt_anew_and_a_difference_is_told(share: float, words: str) -> None:
    found = why(SPIKE, Rows(reviews=TRUE, before=week(share)))
    assert check(found, "usual").found == pytest.approx(share, rel=0.1)
    assert check(found, "expected in the run").found == pytest.approx(40 * share, rel=0.1)
    assert words in check(found, "expected in the run").note
    assert check(found, "times the expected, learnt anew").agrees is None
    assert found.agrees is True  # a baseline learnt anew judges nothing: it knows less than the detector did


def test_where_nothing_of_before_is_stored_it_says_so() -> None:
    assert "nothing of before it is stored" in check(why(SPIKE, Rows(reviews=TRUE)), "usual").note


def test_complaints_stand_beside_orders_that_have_come_since() -> None:
    before = [Group((1,), hour, 0.0, 20.0, 20.0, 0.0) for hour in range(48)]
    rows = Rows(reviews=told(30, negative=True), before=before, orders=1_000.0, orders_before=[
        one._replace(came=2_000.0, long=2_000.0) for one in before
    ])  # fmt: skip
    found = why(LOUD, rows)
    assert (check(found, "orders").said, check(found, "orders").found) == (1_000, 1_000)
    assert check(found, "usual").found == pytest.approx(10.0, rel=0.05)  # complaints per 1,000 orders
    assert "no plain difference" in check(found, "expected in the run").note
    assert found.agrees is True


def test_complaints_of_a_stream_without_orders_are_counted_to_the_minutes() -> None:
    before = [Group((1,), hour, 0.0, 60.0, 60.0, 60.0 * 0.5 ** ((24 - hour) / 3)) for hour in range(24)]
    found = why(LOUD, Rows(reviews=told(30, negative=True), before=before))
    assert check(found, "expected in the run").found == pytest.approx(10.0, rel=0.2)  # one a minute
    assert "orders" not in {one.what for one in found.checks}


def test_the_rule_is_shown_as_far_as_it_says_something() -> None:
    found = why(SPIKE, Rows(reviews=TRUE), cooldown="10m", min_ratio=1.5, match={"category": ["手机", "家电"]})
    assert found.rule == "spike: kind negative_spike, match category=家电/手机, cooldown 10m, min_ratio 1.5"
