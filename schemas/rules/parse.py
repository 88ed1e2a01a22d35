"""The section `rules` of a file as values: an unknown key is a mistake, and all mistakes come at once."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, cast

from schemas.peaks import Peaks
from schemas.results import AlertKind
from schemas.rules.read import COMMON, IN_PEAKS, SHAPES, WAVE_SHAPE, Key
from schemas.rules.types import (
    DURATION_FIGURES,
    FORECAST,
    KINDS,
    BreachWaveRule,
    BurnWindows,
    PeakOverride,
    Rule,
    RuleBase,
    SlaTicketRule,
    ThresholdRule,
)
from schemas.strict import Fields, Mistakes, Node

MAX_RULES: Final = 1000
DRIFT: Final = "drift"
SHARES: Final = (
    "negative_share", "satisfaction", "sla_breach_rate", "agreement", "invalid_share", "uncertain_share",
    "duplicate_share", "drift",
)  # fmt: skip


def parse_rules(raw: object, *, source: str) -> tuple[Rule, ...]:
    """The rules of a list, in order; ConfigError holds every mistake as `source: rules[2].key: …`."""
    mistakes = Mistakes(source)
    names: dict[str, str] = {}
    rules: list[Rule] = []
    for node in Node(raw, "rules", mistakes).items(at_most=MAX_RULES):
        rule = _read_rule(node)
        if rule is None:
            continue
        if rule.name in names:
            mistakes.add(f"{node.place}.name", f"{rule.name!r} is the name of {names[rule.name]} already")
        elif rule.name:
            names[rule.name] = node.place
        rules.append(rule)
    mistakes.stop()
    return tuple(rules)


def with_peaks(rules: tuple[Rule, ...], peaks: Peaks, *, source: str) -> tuple[Rule, ...]:
    """The rules with what the promotion plan says of them by name.

    The plan wins over what a rule itself says of the same phase. ConfigError, with the plan's `source`, where
    it names what is no rule or no key.
    """
    mistakes = Mistakes(source)
    found: dict[str, list[PeakOverride]] = {rule.name: [] for rule in rules}
    by_name = {rule.name: rule for rule in rules}
    for phase in peaks.phases:
        for name, node in phase.rules.items():
            place = Node(node.value, node.place, mistakes)
            if name in by_name:
                changes = _read_changes(place, by_name[name])
                found[name].append(PeakOverride(peak=phase.peak, phase=phase.name, changes=changes))
            else:
                mistakes.add(place.place, f"there is no rule {name!r}")
    mistakes.stop()
    return tuple(_with_overrides(rule, tuple(found[rule.name])) for rule in rules)


def _with_overrides(rule: Rule, overrides: tuple[PeakOverride, ...]) -> Rule:
    return dataclasses.replace(rule, peaks=rule.peaks + overrides) if overrides else rule


def _read_rule(node: Node) -> Rule | None:
    found = _shape(node)
    if found is None:
        return None
    kind, shape, keys = found
    fields = node.fields((*keys, "kind", "peaks"))
    values: dict[str, Any] = {"name": fields.need("name", keys["name"][1], stand_in=""), "kind": kind}
    values |= {attr: how(fields[key]) for key, (attr, how) in keys.items() if key in fields and key != "name"}
    if shape is BreachWaveRule:
        values.pop("figure", None)
        fields.need("above", lambda n: n, stand_in=node)
    elif shape is ThresholdRule:
        if kind == "sla_breach_rate":
            values |= {"figure": "sla_breach_rate", "count": "sla_verdicts"}
        fields.need("figure", lambda n: n, stand_in=node) if kind == "threshold" else None
        values.setdefault("figure", "reviews")
        _check_threshold(fields, values)
    _check_common(fields, values)
    rule = cast(Rule, shape(**values))
    if "peaks" not in fields:
        return rule
    overrides = [_read_override(one, rule) for one in fields["peaks"].items(at_most=100)]
    return _with_overrides(rule, tuple(overrides))


def _shape(node: Node) -> tuple[AlertKind, type[RuleBase], Mapping[str, Key]] | None:
    """A rule's kind, the class that it becomes, and its keys; None, and a mistake, if it has no kind."""
    if not isinstance(node.value, dict):
        node.wrong("is not a mapping")
        return None
    if "kind" not in node.value:
        node.mistakes.add(f"{node.place}.kind", f"is missing; one of {', '.join(KINDS)}")
        return None
    kind = Node(node.value["kind"], f"{node.place}.kind", node.mistakes).one_of(KINDS)
    if node.value["kind"] != kind:
        return None
    wave = kind == "threshold" and node.value.get("figure") == FORECAST
    shape, own = WAVE_SHAPE if wave else SHAPES[kind]
    barred = ("for", "cooldown") if shape is SlaTicketRule else ()  # its `at` is the breach itself
    return kind, shape, {key: how for key, how in {**COMMON, **own}.items() if key not in barred}


