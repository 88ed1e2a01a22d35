"""Which routes an alert takes, what of its life each route wants to hear, and who is named in the message."""

from collections.abc import Mapping
from typing import Final

from alerts.notify.shifts import on_call
from schemas.notify import NotifyConfig, Route
from schemas.results import Alert

# Said for the record, or because a person just did it: no reason to ring a phone.
MINOR: Final = frozenset({"note", "snoozed", "muted", "quotes", "moved"})


def fields_of(alert: Alert) -> dict[str, frozenset[str]]:
    """What a route may match: the alert's labels, and over them what is said of every alert.

    `phase` is both the phase's whole label (`双11 · 开门红`) and its last part (`开门红`).
    """
    evidence = alert.evidence
    phase = str(evidence.get("phase", ""))
    fields = {key: frozenset({value}) for key, value in alert.labels.items()}
    for key, value in (
        ("severity", alert.severity), ("kind", alert.kind), ("rule", alert.rule), ("status", alert.status),
        ("peak", alert.peak or ""), ("owner", str(evidence.get("owner", ""))),
        ("storm", "true" if evidence.get("storm") else ""),
    ):  # fmt: skip
        fields[key] = frozenset({value})
    if "queue" not in fields:
        fields["queue"] = frozenset({str(evidence.get("queue", ""))})
    fields["phase"] = frozenset({phase, phase.rpartition(" · ")[2]})
    return fields


def routes_of(alert: Alert, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """The first route that matches, and those after it that match while each says `continue`."""
    fields = fields_of(alert)
    found = []
    for route in routes:
        if _matches(route.match, fields):
            found.append(route)
            if not route.go_on:
                break
    return tuple(found)


def wants(route: Route, alert: Alert) -> bool:
    """Whether a route's channels hear of this transition."""
    if alert.status == "resolved":
        return route.resolved
    if alert.status == "firing" or route.updates == "all":
        return True
    return route.updates == "important" and alert.reason not in MINOR


def named_in(config: NotifyConfig, route: Route, *, at_ms: int, phase_roster: str = "") -> tuple[str, ...]:
    """Who is on call for a route; a roster that the promotion's phase names stands in for the route's own."""
    roster = config.rosters.get(phase_roster) or config.rosters.get(route.roster)
    return on_call(roster, at_ms) if roster is not None and route.roster else ()


def _matches(match: Mapping[str, frozenset[str]], fields: Mapping[str, frozenset[str]]) -> bool:
    nothing = frozenset({""})
    return all(values & fields.get(key, nothing) for key, values in match.items())
