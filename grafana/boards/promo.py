"""A promotion reviewed: phase by phase, this edition against the last one.

Counts come from windows of an hour that touch, so phases are told by whole hours; those windows are kept for more than
two years. Percentiles of so long ago are gone with the fine windows: their place takes the median of the hours' p90.
"""

from typing import Final

from grafana import colours as c
from grafana import variables as v
from grafana.board import Board, Section, go, title_of
from grafana.panels import COUNT, MS, SHARE, Column, Panel, lines, rows
from grafana.queries import Kind, Query, series
from grafana.sql import chosen, share, touching
from grafana.text import Language, Say, speaker

_EDITIONS: Final = """editions AS
  (
    SELECT edition, min(starts_at) AS begins, max(ends_at) AS ends, row_number() OVER (ORDER BY begins DESC) AS back
    FROM peaks_v
    WHERE peak = ${peak:singlequote} AND starts_at <= $__toTime_ms
    GROUP BY edition
    ORDER BY begins DESC
    LIMIT 2
  )"""
_HOURS: Final = touching(
    (
        "orders",
        "reviews",
        "judged",
        "negative",
        "complaints",
        "tickets_created",
        "sla_breaches",
        "sla_met",
        "first_response_p90_ms",
    ),
    seconds=3600,
    of=chosen(),
    within="window_end > (SELECT min(begins) FROM editions) AND window_end <= (SELECT max(ends) FROM editions)",
)
# name -> how it is told of the hours `h` of one phase of one edition
_FIGURES: Final = {
    "orders": "sumIf(h.orders, {of})",
    "reviews": "sumIf(h.reviews, {of})",
    "negative_share": share("sumIf(h.negative, {of})", "sumIf(h.judged, {of})"),
    "complaints_per_1k": share("1000 * sumIf(h.complaints, {of})", "sumIf(h.orders, {of})"),
    "tickets": "sumIf(h.tickets_created, {of})",
    "breach_share": share("sumIf(h.sla_breaches, {of})", "sumIf(h.sla_breaches, {of}) + sumIf(h.sla_met, {of})"),
    "p90_of_hours": "medianExactIf(h.first_response_p90_ms, {of} AND h.first_response_p90_ms IS NOT NULL)",
}
_PAIRS: Final = ",\n  ".join(
    f"{sql.format(of=f'p.back = {back}')} AS {name}{'' if back == 1 else '_last'}"
    for name, sql in _FIGURES.items()
    for back in (1, 2)
)
PHASES: Final = f"""WITH
  {_EDITIONS}
SELECT p.phase AS phase, {_PAIRS}
FROM
(
  SELECT phase, starts_at, ends_at, back, starts_at - begins AS after
  FROM peaks_v INNER JOIN editions ON editions.edition = peaks_v.edition
  WHERE peak = ${{peak:singlequote}}
) AS p
CROSS JOIN
(
  {_HOURS}
) AS h
WHERE h.slot >= p.starts_at AND h.slot < p.ends_at
GROUP BY phase
ORDER BY min(p.after)"""
EDITIONS: Final = """SELECT edition, phase, starts_at, ends_at
FROM peaks_v
WHERE peak = ${peak:singlequote} AND starts_at <= $__toTime_ms
ORDER BY starts_at DESC
LIMIT 40"""


def _overlay(figure: str) -> Query:
    """Both editions over the time of this one."""
    sql = f"""WITH
  {_EDITIONS}
SELECT
  toDateTime(toUnixTimestamp(h.slot) - toUnixTimestamp(e.begins)
    + (SELECT toUnixTimestamp(max(begins)) FROM editions), 'UTC') AS time,
  e.edition AS edition, {figure} AS figure
FROM
(
  {_HOURS}
) AS h
CROSS JOIN editions AS e
WHERE h.slot >= e.begins AND h.slot < e.ends
GROUP BY time, edition
ORDER BY time, edition"""
    return series(sql, "figure", by="edition")


def board(language: Language) -> Board:
    """The dashboard."""
    say = speaker(language)
    return Board(
        "promo",
        title_of("promo", language),
        say("大促复盘：逐阶段，本届对上届。", "This promotion against the last, phase by phase."),
        language,
        [
            Section(say("逐阶段", "Phase by phase"), [_phases(say)]),
            Section(say("对齐开始时间", "Aligned by their beginnings"), _lines(say)),
            Section(
                say("计划", "The plan"),
                [
                    rows(
                        say("阶段", "Phases"),
                        Query(EDITIONS, {"edition": "text", "phase": "text", "starts_at": "time", "ends_at": "time"}),
                        {
                            "edition": Column(say("届", "Edition")),
                            "phase": Column(say("阶段", "Phase")),
                            "starts_at": Column(say("开始", "From")),
                            "ends_at": Column(say("结束", "To")),
                        },
                    ),
                ],
            ),
        ],
        choices=(v.PEAK, *v.DIMENSIONS),
        since="now-35d",
        refresh="5m",
        links=("wall", "sentiment", "complaints", "service", "alerts"),
    )


def _phases(say: Say) -> Panel:
    kinds: dict[str, Kind] = {"phase": "text"}
    columns = {"phase": Column(say("阶段", "Phase"), link=go("sentiment", "zh" if say("zh", "en") == "zh" else "en"))}
    units: dict[str, tuple[str, str, c.Steps]] = {
        "orders": (say("订单", "Orders"), COUNT, ()),
        "reviews": (say("评价", "Reviews"), COUNT, ()),
        "negative_share": (say("差评率", "Negative"), SHARE, c.NEGATIVE_SHARE),
        "complaints_per_1k": (say("千单投诉", "Complaints / 1k"), COUNT, c.COMPLAINTS_PER_1K),
        "tickets": (say("工单", "Tickets"), COUNT, ()),
        "breach_share": (say("SLA 超时率", "SLA breached"), SHARE, c.BREACH_SHARE),
        "p90_of_hours": (say("首响 P90（各小时中位）", "First response p90, median of hours"), MS, c.FIRST_RESPONSE_MS),
    }
    for name, (title, unit, steps) in units.items():
        kinds[name], kinds[f"{name}_last"] = "number", "number"
        columns[name] = Column(title, unit=unit, steps=steps)
        columns[f"{name}_last"] = Column(f"{title} · {say('上届', 'last')}", unit=unit)
    return rows(say("本届对上届", "This against the last"), Query(PHASES, kinds), columns, height=10)


def _lines(say: Say) -> list[Panel]:
    shown = (
        ("sum(h.orders)", say("订单（每小时）", "Orders an hour"), COUNT),
        (share("sum(h.negative)", "sum(h.judged)"), say("差评率", "Negative share"), SHARE),
        (share("1000 * sum(h.complaints)", "sum(h.orders)"), say("千单投诉", "Complaints per 1,000 orders"), COUNT),
        (share("sum(h.sla_breaches)", "sum(h.sla_breaches + h.sla_met)"), say("SLA 超时率", "SLA breach rate"), SHARE),
    )
    return [lines(title, _overlay(figure), by="edition", unit=unit, width=12) for figure, title, unit in shown]
