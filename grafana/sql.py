"""The pieces of SQL that several panels share: what counts of rows written twice, percentiles of sketches, filters.

Nothing here waits for ClickHouse to merge: of equal keys the highest version is picked by `argMax`, or by `FINAL` in
the views (docs/storage.md).
"""

from collections.abc import Iterable
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


def line(figure: str, *, dimension: str = "all", variable: str = "") -> str:
    """A window's figure over time; of a dimension one line a value, of those that the variable picks."""
    by = ", value" if dimension != "all" else ""
    chosen = f"\n  AND {only('value', variable)}" if variable else ""
    return f"""SELECT $__timeInterval(window_end) AS time{by}, {newest(figure)} AS {figure}
FROM windows
WHERE window_seconds = ${{window}} AND dimension = '{dimension}' AND $__timeFilter(window_end){chosen}
GROUP BY time{by}
ORDER BY time{by}"""


def latest(figures: str, *, seconds: int = 900, dimension: str = "all") -> str:
    """Figures of the newest window, whenever that was."""
    return f"""SELECT {figures}
FROM windows_latest
WHERE window_seconds = {seconds} AND dimension = '{dimension}'"""


def touching(
    columns: Iterable[str], *, seconds: int, dimension: str, where: str = "", within: str = "$__timeFilter(window_end)"
) -> str:
    """Windows that touch and do not overlap, so that their counts may be added: `slot`, `value` and `columns`.

    A window has a row for each pane in which it changed. The last row of a slot therefore tells the window that ends
    with the slot; a slot without a row has nothing to tell.
    """
    figures = ", ".join(f"{newest(column)} AS {column}" for column in columns)
    return f"""SELECT
    toStartOfInterval(window_end - INTERVAL 1 MILLISECOND, INTERVAL {seconds} SECOND) AS slot, value, {figures}
  FROM windows
  WHERE window_seconds = {seconds} AND dimension = '{dimension}' AND {within}{where}
  GROUP BY slot, value"""


def waits(*, dimension: str = "all", where: str = "") -> str:
    """Of the whole time shown, by value: `first` and `last`, the merged sketches of first response and resolution, and
    the sums that stand beside them.
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
    return f"""SELECT value, sumMap(first_response_sketch) AS first, sumMap(resolution_sketch) AS last,
    sum(sla_breaches) AS breaches, sum(sla_met) AS met, sum(reopened) AS reopenings,
    sum(negative) AS negatives, sum(judged) AS judgements
FROM (
  {touching(columns, seconds=60, dimension=dimension, where=where)}
)
GROUP BY value"""


def share(part: str, whole: str) -> str:
    """A ratio; NULL where there is nothing to divide by."""
    return f"if({whole} = 0, NULL, {part} / ({whole}))"
