"""What tells whether the judge is still right, from events to figures of windows."""

import random
from collections.abc import Iterable, Sequence

import msgspec
import pytest

from alerts.rules import shipped_rules
from schemas.errors import ConfigError
from schemas.instants import format_instant
from schemas.lines import window_line
from schemas.peaks import Peaks
from schemas.results import PANE_MS, Alert, WindowRow
from schemas.rules import Rule, parse_rules
from sentiment.judge import Verdicts
from sentiment.watch import counts, divergence, figures
from sentiment.words import load as load_words
from streams import window_pages
from streams.decisions import Decisions
from streams.dimensions import Dimensions
from streams.intake import Record
from streams.judging import Judging
from streams.panes import GRAIN_MS, Deltas, WordEntry, decode_deltas, encode_deltas, merge_deltas
from streams.rows import window_rows
from streams.source import Source, SourceConfig
from streams.windows import RollingWindows
from streams.word_windows import WordWindows

T0 = 1_762_790_400_000
HOUR_MS = 3_600_000
OLD = "手机屏幕清晰电池耐用拍照好看物流很快"
NEW = "塌房退款避雷翻车直播主播造假虚假宣传"


class ByWord:
    """Judges by the first character: 好 0.9, 差 0.1, 还 0.5; all else 0.6."""

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
        scores = [{"好": 0.9, "差": 0.1, "还": 0.5}.get(text[:1], 0.6) for text in texts]
        return Verdicts(
            scores, scores, ["negative" if s < 1 / 3 else "positive" if s > 2 / 3 else "neutral" for s in scores]
        )


def _validity(texts: Sequence[str]) -> list[str]:
    return ["ad" if "http" in text else "" for text in texts]


def source(*, drop_copies: bool = False) -> Source:
    how = Judging(ByWord(), _validity, drop_copies)
    return Source(SourceConfig(how, mask=lambda text: text), "reviews")


def review(number: int, text: str, *, at: int = T0, rating: int | None = None, **fields: object) -> Record:
    event = {
        "event_id": f"e{number}", "event_time": format_instant(at), "review_id": f"r{number}", "category": "手机",
        "text": text, "rating": rating, **fields,
    }  # fmt: skip
    return Record(number, at, msgspec.json.encode(event))


