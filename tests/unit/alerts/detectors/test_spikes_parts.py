"""What the parts of spike detection promise each other."""

import math

import msgspec
import numpy as np
import pytest

from alerts.detectors.spikes import SpikeConfig, SpikeDetector, chances
from alerts.detectors.spikes import pane as panes
from alerts.detectors.spikes.arrays import Floats, Ids
from alerts.detectors.spikes.baseline import Baseline
from alerts.detectors.spikes.common import CommonMode
from alerts.detectors.spikes.config import COMPLAINT, DEFAULT_SLICES, NEGATIVE
from alerts.detectors.spikes.dedupe import Customers
from alerts.detectors.spikes.exposure import Exposure
from alerts.detectors.spikes.incidents import MARGIN, Incident, Incidents
from alerts.detectors.spikes.intervals import Intervals
from alerts.detectors.spikes.overlap import Overlap
from alerts.detectors.spikes.recent import Recent
from alerts.detectors.spikes.reviews import posterior
from alerts.detectors.spikes.series import SliceTable
from alerts.detectors.spikes.surge import Surge
from alerts.detectors.spikes.volume import Volume
from schemas.results import Observation

START_MS = 1_794_067_200_000
MINUTE_MS = 60_000
COLUMNS = 1 + len(DEFAULT_SLICES)


@pytest.fixture
def table() -> SliceTable:
    return SliceTable(DEFAULT_SLICES, max_series=1000)


def incident(table: SliceTable, column: int, sid: int, *, starts_at: int = 0, got: float = 20.0) -> Incident:
    return Incident(
        sid=sid, column=column, starts_at=starts_at, raised_at=starts_at, ratio=3.0, severity="warning", got=got,
        due=got / 3.0, count=got, told_at=starts_at, last_event=starts_at,
    )  # fmt: skip


def test_a_verdict_means_what_it_says_where_the_judge_was_calibrated() -> None:
    scores = np.array([0.01, 0.3, 0.5, 0.9])
    assert np.allclose(posterior(scores, np.full(4, 0.4), prior=0.4), scores)


def test_a_verdict_is_fair_at_any_rate() -> None:
    """Verdicts of a calibrated judge, half of each class: their mean under a share of 0.1 is 0.1."""
    chance = np.random.default_rng(3)
    logit = np.concatenate([chance.normal(2.0, 2.0, 200_000), chance.normal(-2.0, 2.0, 200_000)])
    scores = 1.0 / (1.0 + np.exp(-logit))  # log-likelihood ratio of normals 4 apart with variance 4: the value itself
    means = [posterior(part, np.full(len(part), 0.1), prior=0.5).mean() for part in np.split(scores, 2)]
    assert 0.1 * means[0] + 0.9 * means[1] == pytest.approx(0.1, abs=0.002)


def test_a_doubtful_verdict_says_less_where_negatives_are_rare() -> None:
    rates = np.array([0.02, 0.1, 0.4])
    assert (np.diff(posterior(np.full(3, 0.6), rates, prior=0.4)) > 0.0).all()


def test_an_incident_takes_its_part_of_what_lies_beside_it(table: SliceTable) -> None:
    exposure = Exposure(table)
    rows = np.array(
        [table.ids(("手机", "app", "华东", "金卡", "s1", "p1")), table.ids(("家电", "web", "华南", "银卡", "s2", "p2"))]
    )
    exposure.reserve()
    exposure.learn_complaints(np.repeat(rows, 5000, axis=0), np.ones(10_000))
    overlap = Overlap(table, exposure, Recent(table.columns, most=100))
    phones, tv = rows
    channel = table.slices.index(("channel",))
    factors = overlap.factor(incident(table, channel, int(phones[channel])), np.concatenate([phones, tv]))
    names = ["+".join(joined) or "all" for joined in table.slices]
    mine, theirs = dict(zip(names, factors[:COLUMNS], strict=True)), dict(zip(names, factors[COLUMNS:], strict=True))
    assert mine["all"] == pytest.approx(0.5, abs=0.01)
    assert mine["region"] == theirs["region"] == pytest.approx(0.5, abs=0.01)
    assert mine["category+channel"] == pytest.approx(3.0 * MARGIN)
    assert (mine["channel"], theirs["channel"], theirs["category+channel"]) == (1.0, 1.0, 1.0)


