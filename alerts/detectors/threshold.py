"""Thresholds on figures of rolling windows: a bound, a ratio of two figures, a burn rate over two windows.

A fold over window rows, which arrive when they change. `for` and all else about repeating is the lifecycle's.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from alerts.decision import Decision
from alerts.rhythm import PhaseAt, no_phase
from schemas.results import AlertKind, AlertSeverity, WindowRow
from schemas.rules import Rule, ThresholdRule, figure_of, matches, slice_parts

UPDATE_STEP: Final = 0.1  # relative move of the value after which the lifecycle is asked again

Slice = tuple[str, str, str]  # rule, dimension, value


class Reading(NamedTuple):
    """What one window showed last."""

    window_end: int
    value: float | None
    counted: float


class Holding(NamedTuple):
    """A condition that holds, as it was told last."""

    severity: AlertSeverity
    value: float
    bound: float


class ThresholdDetector:
    """All rules of one kind."""

    kind: ClassVar[AlertKind] = "threshold"

    def __init__(self, rules: Iterable[Rule], *, phase_at: PhaseAt = no_phase) -> None:
        self._phase_at = phase_at
        self._readings: dict[Slice, dict[int, Reading]] = {}
        self._holding: dict[Slice, Holding] = {}
        self.reconfigure(rules)

    def reconfigure(self, rules: Iterable[Rule]) -> None:
        """Go on with other rules; what holds under a rule of the same name goes on holding."""
        self._rules = {rule.name: rule for rule in rules if isinstance(rule, ThresholdRule) and rule.kind == self.kind}
        self._wanted: dict[tuple[str, int], list[ThresholdRule]] = {}
        for rule in self._rules.values():
            for dimension in rule.dimensions:
                for seconds in sorted(windows_of(rule)):
                    self._wanted.setdefault((dimension, seconds), []).append(rule)
        self._readings = {key: found for key, found in self._readings.items() if key[0] in self._rules}
        self._holding = {key: found for key, found in self._holding.items() if key[0] in self._rules}

    def follows(self, rule: str, key: tuple[str, str]) -> bool:
        """Whether something is remembered of a rule's slice (dimension, value), so that its next row counts."""
        return (rule, *key) in self._readings

    def on_window_row(self, row: WindowRow, *, of: Container[str] | None = None) -> list[Decision]:
        """What the row changes; rows of windows that no rule asks for cost one look-up.

        `of`: the rules that the row was made for; None: all.
        """
        rules = self._wanted.get((row.dimension, row.window_seconds))
        if not rules:
            return []
        out: list[Decision] = []
        for rule in rules:
            if of is not None and rule.name not in of:
                continue
            if rule.match and not matches(rule.match, slice_parts(row.dimension, row.value)):
                continue
            key = (rule.name, row.dimension, row.value)
            readings = self._readings.setdefault(key, {})
            known = readings.get(row.window_seconds)
            if known is not None and known.window_end > row.window_end:
                continue  # a late event changed an older window
            readings[row.window_seconds] = _reading(rule, row)
            out += self._judge(key, rule, row.window_end)
        return out

    def advance(self, reached: Mapping[str, int]) -> list[Decision]:
        """Clear what rests on windows that have run empty without a further row.

        `reached`: by rule, up to which end (ms) each of its windows that changed was given.
        """
        out: list[Decision] = []
        for key in sorted(self._holding):
            out += self._judge(key, self._rules[key[0]], reached.get(key[0], 0), only_clear=True)
        return out

    def dump(self) -> dict[str, Any]:
        """The state as plain values for `load`."""
        return {
            "readings": [
                [*key, [[seconds, *reading] for seconds, reading in sorted(found.items())]]
                for key, found in sorted(self._readings.items())
            ],
            "holding": [[*key, *holding] for key, holding in sorted(self._holding.items())],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` gave; what belongs to rules that are gone is left out."""
        self._readings = {
            (rule, dimension, value): {seconds: Reading(*rest) for seconds, *rest in found}
            for rule, dimension, value, found in state["readings"] if rule in self._rules
        }  # fmt: skip
        self._holding = {
            (rule, dimension, value): Holding(*said)
            for rule, dimension, value, *said in state["holding"] if rule in self._rules
        }  # fmt: skip

    def _judge(self, key: Slice, base: ThresholdRule, at: int, *, only_clear: bool = False) -> list[Decision]:
        rule = base.in_phase(self._phase_at(at))
        held = self._holding.get(key)
        readings = self._readings.get(key, {})
        found = _holds(rule, readings, at=at, held=held is not None) if rule.enabled else None
        if found is None:
            if held is None:
                if not base.burn_rate or not any(reading.counted or reading.value for reading in readings.values()):
                    self._readings.pop(key, None)
                return []
            del self._holding[key]
            # Under the bound that it was beyond: a phase that asks for more may have begun.
            return [self._decision(key, rule, "clear", at, held.value)._replace(baseline=held.bound)]
        value, _ = found
        if only_clear:
            return []
        if held is not None and held.severity == rule.severity and not _moved(held.value, value):
            return []
        decision = self._decision(key, rule, "update" if held else "raise", at, value)
        self._holding[key] = Holding(rule.severity, value, decision.baseline or 0.0)
        return [decision]

    def _decision(self, key: Slice, rule: ThresholdRule, state: Any, at: int, value: float) -> Decision:
        readings = self._readings.get(key, {})
        shortest = min(windows_of(rule))
        burn = _burning(rule, readings, at) if rule.burn_rate else None
        bound = rule.above if rule.above is not None else rule.below
        assert bound is not None
        evidence: dict[str, Any] = {
            "figure": rule.figure,
            "window_seconds": burn[0] if burn else shortest,
            "count": int(max((one.counted for one in readings.values()), default=0)),
            "windows": [{"window_seconds": seconds, "value": one.value} for seconds, one in sorted(readings.items())],
        }
        if rule.per is not None:
            evidence["per"] = rule.per
        if rule.below is not None:
            evidence["below"] = True
        return Decision(
            rule=rule.name, kind=self.kind, state=state, severity=rule.severity,
            labels={"dimension": key[1], "value": key[2]}, at=at,
            starts_at=at - shortest * 500, value=value,  # somewhere in the window: its middle
            baseline=bound * (burn[1] if burn else 1.0), evidence=evidence,
        )  # fmt: skip


def windows_of(rule: ThresholdRule) -> set[int]:
    """The lengths of the windows that a rule looks at, in seconds."""
    if not rule.burn_rate:
        return {rule.window_seconds}
    return {seconds for burn in rule.burn_rate for seconds in (burn.long_seconds, burn.short_seconds)}


def _reading(rule: ThresholdRule, row: WindowRow) -> Reading:
    value = figure_of(row, rule.figure)
    if rule.per is not None and value is not None:
        divisor = figure_of(row, rule.per)
        value = value / divisor if divisor else None
    return Reading(row.window_end, value, figure_of(row, rule.count) or 0.0)


def _holds(rule: ThresholdRule, readings: dict[int, Reading], *, at: int, held: bool) -> tuple[float, float] | None:
    """Value and bound if the condition holds; one that was told holds on as far as `clear_at`."""
    up = rule.above is not None
    bound = rule.above if rule.above is not None else rule.below
    assert bound is not None
    limit = rule.clear_at if held and rule.clear_at is not None else bound
    pairs = [(burn.long_seconds, burn.short_seconds, burn.factor) for burn in rule.burn_rate]
    for long, short, factor in pairs or [(rule.window_seconds, rule.window_seconds, 1.0)]:
        values = [_fresh(readings.get(seconds), seconds, rule, at) for seconds in (long, short)]
        if all(value is not None and (value > limit * factor if up else value < limit) for value in values):
            assert values[1] is not None
            return values[1], bound * factor
    return None


def _fresh(reading: Reading | None, seconds: int, rule: ThresholdRule, at: int) -> float | None:
    """A window's value, unless it has too little in it, or must have run empty by now."""
    if reading is None or reading.counted < rule.min_count or reading.window_end + seconds * 1000 <= at:
        return None
    return reading.value


def _burning(rule: ThresholdRule, readings: dict[int, Reading], at: int) -> tuple[int, float]:
    """The short window and the factor of the pair that burns; of none the first."""
    assert rule.above is not None
    for burn in rule.burn_rate:
        seconds = (burn.long_seconds, burn.short_seconds)
        values = [_fresh(readings.get(one), one, rule, at) for one in seconds]
        if all(value is not None and value > rule.above * burn.factor for value in values):
            return burn.short_seconds, burn.factor
    return rule.burn_rate[0].short_seconds, rule.burn_rate[0].factor


def _moved(said: float, value: float) -> bool:
    return abs(value - said) > UPDATE_STEP * max(abs(said), 1e-9)