def rows_of(
    deltas: Iterable[Deltas], *, until: int = T0 + PANE_MS, dimensions: tuple[str, ...] = ("category",)
) -> list[WindowRow]:
    windows = RollingWindows(Dimensions(dimensions))
    for one in deltas:
        windows.add(one)
    return [row for batch in windows.advance(until // PANE_MS) for row in window_rows(batch, version=0)]


def the_hour(records: Iterable[Record], *, drop_copies: bool = False) -> WindowRow:
    rows = rows_of([source(drop_copies=drop_copies).feed(records).deltas])
    return next(row for row in rows if row.window_seconds == 3600)


def test_shares_of_a_window_say_what_the_reviews_were() -> None:
    texts = ["好用", "差劲", "还行", "看 http://a.cn", "好看极了"]
    row = the_hour(review(i, text) for i, text in enumerate(texts))
    assert (row.reviews, row.judged, row.neutral) == (5, 4, 1)
    assert (row.invalid_share, row.uncertain_share, row.duplicate_share) == (0.2, 0.25, 0.0)


def test_near_duplicates_are_a_share_of_all_reviews() -> None:
    row = the_hour(review(i, "差劲，客服一直没有人理我", customer_id=f"c{i}") for i in range(4))
    assert (row.duplicate_share, row.judged) == (0.75, 4)


def test_agreement_is_what_sentiment_watch_counts() -> None:
    chance = random.Random(7)
    texts = [chance.choice(["好用", "差劲", "还行", "一般"]) + str(i) for i in range(300)]
    stars = [chance.choice([None, 1, 2, 3, 4, 5]) for _ in texts]
    row = the_hour(review(i, text, rating=star) for i, (text, star) in enumerate(zip(texts, stars, strict=True)))
    ratings = [None if star is None else (star - 1) / 4 for star in stars]
    told = figures(counts(texts, text_scores=ByWord().judge_batch(texts).text_score, ratings=ratings))
    assert row.compared == told.starred > 50
    assert told.agreement is not None
    assert row.agreement == round(told.agreement, 6)


def test_a_window_without_reviews_says_nothing_of_the_judge() -> None:
    rows = rows_of([source().feed([review(1, "好用")]).deltas], until=(T0 + 2 * HOUR_MS) // PANE_MS * PANE_MS)
    line = msgspec.json.decode(window_line([row for row in rows if row.window_seconds == 3600][-1]))
    names = ("reviews", "compared", "invalid_share", "uncertain_share", "duplicate_share", "drift")
    shown = [line[name] for name in names]
    assert shown == [0, 0, None, None, None, None]


# --- drift


def written(at: int, letters: str, n: int, *, category: str = "手机", seed: int = 0) -> list[Record]:
    """`n` reviews of 40 letters each, spread over five minutes."""
    chance = random.Random(at + seed)
    return [
        review(at + i, "".join(chance.choices(letters, k=40)), at=at + (i + 1) * GRAIN_MS // n - 1, category=category)
        for i in range(n)
    ]


def day_and_hour(letters: str) -> list[Record]:
    """A day of the old words and an hour of others."""
    grains = [(T0 + i * GRAIN_MS, OLD) for i in range(288)] + [
        (T0 + 24 * HOUR_MS + i * GRAIN_MS, letters) for i in range(12)
    ]
    return [record for at, kind in grains for record in written(at, kind, 5)]


END = T0 + 25 * HOUR_MS


def drift_at(rows: Iterable[WindowRow], end: int, *, seconds: int = 3600) -> float | None:
    return next(row.drift for row in rows if (row.window_seconds, row.window_end) == (seconds, end))


def test_other_words_drift_and_the_same_words_do_not() -> None:
    same, other = (
        drift_at(rows_of([source().feed(day_and_hour(letters)).deltas], until=END), END) for letters in (OLD, NEW)
    )
    assert same is not None
    assert other is not None
    assert same < 0.1 < 0.25 < other


def test_drift_is_the_distance_of_the_hour_from_the_day_before() -> None:
    records = day_and_hour(NEW)
    texts = [str(msgspec.json.decode(record.raw)["text"]) for record in records]
    usual, now = (
        counts(some, text_scores=[0.5] * len(some), ratings=[None] * len(some))[4:]
        for some in (texts[: 288 * 5], texts[288 * 5 :])
    )
    assert drift_at(rows_of([source().feed(records).deltas], until=END), END) == round(divergence(now, usual), 6)


def test_drift_is_a_figure_of_the_hour_by_category_alone() -> None:
    rows = rows_of(
        [source().feed(day_and_hour(NEW)).deltas], until=END, dimensions=("all", "category", "category+region")
    )
    shown = {(row.window_seconds, row.dimension) for row in rows if row.drift is not None}
    assert shown == {(3600, "category")}


def test_too_few_words_have_no_drift() -> None:
    rows = rows_of([source().feed(written(T0, OLD, 30)).deltas], until=T0 + GRAIN_MS)
    assert {row.drift for row in rows} == {None}


def test_invalid_reviews_are_no_words() -> None:
    deltas = source().feed([review(1, "好看 http://a.cn"), review(2, "好用好用")]).deltas
    assert [len(entry.buckets) for entry in deltas.words] == [3]


def test_how_reviews_were_batched_changes_no_drift() -> None:
    records = day_and_hour(NEW)
    whole = rows_of([source().feed(records).deltas], until=END)
    cut = source()
    parts = [cut.feed(records[i : i + 97]).deltas for i in range(0, len(records), 97)]
    assert rows_of(parts, until=END) == whole
    assert rows_of([decode_deltas(encode_deltas(merge_deltas(parts)))], until=END) == whole


def test_what_comes_late_mends_the_drift_of_every_window_it_touches() -> None:
    records = day_and_hour(NEW)
    late = source().feed(written(T0 + 23 * HOUR_MS, NEW, 40, seed=1)).deltas
    both = rows_of([source().feed(records).deltas, late], until=END)
    windows = RollingWindows(Dimensions(("category",)))
    windows.add(source().feed(records).deltas)
    latest = {}
    for part in (None, late):
        if part is not None:
            windows.add(part)
        for batch in windows.advance(END // PANE_MS):
            for row in window_rows(batch, version=0):
                latest[row.window_seconds, row.window_end] = row
    assert latest == {(row.window_seconds, row.window_end): row for row in both}


def test_a_restart_changes_no_drift() -> None:
    records = day_and_hour(NEW)
    deltas = [source().feed(records[i : i + 120]).deltas for i in range(0, len(records), 120)]
    straight = rows_of(deltas, until=END)
    windows, rows = RollingWindows(Dimensions(("category",))), []
    pages: dict[str, bytes] = {}
    for one in deltas:
        windows.add(one)
        front = max(one.panes) - 40
        rows += [row for batch in windows.advance(front) for row in window_rows(batch, version=0)]
        pages |= dict(window_pages.dump_dirty(windows))
        windows = RollingWindows(Dimensions(("category",)))
        window_pages.load(windows, pages)
    rows += [row for batch in windows.advance(END // PANE_MS) for row in window_rows(batch, version=0)]
    assert rows == straight


def test_only_owned_categories_are_held() -> None:
    windows = RollingWindows(Dimensions(("category",)), owns=lambda key: key == ("category", "手机"))
    mixed = written(T0, OLD, 30) + [review(9_000_000 + i, OLD, category="女装") for i in range(3)]
    windows.add(source().feed(mixed).deltas)
    assert windows.words is not None
    windows.words.count_fresh()
    held = list(windows.words.dump_grains([T0 // GRAIN_MS]))
    assert [[category for category, _ in words] for _, words in held] == [["手机"]]


def test_words_are_forgotten_once_no_window_asks_for_them() -> None:
    words = WordWindows()
    words.add([WordEntry(grain, "手机", b"\x01\x02") for grain in range(400)])
    words.forget(400 * GRAIN_MS)
    kept = [grain for grain, _ in words.dump_grains(range(400))]
    assert kept == list(range(100, 400))


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 5000])
def test_words_survive_the_wire(length: int) -> None:
    chance = random.Random(length)
    buckets = bytes(chance.choices(range(64), k=length))
    sent = source().feed([review(1, "好")]).deltas._replace(words=[WordEntry(3, "手机", buckets)])
    (got,) = decode_deltas(encode_deltas(sent)).words
    assert (got.grain, got.category, sorted(got.buckets)) == (3, "手机", sorted(buckets))


# --- copies


def test_by_default_nothing_that_was_said_is_left_out() -> None:
    repeated = [review(i, "好用得很推荐大家都来买这个", customer_id="c1", product_id="p1") for i in range(8)]
    assert the_hour(repeated).judged == 8


def test_drop_copies_leaves_out_what_one_customer_repeats() -> None:
    repeated = [review(i, "差劲，客服一直没有人理我", customer_id="c1") for i in range(3)]
    others = [review(10 + i, "差劲，客服一直没有人理我", customer_id=f"d{i}") for i in range(3)]
    assert the_hour(repeated + others, drop_copies=True).judged == 4


def test_a_snapshot_holds_no_customers_id_and_knows_the_customer_all_the_same() -> None:
    before, after = source(drop_copies=True), source(drop_copies=True)
    before.feed(
        [review(1, "差差评再也不来了", customer_id="13812345678"), review(2, "差差评再也不来了", customer_id="c2")]
    )
    pages = dict(before.dump_dirty())
    assert all(b"13812345678" not in page for page in pages.values())
    after.load(pages)
    rows = rows_of([after.feed([review(3, "差差评再也不来了", customer_id="13812345678")]).deltas])
    assert {row.judged for row in rows} == {0}


def test_drop_copies_leaves_out_a_burst_of_copied_praise_but_no_burst_of_anger() -> None:
    praise, anger = (
        the_hour([review(i, text, customer_id=f"c{i}", product_id="p1") for i in range(10)], drop_copies=True)
        for text in ("好用得很推荐大家都来买这个", "差劲得很奉劝大家别来买这个")
    )
    assert (praise.reviews, praise.judged) == (10, 4)
    assert praise.invalid_share == 0.6
    assert (anger.reviews, anger.judged) == (10, 10)


# --- rules


def _drift_rule(**changes: object) -> dict[str, object]:
    rule: dict[str, object] = {
        "name": "drift", "kind": "threshold", "figure": "drift", "above": 0.25, "dimensions": ["category"],
        "window_seconds": 3600, "count": "judged", "min_count": 50,
    }  # fmt: skip
    return rule | changes


@pytest.mark.parametrize(
    "changes", [{"dimensions": ["all"]}, {"window_seconds": 300}, {"dimensions": ["category", "all"]}]
)
def test_a_rule_on_drift_where_there_is_none_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="drift is counted for"):
        parse_rules([_drift_rule(**changes)], source="rules")


def spoken(rules: tuple[Rule, ...], records: Sequence[Record]) -> list[tuple[str, float | None]]:
    """Status and value of the alerts that records lead to, handed on as they come."""
    source_, decisions = source(), Decisions(rules, Peaks(()), words=load_words())
    alerts: list[Alert] = []
    for first in range(0, len(records), 60):
        facts = source_.feed(records[first : first + 60])
        alerts += decisions.feed(facts, newest_ms=source_.newest_ms)
    alerts += decisions.advance(source_.newest_ms + 120_000)
    return [(alert.status, alert.value) for alert in alerts]


def test_a_rule_on_drift_speaks_when_the_words_change() -> None:
    rules = parse_rules([_drift_rule()], source="rules")
    assert spoken(rules, day_and_hour(OLD)) == []
    (status, value), *_ = spoken(rules, day_and_hour(NEW))
    assert status == "firing"
    assert value is not None
    assert value > 0.25


def test_the_rule_that_ships_speaks_when_texts_and_stars_disagree() -> None:
    rules = tuple(rule for rule in shipped_rules() if rule.name == "judge-agreement")
    for one_of, expected in ((4, []), (2, [("firing", 0.5)])):
        records = [review(i, f"差{i}", at=T0 + i * 10_000, rating=5 if i % one_of == 0 else 1) for i in range(300)]
        assert [(status, round(value or 0.0, 1)) for status, value in spoken(rules, records)] == expected
