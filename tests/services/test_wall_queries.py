"""Every query of every dashboard, as Grafana would send it, on a ClickHouse that an evening has filled.

The plugin itself is not here: `grafana/macros.py` expands its macros as it documents them. What is held: ClickHouse
takes the query, and answers with the columns and kinds that the panel was built for, and with rows.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from bench.filled import ORIGIN_MS, Filled, fill
from embedded.clickhouse import start
from grafana.boards.pipeline import LETTERS
from grafana.build import boards
from grafana.macros import ALL, Context, expand
from grafana.queries import Kind, Query
from grafana.variables import WINDOW
from schemas.results import PeakPhase
from storage.client import ClickHouse, ClickHouseSettings
from storage.migrate import migrate

pytestmark = pytest.mark.embedded

DATABASE: Final = "peakwatch"
HOUR_MS: Final = 3_600_000
# Two editions of one promotion, an hour each, so that this one has a last one to be held against.
EVENING: Final = tuple(
    PeakPhase("evening", edition, "高潮", ORIGIN_MS + at * HOUR_MS, ORIGIN_MS + (at + 1) * HOUR_MS, "晚会")
    for at, edition in enumerate(("2025", "2026"))
)
# What the languages and the two walls ask alike is asked once.
ASKED: Final = [
    pytest.param(query, id=place)
    for place, query in {query.sql: (place, query) for board in boards() for place, query in board.queries()}.values()
]


class Wall:
    """A filled ClickHouse, and what somebody has chosen on its dashboards."""

    def __init__(self, client: ClickHouse, filled: Filled) -> None:
        self.client = client
        self.filled = filled
        (ticket,) = client.execute("SELECT any(ticket_id) FROM tickets")[0]
        chosen: dict[str, str | list[str]] = {
            "window": "300", "ticket": ticket, "alert": filled.alerts[0].alert_id, "peak": "evening",
            **dict.fromkeys((*FILTERS, "queue", "priority", "rule", "severity"), ALL),
        }  # fmt: skip
        self.context = Context(filled.from_ms, filled.to_ms, interval_s=30, chosen=chosen)

    def ask(self, sql: str, **chosen: str | list[str]) -> tuple[list[str], list[str], list[tuple[Any, ...]]]:
        """Names, types and rows of a query."""
        context = Context(
            self.context.from_ms, self.context.to_ms, chosen={**self.context.chosen, **chosen}, interval_s=30
        )
        ready = expand(sql, context)
        described = self.client.execute(f"DESCRIBE ({ready})")
        rows = self.client.execute(ready, settings=READER)
        return [str(row[0]) for row in described], [str(row[1]) for row in described], rows


FILTERS: Final = ("category", "channel", "region", "customer_tier", "shop_id", "product_id")
READER: Final = {"max_execution_time": 30}


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    with start(tmp_path_factory.mktemp("clickhouse")) as server:
        client = ClickHouse(ClickHouseSettings(host=server.host, port=server.port, timeout_ms=60_000))
        migrate(client, database=DATABASE)
        client.execute(f"USE {DATABASE}")  # the data source's default database
        yield Wall(client, fill(client, database=DATABASE, phases=EVENING))
        client.close()


def kind_of(type_name: str) -> Kind | None:
    """What the data source makes of ClickHouse's types."""
    bare = type_name
    for wrapper in ("Nullable(", "LowCardinality(", "Nullable("):
        bare = bare.removeprefix(wrapper)
    if bare.startswith(("DateTime", "Date")):
        return "time"
    if bare.startswith(("Int", "UInt", "Float", "Decimal", "Bool")):
        return "number"
    return "text" if bare.startswith(("String", "FixedString", "Enum")) else None


@pytest.mark.parametrize("query", ASKED)
def test_every_query_gives_what_its_panel_needs(wall: Wall, query: Query) -> None:
    names, types, rows = wall.ask(query.sql)
    assert dict(zip(names, map(kind_of, types), strict=True)) == dict(query.columns)
    assert names == list(query.columns)
    assert len(rows) >= query.at_least
    if query.shape == "series":
        times = [row[0] for row in rows]
        assert None not in times
        assert times == sorted(times)
        assert any(value is not None for row in rows for value in row[1:])


@pytest.mark.parametrize("name", [*FILTERS, "queue", "priority", "rule", "severity"])
def test_a_filter_by_one_value_is_taken_by_every_query_that_knows_it(wall: Wall, name: str) -> None:
    (query,) = {query.sql for board in boards() for place, query in board.queries() if place.endswith(f"${name}")}
    value = next(row[0] for row in wall.ask(query)[2] if row[0])
    filtered = {query.sql for board in boards() for _, query in board.queries() if f"${name})" in query.sql}
    assert filtered
    for sql in filtered:
        everything, some = wall.ask(sql)[2], wall.ask(sql, **{name: [value]})[2]
        assert len(some) <= max(len(everything), 1)


def test_tiles_tell_what_is_picked_together_and_nothing_of_a_mixture_that_no_window_knows(wall: Wall) -> None:
    (reviews,) = {query.sql for board in boards() for _, query in board.queries() if "NULL, sum(reviews))" in query.sql}
    newest = "SELECT value, reviews FROM windows_latest WHERE window_seconds = 3600 AND dimension = "
    whole = wall.ask(newest + "'all'")[2]
    assert wall.ask(reviews)[2] == [(whole[0][1],)]
    by_category = dict(row[:2] for row in wall.ask(newest + "'category'")[2] if row[0])
    for category, count in by_category.items():
        assert wall.ask(reviews, category=[category])[2] == [(count,)]
    assert wall.ask(reviews, category=list(by_category))[2] == [(sum(by_category.values()),)]
    pairs = dict(row[:2] for row in wall.ask(newest + "'category+region'")[2])
    for pair, count in pairs.items():
        category, region = pair.split("|")
        if category and region:
            assert wall.ask(reviews, category=[category], region=[region])[2] == [(count,)]
    assert len(pairs) > len(by_category) > 3
    assert wall.ask(reviews, region=["华东"], customer_tier=["gold"])[2] == [(None,)]


