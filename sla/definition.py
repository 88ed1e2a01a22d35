"""A policy with its calendar as one line of text and back, so that what a ticket was promised outlives a new
configuration, and a line of the ledger can be recomputed."""

import json
from decimal import Decimal
from zoneinfo import ZoneInfo

from sla.policy import Policy, make_policy
from sla.working_time import ALWAYS, Calendar, WorkingHours

_WrittenSpans = list[list[int]]


def define(policy: Policy) -> str:
    """All that the policy says, its calendar's hours and days included; the same text for the same version."""
    calendar = policy.calendar
    hours = [calendar.name, *calendar.content()] if isinstance(calendar, WorkingHours) else None
    match = [[field, sorted(values)] for field, values in policy.match]
    warn_at = None if policy.warn_at is None else str(policy.warn_at)
    said = [policy.name, policy.clock, match, policy.target_ms, warn_at, hours]
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def restore(definition: str) -> Policy:
    """The policy that `define` was given, with the same version. KeyError, if its time zone is gone."""
    name, clock, match, target_ms, warn_at, hours = json.loads(definition)
    return make_policy(
        name,
        clock=clock,
        target_ms=target_ms,
        calendar=ALWAYS if hours is None else _calendar(*hours),
        match=tuple((field, frozenset(values)) for field, values in match),
        warn_at=None if warn_at is None else Decimal(warn_at),
    )


def _calendar(
    name: str, zone: str, week: list[list[list[int]]], days: list[tuple[int, int, list[list[int]]]]
) -> Calendar:
    return WorkingHours(
        name,
        zone=ZoneInfo(zone),
        week=[tuple((opens, closes) for opens, closes in spans) for spans in week],
        days={
            day: tuple((opens, closes) for opens, closes in spans)
            for first, last, spans in days
            for day in range(first, last + 1)
        },
    )
