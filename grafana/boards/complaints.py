"""Complaints: how many per thousand orders, what about, how bad, and of which product."""

from typing import Final

from grafana import colours as c
from grafana import variables as v
from grafana.board import Board, Section, go, title_of
from grafana.panels import COUNT, SHARE, Column, Panel, bars, lines, named, rows, tile
from grafana.queries import Query, numbers, series
from grafana.sql import filters, latest, line, lines_of, newest, only
from grafana.text import Language, Say, speaker

_TOLD: Final = f"$__timeFilter(event_time)\n  AND {filters()}"
REASONS: Final = f"""SELECT $__timeInterval(event_time) AS time, reason, count() AS complaints
FROM complaints_v
WHERE {_TOLD}
GROUP BY time, reason
ORDER BY time, reason"""
BY_REASON: Final = f"""SELECT if(reason = '', '–', reason) AS why, count() AS complaints
FROM complaints_v
WHERE {_TOLD}
GROUP BY why
ORDER BY complaints DESC
LIMIT 20"""
BY_SEVERITY: Final = f"""SELECT $__timeInterval(event_time) AS time, severity, count() AS complaints
FROM complaints_v
WHERE {_TOLD}
GROUP BY time, severity
ORDER BY time, severity"""
PRODUCTS: Final = f"""SELECT product_id, shop_id, count() AS complaints, uniqExact(customer) AS customers,
  topK(1)(reason)[1] AS mostly, countIf(severity IN ('high', 'critical')) / count() AS severe_share,
  max(event_time) AS last
FROM complaints_v
WHERE {_TOLD} AND product_id != ''
GROUP BY product_id, shop_id
ORDER BY complaints DESC, product_id
LIMIT 50"""
SHOPS: Final = f"""SELECT value AS shop_id, complaints, orders, complaints_per_1k_orders
FROM windows_latest
WHERE window_seconds = 3600 AND dimension = 'shop_id' AND value != '' AND orders > 0
  AND {only("value", "shop_id")}
ORDER BY complaints_per_1k_orders DESC
LIMIT 30"""
LATEST: Final = f"""SELECT event_time, reason, severity, category, channel, region, shop_id, product_id, text
FROM complaints
WHERE {_TOLD}
ORDER BY event_time DESC, received_at DESC
LIMIT 1 BY event_id
LIMIT 100"""


def board(language: Language) -> Board:
    """The dashboard."""
    say = speaker(language)
    return Board(
        "complaints",
        title_of("complaints", language),
        say("投诉：千单率、原因、严重程度，下钻到商品。", "Complaints: rate, reasons, severity, down to the product."),
        language,
        [
            Section(say("多少", "How many"), _rates(say, language)),
            Section(say("为什么", "What about"), _reasons(say)),
            Section(say("哪个商品", "Which product"), _products(say, language)),
        ],
        choices=(v.WINDOW, *v.DIMENSIONS),
        links=("wall", "sentiment", "service", "alerts", "promo"),
    )


def _rates(say: Say, language: Language) -> list[Panel]:
    rate = say("千单投诉", "Complaints per 1,000 orders")
    figure = "complaints_per_1k_orders"
    return [
        tile(
            say("千单投诉（1 小时）", "Per 1,000 orders, 1 h"),
            numbers(latest(figure, seconds=3600), "told"),
            unit=COUNT,
            steps=c.COMPLAINTS_PER_1K,
            width=4,
            height=8,
            decimals=1,
        ),
        lines(
            rate,
            series(lines_of({figure: newest(figure)}), figure, by="value"),
            unit=COUNT,
            width=10,
            names=named({figure: rate}),
            steps=c.COMPLAINTS_PER_1K,
        ),
        lines(
            say("投诉数：按品类", "Complaints by category"),
            series(line("complaints", dimension="category"), "complaints", by="value"),
            unit=COUNT,
            width=10,
            url=go("complaints", language, "category=${__field.labels.value}"),
        ),
    ]


def _reasons(say: Say) -> list[Panel]:
    return [
        lines(
            say("原因", "Reasons"),
            series(REASONS, "complaints", by="reason"),
            by="reason",
            unit=COUNT,
            width=9,
            stacked=True,
            bars=True,
        ),
        lines(
            say("严重程度", "Severity"),
            series(BY_SEVERITY, "complaints", by="severity"),
            by="severity",
            unit=COUNT,
            width=9,
            stacked=True,
            bars=True,
        ),
        bars(
            say("原因合计", "Reasons in all"),
            Query(BY_REASON, {"why": "text", "complaints": "number"}),
            unit=COUNT,
            steps=c.PLAIN,
            width=6,
        ),
    ]


def _products(say: Say, language: Language) -> list[Panel]:
    product = go("complaints", language, "product_id=${__value.raw}")
    shop = go("complaints", language, "shop_id=${__value.raw}")
    return [
        rows(
            say("商品", "Products"),
            Query(
                PRODUCTS,
                {
                    "product_id": "text",
                    "shop_id": "text",
                    "complaints": "number",
                    "customers": "number",
                    "mostly": "text",
                    "severe_share": "number",
                    "last": "time",
                },
            ),
            {
                "product_id": Column(say("商品", "Product"), link=product),
                "shop_id": Column(say("店铺", "Shop"), link=shop),
                "complaints": Column(say("投诉", "Complaints")),
                "customers": Column(say("顾客", "Customers")),
                "mostly": Column(say("主要原因", "Mostly")),
                "severe_share": Column(say("严重占比", "Severe"), unit=SHARE, steps=c.SHARE_BAD),
                "last": Column(say("最近", "Last")),
            },
            width=14,
        ),
        rows(
            say("店铺千单投诉（1 小时）", "Shops per 1,000 orders, 1 h"),
            Query(
                SHOPS,
                {"shop_id": "text", "complaints": "number", "orders": "number", "complaints_per_1k_orders": "number"},
            ),
            {
                "shop_id": Column(say("店铺", "Shop"), link=shop),
                "complaints": Column(say("投诉", "Complaints")),
                "orders": Column(say("订单", "Orders")),
                "complaints_per_1k_orders": Column(say("千单投诉", "Per 1,000"), steps=c.COMPLAINTS_PER_1K),
            },
            width=10,
        ),
        rows(
            say("最新投诉（已脱敏）", "Latest complaints (masked)"),
            Query(
                LATEST,
                {
                    "event_time": "time",
                    "reason": "text",
                    "severity": "text",
                    "category": "text",
                    "channel": "text",
                    "region": "text",
                    "shop_id": "text",
                    "product_id": "text",
                    "text": "text",
                },
            ),
            {
                "event_time": Column(say("时间", "Time"), width=160),
                "reason": Column(say("原因", "Reason"), width=100),
                "severity": Column(say("程度", "Severity"), width=80),
                "category": Column(say("品类", "Category"), width=90),
                "channel": Column(say("渠道", "Channel"), width=80),
                "region": Column(say("地区", "Region"), width=80),
                "shop_id": Column(say("店铺", "Shop"), width=80),
                "product_id": Column(say("商品", "Product"), width=90, link=product),
                "text": Column(say("原文", "Text")),
            },
        ),
    ]
