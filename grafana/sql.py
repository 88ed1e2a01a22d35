"""The pieces of SQL that several panels share: what counts of rows written twice, percentiles of sketches, filters.

Nothing here waits for ClickHouse to merge: of equal keys the highest version is picked by `argMax`, or by `FINAL` in
the views (docs/storage.md).
"""

from collections.abc import Iterable, Mapping
from typing import Final

DIMENSIONS: Final = ("category", "channel", "region", "customer_tier", "shop_id", "product_id")
JOINED: Final = ("category+region", "category+channel")

GAMMA: Final = "(1.01 / 0.99)"  # streams/sketch.py: bucket i holds up to gamma ** i ms, within 1 %

# `alerts_v` puts every alert together; which of them a panel needs is told by three narrow columns.
LAST_OF_ALERT: Final = "argMax({0}, (at, indexOf(['firing', 'updated', 'resolved'], alerts.status)))"
_LAST: Final = LAST_OF_ALERT.format("status")
OPEN_ALERTS: Final = f"alert_id IN (SELECT alert_id FROM alerts GROUP BY alert_id HAVING {_LAST} != 'resolved')"
ALIVE_ALERTS: Final = f"""alert_id IN
  (
    SELECT alert_id FROM alerts WHERE at <= $__toTime_ms
    GROUP BY alert_id HAVING max(at) >= $__fromTime_ms OR {_LAST} != 'resolved'
  )"""
FIRED_ALERTS: Final = "alert_id IN (SELECT alert_id FROM alerts WHERE $__timeFilter(at))"

# Clocks that breach within an hour if nobody acts.
DUE_SOON: Final = """SELECT *
  FROM sla_clocks_v
  WHERE state = 'running' AND due_at > $__toTime_ms AND due_at <= $__toTime_ms + INTERVAL 60 MINUTE"""


def newest(figure: str) -> str:
    """A figure of the newest window of a group, and of that window the highest version."""
    return f"argMax({figure}, (window_end, version))"


def percentile(share: float, merged: str) -> str:
    """The quantile, in ms, of a map of buckets to counts; NULL of an empty one."""
    rank = f"greatest(1, ceil(round({share} * arraySum(mapValues({merged})), 9)))"
    bucket = f"mapKeys({merged})[arrayFirstIndex(seen -> seen >= {rank}, arrayCumSum(mapValues({merged})))]"
    return f"if(empty({merged}), NULL, if({bucket} < 0, 0, round(2 * pow({GAMMA}, {bucket}) / ({GAMMA} + 1))))"


def only(column: str, variable: str) -> str:
    """A filter by a variable of several values; with All it is no filter."""
    return f"$__conditionalAll({column} IN (${{{variable}:singlequote}}), ${variable})"


def filters(names: Iterable[str] = DIMENSIONS) -> str:
    """A filter by the variables of these columns, each named like its column."""
    return "\n  AND ".join(only(name, name) for name in names)


def picked(name: str) -> str:
    """Whether a variable picks some values and not all; a constant by the time that ClickHouse sees it."""
    return f"NOT ($__conditionalAll(1 = 0, ${name}))"


def chosen(unkept: Iterable[str] = ()) -> str:
    """The windows of what the variables pick together: of all, of one dimension, or of a pair that is kept.

    Of any other mixture (and of `unkept`, which no window knows) there are no windows, and so there is no figure,
    rather than one of something else.
    """
    names = ", ".join(f"if({picked(name)}, '+{name}', '')" for name in (*DIMENSIONS, *unkept))
    values = "\n  AND ".join(only(_part(name), name) for name in DIMENSIONS)
    return f"dimension = ifNull(nullIf(substring(concat({names}), 2), ''), 'all')\n  AND {values}"


def _part(name: str) -> str:
    """Where a window's value tells this dimension's: all of it, or its place in a pair."""
    pairs = [pair.split("+") for pair in JOINED if name in pair.split("+")]
    if not pairs:
        return "value"
    (place,) = {pair.index(name) + 1 for pair in pairs}
    others = " OR ".join(picked(one) for pair in pairs for one in pair if one != name)
    return f"if({others}, splitByChar('|', value)[{place}], value)"


def of_ticket(names: Iterable[str]) -> str:
    """A filter of `ticket_id` by what its clocks know; nothing is read where nothing is picked."""
    names = tuple(names)
    nothing = " OR ".join(picked(name) for name in names)
    return f"(NOT ({nothing}) OR ticket_id IN (SELECT ticket_id FROM sla_clocks WHERE {filters(names)}))"


