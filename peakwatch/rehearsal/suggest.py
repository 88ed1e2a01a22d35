"""Which settings would have made a wished number of pages a week, and what that would have cost.

All rules are tried at each level of strictness at once, so that they meet each other as they will. Then they are made
stricter one step at a time: always the step that loses least for each page that it saves. What is lost is counted in
the hours that the lost alerts lasted, weighed by severity. With pages to spare, the step comes first that gains most.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from peakwatch.rehearsal.compare import Found, longest, match
from peakwatch.rehearsal.incidents import Incident
from peakwatch.rehearsal.report import WEEK_MS, Night, Report
from peakwatch.rehearsal.strictness import at_level, setting_of
from schemas.rules import FeedSilentRule, Rule

STRICTER: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
LAXER: Final = (-0.5, -1.0, -1.5, -2.0)
WEIGHT: Final[Mapping[str, float]] = {"info": 0.2, "warning": 1.0, "critical": 3.0}
MIN_LASTED_MS: Final = 10 * 60_000  # a short alert, too, is worth something
ROUNDS: Final = 2  # of halving between levels
MAX_TRIES: Final = 3

Told = tuple[Report, Sequence[Incident]]
Run = Callable[[Sequence[Rule]], Told]


class Outcome(NamedTuple):
    """What one rule came to at one level."""

    setting: str
    pages: int
    worth: float  # of the alerts, against those of the present setting: hours, weighed


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One rule: what it says now, and what it would."""

    rule: str
    setting: str
    suggested: str
    pages: int
    pages_then: int
    tried: tuple[tuple[str, int], ...]  # every setting tried, and its pages, from lax to strict


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer."""

    wished_per_week: float
    wished: float  # in the time of the replay
    pages: int
    pages_then: int
    reached: bool
    fixed: int  # pages of rules that have no such setting; beyond the wish, the others are made to keep it alone
    rules: tuple[Suggestion, ...]
    lost: tuple[Found, ...]  # alerts that nobody would have been told of any more, the longest-lived first
    gained: tuple[Found, ...]


def advise(
    rules: Sequence[Rule], now: Told, *, per_week: float, run: Run, night: Night, span_ms: int, ended_ms: int
) -> Advice:
    """Try settings by `run`, which rehearses a set of rules over the same events."""
    wished = per_week * span_ms / WEEK_MS
    movable = [rule for rule in rules if rule.enabled and setting_of(rule)]
    fixed = now[0].pages - sum(pages_of(now[0], rule.name) for rule in movable)
    aim = wished - fixed if fixed < wished else wished
    sweep = Sweep(movable, [rule for rule in rules if isinstance(rule, FeedSilentRule)], now, run, ended_ms)
    sweep.along(STRICTER if now[0].pages > wished else LAXER)
    for _ in range(ROUNDS):
        sweep.between(choose(sweep.curves, aim))
    chosen, told = dict.fromkeys(sweep.curves, 0.0), now
    for _ in range(MAX_TRIES):
        before, chosen = chosen, choose(sweep.curves, aim)
        if chosen == before:
            break
        made = [at_level(rule, chosen[rule.name]) or rule if rule.name in chosen else rule for rule in rules]
        told = run(made) if any(chosen.values()) else now
        if told[0].pages <= max(wished, aim + fixed):
            break
        foretold = sum(sweep.curves[name][level].pages for name, level in chosen.items())
        aim = min(aim, float(foretold)) - 1.0  # rules meet: what one no longer says another may
    found = match(told[1], now[1], rules=rules)
    return Advice(
        per_week, round(wished, 2), now[0].pages, told[0].pages, told[0].pages <= wished, fixed,
        tuple(_suggestion(name, sweep.curves[name], chosen[name], told[0]) for name in sorted(sweep.curves)),
        longest(found.only_second, night, ended_ms), longest(found.only_first, night, ended_ms),
    )  # fmt: skip


class Sweep:
    """Tries levels, and keeps what each rule came to at each. Silent feeds are watched as well, since they inhibit."""

    def __init__(
        self, movable: Sequence[Rule], besides: Sequence[Rule], now: Told, run: Run, ended_ms: int
    ) -> None:  # fmt: skip
        self._rules = {rule.name: rule for rule in movable}
        self._besides, self._now, self._run, self._ended_ms = besides, now, run, ended_ms
        self.curves = {
            name: {0.0: Outcome(setting_of(rule), pages_of(now[0], name), 0.0)} for name, rule in self._rules.items()
        }

    def along(self, levels: Sequence[float]) -> None:
        """Try levels farther and farther from 0, as long as there is anything to gain."""
        for level in levels:
            names = [name for name, curve in self.curves.items() if level < 0 or _last(curve).pages]
            if not self._try(dict.fromkeys(names, level)):
                break

    def between(self, chosen: Mapping[str, float]) -> None:
        """Try the middle between each chosen level and the next laxer one that was tried."""
        middle = {}
        for name, level in chosen.items():
            laxer = max((one for one in self.curves[name] if one < level), default=None)
            if laxer is not None and self.curves[name][laxer].pages > self.curves[name][level].pages + 1:
                middle[name] = (laxer + level) / 2
        self._try(middle)

    def _try(self, levels: Mapping[str, float]) -> bool:
        made = {name: at_level(self._rules[name], level) for name, level in levels.items()}
        moved = {name: rule for name, rule in made.items() if rule is not None}
        if not moved:
            return False
        told = self._run([*moved.values(), *self._besides])
        found = match(told[1], self._now[1], rules=list(moved.values()))
        for name, rule in moved.items():
            worth = _worth(found.only_first, name, self._ended_ms) - _worth(found.only_second, name, self._ended_ms)
            self.curves[name][levels[name]] = Outcome(setting_of(rule), pages_of(told[0], name), worth)
        return True


def choose(curves: Mapping[str, Mapping[float, Outcome]], aim: float) -> dict[str, float]:
    """A level for each rule, so that all together make no more pages than `aim`, if any levels do."""
    at = dict.fromkeys(curves, 0.0)

    def total() -> int:
        return sum(curves[name][level].pages for name, level in at.items())

    while total() > aim:
        steps = list(_steps(curves, at, stricter=True))
        if not steps:
            break
        _, level, name = min(steps, key=lambda step: (step[0], step[1], step[2]))
        at[name] = level
    while (spare := aim - total()) > 0:
        gains = [
            (-worth, -level, name) for worth, level, name in _steps(curves, at, stricter=False)
            if curves[name][level].pages - curves[name][at[name]].pages <= spare
        ]  # fmt: skip
        if not gains:
            break
        _, level, name = min(gains)
        at[name] = -level
    return at


def _steps(
    curves: Mapping[str, Mapping[float, Outcome]], at: Mapping[str, float], *, stricter: bool
) -> Iterable[tuple[float, float, str]]:
    """Worth lost (gained) for each page saved (made), the level that it leads to, and the rule."""
    for name, curve in curves.items():
        here = curve[at[name]]
        for level, there in curve.items():
            pages = here.pages - there.pages
            if stricter and level > at[name] and pages > 0:
                yield (here.worth - there.worth) / pages, level, name
            elif not stricter and level < at[name] and pages < 0:
                yield (there.worth - here.worth) / -pages, level, name


def _last(curve: Mapping[float, Outcome]) -> Outcome:
    return curve[max(curve)]


def _worth(incidents: Iterable[Incident], rule: str, ended_ms: int) -> float:
    return sum(
        max(MIN_LASTED_MS, one.lasted_ms(ended_ms)) / 3_600_000 * WEIGHT[one.severity]
        for one in incidents if one.rule == rule
    )  # fmt: skip


def pages_of(report: Report, rule: str) -> int:
    """A rule's pages; 0 if it said nothing."""
    return next((one.pages for one in report.rules if one.name == rule), 0)


def _suggestion(name: str, curve: Mapping[float, Outcome], level: float, told: Report) -> Suggestion:
    tried = tuple((curve[one].setting, curve[one].pages) for one in sorted(curve))
    return Suggestion(name, curve[0.0].setting, curve[level].setting, curve[0.0].pages, pages_of(told, name), tried)
