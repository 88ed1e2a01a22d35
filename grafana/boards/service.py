"""Service: how long customers wait, whether what was promised is kept, and whether all are treated alike."""

from typing import Final

from grafana import colours as c
from grafana import variables as v
from grafana.board import Board, Section, go, title_of
from grafana.panels import COUNT, MS, SHARE, Column, Panel, lines, named, rows, tile
from grafana.queries import Kind, Query, numbers, series
from grafana.sql import DUE_SOON, chosen, filters, line, lines_of, newest, of_ticket, only, percentile, share, waits
from grafana.text import Language, Say, speaker

OF_TICKETS: Final = ("queue", "priority")  # no window knows them
NAMES: Final = (*(one.name for one in v.DIMENSIONS), *OF_TICKETS)
WAITS: Final = f"""SELECT {percentile(0.5, "first")} AS first_p50, {percentile(0.9, "first")} AS first_p90,
  {percentile(0.5, "last")} AS resolution_p50, {percentile(0.9, "last")} AS resolution_p90,
  {share("met", "met + breaches")} AS attainment, {share("reopenings", "arraySum(mapValues(last))")} AS reopen_rate
FROM
(
{waits(of=chosen(OF_TICKETS))}
)"""
# A ticket that was resolved within the time shown, without a reopening or a further word of the customer in it.
LIVES: Final = f"""SELECT countIf(reopenings = 0 AND replies = 0) / count() AS first_contact,
  countIf(by_bot) / count() AS bot_share
FROM
(
  SELECT ticket_id, countIf(action = 'reopened') AS reopenings, countIf(action = 'customer_reply') AS replies,
    countIf(action = 'resolved' AND bot) > 0 AS by_bot, countIf(action = 'resolved') AS resolutions
  FROM tickets_v
  WHERE $__timeFilter(event_time) AND {of_ticket(NAMES)}
  GROUP BY ticket_id
  HAVING resolutions > 0
)"""
CSAT: Final = f"""SELECT avg(csat) AS stars, count() AS answers
FROM tickets_v
WHERE $__timeFilter(event_time) AND action = 'closed' AND csat IS NOT NULL AND {of_ticket(NAMES)}"""
_FIGURES: Final = ("first_p50", "first_p90", "resolution_p90", "breach_share", "reopen_rate", "negative_share", "csat")
_NAMED: Final = ", ".join(f"tier.{at} AS {name}" for at, name in enumerate(_FIGURES, 2))
_TIERS: Final = f"""SELECT tier.1 AS customer_tier, {_NAMED}
FROM
(
  SELECT arrayJoin(arrayConcat(
    groupArray(tuple(name, {", ".join(_FIGURES)})),
    [tuple('{{gap}}', {", ".join(f"max({name}) - min({name})" for name in _FIGURES)})])) AS tier
  FROM
  (
    SELECT w.value AS name, {percentile(0.5, "first")} AS first_p50, {percentile(0.9, "first")} AS first_p90,
      {percentile(0.9, "last")} AS resolution_p90, {share("breaches", "met + breaches")} AS breach_share,
      {share("reopenings", "arraySum(mapValues(last))")} AS reopen_rate,
      {share("negatives", "judgements")} AS negative_share, 1 + 4 * day.satisfaction AS csat
    FROM
    (
{waits(of="dimension = 'customer_tier' AND value != '' AND " + only("value", "customer_tier"), by_value=True)}
    ) AS w
    LEFT JOIN
    (
      SELECT value, satisfaction FROM windows_latest WHERE window_seconds = 86400 AND dimension = 'customer_tier'
    ) AS day ON day.value = w.value
    ORDER BY name
  )
)"""
_HAPPENED: Final = (
    "uniqExactIf((ticket_id, cycle, at), kind = '{0}') - uniqExactIf((ticket_id, cycle, at), kind = 'corrected_{0}')"
)
_SLA: Final = f"$__timeFilter(at)\n  AND {filters(NAMES)}"
ATTAINMENT: Final = f"""SELECT queue, priority, clock,
  {_HAPPENED.format("met")} AS met,
  {_HAPPENED.format("breach")} AS breached,
  {share("met", "met + breached")} AS attainment
FROM sla_transitions
WHERE {_SLA} AND kind IN ('met', 'breach', 'corrected_met', 'corrected_breach')
GROUP BY queue, priority, clock
ORDER BY attainment, queue, priority, clock"""
BREACHES: Final = f"""SELECT at, ticket_id, clock, queue, priority, category, region, customer_tier, target_ms, policy
FROM sla_transitions
WHERE {_SLA} AND kind = 'breach'
ORDER BY at DESC, version DESC
LIMIT 1 BY ticket_id, clock, cycle
LIMIT 100"""
AT_RISK: Final = f"""SELECT due_at, ticket_id, clock, queue, priority, category, region, customer_tier,
  dateDiff('millisecond', $__toTime_ms, due_at) AS left_ms
FROM
(
  {DUE_SOON}
)
WHERE {filters(NAMES)}
ORDER BY due_at
LIMIT 100"""
QUEUES: Final = f"""SELECT queue, countIf(due_at <= $__toTime_ms + INTERVAL 15 MINUTE) AS in_15,
  countIf(due_at <= $__toTime_ms + INTERVAL 30 MINUTE) AS in_30, count() AS in_60
FROM
(
  {DUE_SOON}
)
WHERE {filters(NAMES)}
GROUP BY queue
ORDER BY in_15 DESC, in_60 DESC"""
STORY: Final = """SELECT event_time, action, agent_id, bot, csat, text
FROM tickets_v
WHERE ticket_id = ${ticket:singlequote}
ORDER BY event_time, seq"""


