"""Sentiment: where customers are unhappy, what they say, and whether the judge can be trusted."""

from typing import Final

from grafana import colours as c
from grafana import variables as v
from grafana.board import Board, Section, go, title_of
from grafana.panels import COUNT, SHARE, Column, Panel, bars, lines, named, rows, tile
from grafana.queries import Query, numbers, series
from grafana.sql import filters, latest, line, lines_of, newest, only
from grafana.text import Language, Say, speaker

# Words that stand out, by the log-odds of two samples of reviews, each cut into words by the worker that stored it.
_WORDS: Final = """SELECT word, here AS texts, round(odds, 2) AS log_odds
FROM
(
  SELECT word, here,
    log((here + 0.5) / (sum(here) OVER () + 1)) - log((there + 0.5) / (sum(there) OVER () + 1)) AS odds
  FROM
  (
    SELECT arrayJoin(words) AS word, countIf(now) AS here, countIf(NOT now) AS there
    FROM
    (
      SELECT words, {now} AS now
      FROM reviews
      WHERE $__timeFilter(event_time) AND notEmpty(words){where}
        AND {chosen}
      ORDER BY event_time DESC
      LIMIT 1 BY event_id
      LIMIT 4000
    )
    GROUP BY word
  )
)
WHERE here >= {least} AND odds > 0
ORDER BY odds * sqrt(here) DESC, word
LIMIT 20"""
KEYWORDS: Final = _WORDS.format(now="label = 'negative'", where="", chosen=filters(), least=5)
EMERGING: Final = _WORDS.format(
    now="event_time > $__toTime - (toUInt32($__toTime) - toUInt32($__fromTime)) / 4",
    where=" AND label = 'negative'",
    chosen=filters(),
    least=5,
)
# The later sighting of a review counts; sorting by it first makes that a matter of the first row met.
LATEST: Final = f"""SELECT event_time, category, channel, region, customer_tier, product_id, rating, score, text
FROM reviews
WHERE $__timeFilter(event_time) AND label = 'negative'
  AND {filters()}
ORDER BY event_time DESC, received_at DESC
LIMIT 1 BY event_id
LIMIT 100"""
BY_CATEGORY_AND_REGION: Final = f"""SELECT splitByChar('|', value)[1] AS category,
  splitByChar('|', value)[2] AS region, judged, negative_share, sentiment_mean
FROM windows_latest
WHERE window_seconds = 3600 AND dimension = 'category+region' AND judged >= 5
  AND {only("splitByChar('|', value)[1]", "category")} AND {only("splitByChar('|', value)[2]", "region")}
ORDER BY negative_share DESC
LIMIT 50"""
PRODUCTS: Final = f"""SELECT value AS product_id, negative
FROM windows_latest
WHERE window_seconds = 86400 AND dimension = 'product_id' AND value != '' AND negative > 0
  AND {only("value", "product_id")}
ORDER BY negative DESC, negative_share DESC
LIMIT 20"""
LABELS: Final = lines_of({
    "negatives": newest("negative"),
    "neutrals": newest("neutral"),
    "positives": f"{newest('judged')} - negatives - neutrals",
})  # fmt: skip


def board(language: Language) -> Board:
    """The dashboard."""
    say = speaker(language)
    return Board(
        "sentiment",
        title_of("sentiment", language),
        say("评价的情绪：按品类、渠道、地区、会员等级。", "Reviews: by category, channel, region and customer tier."),
        language,
        [
            Section(say("现在", "Now"), _tiles(say, language)),
            Section(say("变化", "Over time"), _lines(say, language)),
            Section(say("他们在说什么", "What they say"), _words(say, language)),
        ],
        choices=(v.WINDOW, *v.DIMENSIONS),
        links=("wall", "complaints", "service", "alerts", "promo"),
    )


def _tiles(say: Say, language: Language) -> list[Panel]:
    shown = (
        ("negative_share", say("差评率（1 小时）", "Negative share, 1 h"), SHARE, c.NEGATIVE_SHARE, 1),
        ("sentiment_mean", say("情绪均值", "Mean sentiment"), COUNT, c.SENTIMENT, 2),
        ("reviews", say("评价数", "Reviews"), COUNT, c.PLAIN, 0),
        ("agreement", say("文字与星级一致", "Text and stars agree"), SHARE, c.falling(0.85, 0.7), 1),
        ("invalid_share", say("无效评价", "Invalid"), SHARE, c.SHARE_BAD, 1),
        ("duplicate_share", say("重复评价", "Near-duplicates"), SHARE, c.SHARE_BAD, 1),
    )
    return [
        tile(
            title,
            numbers(latest(figure, seconds=3600), "told"),
            unit=unit,
            steps=steps,
            decimals=digits,
            width=4,
            height=4,
        )
        for figure, title, unit, steps, digits in shown
    ]