def test_lines_are_of_the_values_that_are_picked(wall: Wall) -> None:
    trend = next(query for place, query in next(boards()).queries() if query.shape == "series")
    assert {row[1] for row in wall.ask(trend.sql)[2]} == {""}
    assert {row[1] for row in wall.ask(trend.sql, category=["手机", "家电"])[2]} == {"手机", "家电"}
    assert wall.ask(trend.sql, queue=["退款"])[2] == []


def test_what_is_picked_is_read_by_the_key(wall: Wall) -> None:
    trend = next(query for place, query in next(boards()).queries() if query.shape == "series")
    chosen = {**wall.context.chosen, "category": ["手机"]}
    ready = expand(trend.sql, Context(wall.context.from_ms, wall.context.to_ms, chosen=chosen))
    plan = "\n".join(row[0] for row in wall.client.execute(f"EXPLAIN indexes = 1 {ready}"))
    key = plan[plan.index("PrimaryKey") :]
    assert "(dimension in ['category', 'category'])" in key, key
    assert "(value in 1-element set)" in key, key


def test_alerts_of_other_values_are_left_out_and_those_of_all_stay(wall: Wall) -> None:
    (listed,) = {query.sql for board in boards() for _, query in board.queries() if "AS keywords" in query.sql}
    slices = {alert.alert_id: alert for alert in wall.filled.alerts}

    def category_of(alert_id: str) -> str:
        labels, evidence = slices[alert_id].labels, slices[alert_id].evidence
        names = labels.get("dimension", "").split("+")
        if "category" in names:
            return labels["value"].split("|")[names.index("category")]
        return str(evidence.get("category", ""))

    everything = {row[-1] for row in wall.ask(listed)[2]}
    left = {row[-1] for row in wall.ask(listed, category=["手机"])[2]}
    assert {category_of(one) for one in left} <= {"手机", ""}
    assert left == {one for one in everything if category_of(one) in ("手机", "")}
    assert 0 < len(left) < len(everything)


def test_a_quote_in_a_value_stays_inside_its_literal(wall: Wall) -> None:
    (story,) = {q.sql for board in boards() for _, q in board.queries() if "${ticket:singlequote}" in q.sql}
    assert wall.ask(story, ticket="x' OR 1 = 1 OR '")[2] == []


def test_figures_of_the_wall_are_those_of_the_events(wall: Wall) -> None:
    board = next(boards())
    asked = dict(board.queries())
    ((negative, judged),) = wall.client.execute(
        "SELECT countIf(label = 'negative'), count() FROM reviews_v WHERE invalid = '' AND NOT late "
        "AND event_time >= (SELECT max(window_end) FROM windows_latest WHERE window_seconds = 900 "
        "AND dimension = 'all') - INTERVAL 900 SECOND"
    )
    ((share,),) = wall.ask(asked["wall panel 1"].sql)[2]
    assert share == pytest.approx(negative / judged, abs=0.02)


def test_clocks_at_risk_are_those_of_the_clocks_newest_rows(wall: Wall) -> None:
    asked = dict(next(boards()).queries())
    newest = {}
    for *key, version, state, due_at in wall.ask(
        "SELECT ticket_id, clock, cycle, version, state, due_at FROM sla_clocks ORDER BY version"
    )[2]:
        newest[tuple(key)] = (version, state, due_at)
    to = wall.filled.to_ms / 1000
    ahead = [due.timestamp() - to for _, state, due in newest.values() if state == "running" and due is not None]
    expected = tuple(sum(0 < left <= minutes * 60 for left in ahead) for minutes in (15, 30, 60))
    told = wall.ask(asked["wall panel 6"].sql)[2][0]
    assert told == expected
    assert 0 < told[0] < told[1] < told[2]


def test_a_dead_letter_is_listed_once_and_without_what_it_says(wall: Wall) -> None:
    for _ in range(2):
        wall.client.execute(
            "INSERT INTO dead_letters (topic, partition, offset, received_at, reason, raw) "
            f"SELECT 'reviews', 3, 7, fromUnixTimestamp64Milli({wall.filled.to_ms - 1_000}), 'not_json', '13800138000'"
        )
    names, _, rows = wall.ask(LETTERS)
    assert names == ["received_at", "topic", "partition", "offset", "reason"]
    assert [row[1:] for row in rows] == [("reviews", 3, 7, "not_json")]


def test_every_length_of_window_can_be_chosen(wall: Wall) -> None:
    sql = "SELECT count() FROM windows WHERE window_seconds = ${window} AND dimension = 'all'"
    for seconds in (WINDOW.values or {}).values():
        assert wall.ask(sql, window=seconds)[2][0][0] > 0


def test_rows_written_twice_and_not_merged_change_no_answer(wall: Wall) -> None:
    """Last, since it doubles every table."""
    asked = {query.sql for board in boards() for _, query in board.queries() if "now()" not in query.sql}
    before = {sql: wall.ask(sql)[2] for sql in asked}
    for table in sorted(wall.filled.rows):
        wall.client.execute(f"SYSTEM STOP MERGES {DATABASE}.{table}")
        wall.client.execute(f"INSERT INTO {table} SELECT * FROM {table}")
    doubled = wall.client.execute("SELECT count(), uniqExact(event_id) FROM reviews")[0]
    assert doubled[0] == 2 * doubled[1]
    assert {sql for sql, rows in before.items() if wall.ask(sql)[2] != rows} == set()