def test_a_shop_is_not_taken_for_a_sample_of_all_categories(table: SliceTable) -> None:
    exposure = Exposure(table)
    row = np.array([table.ids(("手机", "app", "华东", "金卡", "s1", "p1"))])
    exposure.reserve()
    exposure.learn_complaints(np.repeat(row, 1000, axis=0), np.ones(1000))
    category, shop = table.slices.index(("category",)), table.slices.index(("shop_id",))
    overlap = Overlap(table, exposure, Recent(table.columns, most=100))
    assert overlap.factor(incident(table, category, int(row[0, category])), row[0, [shop]]).tolist() == [1.0]


def test_a_shops_incident_takes_of_a_category_what_both_had_in_common_before_it(table: SliceTable) -> None:
    recent = Recent(table.columns, most=1000)
    rows = np.array([table.ids((what, "app", "华东", "", shop, "")) for what, shop in (("乐器", "s1"), ("乐器", "s2"))])
    for at, few, many in ((START_MS - MINUTE_MS, 36, 12), (START_MS + MINUTE_MS, 200, 0)):
        sids = np.repeat(rows, [few, many], axis=0)
        one, none = np.ones(len(sids)), np.zeros(len(sids))
        values = {"got": one, "due": none, "trials": none, "weight": one, "bad": one}
        recent.append(np.full(len(sids), at), sids, values, [])
    exposure = Exposure(table)
    exposure.reserve()
    category, shop = table.slices.index(("category",)), table.slices.index(("shop_id",))
    overlap = Overlap(table, exposure, recent)
    told = incident(table, shop, int(rows[0, shop]), starts_at=START_MS)
    factor = overlap.factor(told, rows[0, [category]])
    assert factor.tolist() == [1.0 - 36 / (48 + 12)]
    recent.trim(START_MS + MINUTE_MS)
    restarted = Overlap(table, exposure, recent)
    restarted.load(overlap.dump())
    overlap.forget()
    assert [one.factor(told, rows[0, [category]]).tolist() for one in (overlap, restarted)] == [factor.tolist()] * 2


def test_a_share_that_is_learnt_better_says_nothing_of_what_was_charged(table: SliceTable) -> None:
    exposure = Exposure(table)
    row = np.array([table.ids(("手机", "app", "华东", "", "", ""))])
    told = np.array([table.ids(("手机", "", "", "", "", ""))])
    exposure.reserve()
    channel = row[0, [table.slices.index(("channel",))]]
    for minute in range(1, 601):
        now = START_MS + minute * MINUTE_MS
        exposure.add_orders(np.array([now]), told, np.array([100.0]), np.array([10.0]))
        exposure.adopt(row)
        exposure.since_mark(channel, now, pane_ms=MINUTE_MS)
    exposure.add_reviews(np.array([1]), np.array([1000.0]))
    exposure.add_reviews(channel, np.array([500.0]))
    before, within = exposure.since_mark(channel, START_MS + 601 * MINUTE_MS, pane_ms=MINUTE_MS)
    assert float((before + within)[0]) < 10.0  # a minute's complaints of the whole stream


def test_complaints_are_learnt_with_their_orders() -> None:
    recent = Recent(1, most=1000)
    nothing = {name: np.zeros(1) for name in ("got", "due", "trials", "weight", "bad")}
    one, sids = np.ones(1), np.ones((1, 1), np.int32)
    for second, name in ((1, "got"), (2, "got"), (3, "trials"), (4, "got")):
        recent.append(np.array([second]), sids, nothing | {name: one}, [])
    at, _, got, trials = recent.unlearnt(10)
    assert (at.tolist(), got.sum(), trials.sum()) == ([1, 2, 3], 2.0, 1.0)
    assert recent.unlearnt(10)[0].tolist() == []
    recent.append(np.array([5]), sids, nothing | {"trials": one}, [])
    assert recent.unlearnt(10)[0].tolist() == [4, 5]


