"""Rows for the wall, made inside ClickHouse: dense windows of 77 keys and five lengths, reviews, tickets, alerts.

The newest row is at `TO_MS`, and growing means going further back, as a store's history does. Figures are hashes of
where they stand, so every run makes the same rows.
"""

from collections.abc import Callable
from typing import Final

from peakwatch.demo.reviews import load_corpus
from schemas.results import PANE_MS, WINDOW_SECONDS
from sentiment.words import content_words

TO_MS: Final = 1_794_326_400_000  # 2026-11-11T00:00+08:00
SEED: Final = 618
KEYS: Final = (
    *(("all", "") for _ in range(1)),
    *(("category", f"c{number:02d}") for number in range(20)),
    *(("channel", f"ch{number}") for number in range(5)),
    *(("region", f"r{number}") for number in range(7)),
    *(("customer_tier", f"t{number}") for number in range(4)),
    *(("shop_id", f"s{number:02d}") for number in range(40)),
)
ROWS_A_PANE: Final = len(KEYS) * len(WINDOW_SECONDS)
PRODUCTS: Final = 20_000
JOINED: Final = 140
AT_ONCE: Final = 4_000_000  # rows an insert
TEXTS: Final = 400

Do = Callable[[str], object]


def literal(values: tuple[str, ...]) -> str:
    """An array of texts in SQL."""
    return "[" + ", ".join("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in values) + "]"


