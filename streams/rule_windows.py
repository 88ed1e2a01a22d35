"""The windows that threshold rules ask for: just their dimensions, lengths and figures.

Most panes then bring nothing, and what brings nothing costs nothing.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from schemas.rules import Rule, ThresholdRule
from streams import figures as f
from streams.dimensions import Dimensions
from streams.panes import NO_DELTAS, Deltas
from streams.windows import RollingWindows

_COLUMNS: Final[dict[str, tuple[int, ...]]] = {
    "reviews": (f.REVIEWS,),
    "judged": (f.JUDGED,),
    "negative": (f.NEGATIVE,),
    "neutral": (f.NEUTRAL,),
    "complaints": (f.COMPLAINTS,),
    "orders": (f.ORDERS,),
    "tickets_created": (f.CREATED,),
    "tickets_open": (f.OPEN_CHANGE,),
    "sla_breaches": (f.SLA_BREACHES,),
    "sla_met": (f.SLA_MET,),
    "sla_verdicts": (f.SLA_BREACHES, f.SLA_MET),
    "reopened": (f.REOPENED,),
    "negative_share": (f.NEGATIVE, f.JUDGED),
    "sentiment_mean": (f.SENTIMENT_MICROS, f.JUDGED),
    "rating_mean": (f.RATINGS, f.RATING_MICROS),
    "satisfaction": (f.CSATS, f.CSAT_MICROS),
    "complaints_per_1k_orders": (f.COMPLAINTS, f.ORDERS),
    "sla_breach_rate": (f.SLA_BREACHES, f.SLA_MET),
    "agreement": (f.COMPARED, f.AGREEING),
    "compared": (f.COMPARED,),
    "invalid_share": (f.REVIEWS, f.JUDGED),
    "uncertain_share": (f.NEUTRAL, f.JUDGED),
    "duplicate_share": (f.DUPLICATES, f.REVIEWS),
    "drift": (f.JUDGED,),  # the words have counts of their own; these wake the windows
}


class RuleWindows:
    """Windows for the threshold rules, or none at all."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        wanted = [rule for rule in rules if isinstance(rule, ThresholdRule)]
        names = tuple(dict.fromkeys(name for rule in wanted for name in rule.dimensions))
        seconds = {rule.window_seconds for rule in wanted if not rule.burn_rate}
        for rule in wanted:
            for burn in rule.burn_rate:
                seconds |= {burn.long_seconds, burn.short_seconds}
        figures = {name for rule in wanted for name in (rule.figure, rule.per, rule.count) if name}
        self._sketches = any("_ms." in name for name in figures)
        self._words = "drift" in figures
        self._columns = sorted({column for name in figures for column in _COLUMNS.get(name, ())})
        self.windows = RollingWindows(Dimensions(names), windows=tuple(sorted(seconds)) or (60,))

    def add(self, deltas: Deltas) -> None:
        """Take what the rules look at."""
        sketched = deltas.sketches if self._sketches else []
        kept = np.flatnonzero(deltas.figures[:, self._columns].any(axis=1))
        if not len(kept):
            self.windows.add(NO_DELTAS._replace(sketches=sketched))
            return
        words = deltas.words if self._words else ()
        figures = np.zeros((len(kept), f.COLUMNS), np.int64)
        figures[:, self._columns] = deltas.figures[kept][:, self._columns]
        chosen = kept.tolist()
        self.windows.add(
            Deltas([deltas.panes[i] for i in chosen], [deltas.cells[i] for i in chosen], figures, sketched, words)
        )