def test_a_small_incident_that_shares_a_little_is_no_side_of_a_large_one(table: SliceTable) -> None:
    rows = np.array([table.ids(("手机", "app", "华东", "金卡", "s1", "p1"))] * 3
                    + [table.ids(("家电", "web", "华东", "金卡", "s2", "p2"))] * 40)  # fmt: skip
    incidents = Incidents(table, COMPLAINT, SpikeConfig())
    category, tier = table.slices.index(("category",)), table.slices.index(("customer_tier",))
    incidents.known = [incident(table, category, int(rows[0, category]))]
    wide = incident(table, tier, int(rows[0, tier]), got=43.0)
    incidents.fold(wide, np.full(43, 2 * MINUTE_MS), rows, np.ones(43))
    told = [wide.folded]
    incidents.fold(wide, np.full(3, 2 * MINUTE_MS), rows[:3], np.full(3, 10.0))
    assert [*told, wide.folded] == [False, True]


def test_first_orders_that_come_late_freeze_no_wrong_baseline() -> None:
    """Minutes stand for orders for a while; complaints of that time are not orders without complaints."""
    detector = SpikeDetector(SpikeConfig())
    chance = np.random.default_rng(5)
    found = []
    for pane in range(6 * 90):
        at = START_MS + pane * 10_000
        batch = [
            Observation("complaint", at, ("手机", "app", "华东", "", "", ""), 1, 0.0, False, "", f"c{pane}-{i}", "")
            for i in range(int(chance.poisson(0.5)))
        ]
        if pane >= 72 and pane % 60 == 12:  # of ten minutes, two minutes late
            dims = ("手机", "", "", "", "", "")
            batch.append(Observation("orders", at - 2 * MINUTE_MS, dims, 3000, 0.0, False, "", f"o{pane}", ""))
        detector.observe(batch)
        found += [one for one in detector.advance(at + 9_999) if one.state == "raise"]
    assert found == []
    assert detector.complaints.baseline.rate(START_MS) == pytest.approx(0.01, rel=0.15)


def test_a_run_owes_more_for_being_short_long_or_small() -> None:
    minutes, due = np.array([1, 5, 20, 90]) * MINUTE_MS, np.full(4, 5.0)
    short, shorter, usual, long = (chances.owed(COMPLAINT, minutes, due)[[1, 0, 2, 3]]).tolist()
    assert shorter > short > usual == 0.0 < long
    sizes = chances.by_size(COMPLAINT, np.array([0.0, 0.5, 2.0, 5.0, 10.0, 1e6]))
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert float(sizes[-1]) == -chances.most_let_off(COMPLAINT) < 0.0


def learnt(table: SliceTable, batches: list[tuple[tuple[str, str], int, int]]) -> Baseline:
    """A baseline after batches of ten minutes: (category, region), reviews and negatives of each."""
    baseline = Baseline(table, NEGATIVE, SpikeConfig())
    for number, (where, reviews, negatives) in enumerate(batches):
        row = np.array([table.ids((where[0], "", where[1], "", "", ""))] * reviews)
        baseline.reserve()
        got = np.zeros(reviews)
        got[:negatives] = 1.0
        baseline.learn(START_MS + number * 10 * MINUTE_MS, row, got, np.ones(reviews))
    return baseline


def test_what_is_left_out_of_one_slice_changes_no_expectation(table: SliceTable) -> None:
    """A slice with many negatives is left out for six hours, as in an incident: the mix changes, and no rate."""
    both = [(("手机", "华东"), 40, 12), (("图书", "华南"), 60, 6)] * 200
    rows = np.array([table.ids(("图书", "", "华南", "", "", "")), table.ids(("手机", "", "华东", "", "", ""))])
    rates = []
    for batches in (both, both + [(("图书", "华南"), 60, 6)] * 36):
        baseline = learnt(table, batches)
        rates.append(baseline.rate(START_MS + len(batches) * 10 * MINUTE_MS) * baseline.effects(rows))
    assert rates[0] == pytest.approx([0.1, 0.3], rel=0.02)
    assert rates[1] == pytest.approx(rates[0], rel=0.04)


def test_an_hour_is_expected_to_be_like_the_last_ones(table: SliceTable) -> None:
    """Three days as usual, then six hours with a fifth more, then a day as usual: the seventh hour follows, at once."""
    usual, more = (("手机", "华东"), 300, 30), (("手机", "华东"), 300, 36)
    row = np.array([table.ids(("手机", "", "华东", "", "", ""))])
    rates = []
    for batches in ([usual] * 432, [usual] * 432 + [more] * 36, [usual] * 432 + [more] * 36 + [usual] * 144):
        baseline = learnt(table, batches)
        rates.append(float(baseline.rate(START_MS + len(batches) * 10 * MINUTE_MS) * baseline.effects(row)[0]))
    before, next_hour, next_day = rates
    assert next_hour > 1.1 * before
    assert next_day == pytest.approx(before, rel=0.06)


