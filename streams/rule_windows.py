"""The windows that threshold rules ask for: just their dimensions, lengths and figures.

Most panes then bring nothing, and what brings nothing costs nothing. Where the shortest window is long, panes are
joined: nobody needs an hour's share anew every ten seconds. Decides nothing: of the windows that changed it gives
those on which a rule may have something to say.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerts.detectors.threshold import ThresholdDetector, windows_of
from alerts.rhythm import PhaseAt, no_phase
from schemas.events import DIMENSIONS, Dims
from schemas.results import PANE_MS, WindowRow
from schemas.rules import Rule, ThresholdRule
from streams import figures as f
from streams import window_pages
from streams.dimensions import Dimensions, Key
from streams.panes import NO_DELTAS, Deltas, Ints, merge_deltas
from streams.rows import window_rows
from streams.windows import RollingWindows, RowBatch

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


# Figures that are a part of a whole, for which an array tells quickly whether a bound may be crossed.
_SHARES: Final[dict[str, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "negative_share": ((f.NEGATIVE,), (f.JUDGED,)),
    "agreement": ((f.AGREEING,), (f.COMPARED,)),
    "uncertain_share": ((f.NEUTRAL,), (f.JUDGED,)),
    "duplicate_share": ((f.DUPLICATES,), (f.REVIEWS,)),
    "sla_breach_rate": ((f.SLA_BREACHES,), (f.SLA_BREACHES, f.SLA_MET)),
}
_COUNTS: Final = frozenset({
    "reviews", "judged", "negative", "neutral", "complaints", "orders", "tickets_created", "sla_breaches", "sla_met",
    "sla_verdicts", "reopened", "compared",
})  # fmt: skip
SLACK: Final = 1e-5  # rows are rounded to six digits
STEPS: Final = 10  # a window need not be looked at more often in its own length
LONGEST_STEP: Final = 6  # panes


class RuleRow(NamedTuple):
    """A window that changed, and the rules that it was made for."""

    row: WindowRow
    rules: frozenset[str]


class RuleWindows:
    """Windows for the threshold rules, or none at all; rules that look at the same figures share theirs."""

    def __init__(self, rules: Iterable[Rule], *, phase_at: PhaseAt = no_phase) -> None:
        shared: dict[tuple[int, ...], list[ThresholdRule]] = {}
        for rule in rules:
            if isinstance(rule, ThresholdRule):
                shared.setdefault(_columns_of(rule), []).append(rule)
        self.groups = [_Group(columns, of, phase_at) for columns, of in shared.items()]

    def add(self, deltas: Deltas) -> None:
        """Take what the rules look at."""
        for group in self.groups:
            group.add(deltas)

    def reached(self) -> dict[str, int]:
        """By rule, the end up to which its windows were given, ms."""
        return {name: group.reached * PANE_MS for group in self.groups for name in group.names}

    def advance(self, to_pane: int, detectors: Iterable[ThresholdDetector]) -> Iterator[RuleRow]:
        """Windows that changed with the panes before `to_pane`, less those on which no rule has anything to say."""
        follows = [detector.follows for detector in detectors]
        for group in self.groups:
            for row in group.advance(to_pane, follows):
                yield RuleRow(row, group.names)


class _Group:
    """The windows of the rules that look at the same figures."""

    def __init__(self, columns: tuple[int, ...], rules: list[ThresholdRule], phase_at: PhaseAt) -> None:
        self.name = "-".join(map(str, columns))  # no two groups look at the same figures
        self.names = frozenset(rule.name for rule in rules)
        figures = {name for rule in rules for name in _figures(rule)}
        self._columns = list(columns)
        self._rules, self._phase_at = rules, phase_at
        self._sketches = any("_ms." in name for name in figures)
        self._words = "drift" in figures
        seconds = sorted({one for rule in rules for one in windows_of(rule)})
        self._step = min(LONGEST_STEP, max(1, seconds[0] * 1000 // PANE_MS // STEPS))
        dimensions = tuple(dict.fromkeys(name for rule in rules for name in rule.dimensions))
        self.windows = RollingWindows(Dimensions(dimensions), windows=tuple(seconds), history=False)
        self._waiting: list[Deltas] = []
        self.reached = 0  # panes before it were asked for
        asked = {part for name in dimensions for part in name.split("+")}
        self._asked = [name in asked for name in DIMENSIONS]

    def add(self, deltas: Deltas) -> None:
        """Take contributions; they wait for the next step, since a few large ones cost less than many small."""
        self._waiting.append(deltas)

    def settle(self) -> None:
        """Put what waits into the windows."""
        waiting, self._waiting = self._waiting, []
        deltas = merge_deltas(waiting)
        kept = np.flatnonzero(deltas.figures[:, self._columns].any(axis=1))
        sketched = deltas.sketches if self._sketches else []
        if not len(kept) and not sketched:
            return
        figures = np.zeros((len(kept), f.COLUMNS), np.int64)
        figures[:, self._columns] = deltas.figures[kept][:, self._columns]
        chosen = kept.tolist()
        self.windows.add(NO_DELTAS._replace(
            panes=[self._joined(deltas.panes[i]) for i in chosen],
            cells=[self._narrowed(deltas.cells[i]) for i in chosen],
            figures=figures,
            sketches=[
                one._replace(pane=self._joined(one.pane), cell=self._narrowed(one.cell)) for one in sketched
            ],
            words=deltas.words if self._words else (),
        ))  # fmt: skip

    def succeed(self, other: "_Group") -> None:
        """Go on from where a group for the same figures stands, which may have had other dimensions and lengths."""
        other.settle()
        self.reached = other.reached
        if (self.windows.names, self.windows.windows) == (other.windows.names, other.windows.windows):
            self.windows = other.windows
        else:
            window_pages.load(self.windows, dict(window_pages.dump_all(other.windows)))
            self.windows.touch()

    def advance(self, to_pane: int, follows: Sequence[Callable[[str, Key], bool]]) -> Iterator[WindowRow]:
        step = to_pane - to_pane % self._step
        if step <= self.reached:
            return
        self.reached = step
        self.settle()
        for batch in self.windows.advance(step):
            chosen = self._loud(batch, follows)
            if chosen:
                yield from window_rows(batch, version=0, chosen=chosen)

    def _narrowed(self, cell: Dims) -> Dims:
        """The cell without the dimensions that no rule asks for: few cells are left."""
        category, channel, region, tier, shop, product = [
            value if asked else "" for value, asked in zip(cell, self._asked, strict=True)
        ]
        return category, channel, region, tier, shop, product

    def _joined(self, pane: int) -> int:
        """The last of the panes that this one is joined with."""
        return pane - pane % self._step + self._step - 1

    def _loud(self, batch: RowBatch, follows: Sequence[Callable[[str, Key], bool]]) -> list[int]:
        """The keys on which a rule may speak, or has spoken."""
        loud: set[int] = set()
        for base in self._rules:
            if batch.window_seconds not in windows_of(base):
                continue
            rule = base.in_phase(self._phase_at(batch.window_end))
            loud.update(np.flatnonzero(_may_hold(rule, batch.figures)).tolist())
            loud.update(
                i for i, key in enumerate(batch.keys) if i not in loud and any(one(rule.name, key) for one in follows)
            )
        return list(loud)


def _may_hold(rule: ThresholdRule, figures: Ints) -> NDArray[Any]:
    """Where a rule's condition may hold, or (burn rates: two windows decide) where a window has a say."""
    everywhere = np.ones(len(figures), bool)
    if rule.count not in _COUNTS:
        return everywhere
    counted = figures[:, list(_COLUMNS[rule.count])].sum(axis=1)
    enough: NDArray[Any] = counted >= max(1, rule.min_count) if rule.burn_rate else counted >= rule.min_count
    if rule.burn_rate or rule.per is not None or rule.figure not in _SHARES:
        return enough
    part, whole = (figures[:, list(columns)].sum(axis=1) for columns in _SHARES[rule.figure])
    share = part / np.maximum(whole, 1)
    beyond = share > rule.above - SLACK if rule.above is not None else share < (rule.below or 0.0) + SLACK
    result: NDArray[Any] = enough & (whole > 0) & beyond
    return result


def _figures(rule: ThresholdRule) -> list[str]:
    return [name for name in (rule.figure, rule.per, rule.count) if name]


def _columns_of(rule: ThresholdRule) -> tuple[int, ...]:
    return tuple(sorted({column for name in _figures(rule) for column in _COLUMNS.get(name, ())}))