def board(language: Language) -> Board:
    """The dashboard."""
    say = speaker(language)
    return Board(
        "service",
        title_of("service", language),
        say("响应与解决时长、SLA、公平性。", "Response and resolution, SLA, fairness."),
        language,
        [
            Section(say("所选时段", "The time shown"), _tiles(say)),
            Section(say("变化", "Over time"), _lines(say, language)),
            Section(say("公平：同一指标，不同会员等级", "Fairness: the same figures by customer tier"), [_tiers(say)]),
            Section("SLA", _sla(say, language)),
            Section(say("工单", "Ticket"), [_story(say)]),
        ],
        choices=(v.WINDOW, *v.DIMENSIONS, v.QUEUE, v.PRIORITY, v.TICKET),
        links=("wall", "sentiment", "complaints", "alerts", "promo"),
    )


def _tiles(say: Say) -> list[Panel]:
    def one(figure: str, title: str, unit: str, steps: c.Steps, width: int = 3) -> Panel:
        sql = f"SELECT {figure} FROM\n(\n{WAITS}\n)"
        return tile(title, numbers(sql, figure), unit=unit, steps=steps, width=width, height=4, decimals=1)

    def life(figure: str, title: str, steps: c.Steps) -> Panel:
        return tile(
            title,
            numbers(f"SELECT {figure} FROM\n(\n{LIVES}\n)", figure),
            unit=SHARE,
            steps=steps,
            width=3,
            height=4,
            decimals=1,
        )

    return [
        one("first_p50", say("首响 P50", "First response p50"), MS, c.FIRST_RESPONSE_MS),
        one("first_p90", say("首响 P90", "First response p90"), MS, c.FIRST_RESPONSE_MS),
        one("resolution_p90", say("解决 P90", "Resolution p90"), MS, c.RESOLUTION_MS),
        one("attainment", say("SLA 达成率", "SLA attainment"), SHARE, c.ATTAINMENT),
        one("reopen_rate", say("重开率", "Reopen rate"), SHARE, c.rising(0.05, 0.15)),
        life("first_contact", say("首次解决率", "First-contact resolution"), c.falling(0.75, 0.6)),
        life("bot_share", say("机器人解决", "Solved by bot"), c.PLAIN),
        tile(
            say("满意度", "CSAT"),
            numbers(f"SELECT stars FROM\n(\n{CSAT}\n)", "stars"),
            unit=COUNT,
            steps=c.CSAT,
            width=3,
            height=4,
            decimals=2,
        ),
    ]


def _lines(say: Say, language: Language) -> list[Panel]:
    def spread(clock: str) -> Query:
        names = [f"{clock}_p{one}_ms" for one in (50, 90, 99)]
        return series(lines_of({name: newest(name) for name in names}, unkept=OF_TICKETS), *names, by="value")

    shown = {"p50": "P50", "p90": "P90", "p99": "P99"}
    tickets = {name: newest(name) for name in ("tickets_open", "tickets_created")}
    return [
        lines(
            say("首次响应", "First response"),
            spread("first_response"),
            unit=MS,
            width=8,
            names=named({f"first_response_{key}_ms": text for key, text in shown.items()}),
        ),
        lines(
            say("解决", "Resolution"),
            spread("resolution"),
            unit=MS,
            width=8,
            names=named({f"resolution_{key}_ms": text for key, text in shown.items()}),
        ),
        lines(
            say("积压与新建", "Backlog and new"),
            series(lines_of(tickets, unkept=OF_TICKETS), *tickets, by="value"),
            unit=COUNT,
            width=8,
            names=named({"tickets_open": say("未解决", "open"), "tickets_created": say("新建", "created")}),
        ),
        lines(
            say("SLA 超时率：按品类", "SLA breach rate by category"),
            series(line("sla_breach_rate", dimension="category"), "sla_breach_rate", by="value"),
            unit=SHARE,
            width=12,
            url=go("service", language, "category=${__field.labels.value}"),
        ),
        lines(
            say("首响 P90：按会员等级", "First response p90 by tier"),
            series(
                line("first_response_p90_ms", dimension="customer_tier"),
                "first_response_p90_ms",
                by="value",
            ),
            unit=MS,
            width=12,
        ),
    ]