def windows(do: Do, *, panes: range) -> None:
    """A row a key, a length and a pane; panes count back from `TO_MS`."""
    step = max(1, AT_ONCE // ROWS_A_PANE)
    for first in range(panes.start, panes.stop, step):
        _windows(do, first=first, count=min(step, panes.stop - first))


def _windows(do: Do, *, first: int, count: int) -> None:
    do(f"""
        INSERT INTO peakwatch.windows
        WITH
            {literal(tuple(dimension for dimension, _ in KEYS))} AS dimensions,
            {literal(tuple(value for _, value in KEYS))} AS values,
            [{", ".join(map(str, WINDOW_SECONDS))}] AS lengths,
            intDiv(number, {ROWS_A_PANE}) + {first} AS pane,
            toUInt16(number % {ROWS_A_PANE}) AS place,
            lengths[intDiv(place, {len(KEYS)}) + 1] AS seconds,
            place % {len(KEYS)} + 1 AS key,
            cityHash64(number, {first}) AS h,
            toUInt64(greatest(1, seconds * if(key = 1, 10, 1) * (50 + h % 100) / 100)) AS events
        SELECT {_WINDOW_COLUMNS}
        FROM numbers(toUInt64({count}) * {ROWS_A_PANE})""")


def newest_products(do: Do) -> None:
    """Products, and categories joined with regions, have a row in the two lengths that the wall asks for."""
    for dimension, number in (("product_id", PRODUCTS), ("category+region", JOINED)):
        value = "concat('p', toString(number % 20000))" if dimension == "product_id" else (
            "concat('c', leftPad(toString(intDiv(number, 7) % 20), 2, '0'), '|r', toString(number % 7))"
        )  # fmt: skip
        do(f"""
            INSERT INTO peakwatch.windows
            WITH ['{dimension}'] AS dimensions, [{value}] AS values, 1 AS key, toUInt64(0) AS pane,
                if(number % 2 = 0, 3600, 86400) AS seconds, cityHash64(number) AS h, toUInt64(5 + h % 300) AS events
            SELECT {_WINDOW_COLUMNS}
            FROM numbers({2 * number})""")


_WINDOW_COLUMNS: Final = f"""
    seconds AS window_seconds,
    fromUnixTimestamp64Milli(toInt64({TO_MS} - pane * {PANE_MS})) AS window_end,
    dimensions[key] AS dimension,
    values[key] AS value,
    1000000000 - pane AS version,
    events AS reviews, toUInt64(events * 0.97) AS judged, toUInt64(events * (8 + h % 12) / 100) AS negative,
    toUInt64(events * 0.02) AS neutral, (8 + h % 12) / 100 AS negative_share, 0.85 - (h % 20) / 100 AS sentiment_mean,
    0.9 AS rating_mean, 0.8 AS satisfaction, toUInt64(events * 0.02) AS complaints, events * 4 AS orders,
    (h % 90) / 10 AS complaints_per_1k_orders, toUInt64(events / 20) AS tickets_created,
    toInt64(h % 5000) AS tickets_open,
    400000 + h % 100000 AS first_response_p50_ms, 1400000 + h % 900000 AS first_response_p90_ms,
    4000000 + h % 900000 AS first_response_p99_ms, 3000000 + h % 900000 AS resolution_p50_ms,
    9000000 + h % 900000 AS resolution_p90_ms, 30000000 + h % 900000 AS resolution_p99_ms,
    toUInt64(h % 3) AS sla_breaches, toUInt64(events / 25) AS sla_met, (h % 100) / 1000 AS sla_breach_rate,
    toUInt64(h % 2) AS reopened, 0.95 AS agreement,
    CAST((arrayMap(at -> toInt32(600 + (h + at * 37) % 150), range(if(seconds = 60, 6, 0))),
        arrayMap(at -> toUInt64(1 + at), range(if(seconds = 60, 6, 0)))), 'Map(Int32, UInt64)')
        AS first_response_sketch,
    CAST((arrayMap(at -> toInt32(700 + (h + at * 53) % 150), range(if(seconds = 60, 6, 0))),
        arrayMap(at -> toUInt64(1 + at), range(if(seconds = 60, 6, 0)))), 'Map(Int32, UInt64)')
        AS resolution_sketch,
    events AS compared, 0.03 AS invalid_share, 0.02 AS uncertain_share, 0.1 AS duplicate_share, 0.2 AS drift, now()"""


def _event(number: str, *, count: int, span_ms: int) -> str:
    """The columns that all events share, in the order of their tables."""
    at = f"{TO_MS} - toUInt64({number} * {span_ms / count})"
    return f"""concat('e', toString({number})), fromUnixTimestamp64Milli(toInt64({at})),
        fromUnixTimestamp64Milli(toInt64({at} + 500)), 0, toInt64({number}),
        concat('c', leftPad(toString(h % 20), 2, '0')), concat('ch', toString(h % 5)), concat('r', toString(h % 7)),
        concat('t', toString(h % 4)),
        concat('s', leftPad(toString(h % 40), 2, '0')), concat('p', toString(h % {PRODUCTS})),
        hex(h), hex(h + 1)"""


def events(do: Do, *, reviews: range, span_ms: int, whole: int) -> None:
    """Reviews (`whole` of them would fill `span_ms`), and for each 100 a complaint, 5 tickets' steps and clocks."""
    corpus = load_corpus(SEED)
    chosen = [text[:100] for text in (*corpus.positive[:TEXTS], *corpus.negative[: TEXTS // 8])]
    texts = literal(tuple(chosen))
    cut = "[" + ", ".join(literal(tuple(words)) for words in content_words(chosen)) + "]"
    size = TEXTS + TEXTS // 8
    for first in range(reviews.start, reviews.stop, AT_ONCE):
        count = min(AT_ONCE, reviews.stop - first)
        do(f"""
            INSERT INTO peakwatch.reviews
            WITH {texts} AS texts, {cut} AS cut, number + {first} AS n, cityHash64(n) AS h,
                toUInt32(h % {size}) AS which
            SELECT {_event("n", count=whole, span_ms=span_ms)}, concat('v', toString(n)), (h % 5) / 4,
                texts[which + 1], if(which >= {TEXTS}, 0.05, 0.95), if(which >= {TEXTS}, 0.05, 0.95),
                multiIf(which >= {TEXTS}, 'negative', h % 50 = 0, 'neutral', 'positive'), '', 0, false,
                if(which >= {TEXTS} OR n % 8 = 0, cut[which + 1], []), now()
            FROM numbers({count})""")
    _rarer(do, "complaints", reviews, a_row_in=100, whole=whole, span_ms=span_ms, rest=_COMPLAINT)
    _rarer(do, "tickets", reviews, a_row_in=20, whole=whole, span_ms=span_ms, rest=_STEP)


_COMPLAINT: Final = """concat('k', toString(n)), ['quality', 'logistics', 'service', 'refund', 'price'][h % 5 + 1],
    ['low', 'normal', 'high'][h % 3 + 1], '东西坏了，一直没人管', false, now()"""
_STEP: Final = """concat('t', toString(intDiv(n, 4))), toNullable(toInt64(n % 4)),
    ['closed', 'resolved', 'first_response', 'created'][n % 4 + 1], 'normal', ['refund', 'logistics'][h % 2 + 1], 'a1',
    n % 40 = 1, if(n % 4 = 0, toNullable(toFloat64(1 + h % 5)), NULL), '', false, now()"""


def _rarer(do: Do, table: str, reviews: range, *, a_row_in: int, whole: int, span_ms: int, rest: str) -> None:
    first, last = reviews.start // a_row_in, reviews.stop // a_row_in
    do(f"""
        INSERT INTO peakwatch.{table}
        WITH number + {first} AS n, cityHash64(n) AS h
        SELECT {_event("n", count=whole // a_row_in, span_ms=span_ms)}, {rest}
        FROM numbers({last - first})""")


def ledger(do: Do, *, tickets: int, span_ms: int) -> None:
    """Clocks and their ledger: two clocks a ticket, one in thirty breached; the newest are running."""
    at = f"{TO_MS} - toInt64(intDiv(number, 2) * {span_ms / max(1, tickets)})"
    dims = """concat('c', leftPad(toString(h % 20), 2, '0')), concat('ch', toString(h % 5)),
        concat('r', toString(h % 7)),
        concat('t', toString(h % 4)), concat('s', leftPad(toString(h % 40), 2, '0')), concat('p', toString(h % 20000)),
        ['urgent', 'high', 'normal'][h % 3 + 1], ['refund', 'logistics', 'returns'][h % 3 + 1]"""
    clock = "['first_response', 'resolution'][number % 2 + 1]"
    ticket = "concat('t', toString(cityHash64(intDiv(number, 2))))"
    do(f"""
        INSERT INTO peakwatch.sla_transitions
        WITH cityHash64(number) AS h
        SELECT {ticket}, {clock}, 0, if(h % 30 = 0, 'breach', 'met'), fromUnixTimestamp64Milli({at}), 'p', 'v',
            'always', 'v', 3600000, 1800000, {dims}, 0, number, now()
        FROM numbers({2 * tickets})""")
    do(f"""
        INSERT INTO peakwatch.sla_clocks
        WITH cityHash64(number) AS h, {at} AS began, {TO_MS} - began < 7200000 AND h % 3 = 0 AS running
        SELECT {ticket}, {clock}, 0, 'p', if(running, 'running', 'met'), false, fromUnixTimestamp64Milli(began),
            3600000, 1800000, NULL, if(running, toNullable(fromUnixTimestamp64Milli(began + 7200000)), NULL),
            NULL, NULL, NULL, {dims}, 0, number, now()
        FROM numbers({2 * tickets})""")


def alerts(do: Do, *, count: int, span_ms: int) -> None:
    """Alerts over the whole time, each with three transitions, an action and two messages; two editions of a peak."""
    at = f"toInt64({TO_MS} - number * {span_ms / count})"
    do(f"""
        INSERT INTO peakwatch.alerts
        WITH intDiv(number, 3) AS one, number % 3 AS step, cityHash64(one) AS h,
            toInt64({TO_MS} - one * {span_ms / count} + step * 600000) AS at
        SELECT hex(h), ['negative-spike', 'complaint-spike', 'sla-breach'][h % 3 + 1],
            ['negative_spike', 'complaint_spike', 'sla_breach'][h % 3 + 1], ['firing', 'updated', 'resolved'][step + 1],
            ['critical', 'warning'][h % 2 + 1], fromUnixTimestamp64Milli(at),
            fromUnixTimestamp64Milli(at - step * 600000),
            NULL, map('category', concat('c', toString(h % 20))), 0.5, 0.1, NULL, '差评突增',
            '{{"keywords":["快递","退款"]}}', '',
            now64(3)
        FROM numbers({3 * count})
        WHERE NOT (step = 2 AND one < 4)""")
    do(f"""
        INSERT INTO peakwatch.alert_actions (alert_id, at, action, actor, comment)
        SELECT hex(cityHash64(number)), fromUnixTimestamp64Milli({at} + 120000),
            if(number % 9 = 0, 'false_alarm', 'acknowledge'), 'li', ''
        FROM numbers({count})""")
    do(f"""
        INSERT INTO peakwatch.deliveries
        SELECT hex(cityHash64(intDiv(number, 2))), fromUnixTimestamp64Milli({at}), 'firing',
            ['a', 'b'][number % 2 + 1], 1, fromUnixTimestamp64Milli({at}), 'sent', 100, '', now64(3)
        FROM numbers({2 * count})""")
    day = 86_400_000
    for edition, back in (("2025", 24), ("2026", 9)):
        for number, phase in enumerate(("预售", "专场", "高潮")):
            begins = TO_MS - (back - 3 * number) * day
            do(f"""INSERT INTO peakwatch.peaks
                SELECT 'sale', '{edition}', '{phase}', fromUnixTimestamp64Milli({begins}),
                fromUnixTimestamp64Milli({begins + 3 * day + (day if number == 2 else 0)}), '大促', now64(3)""")
