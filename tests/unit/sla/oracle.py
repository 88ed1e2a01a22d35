"""SLA clocks a second time, naively, from the rules alone: the judge of `sla/`, of which it imports nothing.

A calendar is a table of minutes, each asked of the zone's wall clock (K3). A clock is a list of the stretches in
which it ran, and an instant is found by halving on "is the time elapsed until then enough?".
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from math import ceil
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

MINUTE = 60_000
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Line(NamedTuple):
    ticket_id: str
    clock: str
    cycle: int
    policy: str
    target_ms: int
    elapsed_ms: int
    state: str
    breached_at: int | None
    warned_at: int | None


class MinuteCalendar:
    """Open or not, minute by minute, between two dates; closed before and after."""

    def __init__(self, definition: dict[str, Any], first: date, last: date) -> None:
        self.definition = definition
        self.zone = ZoneInfo(definition["timezone"])
        self.begin = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) // 60
        minutes = (last - first).days * 1440
        self.hours: dict[date, list[tuple[int, int]]] = {}
        self.open = [self.is_open(self.begin + i) for i in range(minutes)]
        self.before = [0, *accumulate(self.open)]

    def is_open(self, minute: int) -> bool:
        wall = datetime.fromtimestamp(minute * 60, self.zone)
        if wall.date() not in self.hours:
            self.hours[wall.date()] = self.hours_of(wall.date())
        now = wall.hour * 60 + wall.minute
        return any(opens <= now < closes for opens, closes in self.hours[wall.date()])

    def hours_of(self, day: date) -> list[tuple[int, int]]:
        for dates, hours in self.definition.get("special", {}).items():
            if covers(dates, day):
                return spans(hours)
        if any(covers(dates, day) for dates in self.definition.get("workdays", [])):
            return next((found for name in WEEK if (found := self.weekly(name))), [])
        if any(covers(dates, day) for dates in self.definition.get("holidays", [])):
            return []
        return self.weekly(WEEK[day.weekday()])

    def weekly(self, name: str) -> list[tuple[int, int]]:
        for key, hours in self.definition["hours"].items():
            first, _, last = key.partition("-")
            days = WEEK[WEEK.index(first) : WEEK.index(last or first) + 1]
            if name in days:
                return spans(hours)
        return []

    def elapsed(self, start: int, end: int) -> int:
        return self.until(end) - self.until(start)

    def until(self, at: int) -> int:
        minute, rest = divmod(at - self.begin * MINUTE, MINUTE)
        return self.before[minute] * MINUTE + (rest if self.open[minute] else 0)


class EveryMinute:
    def elapsed(self, start: int, end: int) -> int:
        return end - start


def covers(dates: Any, day: date) -> bool:
    first, _, last = str(dates).partition("..")
    return date.fromisoformat(first) <= day <= date.fromisoformat(last or first)


def spans(hours: Any) -> list[tuple[int, int]]:
    if hours == "closed":
        return []
    if isinstance(hours, list):
        return [span for item in hours for span in spans(item)]
    return [tuple(int(time[:2]) * 60 + int(time[3:]) for time in hours.split("-"))]  # type: ignore[list-item]  # pairs


def clocks_of(
    ticket_id: str, steps: list[dict[str, Any]], policies: list[dict[str, Any]], calendars: dict[str, Any], end: int
) -> list[Line]:
    """The ticket's `--sla` lines. `steps` are in order of arrival; each has at, action, fields, perhaps seq, bot."""
    ordered = sorted(enumerate(steps), key=lambda item: (item[1]["at"], item[1].get("seq") or 0, item[0]))
    in_order = [step for _, step in ordered]
    created = next((step for step in in_order if step["action"] == "created"), None)
    if created is None:
        return []
    start = created["at"]
    others = [(max(step["at"], start), step) for step in in_order if step["action"] != "created"]
    lines = []
    for clock in ("first_response", "next_response", "resolution"):
        policy = next((policy for policy in policies if policy["clock"] == clock and holds(policy, created)), None)
        if policy is None:
            continue
        for cycle, (began, running, stopped) in enumerate(RUNNING[clock](start, others), start=1):
            calendar = calendars[policy.get("calendar", "always")]
            number = cycle if clock == "next_response" else 0
            lines.append(verdict(ticket_id, policy, number, calendar, began, running, stopped, end))
    return lines


def holds(policy: dict[str, Any], created: dict[str, Any]) -> bool:
    for field, wanted in policy.get("match", {}).items():
        value = created["fields"].get(field, "normal" if field == "priority" else "")
        if value not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def verdict(
    ticket_id: str, policy: dict[str, Any], cycle: int, calendar: Any,
    began: int, running: list[tuple[int, int | None]], stopped: bool, end: int,
) -> Line:  # fmt: skip
    def elapsed(at: int) -> int:
        total = 0
        for begin, finish in running:
            until = at if finish is None else min(at, finish)
            if until > begin:
                total += calendar.elapsed(begin, until)
        return total

    def first_instant(work: int) -> int | None:
        if elapsed(end) < work:
            return None
        return bisect_left(range(began, end + 1), True, key=lambda at: elapsed(at) >= work) + began

    target = policy["target_ms"]
    breached_at = first_instant(target)
    warn_at = policy.get("warn_at", 0.8)
    warned_at = None if warn_at is None else first_instant(ceil(target * Fraction(str(warn_at))))
    state = "breached" if breached_at is not None else "met" if stopped else "running"
    return Line(ticket_id, policy["clock"], cycle, policy["name"], target, elapsed(end), state, breached_at, warned_at)


def is_reply(step: dict[str, Any]) -> bool:
    return step["action"] in ("first_response", "agent_reply") and not step.get("bot")


def is_end(step: dict[str, Any]) -> bool:
    return step["action"] in ("resolved", "closed")


Runs = list[tuple[int, list[tuple[int, int | None]], bool]]


def first_response(start: int, steps: list[tuple[int, dict[str, Any]]]) -> Runs:
    stop = next((at for at, step in steps if is_reply(step) or is_end(step)), None)
    return [(start, [(start, stop)], stop is not None)]


def resolution(start: int, steps: list[tuple[int, dict[str, Any]]]) -> Runs:
    running: list[tuple[int, int | None]] = []
    begin: int | None = start
    solved = waiting = False
    for at, step in steps:
        action = step["action"]
        if solved:
            if action == "reopened":
                solved, begin = False, at
            continue
        if is_end(step):
            if begin is not None:
                running.append((begin, at))
            solved, waiting, begin = True, False, None
        elif action == "pending" and not waiting:
            assert begin is not None
            running.append((begin, at))
            waiting, begin = True, None
        elif action in ("resumed", "customer_reply") and waiting:
            waiting, begin = False, at
    if begin is not None:
        running.append((begin, None))
    return [(start, running, solved)]


def next_response(start: int, steps: list[tuple[int, dict[str, Any]]]) -> Runs:
    runs: Runs = []
    asked: int | None = None
    solved = False
    for at, step in steps:
        if step["action"] == "customer_reply" and asked is None and not solved:
            asked = at
        elif asked is not None and (is_reply(step) or is_end(step)):
            runs.append((asked, [(asked, at)], True))
            asked = None
        if is_end(step):
            solved = True
        elif step["action"] == "reopened":
            solved = False
    if asked is not None:
        runs.append((asked, [(asked, None)], False))
    return runs


RUNNING = {"first_response": first_response, "resolution": resolution, "next_response": next_response}


def calendar_span(definition: dict[str, Any], first: date, days: int) -> MinuteCalendar:
    return MinuteCalendar(definition, first, first + timedelta(days=days))