def _tiers(say: Say) -> Panel:
    kinds: dict[str, Kind] = {"customer_tier": "text", **dict.fromkeys(_FIGURES, "number")}
    return rows(
        say("按会员等级，末行为差距（最大 − 最小）", "By customer tier; the last row is the gap, most less least"),
        Query(_TIERS.replace("{gap}", say("差距", "gap")), kinds, at_least=2),
        {
            "customer_tier": Column(say("等级", "Tier")),
            "first_p50": Column(say("首响 P50", "First response p50"), unit=MS, steps=c.FIRST_RESPONSE_MS),
            "first_p90": Column(say("首响 P90", "First response p90"), unit=MS, steps=c.FIRST_RESPONSE_MS),
            "resolution_p90": Column(say("解决 P90", "Resolution p90"), unit=MS, steps=c.RESOLUTION_MS),
            "breach_share": Column(say("SLA 超时率", "SLA breached"), unit=SHARE, steps=c.BREACH_SHARE),
            "reopen_rate": Column(say("重开率", "Reopened"), unit=SHARE),
            "negative_share": Column(say("差评率", "Negative"), unit=SHARE, steps=c.NEGATIVE_SHARE),
            "csat": Column(say("满意度（24 小时）", "CSAT, 24 h")),
        },
        height=7,
    )


def _sla(say: Say, language: Language) -> list[Panel]:
    named = {
        "queue": Column(say("队列", "Queue")),
        "priority": Column(say("优先级", "Priority")),
        "clock": Column(say("时钟", "Clock")),
        "customer_tier": Column(say("等级", "Tier")),
        "category": Column(say("品类", "Category")),
        "region": Column(say("地区", "Region")),
        "ticket_id": Column(say("工单", "Ticket"), link=go("service", language, "ticket=${__value.raw}")),
        "due_at": Column(say("将超时于", "Due")),
        "left_ms": Column(say("剩余", "Left"), unit=MS),
        "at": Column(say("超时于", "Breached")),
        "target_ms": Column(say("目标", "Target"), unit=MS),
        "policy": Column(say("策略", "Policy")),
        "met": Column(say("达成", "Met")),
        "breached": Column(say("超时", "Breached")),
        "attainment": Column(say("达成率", "Attainment"), unit=SHARE, steps=c.ATTAINMENT),
        "in_15": Column(say("15 分钟内", "15 min"), steps=c.AT_RISK),
        "in_30": Column(say("30 分钟内", "30 min"), steps=c.AT_RISK),
        "in_60": Column(say("60 分钟内", "60 min"), steps=c.AT_RISK),
    }
    texts: dict[str, Kind] = dict.fromkeys(
        ("ticket_id", "clock", "queue", "priority", "category", "region", "customer_tier"), "text"
    )
    return [
        rows(
            say("SLA 达成率：队列 × 优先级", "Attainment by queue and priority"),
            Query(
                ATTAINMENT,
                {
                    "queue": "text",
                    "priority": "text",
                    "clock": "text",
                    "met": "number",
                    "breached": "number",
                    "attainment": "number",
                },
            ),
            named,
            width=14,
        ),
        rows(
            say("将超时（按队列）", "Due soon, by queue"),
            Query(QUEUES, {"queue": "text", "in_15": "number", "in_30": "number", "in_60": "number"}),
            named,
            width=10,
        ),
        rows(
            say("将超时的工单", "Tickets due soon"),
            Query(AT_RISK, {"due_at": "time", **texts, "left_ms": "number"}),
            named,
            width=12,
        ),
        rows(
            say("最近超时", "Latest breaches"),
            Query(BREACHES, {"at": "time", **texts, "target_ms": "number", "policy": "text"}),
            named,
            width=12,
        ),
    ]


def _story(say: Say) -> Panel:
    return rows(
        say("工单经过（在上方填工单号）", "The ticket's story (enter its id above)"),
        Query(
            STORY,
            {
                "event_time": "time",
                "action": "text",
                "agent_id": "text",
                "bot": "number",
                "csat": "number",
                "text": "text",
            },
        ),
        {
            "event_time": Column(say("时间", "Time")),
            "action": Column(say("动作", "Action")),
            "agent_id": Column(say("客服", "Agent")),
            "bot": Column(say("机器人", "Bot"), unit="bool_yes_no"),
            "csat": Column(say("满意度", "CSAT")),
            "text": Column(say("内容", "Text")),
        },
    )
