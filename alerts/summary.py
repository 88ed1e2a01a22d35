"""One line that fits a lock screen: what, where, how much against what baseline, since when, in which phase.

Chinese by default, English by a setting. Long messages with quotes and links are the delivery's templates.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.instants import format_instant
from schemas.results import Alert
from schemas.rules.types import FORECAST
from schemas.strict import show_ms

MAX_CHARS: Final = 160

_Words = Mapping[str, str]
_ZH: Final[_Words] = {
    "negative_spike": "差评突增", "complaint_spike": "投诉突增",
    "sla_breach": "SLA 超时", "sla_warning": "SLA 将超时", "sla_breach_rate": "SLA 超时率高",
    "feed_silent": "数据中断", "threshold": "指标越界",
    "resolved": "已恢复", "corrected": "已更正", "folded": "已并入",
    "false_alarm": "误报", "flapping": "反复波动", "escalated": "升级",
    "all": "全部", "category": "类目", "channel": "渠道", "region": "地区",
    "customer_tier": "会员等级", "shop_id": "店铺", "product_id": "商品", "queue": "队列",
    "first_response": "首次响应", "resolution": "解决", "next_response": "再次响应",
}  # fmt: skip
_EN: Final[_Words] = {
    "negative_spike": "Negative reviews up", "complaint_spike": "Complaints up", "sla_breach": "SLA breached",
    "sla_warning": "SLA about to breach", "sla_breach_rate": "SLA breach rate high",
    "feed_silent": "Feed silent",
    "threshold": "Threshold crossed", "resolved": "Resolved", "corrected": "Corrected", "folded": "Folded",
    "false_alarm": "False alarm", "flapping": "Flapping", "escalated": "Escalated", "all": "all",
    "customer_tier": "tier", "shop_id": "shop", "product_id": "product", "first_response": "first response",
    "next_response": "next response",
}  # fmt: skip


_FIGURES_ZH: Final[_Words] = {
    "reviews": "评价数", "judged": "有效评价数", "negative": "差评数", "neutral": "中评数", "complaints": "投诉数",
    "orders": "订单数", "tickets_created": "新工单数", "tickets_open": "未结工单数", "sla_breaches": "超时数",
    "sla_met": "达标数", "sla_verdicts": "已判定数", "reopened": "重开数", "negative_share": "负面率",
    "sentiment_mean": "平均情感", "rating_mean": "平均评分", "satisfaction": "满意度",
    "complaints_per_1k_orders": "千单投诉", "sla_breach_rate": "超时率", "agreement": "文评一致率",
    "compared": "可比评价数", "invalid_share": "无效评价率", "uncertain_share": "存疑率", "duplicate_share": "雷同率",
    "drift": "用词漂移",
    "first_response_ms": "首响时长", "resolution_ms": "解决时长",
}  # fmt: skip


def summarize(alert: Alert, *, language: str = "zh") -> str:
    """The line, of at most `MAX_CHARS` characters; `language` is `zh`, or `en` for English."""
    chinese = language != "en"
    words = _ZH if chinese else _EN
    evidence = alert.evidence
    if evidence.get("storm"):
        body = _storm(alert, chinese)
    elif evidence.get("figure") == FORECAST:
        body = _wave(alert, words, chinese)
    else:
        body = _BODIES[alert.kind](alert, words, chinese)
    parts = [_opening(alert, words, chinese) + body]
    if alert.kind not in ("sla_breach", "sla_warning"):
        since = _clock(alert.starts_at, alert.at)
        parts.append(f"{since} 起" if chinese else f"since {since}")
    if "phase" in evidence:
        parts.append(str(evidence["phase"]))
    line = ("，" if chinese else ", ").join(parts)
    return line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 1] + "…"


def _opening(alert: Alert, words: _Words, chinese: bool) -> str:
    """`[已恢复] ` and the like, of a transition that is no first firing."""
    word = ""
    if alert.reason in ("corrected", "folded", "false_alarm", "flapping", "escalated"):
        word = words[alert.reason]
    elif alert.status == "resolved":
        word = words["resolved"]
    elif alert.status == "updated":
        word = "更新" if chinese else "Update"
    return f"[{word}] " if word else ""


def _spike(alert: Alert, words: _Words, chinese: bool) -> str:
    where, ratio = _where(alert, words, chinese), _ratio(alert, chinese)
    if alert.value is None:
        return _counts(alert, words, chinese)
    if alert.kind == "negative_spike":
        now, usual = _percent(alert.value), _percent(alert.baseline)
    else:
        now, usual = _number(alert.value), _number(alert.baseline)
    counted, hourly = _counted(alert, chinese), alert.evidence.get("per") == "hour"
    if chinese:
        what = "负面率" if alert.kind == "negative_spike" else f"每{'小时' if hourly else '千单'}投诉"
        return f"{words[alert.kind]}：{where}{what} {now}，平时 {usual}{ratio}{counted}"
    unit = "" if alert.kind == "negative_spike" else " an hour" if hourly else " per 1k orders"
    return f"{words[alert.kind]}: {where} {now}{unit}, usually {usual}{ratio}{counted}"


def _counts(alert: Alert, words: _Words, chinese: bool) -> str:
    """A spike whose denominator is not known: how many, and how many were due."""
    hits = alert.evidence.get("negative", alert.evidence.get("complaints", alert.evidence.get("count")))
    due, where = _number(alert.evidence.get("expected")), _where(alert, words, chinese)
    if chinese:
        return f"{words[alert.kind]}：{where}{_number(hits)} 条，平时约 {due} 条{_window(alert, True)}"
    return f"{words[alert.kind]}: {where} {_number(hits)}, usually about {due}{_window(alert, False)}"


def _counted(alert: Alert, chinese: bool) -> str:
    """`，5 分钟 333/812 条`, as far as the evidence tells."""
    evidence = alert.evidence
    hits = evidence.get("negative", evidence.get("complaints"))
    if hits is None:
        return ""
    count, seconds = evidence.get("count"), evidence.get("window_seconds")
    of = f"{hits}/{count}" if count is not None and "negative" in evidence else str(hits)
    window = _span(int(seconds) * 1000, chinese) if seconds else ""
    if chinese:
        return f"，{window} {of} 条" if window else f"，{of} 条"
    return f", {of} in {window}" if window else f", {of}"


def _ticket(alert: Alert, words: _Words, chinese: bool) -> str:
    labels, evidence = alert.labels, alert.evidence
    clock = words.get(labels["clock"], labels["clock"])
    target = _span(int(evidence.get("target_ms", 0)), chinese)
    queue = str(evidence.get("queue") or "")
    left = evidence.get("left_ms")
    if chinese:
        tail = f"，队列 {queue}" if queue else ""
        soon = f"，还剩 {_span(int(left), True)}" if left is not None else ""
        return f"{words[alert.kind]}：工单 {labels['ticket_id']} {clock}时限 {target}{soon}{tail}"
    tail = f", queue {queue}" if queue else ""
    soon = f", {_span(int(left), False)} left" if left is not None else ""
    return f"{words[alert.kind]}: ticket {labels['ticket_id']}, {clock} target {target}{soon}{tail}"


def _rate(alert: Alert, words: _Words, chinese: bool) -> str:
    now, bound = _percent(alert.value), _percent(alert.baseline)
    where = _where(alert, words, chinese)
    if chinese:
        return f"{words[alert.kind]}：{where}超时率 {now}，上限 {bound}{_window(alert, True)}"
    return f"{words[alert.kind]}: {where} {now}, bound {bound}{_window(alert, False)}"


def _silent(alert: Alert, words: _Words, chinese: bool) -> str:
    feed = "/".join(part for part in (alert.labels.get("topic", ""), alert.labels.get("channel", "")) if part)
    silent = _span(int(alert.value or 0) * 1000, chinese)
    expected = _number(alert.evidence.get("expected"))
    if chinese:
        return f"{words[alert.kind]}：{feed} 已 {silent}无数据，本应约 {expected} 条"
    return f"{words[alert.kind]}: {feed} nothing for {silent}, about {expected} expected"


def _threshold(alert: Alert, words: _Words, chinese: bool) -> str:
    evidence = alert.evidence
    figure = "/".join(_figure(str(evidence[key]), chinese) for key in ("figure", "per") if evidence.get(key))
    show: Callable[[float | None], str] = _number
    if "_ms." in str(evidence.get("figure", "")) and "per" not in evidence:
        show = _span_of_chinese if chinese else _span_of_english
    sign = "<" if evidence.get("below") else ">"
    where = _where(alert, words, chinese)
    colon = "：" if chinese else ": "
    text = f"{figure} {show(alert.value)} {sign} {show(alert.baseline)}{_window(alert, chinese)}"
    return f"{words[alert.kind]}{colon}{where}{'' if chinese else ' '}{text}"


def _figure(name: str, chinese: bool) -> str:
    """A window figure as people say it: `首响时长 p90`."""
    base, _, percentile = name.partition(".")
    spoken = _FIGURES_ZH.get(base, base) if chinese else base
    return f"{spoken} {percentile}" if percentile else spoken


def _wave(alert: Alert, words: _Words, chinese: bool) -> str:
    clock = words.get(alert.labels.get("clock", ""), alert.labels.get("clock", ""))
    horizon = _span(int(alert.evidence.get("horizon_ms", 0)), chinese)
    queue = alert.labels.get("queue", "")
    count = _number(alert.value)
    if chinese:
        named = f"{queue} 队列 " if queue else ""
        return f"将批量超时：{named}{horizon}内 {count} 张工单{clock}超时"
    named = f" of queue {queue}" if queue else ""
    return f"Breach wave: {count} tickets{named} breach {clock} within {horizon}"


def _storm(alert: Alert, chinese: bool) -> str:
    by = alert.evidence.get("by_severity", {})
    counts = [(by.get("critical", 0), "严重", "critical"), (by.get("warning", 0), "警告", "warning"),
              (by.get("info", 0), "提示", "info")]  # fmt: skip
    told = " ".join(f"{zh if chinese else en} {n}" for n, zh, en in counts if n)
    span = _span(int(alert.evidence.get("window_seconds", 0)) * 1000, chinese)
    total = alert.evidence.get("count", 0)
    if chinese:
        return f"告警风暴：{span}内 {total} 条新告警（{told}）"
    return f"Storm: {total} new alerts in {span} ({told})"


_BODIES: Final[Mapping[str, Callable[[Alert, _Words, bool], str]]] = {
    "negative_spike": _spike, "complaint_spike": _spike, "sla_breach": _ticket, "sla_warning": _ticket,
    "sla_breach_rate": _rate, "feed_silent": _silent, "threshold": _threshold,
}  # fmt: skip


def _where(alert: Alert, words: _Words, chinese: bool) -> str:
    dimension = alert.labels.get("dimension", "all")
    if dimension == "all":
        return words["all"]
    named = "+".join(words.get(part, part) for part in dimension.split("+"))
    value = shown_value(alert.labels, chinese=chinese)
    return f"{named}「{value}」" if chinese else f"{named} {value}"


def shown_value(labels: Mapping[str, Any], *, chinese: bool) -> str:
    """The value of a slice for people: events may lack a dimension, and `手机|` says nothing to anybody."""
    names = str(labels.get("dimension", "")).split("+")
    parts = str(labels.get("value", "")).split("|", len(names) - 1)
    return "|".join(part or ("未填" if chinese else "(none)") for part in parts)


def _window(alert: Alert, chinese: bool) -> str:
    seconds = alert.evidence.get("window_seconds")
    if not seconds:
        return ""
    span = _span(int(seconds) * 1000, chinese)
    return f"（{span}）" if chinese else f" ({span})"


def _ratio(alert: Alert, chinese: bool) -> str:
    if not alert.value or not alert.baseline:
        return ""
    times = f"{alert.value / alert.baseline:.1f}"
    return f"（{times} 倍）" if chinese else f" ({times}x)"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.{0 if share >= 0.1 else 1}f}%"


def _number(value: Any) -> str:
    if not isinstance(value, int | float):
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def _span_of_chinese(ms: float | None) -> str:
    return "-" if ms is None else _span(int(ms), True)


def _span_of_english(ms: float | None) -> str:
    return "-" if ms is None else _span(int(ms), False)


def _span(ms: int, chinese: bool) -> str:
    """`5 分钟`, `1 小时 30 分钟`, `1h30m`; seconds only below two minutes."""
    whole = ms // 1000 * 1000 if ms < 120_000 else (ms + 30_000) // 60_000 * 60_000
    if not chinese:
        return show_ms(whole)
    days, rest = divmod(whole // 1000, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    named = ((days, "天"), (hours, "小时"), (minutes, "分钟"), (seconds, "秒"))
    return " ".join(f"{count} {unit}" for count, unit in named if count) or "0 秒"


def _clock(at: int, now: int) -> str:
    """China's time of day; with the date where it is not today's."""
    then, today = format_instant(at), format_instant(now)
    return then[11:16] if then[:10] == today[:10] else f"{then[5:10]} {then[11:16]}"
