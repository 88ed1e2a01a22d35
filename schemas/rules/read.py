"""How each key of a rule is read, and which keys each kind of rule takes: the tables behind `parse.py`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.events import DIMENSIONS
from schemas.results import WINDOW_SECONDS, AlertKind
from schemas.rules.types import (
    COUNT_FIGURES,
    FIGURES,
    FORECAST,
    HORIZONS_MS,
    SEVERITIES,
    TICKET_FIELDS,
    BreachWaveRule,
    BurnWindows,
    FeedSilentRule,
    Match,
    QuietHours,
    RuleBase,
    SlaTicketRule,
    SpikeRule,
    ThresholdRule,
)
from schemas.strict import Node
from schemas.topics import SOURCES
from schemas.zones import DEFAULT_ZONE, read_minute, read_zone

Key = tuple[str, Callable[[Node], Any]]  # the class's field, and how it is read


def _dimension(node: Node) -> str:
    parts = node.text().split("+")
    if node.value == "all":
        return "all"
    if not all(part in DIMENSIONS for part in parts) or len(parts) > 2 or len(set(parts)) < len(parts):
        if isinstance(node.value, str) and node.value.strip():
            node.wrong(f"is not all, {', '.join(DIMENSIONS)} or two of them joined by +")
        return "all"
    return "+".join(parts)


def _dimensions(node: Node) -> tuple[str, ...]:
    if node.value == []:
        node.wrong("names no dimension")
    written = node.one_or_many()
    found = tuple(_dimension(one) for one in written)
    known: dict[frozenset[str], str] = {}
    for one, dimension in zip(written, found, strict=True):
        if one.value != dimension:
            continue  # another spelling, or a mistake that was told
        parts = frozenset(dimension.split("+"))
        if parts in known:
            other = f"is {known[parts]} in another order: it would count twice"
            one.wrong("stands twice" if known[parts] == dimension else other)
        known.setdefault(parts, dimension)
    return found


def _match(allowed: tuple[str, ...]) -> Callable[[Node], Match]:
    def read(node: Node) -> Match:
        fields = node.fields(allowed)
        return {
            key: frozenset(one.text(empty=True) for one in fields[key].one_or_many())
            for key in allowed if key in fields
        }  # fmt: skip

    return read


def _labels(node: Node) -> dict[str, str]:
    reserved = ("dimension", "value", "ticket_id", "clock", "policy")
    found = {}
    for key, value in node.entries():
        if key in reserved:
            value.mistakes.add(value.place, "is set by PeakWatch itself")
        found[key] = value.text()
    return found


def _quiet_hours(node: Node) -> QuietHours | None:
    if node.value is None:
        return None
    fields = node.fields(("from", "to", "timezone"))
    quiet = QuietHours(
        start_minute=fields.need("from", read_minute, stand_in=0),
        end_minute=fields.need("to", read_minute, stand_in=1),
        timezone=fields.take("timezone", read_zone, DEFAULT_ZONE),
    )
    if "from" in fields and "to" in fields and quiet.start_minute == quiet.end_minute:
        fields.wrong("to", "is the same as from; leave quiet_hours out or mute the rule with enabled: false")
    return quiet


def _bound(node: Node) -> float:
    return float(node.duration_ms()) if isinstance(node.value, str) else node.number()


def _burn_windows(node: Node) -> BurnWindows:
    fields = node.fields(("long_seconds", "short_seconds", "factor"))
    burn = BurnWindows(
        long_seconds=fields.need("long_seconds", lambda n: n.one_of(WINDOW_SECONDS), stand_in=3600),
        short_seconds=fields.need("short_seconds", lambda n: n.one_of(WINDOW_SECONDS), stand_in=60),
        factor=fields.need("factor", lambda n: n.number(above=0.0, at_most=1000.0), stand_in=1.0),
    )
    if burn.short_seconds >= burn.long_seconds and "short_seconds" in fields and "long_seconds" in fields:
        fields.wrong("short_seconds", f"{burn.short_seconds} is not shorter than {burn.long_seconds}")
    return burn


def _topics(node: Node) -> tuple[str, ...]:
    return tuple(one.one_of(SOURCES) for one in node.one_or_many())


def _figure(node: Node) -> str:
    return node.one_of(FIGURES)


def _horizon(node: Node) -> int:
    horizon = node.duration_ms()
    if horizon not in HORIZONS_MS:
        if isinstance(node.value, str) and horizon:
            node.wrong("is not one of 15m, 30m, 60m")
        return HORIZONS_MS[0]
    return horizon


COMMON: Final[Mapping[str, Key]] = {
    "name": ("name", lambda n: n.text(max_chars=100)),
    "enabled": ("enabled", Node.flag),
    "severity": ("severity", lambda n: n.one_of(SEVERITIES)),
    "labels": ("labels", _labels),
    "owner": ("owner", Node.text),
    "runbook": ("runbook", lambda n: n.text(max_chars=2000)),
    "for": ("for_ms", lambda n: n.duration_ms(at_most_ms=86_400_000)),
    "cooldown": ("cooldown_ms", lambda n: n.duration_ms(at_most_ms=7 * 86_400_000)),
    "quiet_hours": ("quiet_hours", _quiet_hours),
}
SPIKE: Final[Mapping[str, Key]] = {
    "match": ("match", _match(DIMENSIONS)),
    "dimensions": ("dimensions", _dimensions),
    "min_ratio": ("min_ratio", lambda n: n.number(above=1.0, at_most=100.0)),
    "min_events": ("min_events", lambda n: n.number(at_least=1.0, at_most=1e6)),
    "evidence_nats": ("evidence_nats", lambda n: n.number(above=0.0, at_most=1000.0)),
    "critical_ratio": ("critical_ratio", lambda n: n.number(above=1.0, at_most=100.0)),
    "critical_events": ("critical_events", lambda n: n.number(at_least=1.0, at_most=1e6)),
}
THRESHOLD: Final[Mapping[str, Key]] = {
    "match": ("match", _match(DIMENSIONS)),
    "figure": ("figure", _figure),
    "per": ("per", _figure),
    "above": ("above", _bound),
    "below": ("below", _bound),
    "clear_at": ("clear_at", _bound),
    "window_seconds": ("window_seconds", lambda n: n.one_of(WINDOW_SECONDS)),
    "dimensions": ("dimensions", _dimensions),
    "min_count": ("min_count", lambda n: n.whole(at_least=0)),
    "count": ("count", lambda n: n.one_of(COUNT_FIGURES)),
    "burn_rate": ("burn_rate", lambda n: tuple(_burn_windows(one) for one in n.items(at_most=10))),
}
WAVE: Final[Mapping[str, Key]] = {
    "match": ("match", _match(("queue", "clock"))),
    "figure": ("figure", lambda n: n.one_of((FORECAST,))),
    "horizon": ("horizon_ms", _horizon),
    "above": ("above", lambda n: n.number(at_least=0.0)),
}
SLA_TICKET: Final[Mapping[str, Key]] = {"match": ("match", _match(TICKET_FIELDS))}
FEED_SILENT: Final[Mapping[str, Key]] = {
    "match": ("match", _match(("channel",))),
    "topics": ("topics", _topics),
    "false_alarm_days": ("false_alarm_days", lambda n: n.number(at_least=1.0, at_most=3650.0)),
    "min_silence": ("min_silence_ms", lambda n: n.duration_ms(at_least_ms=10_000)),
    "min_history": ("min_history_ms", lambda n: n.duration_ms(at_least_ms=600_000)),
}
SLA_RATE: Final[Mapping[str, Key]] = {
    key: how for key, how in THRESHOLD.items() if key not in ("figure", "per", "below", "count")
}

# By kind the class that it becomes and the keys that it takes; `threshold` on the forecast is WAVE instead.
SHAPES: Final[Mapping[AlertKind, tuple[type[RuleBase], Mapping[str, Key]]]] = {
    "negative_spike": (SpikeRule, SPIKE),
    "complaint_spike": (SpikeRule, SPIKE),
    "sla_breach": (SlaTicketRule, SLA_TICKET),
    "sla_warning": (SlaTicketRule, SLA_TICKET),
    "sla_breach_rate": (ThresholdRule, SLA_RATE),
    "feed_silent": (FeedSilentRule, FEED_SILENT),
    "threshold": (ThresholdRule, THRESHOLD),
}
WAVE_SHAPE: Final[tuple[type[RuleBase], Mapping[str, Key]]] = (BreachWaveRule, WAVE)

# What a promotion may change: how much is too much and how bad it is, never what is looked at.
IN_PEAKS: Final = (
    "enabled", "severity", "for", "min_ratio", "min_events", "evidence_nats", "critical_ratio",
    "critical_events", "above", "below", "clear_at", "min_count", "min_silence",
)  # fmt: skip
