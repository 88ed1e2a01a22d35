"""What a template is told of an alert: plain values in one language, nothing to compute and nothing to escape."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alerts.summary import shown_value, summarize
from schemas.instants import format_instant
from schemas.notify import LINK_NAMES, Language
from schemas.results import Alert
from schemas.strict import show_ms

MARKS: Final = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
QUOTES: Final = 3
WORDS: Final = 8
TICKETS: Final = 20
_ASPECTS: Final[Mapping[str, str]] = {
    "quality": "质量", "logistics": "物流", "service": "服务", "refund": "退款", "price": "价格", "packaging": "包装",
    "fraud": "欺诈",
}  # fmt: skip
_NAMES: Final[Mapping[str, str]] = {
    "all": "全部", "category": "类目", "channel": "渠道", "region": "地区", "customer_tier": "会员等级",
    "shop_id": "店铺", "product_id": "商品",
}  # fmt: skip


def facts_of(
    alert: Alert, *, language: Language, now_ms: int, links: Mapping[str, str], brief: int = 0
) -> dict[str, Any]:
    """The values by name; texts are raw, the template's output makes them plain.

    `brief` leaves more and more out, so that the message fits: 1 all quotes but one, 2 quotes and contributions,
    3 words and notes as well.
    """
    evidence = alert.evidence
    quotes = [str(one) for one in evidence.get("texts") or []][: (QUOTES, 1, 0, 0)[min(brief, 3)]]
    claim = evidence.get("acknowledged") or {}
    notes = evidence.get("notes") or []
    ends_at = alert.ends_at if alert.ends_at is not None else max(now_ms, alert.at)
    return {
        "mark": "✅" if alert.status == "resolved" else MARKS[alert.severity],
        "summary": summarize(alert, language=language),
        "alert_id": alert.alert_id, "rule": alert.rule, "kind": alert.kind, "status": alert.status,
        "severity": alert.severity, "reason": alert.reason, "labels": dict(alert.labels),
        "where": where_of(alert, language),
        "now": _figure(alert, alert.value), "usual": _figure(alert, alert.baseline),
        "ratio": f"{alert.value / alert.baseline:.1f}" if alert.value and alert.baseline else "",
        "count": _number(evidence.get("count")),
        "bad": _number(evidence.get("negative", evidence.get("complaints"))),
        "window": show_ms(int(evidence["window_seconds"]) * 1000) if evidence.get("window_seconds") else "",
        "since": format_instant(alert.starts_at)[5:16].replace("T", " "),
        "lasted": _span(max(0, ends_at - alert.starts_at), language),
        "phase": str(evidence.get("phase", "")), "owner": str(evidence.get("owner", "")),
        "claimed_by": str(claim.get("who", "")),
        "note": str(notes[-1].get("text", "")) if notes and brief < 3 else "",
        "contributions": _contributions(evidence, language) if brief < 2 else [],
        "aspects": aspects_of(evidence, language) if brief < 3 else [],
        "keywords": _words(evidence.get("keywords")) if brief < 3 else [],
        "emerging": _words(evidence.get("emerging")) if brief < 3 else [],
        "worst": _worst(evidence, language), "quotes": quotes,
        "runbook": str(evidence.get("runbook", "")), "links": links_of(alert, links),
    }  # fmt: skip


def where_of(alert: Alert, language: Language) -> str:
    """`类目+地区 手机|华东`, `工单 T-1`, `队列 退款`."""
    labels = alert.labels
    if "ticket_id" in labels:
        return f"工单 {labels['ticket_id']}" if language == "zh" else f"ticket {labels['ticket_id']}"
    if "dimension" in labels:
        return _slice(labels, language)
    if "queue" in labels:
        return f"队列 {labels['queue']}" if language == "zh" else f"queue {labels['queue']}"
    return "/".join(labels[key] for key in ("topic", "channel") if labels.get(key))


def aspects_of(evidence: Mapping[str, Any], language: Language) -> list[str]:
    """What the texts blame, the most blamed first: `物流 62%`, `logistics 62%`."""
    return [
        f"{_ASPECTS.get(one['name'], one['name']) if language == 'zh' else one['name']} {_percent(one.get('share'))}"
        for one in evidence.get("aspects") or []
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]


def links_of(alert: Alert, links: Mapping[str, str]) -> dict[str, str]:
    """The addresses with `{alert_id}` filled in; "" for those that are not configured."""
    return {name: links.get(name, "").replace("{alert_id}", alert.alert_id) for name in LINK_NAMES}


def _slice(labels: Mapping[str, Any], language: Language) -> str:
    dimension = str(labels.get("dimension", "all"))
    if dimension == "all":
        return "全部" if language == "zh" else "all"
    value = shown_value(labels, chinese=language == "zh")
    named = "+".join(_NAMES.get(part, part) for part in dimension.split("+")) if language == "zh" else dimension
    return f"{named} {value}"


def _contributions(evidence: Mapping[str, Any], language: Language) -> list[dict[str, str]]:
    return [
        {"where": _slice(one, language), "observed": _number(one.get("observed")),
         "expected": _number(one.get("expected")), "share": _percent(one.get("share_of_excess"))}
        for one in (evidence.get("contributions") or [])[:QUOTES] if isinstance(one, dict)
    ]  # fmt: skip


def _worst(evidence: Mapping[str, Any], language: Language) -> list[str]:
    """What a storm's digest names: the rule and where."""
    found = (evidence.get("worst") or [])[:5]
    return [f"{one.get('rule', '')} {_slice(one.get('labels', {}), language)}" for one in found]


def group_of(alerts: Sequence[Alert]) -> dict[str, str]:
    """What alerts of single tickets have in common: kind, queue and clock; nothing if they differ."""
    common = {(one.kind, str(one.evidence.get("queue", "")), one.labels.get("clock", ""), one.status) for one in alerts}
    if len(common) > 1 or len(alerts) < 2 or any("ticket_id" not in one.labels for one in alerts):
        return {}
    kind, queue, clock, status = next(iter(common))
    tickets = " ".join(one.labels["ticket_id"] for one in alerts[:TICKETS])
    return {"kind": kind, "queue": queue, "clock": clock, "status": status, "tickets": tickets}


def _span(ms: int, language: Language) -> str:
    text = show_ms(ms // 60_000 * 60_000 if ms >= 60_000 else ms // 1000 * 1000)
    if language == "en":
        return text
    for letter, word in (("d", " 天 "), ("h", " 小时 "), ("m", " 分钟 "), ("s", " 秒 ")):
        text = text.replace(letter, word)
    return text.strip()


def _words(found: Sequence[object] | None) -> list[str]:
    return [str(one) for one in found or []][:WORDS]


def _figure(alert: Alert, value: float | None) -> str:
    """Of a spike, whose baseline is what is usual; a threshold's baseline is its bound, and the title has both."""
    if alert.kind == "negative_spike":
        return _percent(value)
    return _number(value) if alert.kind == "complaint_spike" else ""


def _percent(share: object) -> str:
    return f"{100 * share:.3g}%" if isinstance(share, int | float) else ""


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"
