"""What one configuration file says of another: names that nothing has, and people whom no message can reach.

For `peakwatch check` alone: a worker does without what is missing (a route keeps its own roster, a rule its bounds).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, get_args

from alerts.peaks import UNPLANNED
from alerts.storm import STORM_RULE
from peakwatch.config import Config
from schemas.events import Priority
from schemas.notify import Channel, ChannelKind, NotifyConfig, Person, Roster, Route
from schemas.rules.types import ANY_PEAK, KINDS, SEVERITIES, BreachWaveRule, SlaTicketRule, SpikeRule
from schemas.topics import SOURCES
from sla.policy import CLOCKS
from streams.spike_rules import own_settings

HANDLES: Final[Mapping[ChannelKind, str]] = {"dingtalk": "phone", "feishu": "open_id", "wecom": "wecom"}
STATUSES: Final = ("firing", "updated", "resolved")
_FREE: Final = ("value", "ticket_id", "channel", "queue", "dimension", "horizon")  # of alerts' labels: anything goes


def cross_check(config: Config, *, rules: str, notify: str) -> list[str]:
    """Every mistake, with its place. The names are the files'."""
    found = [f"{rules}: {text}" for text in (*_overrides(config), *_unmet(config), *_laxer(config))]
    if config.notify is not None:
        found += [f"{notify}: {text}" for text in _matches(config, config.notify.routes)]
        found += [f"{notify}: {text}" for text in _reach(config.notify)]
    return [text.removeprefix(": ") for text in found]


def _overrides(config: Config) -> Iterator[str]:
    """What rules say of phases that the plan has not."""
    phases = {(phase.peak, phase.name) for phase in config.peaks.phases}
    peaks = {peak for peak, _ in phases}
    for i, rule in enumerate(config.rules):
        for j, one in enumerate(rule.peaks):
            place = f"rules[{i}].peaks[{j}]"
            if one.peak != ANY_PEAK and one.peak not in peaks and not one.peak.startswith(UNPLANNED):
                yield f"{place}.peak: the plan has no peak {one.peak!r}{_known(peaks)}"
            elif one.phase is not None and not any(
                name == one.phase and one.peak in (ANY_PEAK, peak) for peak, name in phases
            ):
                names = [name for peak, name in phases if one.peak in (ANY_PEAK, peak)]
                yield f"{place}.phase: {one.peak} has no phase {one.phase!r}{_known(names)}"


def _unmet(config: Config) -> Iterator[str]:
    """Matchers of SLA rules that no clock can ever meet: they would keep a rule silent."""
    known = {name: values for name, values in _values(config).items() if name in ("clock", "policy")}
    known["priority"] = frozenset(get_args(Priority))
    for i, rule in enumerate(config.rules):
        if not isinstance(rule, SlaTicketRule | BreachWaveRule):
            continue
        for key, values in rule.match.items():
            for value in sorted(values - known.get(key, values) - {""}):
                yield f"rules[{i}].match.{key}: there is no {key} {value!r}{_known(known[key])}"


def _laxer(config: Config) -> Iterator[str]:
    """What a phase asks of a spike less than the rule itself does: the detector says nothing of such."""
    for i, rule in enumerate(config.rules):
        if not isinstance(rule, SpikeRule):
            continue
        own = own_settings(rule)
        shipped = {"min_ratio": own.min_ratio, "min_events": own.min_count, "evidence_nats": own.evidence_nats}
        for override in rule.peaks:
            for key, value in override.changes.items():
                usual = getattr(rule, key, None)
                usual = shipped.get(key) if usual is None else usual
                if key in shipped and value < usual:
                    when = " · ".join(name for name in (override.peak, override.phase) if name)
                    yield f"rules[{i}].{key}: {when} asks for {value:g}, the rule for {usual:g}: it can only be more"


def _matches(config: Config, routes: Iterable[Route]) -> Iterator[str]:
    """Matchers that no alert can ever meet."""
    known = _values(config)
    labels = {key for rule in config.rules for key in rule.labels}
    for i, route in enumerate(routes):
        for key, values in route.match.items():
            place = f"routes[{i}].match.{key}"
            if key in known:
                for value in sorted(values - known[key] - {""}):
                    if not (key in ("peak", "phase") and value.startswith((UNPLANNED, _UNPLANNED_TITLE))):
                        yield f"{place}: there is no {key} {value!r}{_known(known[key])}"
            elif key not in _FREE and key not in labels:
                yield f"{place}: no alert has it: it is no field of an alert, and no rule has such a label"


def _values(config: Config) -> dict[str, frozenset[str]]:
    phases = config.peaks.phases
    return {
        "severity": frozenset(SEVERITIES), "kind": frozenset(KINDS), "status": frozenset(STATUSES),
        "rule": frozenset({STORM_RULE, *(rule.name for rule in config.rules)}),
        "owner": frozenset(rule.owner for rule in config.rules if rule.owner),
        "peak": frozenset(phase.peak for phase in phases),
        "phase": frozenset(text for phase in phases for text in (phase.label, phase.name) if text),
        "storm": frozenset({"true"}), "clock": frozenset(CLOCKS), "topic": frozenset(SOURCES),
        "policy": frozenset(policy.name for policy in config.policies),
    }  # fmt: skip


def _reach(notify: NotifyConfig) -> Iterator[str]:
    """Whoever is to be paged must be one whom a channel can name."""
    for i, (name, roster) in enumerate(notify.rosters.items()):
        if not _people(roster):
            yield f"rosters[{i}]: nobody is ever on call by {name!r}: it has neither rotations nor overrides"
    found: dict[str, None] = {}  # a person may be missed by many routes in the same way
    for i, route in enumerate(notify.routes):
        channels = [notify.channels[one] for one in route.channels]
        if route.roster:
            for name in _people(notify.rosters[route.roster]):
                if text := _unreached(notify.people[name], channels, own=()):
                    found[f"routes[{i}].roster: {text}"] = None
        if not route.escalation:
            continue
        number = list(notify.escalations).index(route.escalation)
        for j, step in enumerate(notify.escalations[route.escalation].steps):
            there = [notify.channels[one] for one in step.channels] or channels
            for name in step.people or _people(notify.rosters[step.roster]):
                person = notify.people[name]
                if text := _unreached(person, there, own=[notify.channels[one] for one in person.channels]):
                    found[f"escalations[{number}].steps[{j}]: {text}"] = None
    yield from found


def _people(roster: Roster) -> list[str]:
    turns = [rotation.people for rotation in roster.rotations] + [override.people for override in roster.overrides]
    return list(dict.fromkeys(name for people in turns for name in people))


def _unreached(person: Person, channels: Collection[Channel], *, own: Collection[Channel]) -> str:
    """Why no message over these channels names the person; "" if one does."""
    usable = [one for one in (*channels, *own) if one.kind != "alertmanager"]
    if any(one in own or getattr(person, HANDLES.get(one.kind, "name")) for one in usable):
        return ""
    if not usable:
        return f"{person.name} hears nothing of it: there is no channel but Alertmanager"
    needed = ", ".join(dict.fromkeys(f"{HANDLES[one.kind]} for {one.name}" for one in usable))
    return f"{person.name} cannot be named: needs {needed}, or a channel that reaches {person.name} alone"


def _known(names: Iterable[str]) -> str:
    found = [name for name in dict.fromkeys(sorted(names)) if name]
    return f"; there are {', '.join(found[:12])}" if found else ""


_UNPLANNED_TITLE: Final = "计划外"