def test_orders_of_an_interval_are_spread_over_it_as_the_reviews_came() -> None:
    told = Intervals()
    told.begin(-300_000)
    told.note(np.array([0, 600_000]))
    edges: list[int] = []

    def weigh(instants: Ids) -> Floats:
        edges.extend(instants.tolist())
        return np.array([1.0, 1.0, 2.0, 4.0, 2.0])

    rows, ends, parts = told.pieces(np.array([600_000, 600_000]), weigh)
    assert edges == [0, 120_000, 240_000, 360_000, 480_000, 600_000]
    assert ends.tolist() == [120_000] * 2 + [240_000] * 2 + [360_000] * 2 + [480_000] * 2 + [600_000] * 2
    assert np.bincount(rows, parts).tolist() == [1.0, 1.0]
    assert parts[rows == 0].tolist() == [0.1, 0.1, 0.2, 0.4, 0.2]


def test_orders_told_every_second_stay_whole() -> None:
    told = Intervals()
    told.begin(0)
    at = np.arange(1, 40) * 1000
    told.note(at)
    rows, ends, parts = told.pieces(at, lambda instants: np.ones(len(instants) - 1))
    assert rows.tolist() == list(range(1, 39))
    assert ends.tolist() == at.tolist()[1:]
    assert set(parts.tolist()) == {1.0}


def test_the_first_orders_are_of_nobody_knows_how_long_and_teach_nothing() -> None:
    told = Intervals()
    told.begin(10_000)
    at = np.array([5_000, 10_000, 300_000, 600_000])
    told.note(at)
    rows, ends, _ = told.pieces(at, lambda instants: np.ones(len(instants) - 1))
    assert (set(rows.tolist()), told.since_ms, int(ends.min())) == ({3}, 300_000, 360_000)
    again = Intervals()
    again.load(told.dump())
    again.note(np.array([900_000]))
    assert again.since_ms == 300_000


