"""Policies: the target, calendar and warning of a ticket's clocks, chosen once, at its `created` (P1, P2)."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, get_args

from schemas.errors import ConfigError
from sla.working_time import ALWAYS, Calendar

ClockName = Literal["first_response", "resolution", "next_response"]
CLOCKS: Final[tuple[ClockName, ...]] = get_args(ClockName)
FIELDS: Final = (
    "category", "channel", "region", "customer_tier", "shop_id", "product_id", "priority", "queue",
)  # fmt: skip
PRIORITIES: Final = ("urgent", "high", "normal", "low")
DEFAULT_WARN_AT: Final = Decimal("0.8")

_KEYS = ("name", "clock", "match", "target", "calendar", "warn_at")
_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)

Match = tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. `warn_ms` is the warning's elapsed time (B4); `version` changes with anything it says."""

    name: str
    clock: ClockName
    match: Match
    target_ms: int
    calendar: Calendar
    warn_at: Decimal | None
    warn_ms: int | None
    version: str

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether every key of the match holds (P2)."""
        return all(_field(fields, field) in values for field, values in self.match)


def choose(policies: Iterable[Policy], fields: Mapping[str, str]) -> dict[ClockName, Policy]:
    """For each clock the first policy that matches; a clock without one is left out."""
    chosen: dict[ClockName, Policy] = {}
    for policy in policies:
        if policy.clock not in chosen and policy.holds(fields):
            chosen[policy.clock] = policy
    return chosen


def parse_policies(raw: object, calendars: Mapping[str, Calendar], *, source: str) -> tuple[Policy, ...]:
    """Policies in their order; ConfigError holds every mistake, as `source: policies[2].target: …`."""
    place = f"{source}: policies" if source else "policies"
    if not isinstance(raw, list):
        raise ConfigError([f"{place}: {_shown(raw)} is not a list of policies"])
    mistakes: list[str] = []
    policies: list[Policy] = []
    first_place: dict[str, str] = {}
    for index, definition in enumerate(raw):
        here = f"{place}[{index}]"
        policy = _Reader(here, mistakes, calendars).policy(definition)
        name = definition.get("name") if isinstance(definition, dict) else None
        if isinstance(name, str):
            if name in first_place:
                mistakes.append(f"{here}.name: {name} is the name of {first_place[name]} already")
            first_place.setdefault(name, f"policies[{index}]")
        if policy is not None:
            policies.append(policy)
    if mistakes:
        raise ConfigError(mistakes)
    return tuple(policies)


def make_policy(
    name: str,
    *,
    clock: ClockName,
    target_ms: int,
    calendar: Calendar = ALWAYS,
    match: Match = (),
    warn_at: Decimal | None = DEFAULT_WARN_AT,
) -> Policy:
    """A policy with its warning's elapsed time, ceil(target × warn_at) exactly, and its version."""
    warn_ms = None
    if warn_at is not None:
        numerator, denominator = warn_at.as_integer_ratio()
        warn_ms = -(-target_ms * numerator // denominator)
    said = [name, clock, [[field, sorted(values)] for field, values in match], target_ms, calendar.name,
            calendar.version, None if warn_at is None else str(warn_at.normalize())]  # fmt: skip
    version = hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()[:12]
    return Policy(name, clock, match, target_ms, calendar, warn_at, warn_ms, version)


class _Reader:
    """Reads one policy; gathers its mistakes."""

    def __init__(self, place: str, mistakes: list[str], calendars: Mapping[str, Calendar]) -> None:
        self._place = place
        self._mistakes = mistakes
        self._calendars = calendars

    def policy(self, definition: object) -> Policy | None:
        if not isinstance(definition, dict):
            self._wrong("", f"{_shown(definition)} is not a mapping with {', '.join(_KEYS)}")
            return None
        mistakes_before = len(self._mistakes)
        for key in definition:
            if key not in _KEYS:
                self._wrong("", f"{_shown(key)} is unknown, not one of {', '.join(_KEYS)}")
        name = definition.get("name")
        if not isinstance(name, str) or not name:
            self._wrong(".name", f"{_shown(name)} is not a name")
        clock = next((known for known in CLOCKS if known == definition.get("clock")), None)
        if clock is None:
            self._wrong(".clock", f"{_shown(definition.get('clock'))} is not one of {', '.join(CLOCKS)}")
        match = self._match(definition.get("match", {}))
        target_ms = self._target(definition.get("target"))
        calendar = self._calendar(definition.get("calendar", ALWAYS.name))
        warn_at = self._warn_at(definition["warn_at"]) if "warn_at" in definition else DEFAULT_WARN_AT
        if calendar is None or clock is None or len(self._mistakes) > mistakes_before:
            return None
        return make_policy(str(name), clock=clock, target_ms=target_ms, calendar=calendar, match=match, warn_at=warn_at)

    def _match(self, value: object) -> Match:
        if not isinstance(value, dict):
            self._wrong(".match", f"{_shown(value)} is not a mapping of fields to values")
            return ()
        match = []
        for field, wanted in value.items():
            if field not in FIELDS:
                self._wrong(".match", f"{_shown(field)} is unknown, not one of {', '.join(FIELDS)}")
                continue
            match.append((field, self._wanted(f".match.{field}", field, wanted)))
        return tuple(match)

    def _wanted(self, place: str, field: str, wanted: object) -> frozenset[str]:
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values:
            self._wrong(place, "an empty list matches nothing")
        known = []
        for value in values:
            if not isinstance(value, str):
                self._wrong(place, f"{_shown(value)} is not a string; put it in quotes")
            elif field == "priority" and value not in PRIORITIES:
                self._wrong(place, f"{value} is not one of {', '.join(PRIORITIES)}")
            else:
                known.append(value)
        return frozenset(known)

    def _target(self, value: object) -> int:
        match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
        if match is None:
            self._wrong(".target", f"{_shown(value)} is not a duration like 1h30m, in h, m and s")
            return 0
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        target_ms = (hours * 3600 + minutes * 60 + seconds) * 1000
        if target_ms == 0:
            self._wrong(".target", f"{value} is not more than nothing")
        return target_ms

    def _calendar(self, value: object) -> Calendar | None:
        if value == ALWAYS.name:
            return ALWAYS
        calendar = self._calendars.get(value) if isinstance(value, str) else None
        if calendar is None:
            known = ", ".join(sorted({*self._calendars, ALWAYS.name}))
            self._wrong(".calendar", f"{_shown(value)} is not a calendar; there are {known}")
        return calendar

    def _warn_at(self, value: object) -> Decimal | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
            self._wrong(".warn_at", f"{_shown(value)} is not between 0 and 1, nor null")
            return None
        return Decimal(repr(value))  # 0.8 as it is written, not as the nearest binary fraction

    def _wrong(self, place: str, text: str) -> None:
        self._mistakes.append(f"{self._place}{place}: {text}")


def _field(fields: Mapping[str, str], field: str) -> str:
    return fields.get(field) or ("normal" if field == "priority" else "")


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