def _lines(say: Say, language: Language) -> list[Panel]:
    dimensions = (
        ("category", say("按品类", "by category")),
        ("channel", say("按渠道", "by channel")),
        ("region", say("按地区", "by region")),
        ("customer_tier", say("按会员等级", "by customer tier")),
    )
    share = say("差评率", "Negative share")
    return [
        lines(
            say("差评率：所选", "Negative share: what is chosen"),
            series(lines_of({"negative_share": newest("negative_share")}), "negative_share", by="value"),
            unit=SHARE,
            width=12,
            names=named({"negative_share": share}),
            steps=c.NEGATIVE_SHARE,
        ),
        lines(
            say("评价数", "Reviews"),
            series(LABELS, "negatives", "neutrals", "positives", by="value"),
            unit=COUNT,
            width=12,
            stacked=True,
            colour=c.LABELS,
            names=named(
                {
                    "negatives": say("差评", "negative"),
                    "neutrals": say("中评", "neutral"),
                    "positives": say("好评", "positive"),
                }
            ),
        ),
        *(
            lines(
                f"{share} {title}",
                series(line("negative_share", dimension=name), "negative_share", by="value"),
                unit=SHARE,
                width=12,
                url=go("sentiment", language, f"{name}=${{__field.labels.value}}"),
            )
            for name, title in dimensions
        ),
        lines(
            say("用词漂移：按品类", "Drift of words by category"),
            series(
                line("drift", dimension="category").replace("${window}", "3600"),
                "drift",
                by="value",
            ),
            unit=SHARE,
            width=24,
            height=6,
        ),
    ]


def _words(say: Say, language: Language) -> list[Panel]:
    words = Query(KEYWORDS, {"word": "text", "texts": "number", "log_odds": "number"})
    emerging = Query(EMERGING, {"word": "text", "texts": "number", "log_odds": "number"}, at_least=0)
    product = go("complaints", language, "product_id=${__data.fields.product_id}")
    named = {
        "word": Column(say("词", "Word")),
        "texts": Column(say("条数", "Texts"), width=80),
        "log_odds": Column(say("突出", "Log-odds"), width=90),
    }
    return [
        rows(say("差评的关键词", "Keywords of negative reviews"), words, named, width=6),
        rows(say("新冒出的词（最近四分之一时段）", "Emerging (newest quarter of the time)"), emerging, named, width=6),
        rows(
            say("品类 × 地区", "Category × region"),
            Query(
                BY_CATEGORY_AND_REGION,
                {
                    "category": "text",
                    "region": "text",
                    "judged": "number",
                    "negative_share": "number",
                    "sentiment_mean": "number",
                },
            ),
            {
                "category": Column(say("品类", "Category"), link=go("sentiment", language, "category=${__value.raw}")),
                "region": Column(say("地区", "Region"), link=go("sentiment", language, "region=${__value.raw}")),
                "judged": Column(say("评价", "Judged")),
                "negative_share": Column(say("差评率", "Negative"), unit=SHARE, steps=c.NEGATIVE_SHARE),
                "sentiment_mean": Column(say("情绪", "Sentiment")),
            },
            width=12,
        ),
        bars(
            say("差评最多的商品（24 小时）", "Products with most negatives, 24 h"),
            Query(PRODUCTS, {"product_id": "text", "negative": "number"}),
            unit=COUNT,
            steps=c.PLAIN,
            width=8,
            height=11,
            url=product,
        ),
        rows(
            say("最新差评（已脱敏）", "Latest negative reviews (masked)"),
            Query(
                LATEST,
                {
                    "event_time": "time",
                    "category": "text",
                    "channel": "text",
                    "region": "text",
                    "customer_tier": "text",
                    "product_id": "text",
                    "rating": "number",
                    "score": "number",
                    "text": "text",
                },
            ),
            {
                "event_time": Column(say("时间", "Time"), width=160),
                "category": Column(say("品类", "Category"), width=90),
                "channel": Column(say("渠道", "Channel"), width=80),
                "region": Column(say("地区", "Region"), width=80),
                "customer_tier": Column(say("等级", "Tier"), width=80),
                "product_id": Column(say("商品", "Product"), width=90, link=product),
                "rating": Column(say("评分", "Rating"), unit=SHARE, width=70),
                "score": Column(say("情绪", "Score"), steps=c.SENTIMENT, width=70),
                "text": Column(say("原文", "Text")),
            },
            width=16,
            height=11,
        ),
    ]