def test_an_hour_is_told_apart_once_it_is_over(table: SliceTable) -> None:
    """Ten days with a third more at noon: expected there from then on, and not while the first such noon lasts."""
    where = ("手机", "华东")
    batches = [(where, 300, 40 if number // 6 % 24 == 12 else 30) for number in range(1440)]
    row = np.array([table.ids(("手机", "", "华东", "", "", ""))])
    first, last = learnt(table, batches[: 12 * 6 + 3]), learnt(table, batches[: 1440 - 11 * 6])
    rates = [
        [float(one.rate(START_MS + (day * 24 + hour) * 3_600_000) * one.effects(row)[0]) for hour in (12, 13)]
        for day, one in ((0, first), (9, last))
    ]
    assert rates[0][0] == pytest.approx(rates[0][1], rel=0.001)
    assert rates[1][0] == pytest.approx(1.25 * rates[1][1], rel=0.06)


def test_learning_goes_on_beside_an_incident_of_which_orders_do_not_tell() -> None:
    """Orders by category; for an hour four times the complaints over the phone, which usually brings a quarter."""
    detector = SpikeDetector(SpikeConfig())
    chance = np.random.default_rng(6)
    learnt, raised = {}, []
    for pane in range(6 * 60 * 6):
        at = START_MS + pane * 10_000
        phone = 1.0 if 6 * 60 * 4 <= pane < 6 * 60 * 5 else 0.25
        batch = [
            Observation("complaint", at, (what, how, "", "", "", ""), 1, 0.0, False, "", f"{what}{how}{pane}-{i}", "")
            for what in ("手机", "家电") for how, mean in (("app", 0.75), ("phone", phone))
            for i in range(int(chance.poisson(mean)))
        ]  # fmt: skip
        for what in ("手机", "家电") if pane % 30 == 12 else ():  # of five minutes, two minutes late
            dims = (what, "", "", "", "", "")
            batch.append(Observation("orders", at - 2 * MINUTE_MS, dims, 3000, 0.0, False, "", f"{what}{pane}", ""))
        detector.observe(batch)
        raised += [one.labels["value"] for one in detector.advance(at + 9_999) if one.state == "raise"]
        learnt[pane // 360] = detector.complaints.baseline.learnt
    assert raised == ["phone"]
    assert learnt[5] - learnt[4] > 0.6 * (learnt[3] - learnt[2])  # the fifth hour is learnt 40 minutes later
    assert detector.complaints.baseline.rate(START_MS) == pytest.approx(0.01, rel=0.1)


def test_where_nothing_was_told_of_late_an_alarm_takes_more(table: SliceTable) -> None:
    asked = [chances.by_calm(COMPLAINT, told) for told in (0.0, 1.0, 2.0, 9.0)]
    assert asked == [COMPLAINT.calm, COMPLAINT.calm / 2, 0.0, 0.0]
    incidents = Incidents(table, COMPLAINT, SpikeConfig())
    incidents.fade(START_MS)
    for folded in (False, True, False):
        one = incident(table, 1, 2)
        one.folded = folded
        incidents.add(one)
    incidents.fade(START_MS + 24 * 60 * MINUTE_MS)
    assert incidents.lately == pytest.approx(1.0)
    again = Incidents(table, COMPLAINT, SpikeConfig())
    again.load(incidents.dump())
    assert again.lately == incidents.lately


def test_a_large_stream_asks_for_more_and_a_small_one_for_no_less() -> None:
    volumes = (0.0, 100.0, 8_000.0, 8_000.0 * math.e, 800_000.0)
    wide, narrow = ([chances.by_volume(COMPLAINT, a_day, rank) for a_day in volumes] for rank in (1.0, 2.0))
    assert wide[:3] == narrow[:3] == [0.0, 0.0, 0.0]
    assert (wide[3] + narrow[3]) / 2 == pytest.approx(COMPLAINT.volume)
    assert (wide[4] + narrow[4]) / 2 == pytest.approx(COMPLAINT.volume * math.log(100.0))


def test_in_a_large_stream_narrow_slices_are_asked_for_as_much_as_wide_ones() -> None:
    asked = {
        a_day: [COMPLAINT.wanted(rank) + chances.by_volume(COMPLAINT, a_day, rank) for rank in (1.0, 2.0)]
        for a_day in (8_000.0, 16_000.0, 8e6)
    }
    apart = {a_day: wide - narrow for a_day, (wide, narrow) in asked.items()}
    assert apart[8_000.0] == pytest.approx(2 * COMPLAINT.spread_nats)
    assert apart[16_000.0] == pytest.approx(COMPLAINT.spread_nats)
    assert apart[8e6] < 0.01 * COMPLAINT.spread_nats


def test_what_was_due_before_an_incident_does_not_become_the_incidents() -> None:
    """A shop sells one category, whose incident began a minute ago; the newest orders are five minutes old."""
    detector = SpikeDetector(SpikeConfig())
    for pane in range(6 * 35 + 1):
        at = START_MS + pane * 10_000
        dims = ("手机", "app", "华东", "", f"s{pane % 3}", "")
        batch = [Observation("complaint", at, dims, 1, 0.0, False, "", f"c{pane}", "")]
        if pane % 30 == 0:
            batch.append(Observation("orders", at, ("手机", "", "", "", "", ""), 3000, 0.0, False, "", f"o{pane}", ""))
        detector.observe(batch)
        detector.advance(at + 9_999)
    watch, now = detector.complaints, START_MS + 35 * MINUTE_MS
    row = watch.table.ids(("手机", "app", "华东", "", "s1", ""))
    category, shop = (watch.table.slices.index((name,)) for name in ("category", "shop_id"))
    begun = now - MINUTE_MS

    def due() -> tuple[float, float]:
        rows = watch.history(int(row[shop]), now)
        late = rows.where(rows.at > watch.exposure.newest_ms)
        return float(late.due[late.at < begun].sum()), float(late.due[late.at >= begun].sum())

    before = due()
    watch.incidents.known.append(incident(watch.table, category, int(row[category]), starts_at=begun))
    after = due()
    assert before[0] == after[0] > 0.0
    assert after[1] < 0.5 * before[1]


def mood(table: SliceTable, *, due: float, rise: float = 1.0, loud: float = 1.0) -> float:
    """The common mode where `due` negatives were expected, `rise` times as many came, and `loud` times that in 金卡.

    Half of all are of 金卡; the values of the other dimensions have 2 to 54 % each.
    """
    chance = np.random.default_rng(11)
    common = CommonMode(table)
    shares = [
        (what, how, where, tier, a * b * c * d)
        for what, a in (("手机", 0.54), ("家电", 0.3), ("图书", 0.1), ("乐器", 0.04), ("宠物", 0.02))
        for how, b in (("app", 0.5), ("web", 0.3), ("phone", 0.2))
        for where, c in (("华东", 0.5), ("华南", 0.3), ("西北", 0.2))
        for tier, d in (("金卡", 0.5), ("银卡", 0.3), ("普通", 0.15), ("黑金", 0.05))
    ]
    rows = np.array([table.ids((what, how, where, tier, "", "")) for what, how, where, tier, _ in shares])
    common.reserve()
    expected = np.array([due * share for *_, share in shares])
    came = chance.poisson(expected * rise * np.array([loud if tier == "金卡" else 1.0 for _, _, _, tier, _ in shares]))
    for column in range(table.columns):
        ids, places = np.unique(rows[:, column], return_inverse=True)
        common.add(ids.astype(np.int64), got=np.bincount(places, came), due=np.bincount(places, expected))
    common.fade(START_MS)
    return common.factor


def test_what_rises_everywhere_is_the_mood_of_the_hour(table: SliceTable) -> None:
    assert mood(table, due=500.0, rise=1.25) == pytest.approx(1.22, abs=0.06)
    assert mood(table, due=500.0, rise=0.8) == pytest.approx(0.82, abs=0.06)


def test_one_values_incident_is_no_mood_though_half_of_all_is_its_own(table: SliceTable) -> None:
    assert mood(table, due=500.0, loud=2.0) == pytest.approx(1.0, abs=0.06)


def test_a_handful_of_events_tells_no_mood(table: SliceTable) -> None:
    assert mood(table, due=12.0, rise=1.6) < 1.12


def test_a_share_guessed_from_few_reviews_is_not_held_against_the_complaints(table: SliceTable) -> None:
    """A hotline has complaints and no reviews: its share is unsure, until the complaints tell it."""
    exposure = Exposure(table)
    rows = np.array([table.ids(("手机", how, "华东", "", "", "")) for how in ("app", "phone")])
    told = np.array([table.ids(("手机", "", "华东", "", "", ""))])
    exposure.reserve()
    exposure.add_orders(np.array([START_MS]), told, np.array([1e4]), np.array([100.0]))
    exposure.adopt(rows)
    app, phone = rows[:, table.slices.index(("channel",))].astype(np.int64)
    for ids in (rows[0], told[0]):
        exposure.add_reviews(np.unique(ids[ids > 0]).astype(np.int64), np.full(len(np.unique(ids[ids > 0])), 500.0))
    unsure, sure = exposure.uncertainty(np.array([phone, app]))
    assert unsure > 1.0 > 0.2 > sure
    exposure.learn_complaints(np.repeat(rows, [750, 250], axis=0), np.ones(1000))
    assert float(exposure.share(np.array([phone]))[0]) == pytest.approx(0.25, abs=0.03)


def test_what_is_due_of_orders_yet_to_come_follows_the_reviews() -> None:
    volume = Volume()
    for number in range(120):  # ten minutes alike, then a rush
        volume.add(START_MS + (number + 1) * 10_000, reviews=10 if number < 60 else 100, complaints=0)
    begin, end = START_MS + 5 * MINUTE_MS, START_MS + 20 * MINUTE_MS
    assert volume.part(begin, begin, end) == 1.0
    assert volume.part(begin, end, end) == 0.0
    last = volume.part(begin, START_MS + 10 * MINUTE_MS, end)
    assert 0.9 < last < 1.0
    assert last + volume.part(begin, START_MS + 5 * MINUTE_MS + 1, end) > 1.8


def test_in_a_rush_no_expectation_is_sure_until_the_rush_is_what_is_usual() -> None:
    surge, errors = Surge(), []
    for minute in range(180):
        surge.add(START_MS + minute * MINUTE_MS, 1200 if minute >= 60 else 100)
        errors.append(surge.error)
    assert max(errors[:60]) < 1e-6
    assert errors[62] > 0.01
    assert errors[70] > errors[90] > errors[120]
    assert errors[-1] < 1e-4
    again = Surge()
    again.load(surge.dump())
    for one in (surge, again):
        one.add(START_MS + 180 * MINUTE_MS, 9000)
    assert again.error == surge.error > errors[-1]


def test_silence_is_no_rush() -> None:
    surge = Surge()
    for minute in range(60):
        surge.add(START_MS + minute * MINUTE_MS, 100 if minute < 30 else 0)
    assert surge.error == 0.0


def hotline(minute: int, count: int) -> list[Observation]:
    """A minute of orders in the app, complaints there, and so many by phone, where nobody orders."""
    at = START_MS + minute * MINUTE_MS
    found = []
    for number in range(2 + count):
        dims = ("手机", "app" if number < 2 else "phone", "", "", "", "")
        found.append(Observation(
            kind="complaint", at=at + number * 5_000, dims=dims, count=1, negativity=0.0, negative=False,
            customer="", sample=f"c{minute}-{number}", text="坏了",
        ))  # fmt: skip
    if minute % 5 == 4:
        found.append(Observation(
            kind="orders", at=at + 59_999, dims=("手机", "app", "", "", "", ""), count=1000, negativity=0.0,
            negative=False, customer="", sample="", text="",
        ))  # fmt: skip
    return found


def test_complaints_by_a_channel_that_nobody_orders_in_are_expected_as_they_usually_come() -> None:
    detector, raised = SpikeDetector(SpikeConfig()), []
    for minute in range(6 * 60):
        detector.observe(hotline(minute, 1 if minute < 5 * 60 else 6))
        raised += [one for one in detector.advance(START_MS + (minute + 1) * MINUTE_MS) if one.state == "raise"]
    assert [one.labels["value"] for one in raised] == ["手机|phone"]  # the same events as the channel's
    assert 1 <= (raised[0].at - START_MS) // MINUTE_MS - 5 * 60 <= 6
    assert raised[0].evidence["expected"] == pytest.approx(raised[0].evidence["window_seconds"] / 60, rel=0.4)


def test_a_late_event_does_not_make_a_run_look_longer() -> None:
    row = (1, 2, 3)
    minute = [(START_MS + second * 1000, row, 1.0, 1.0, 1.0, "", "") for second in range(10)]
    late = (START_MS - 4 * MINUTE_MS, row, 1.0, 1.0, 1.0, "", "")
    assert panes.of([late, *minute], 3).begin == START_MS
    assert panes.of([late], 3).begin == START_MS - 4 * MINUTE_MS


def test_of_orders_told_for_two_minutes_a_run_of_half_a_minute_owes_a_quarter() -> None:
    intervals = Intervals()
    intervals.begin(START_MS)
    told = np.array([START_MS + 10 * MINUTE_MS, START_MS + 20 * MINUTE_MS])
    intervals.note(told)
    ends = START_MS + np.array([12, 14, 20]) * MINUTE_MS  # of pieces of two minutes
    since = START_MS + 13 * MINUTE_MS + 30_000
    assert intervals.after(ends, since).tolist() == [0.0, 0.25, 1.0]
    assert intervals.after(told + 60 * MINUTE_MS, since).tolist() == [1.0, 1.0]  # nobody knows of how long


def test_of_an_incidents_events_a_part_would_have_come_anyway(table: SliceTable) -> None:
    incidents = Incidents(table, COMPLAINT, SpikeConfig())
    phones, tv = (table.ids((category, "", "", "", "", "")) for category in ("手机", "家电"))
    incidents.add(incident(table, 1, phones[1], starts_at=START_MS, got=30.0))
    at = np.array([START_MS - 1, START_MS + 1, START_MS + 1])
    parts = incidents.usual(at, np.array([phones, phones, tv]))
    assert parts == pytest.approx([1.0, 1.0 / 3.0, 1.0], abs=0.02)


def test_a_customers_anger_counts_once_in_a_shop_and_in_three_shops_at_most() -> None:
    customers = Customers(customer_ms=60 * MINUTE_MS)
    heard = [customers.again("c", shop, START_MS + n) for n, shop in enumerate(("s1", "s1", "s2", "s3", "s4", "s2"))]
    assert heard == [False, True, False, False, True, True]
    restored = Customers(customer_ms=60 * MINUTE_MS)
    restored.load(msgspec.msgpack.decode(msgspec.msgpack.encode(customers.dump())))
    for one in (customers, restored):
        assert not one.again("", "s1", START_MS)
        assert one.again("c", "s3", START_MS + 59 * MINUTE_MS)
        assert not one.again("c", "s1", START_MS + 61 * MINUTE_MS)