def of_alert(names: Iterable[str]) -> str:
    """A filter of rows with `labels` and `evidence`. An alert that does not say is everybody's, and stays."""

    def said(name: str) -> str:
        kept = "splitByChar('+', labels['dimension'])"
        value = f"if(length({kept}) > 1, splitByChar('|', labels['value'])[indexOf({kept}, '{name}')], labels['value'])"
        return (
            f"multiIf(mapContains(labels, '{name}'), labels['{name}'], has({kept}, '{name}'), {value}, "
            f"JSONExtractString(evidence, '{name}'))"
        )

    return "\n  AND ".join(
        f"$__conditionalAll({said(name)} IN ('', ${{{name}:singlequote}}), ${name})" for name in names
    )


def line(figure: str, *, dimension: str) -> str:
    """A window's figure over time, one line a value of a dimension, of those that its variable picks."""
    return f"""SELECT $__timeInterval(window_end) AS time, value, {newest(figure)} AS {figure}
FROM windows
WHERE window_seconds = ${{window}} AND dimension = '{dimension}' AND $__timeFilter(window_end)
  AND {only("value", dimension)}
GROUP BY time, value
ORDER BY time, value"""


def lines_of(figures: Mapping[str, str], *, seconds: str = "${window}", unkept: Iterable[str] = ()) -> str:
    """Figures of what is picked over time, by name; one line each, or one a value where several are picked."""
    told = ", ".join(f"{sql} AS {name}" for name, sql in figures.items())
    return f"""SELECT $__timeInterval(window_end) AS time, value, {told}
FROM windows
WHERE window_seconds = {seconds} AND {chosen(unkept)}
  AND $__timeFilter(window_end)
GROUP BY time, value
ORDER BY time, value"""


# How a figure of several values is told from theirs: counts are added, shares and means weighed by what they are of.
# Percentiles cannot be: of several the worst is told.
TOGETHER: Final = {
    "negative_share": "if(sum(judged) = 0, NULL, sum(negative) / sum(judged))",
    "complaints_per_1k_orders": "if(sum(orders) = 0, NULL, 1000 * sum(complaints) / sum(orders))",
    "first_response_p90_ms": "max(first_response_p90_ms)",
    "reviews": "if(count() = 0, NULL, sum(reviews))",
    **{
        figure: f"if(sum({weight}) = 0, NULL, sum({figure} * {weight}) / sum({weight}))"
        for figure, weight in (
            ("sentiment_mean", "judged"),
            ("agreement", "compared"),
            ("invalid_share", "reviews"),
            ("duplicate_share", "reviews"),
        )
    },
}


def latest(figure: str, *, seconds: int = 900, unkept: Iterable[str] = ()) -> str:
    """A figure of the newest window of what is picked, whenever that was."""
    return f"""SELECT {TOGETHER[figure]} AS told
FROM windows_latest
WHERE window_seconds = {seconds} AND {chosen(unkept)}"""


def touching(columns: Iterable[str], *, seconds: int, of: str, within: str = "$__timeFilter(window_end)") -> str:
    """Windows that touch and do not overlap, so that their counts may be added: `slot`, `value` and `columns`.

    A window has a row for each pane in which it changed. The last row of a slot therefore tells the window that ends
    with the slot; a slot without a row has nothing to tell. `of`: which dimension and values.
    """
    figures = ", ".join(f"{newest(column)} AS {column}" for column in columns)
    return f"""SELECT
    toStartOfInterval(window_end - INTERVAL 1 MILLISECOND, INTERVAL {seconds} SECOND) AS slot, value, {figures}
  FROM windows
  WHERE window_seconds = {seconds} AND {of}
    AND {within}
  GROUP BY slot, value"""


def waits(*, of: str, by_value: bool = False) -> str:
    """Of the whole time shown, together or by value: `first` and `last`, the merged sketches of first response and
    resolution, and the sums that stand beside them.
    """
    columns = (
        "first_response_sketch",
        "resolution_sketch",
        "sla_breaches",
        "sla_met",
        "reopened",
        "negative",
        "judged",
    )
    return f"""SELECT {"value, " if by_value else ""}sumMap(first_response_sketch) AS first,
    sumMap(resolution_sketch) AS last,
    sum(sla_breaches) AS breaches, sum(sla_met) AS met, sum(reopened) AS reopenings,
    sum(negative) AS negatives, sum(judged) AS judgements
FROM (
  {touching(columns, seconds=60, of=of)}
)
{"GROUP BY value" if by_value else ""}"""


def share(part: str, whole: str) -> str:
    """A ratio; NULL where there is nothing to divide by."""
    return f"if({whole} = 0, NULL, {part} / ({whole}))"