def _check_common(fields: Fields, values: Mapping[str, Any]) -> None:
    if values.get("quiet_hours") and values.get("severity") == "critical":
        fields.wrong("quiet_hours", "only severities below critical may be quiet")
    unsaid = ("all",) if "figure" in values else None  # of a spike rule it is the detector's to say
    match, dimensions = values.get("match"), values.get("dimensions", unsaid)
    if match and dimensions and not any(match.keys() <= set(one.split("+")) for one in dimensions):
        fields.wrong("match", f"no dimension of the rule shows {' and '.join(match)}")


def _check_threshold(fields: Fields, values: dict[str, Any]) -> None:
    above, below, clear_at = values.get("above"), values.get("below"), values.get("clear_at")
    if (above is None) == (below is None):
        fields.wrong("above", "is missing, as is below" if below is None else "stands beside below")
    for key in ("above", "below", "clear_at"):
        if key in fields:
            _check_unit(fields[key], durations=values["figure"] in DURATION_FIGURES and "per" not in fields)
    bound = above if above is not None else below
    if clear_at is not None and bound is not None and (clear_at - bound) * (1 if below is None else -1) > 0:
        fields.wrong("clear_at", "lies beyond the bound, so that the alert would never hold")
    burn = values.get("burn_rate", ())
    if burn and below is not None:
        fields.wrong("burn_rate", "needs above: a rate burns upwards")
    if burn and "window_seconds" in fields:
        fields.wrong("window_seconds", "stands beside burn_rate, which names its own windows")
    drifts = DRIFT in (values["figure"], values.get("per"))
    if drifts and (values.get("dimensions"), values.get("window_seconds")) != (("category",), 3600):
        fields.wrong("figure", "drift is counted for dimensions: [category] and window_seconds: 3600 alone")
    if above is not None and values["figure"] in SHARES and "per" not in fields:
        for i, one in enumerate(burn or (BurnWindows(0, 0, 1.0),)):
            if one.factor * above >= 1.0:
                key = f"burn_rate[{i}].factor" if burn else "above"
                fields.wrong(key, f"a share never exceeds {one.factor * above:g}")


def _check_unit(node: Node, *, durations: bool) -> None:
    if durations and not isinstance(node.value, str):
        node.wrong("needs a unit here, such as 15m")
    elif not durations and isinstance(node.value, str):
        node.wrong("is a duration, but the figure is none")


def _read_override(node: Node, rule: Rule) -> PeakOverride:
    """One element of a rule's own `peaks`: which promotion, which phase, and what counts then."""
    kind_keys = _override_keys(rule)
    fields = node.fields(("peak", "phase", *kind_keys))
    return PeakOverride(
        peak=fields.need("peak", Node.text, stand_in=""),
        phase=fields.take("phase", Node.text, None),
        changes=_changes(fields, rule),
    )


def _read_changes(node: Node, rule: Rule) -> dict[str, Any]:
    return _changes(node.fields(tuple(_override_keys(rule))), rule)


def _changes(fields: Fields, rule: Rule) -> dict[str, Any]:
    changes = {attr: how(fields[key]) for key, (attr, how) in _override_keys(rule).items() if key in fields}
    if not changes:
        fields.wrong("", "changes nothing")
    if isinstance(rule, ThresholdRule):
        for key in ("above", "below", "clear_at"):
            if key in fields:
                _check_unit(fields[key], durations=rule.figure in DURATION_FIGURES and rule.per is None)
        if ("above" in fields and rule.above is None) or ("below" in fields and rule.below is None):
            fields.wrong("", "turns the rule's bound round; write a rule of its own")
    return changes


def _override_keys(rule: Rule) -> dict[str, Key]:
    own = WAVE_SHAPE[1] if isinstance(rule, BreachWaveRule) else SHAPES[rule.kind][1]
    keys = {**COMMON, **own}
    without = ("for",) if isinstance(rule, SlaTicketRule) else ()
    return {key: keys[key] for key in IN_PEAKS if key in keys and key not in without}
