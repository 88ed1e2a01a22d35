"""Which peak it is: the planned phase, or one that nobody planned, recognised from volume and named so.

Unplanned: ten minutes hold at least `RISE` times what the same minutes held on the days before (on the first
day twice that of the hours before), and the excess is no chance. It ends when for twenty minutes it is under
`FALL` times.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from schemas.instants import format_instant
from schemas.peaks import Peaks, Phase
from schemas.results import PANE_MS, PeakPhase
from schemas.zones import wall_ms

SLOT_MS: Final = 600_000  # ten minutes
SLOTS: Final = 144
RISE: Final = 3.0
FALL: Final = 1.8
CALM_SLOTS: Final = 2
LEAST_EVENTS: Final = 100  # in ten minutes: below, three times nothing is nothing
NATS: Final = 12.0  # evidence that the rise is no chance, after over-dispersion
DISPERSION: Final = 10.0
KEPT: Final = 0.7  # of the days before, each day: memory of about three days
HOURS_NEEDED: Final = 12  # slots of history before anything is called a peak
UNPLANNED: Final = "unplanned"
TITLE: Final = "计划外高峰"


class Peak:
    """The phase in force: the plan's, else an unplanned one. `phase_at` fits wherever the plan's own does."""

    def __init__(self, plan: Peaks, *, watch: "PeakWatch | None" = None) -> None:
        self.plan = plan
        self.watch = watch or PeakWatch(plan.timezone)

    def phase_at(self, ms: int) -> Phase | None:
        """The phase that holds at an instant, as far as it is known by now."""
        return self.plan.phase_at(ms) or self.watch.phase_at(ms)

    def feed(self, counts: Mapping[tuple[str, str, int], int]) -> None:
        """Events by topic, channel and pane number since the epoch; panes of planned peaks teach nothing."""
        panes: dict[int, int] = {}
        for (_, _, pane), count in counts.items():
            panes[pane] = panes.get(pane, 0) + count
        for pane, count in sorted(panes.items()):
            planned = self.plan.phase_at(pane * PANE_MS) is not None
            self.watch.feed(pane, count, planned=planned)

    def dump(self) -> dict[str, Any]:
        """What was learnt of volume, for `load`; the plan is configuration."""
        return self.watch.dump()

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` gave."""
        self.watch.load(state)


class PeakWatch:
    """Recognises peaks from volume. Pure: time moves with the panes that it is fed."""

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._usual = [0.0] * SLOTS  # events in a slot of the day, of the days before
        self._weight = [0.0] * SLOTS
        self._history = 0  # slots seen
        self._level = 0.0  # events a slot, of the last hours
        self._slot = -1
        self._count = 0
        self._planned = False
        self._began: int | None = None
        self._calm = 0
        self._over: list[tuple[int, int]] = []  # recent peaks: from, to

    def feed(self, pane: int, count: int, *, planned: bool = False) -> None:
        """One pane's events; late ones of a slot that is over are left out."""
        slot = pane * PANE_MS // SLOT_MS
        if slot < self._slot:
            return
        if slot > self._slot:
            if self._slot >= 0:
                self._close()
                for missed in range(self._slot + 1, min(slot, self._slot + SLOTS)):
                    self._slot, self._count = missed, 0
                    self._close()
            self._slot, self._count, self._planned = slot, 0, planned
        self._count += count
        self._planned = self._planned or planned

    def phase_at(self, ms: int) -> Phase | None:
        """The unplanned peak that held at an instant, named after the day on which it began."""
        for begin, end in [*self._over, *([(self._began, -1)] if self._began is not None else [])]:
            if begin <= ms and (ms < end or end < 0):
                return Phase(
                    peak=f"{UNPLANNED}-{_day(self._timezone, begin)}", title=TITLE, name="",
                    start_ms=begin, end_ms=end if end >= 0 else ms + SLOT_MS, planned=False,
                )  # fmt: skip
        return None

    def rows(self) -> list[PeakPhase]:
        """The peaks of late for the store; one that goes on ends, so far, with the ten minutes that are counted now."""
        open_till = (self._slot + 1) * SLOT_MS
        spans = [*self._over, *([(self._began, open_till)] if self._began is not None else [])]
        return [
            PeakPhase(f"{UNPLANNED}-{_day(self._timezone, begin)}", _day(self._timezone, begin)[:4],
                      format_instant(begin)[11:16], begin, end, TITLE)
            for begin, end in spans
        ]  # fmt: skip

    def dump(self) -> dict[str, Any]:
        """The state as plain values for `load`."""
        return {
            "usual": self._usual, "weight": self._weight, "over": [list(one) for one in self._over],
            "now": [
                self._history, self._level, self._slot, self._count, self._planned, self._began, self._calm,
            ],
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` gave."""
        self._usual, self._weight = list(state["usual"]), list(state["weight"])
        self._over = [(begin, end) for begin, end in state["over"]]
        self._history, self._level, self._slot, self._count = state["now"][:4]
        self._planned, self._began, self._calm = state["now"][4:]

    def _close(self) -> None:
        """A slot is over: is it a peak, and what does it teach?"""
        begin = self._slot * SLOT_MS
        of_day = wall_ms(self._timezone, begin) // SLOT_MS % SLOTS
        usual = self._expected(of_day)
        known = self._history >= HOURS_NEEDED and not self._planned
        if self._began is None:
            if known and self._count >= RISE * usual and _surprise(self._count, usual) >= NATS:
                self._began, self._calm = begin, 0
        else:
            self._calm = self._calm + 1 if self._count < FALL * usual or self._planned else 0
            if self._calm >= CALM_SLOTS:
                self._over = [*self._over, (self._began, begin + SLOT_MS)][-20:]
                self._began = None
        if self._began is None and not self._planned:
            self._learn(of_day)

    def _learn(self, of_day: int) -> None:
        self._history += 1
        self._usual[of_day] = self._usual[of_day] * KEPT + self._count
        self._weight[of_day] = self._weight[of_day] * KEPT + 1.0
        self._level += (self._count - self._level) / min(self._history, HOURS_NEEDED)

    def _expected(self, of_day: int) -> float:
        """Events usual in a slot: as on the days before, smoothed; the first day, as of late."""
        near = [(of_day + step) % SLOTS for step in (-1, 0, 1)]
        weight = sum(self._weight[one] for one in near)
        if self._weight[of_day] <= 0.0:
            return 2.0 * self._level  # a morning rises too
        return max(sum(self._usual[one] for one in near) / weight, self._level / RISE)


def _surprise(count: int, usual: float) -> float:
    """Log-likelihood ratio of a Poisson count to the usual, over the dispersion; -inf below the floor."""
    if count < LEAST_EVENTS:
        return -math.inf
    usual = max(usual, 1.0)
    return (count * math.log(count / usual) - (count - usual)) / DISPERSION


def _day(timezone: str, at: int) -> str:
    return format_instant(wall_ms(timezone, at), offset_minutes=0)[:10]
