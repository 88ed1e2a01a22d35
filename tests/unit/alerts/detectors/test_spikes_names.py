"""An incident that was named by the wrong slice goes by the right one as soon as that is clear."""

from collections.abc import Iterator

import numpy as np
import pytest

from alerts.decision import Decision
from alerts.detectors.spikes import DEFAULT_SLICES, NEGATIVE, SpikeConfig, SpikeDetector
from alerts.detectors.spikes.incidents import Incident, Incidents
from alerts.detectors.spikes.renaming import RENAMED_MS
from alerts.detectors.spikes.series import SliceTable
from schemas.results import Observation
from tests.suites.spike_streams import Batch, run

START_MS = 1_794_067_200_000
MINUTE_MS = 60_000
TRUTH = {"dimension": "category", "value": "手机"}
WRONG = {"手机|华东": ("category", "region"), "手机|app": ("category", "channel"), "": ()}


def stream(begin: int, end: int, *, spike: int) -> Iterator[Batch]:
    """Thirty reviews a minute, a tenth of them negative; of 手机 one in two from a minute on."""
    chance = np.random.default_rng(11)
    for minute in range(end):
        batch = []
        for number, (category, channel, region, luck) in enumerate(chance.random((30, 4))):
            dims = (["手机", "服饰", "家电"][int(3 * category)], ["app", "web"][int(2 * channel)],
                    ["华东", "华南", "华北"][int(3 * region)], "", "", f"p{number}")  # fmt: skip
            negative = bool(luck < (0.5 if minute >= spike and dims[0] == "手机" else 0.1))
            at, score = START_MS + minute * MINUTE_MS + number * 1_000, 0.95 if negative else 0.03
            batch.append(Observation("review", at, dims, 1, score, negative, f"{minute}-{number}", "", ""))
        if minute >= begin:
            yield START_MS + (minute + 1) * MINUTE_MS - 1, batch


def told_as(column: int, sid: int, *, raised_at: int = 0) -> Incident:
    return Incident(
        sid=sid, column=column, starts_at=START_MS + 120 * MINUTE_MS, raised_at=raised_at, ratio=2.0,
        severity="warning", got=8.0, due=3.0, count=20.0, told_at=raised_at, last_event=raised_at,
    )  # fmt: skip


def after_a_wrong_name(value: str, *, raised_minutes_ago: int = 0) -> list[Decision]:
    """Two minutes into the incident it is told by a name; what is decided in the half hour from then on."""
    detector = SpikeDetector(SpikeConfig())
    assert run(detector, stream(0, 122, spike=120)) == []
    table = detector.table
    column = table.slices.index(WRONG[value])
    sid = int(table.ids(("手机", "app", "华东", "", "", "p1"))[column])
    now_ms = START_MS + 122 * MINUTE_MS
    one = told_as(column, sid, raised_at=now_ms - raised_minutes_ago * MINUTE_MS)
    detector.reviews.incidents.add(one)
    return run(detector, stream(122, 152, spike=120))


@pytest.mark.parametrize("value", WRONG)
def test_a_wrong_name_gives_way_to_the_right_one(value: str) -> None:
    raised, folded, *rest = after_a_wrong_name(value)
    assert (raised.state, raised.labels, raised.starts_at) == ("raise", TRUTH, START_MS + 120 * MINUTE_MS)
    assert (folded.state, folded.labels["value"], folded.reason) == ("clear", value, "folded")
    assert raised.at == folded.at
    assert raised.at - START_MS - 122 * MINUTE_MS <= 11 * MINUTE_MS
    assert {(one.state, one.labels["value"]) for one in rest} <= {("update", "手机")}


def test_a_name_that_everybody_knows_stays() -> None:
    old = RENAMED_MS // MINUTE_MS + 1
    assert [one for one in after_a_wrong_name("手机|app", raised_minutes_ago=old) if one.reason == "folded"] == []


def test_the_right_name_stays() -> None:
    decisions = run(SpikeDetector(SpikeConfig()), stream(0, 160, spike=120))
    assert [one.labels for one in decisions if one.state == "raise"] == [TRUTH]
    assert [one for one in decisions if one.reason == "folded"] == []


def test_what_was_folded_into_an_incident_goes_with_its_name() -> None:
    table = SliceTable(DEFAULT_SLICES, max_series=100)
    sids = table.ids(("手机", "app", "华东", "", "", "p1"))
    incidents = Incidents(table, NEGATIVE, SpikeConfig())
    told, side, other = (told_as(column, int(sids[column])) for column in (1, 2, 3))
    side.folded, side.side_of = True, told.sid
    for one in (told, side, other):
        incidents.add(one)
    with incidents.beside(told):
        assert incidents.known == [other]
    assert incidents.known == [told, side, other]
    incidents.drop(told)
    assert (incidents.known, incidents.lately) == ([other], 1.0)


@pytest.mark.parametrize(("got", "ended", "states"), [(60.0, True, ["raise"]), (19.0, True, []), (60.0, False, [])])
def test_what_comes_back_far_larger_is_told(got: float, ended: bool, states: list[str]) -> None:
    """It began before the end, so it was taken for the same incident."""
    watch = SpikeDetector(SpikeConfig()).reviews
    sid = int(watch.table.ids(("手机", "app", "华东", "", "", "p1"))[1])
    watch.reserve()
    now_ms = START_MS + 150 * MINUTE_MS
    told, again = (told_as(1, sid, raised_at=now_ms - MINUTE_MS) for _ in range(2))
    told.ends_at = now_ms - MINUTE_MS if ended else 0
    again.folded, again.side_of, again.got, again.due = True, sid, got, 10.0
    watch.incidents.known = [told, again]
    decisions = watch.follow(now_ms)
    assert [one.state for one in decisions] == states
    assert again.folded is not bool(states)
    assert watch.follow(now_ms + MINUTE_MS) == []
