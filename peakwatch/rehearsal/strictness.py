"""A rule made stricter or laxer by its main setting alone: the evidence, or the bound.

A level is a power of two: at level 1 twice the evidence, twice the count, twice the odds of a share; at -1 half of
it. What comes out is rounded, as somebody would write it down.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Final

from alerts.detectors.spikes.config import COMPLAINT, NEGATIVE
from schemas.rules import BreachWaveRule, Rule, SpikeRule, ThresholdRule
from schemas.rules.types import COUNT_FIGURES, DURATION_FIGURES, SHARE_FIGURES
from schemas.strict import show_ms

MOST_NATS: Final = 1000.0
_UNBOUNDED: Final = ("complaints_per_1k_orders",)


def at_level(rule: Rule, level: float) -> Rule | None:
    """The rule at a level; None if it has no such setting, or cannot go there."""
    if level == 0.0:
        return rule if setting_of(rule) else None
    if isinstance(rule, SpikeRule):
        nats = _tidy(_nats(rule) * 2.0**level)
        return dataclasses.replace(rule, evidence_nats=nats) if 0.0 < nats <= MOST_NATS else None
    if isinstance(rule, BreachWaveRule):
        return dataclasses.replace(rule, above=_counted(rule.above, level))
    if isinstance(rule, ThresholdRule):
        return _moved(rule, level)
    return None


def setting_of(rule: Rule) -> str:
    """The main setting as a rules file writes it, `evidence_nats: 11`; "" for rules that have none."""
    if isinstance(rule, SpikeRule):
        return f"evidence_nats: {_nats(rule):g}"
    if isinstance(rule, BreachWaveRule):
        return f"above: {rule.above:g}"
    if isinstance(rule, ThresholdRule):
        name, bound = ("above", rule.above) if rule.above is not None else ("below", rule.below)
        clear = "" if rule.clear_at is None else f", clear_at: {_shown(rule, rule.clear_at)}"
        return "" if bound is None else f"{name}: {_shown(rule, bound)}{clear}"
    return ""


def _moved(rule: ThresholdRule, level: float) -> ThresholdRule | None:
    move = _mover(rule)
    up = level if rule.above is not None else -level
    found: dict[str, Any] = {
        name: move(bound, up)
        for name in ("above", "below", "clear_at") if (bound := getattr(rule, name)) is not None
    }  # fmt: skip
    moved = dataclasses.replace(rule, **found)
    bound, before = (moved.above, rule.above) if rule.above is not None else (moved.below, rule.below)
    if bound is None or bound == before:
        return None
    clear = moved.clear_at
    if clear is not None and (clear > bound if rule.above is not None else clear < bound):
        moved = dataclasses.replace(moved, clear_at=bound)  # by the rounding
    factor = max((one.factor for one in rule.burn_rate), default=1.0)
    return None if _is_share(rule) and moved.above is not None and moved.above * factor >= 1.0 else moved


def _mover(rule: ThresholdRule) -> Callable[[float, float], float]:
    if _is_share(rule):
        return _odds
    if rule.per is None and rule.figure in COUNT_FIGURES:
        return _counted
    if rule.per is None and rule.figure in DURATION_FIGURES:
        return _lasting
    return lambda bound, level: _tidy(bound * 2.0**level)


def _is_share(rule: ThresholdRule) -> bool:
    return rule.per is None and rule.figure in SHARE_FIGURES and rule.figure not in _UNBOUNDED


def _odds(share: float, level: float) -> float:
    if not 0.0 < share < 1.0:
        return share
    odds = share / (1.0 - share) * 2.0**level
    found = odds / (1.0 + odds)
    return _tidy(found) if found < 0.5 else 1.0 - _tidy(1.0 - found)


def _counted(bound: float, level: float) -> float:
    """Of whole numbers: more than 0 becomes more than 1."""
    return float(max(0, round((bound + 1.0) * 2.0**level) - 1))


def _lasting(bound: float, level: float) -> float:
    unit = 60_000 if bound >= 600_000 else 1000
    return float(max(unit, round(bound * 2.0**level / unit) * unit))


def _tidy(value: float) -> float:
    """Two digits that count."""
    if value == 0.0:
        return 0.0
    digits = 1 - math.floor(math.log10(abs(value)))
    return round(value, digits)


def _nats(rule: SpikeRule) -> float:
    own = NEGATIVE if rule.kind == "negative_spike" else COMPLAINT
    return own.evidence_nats if rule.evidence_nats is None else rule.evidence_nats


def _shown(rule: ThresholdRule, bound: float) -> str:
    return show_ms(round(bound)) if rule.per is None and rule.figure in DURATION_FIGURES else f"{bound:g}"
