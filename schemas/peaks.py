"""The promotion plan: peaks, their phases with dates, what is expected then, and what counts differently.

Phases of one file may not overlap, so that an instant has one phase. Unplanned peaks are left to
`alerts/peaks.py`.
"""

import bisect
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.instants import format_instant
from schemas.strict import Fields, Mistakes, Node
from schemas.zones import DEFAULT_ZONE, instant_of_wall, read_wall, read_zone

_NO_NODES: Final[list[Node]] = []
VOLUMES: Final = ("reviews", "complaints", "tickets", "orders")


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """One phase of a peak, from `start_ms` to `end_ms` (open)."""

    peak: str
    title: str  # the peak's name as people say it
    name: str  # 预售, 尾款 …; '' for a peak without phases
    start_ms: int
    end_ms: int
    multipliers: Mapping[str, float] = field(default_factory=dict)  # volume over an ordinary day's, by topic
    rules: Mapping[str, Node] = field(default_factory=dict)  # by rule: what it says instead, yet unchecked
    sla_targets: Mapping[str, int] = field(default_factory=dict)  # policy name -> target in ms
    roster: str = ""
    planned: bool = True
    place: str = ""  # in its file

    def expected(self, topic: str) -> float:
        """By how much this topic's volume is expected to exceed an ordinary day's."""
        return self.multipliers.get(topic, 1.0)

    @property
    def label(self) -> str:
        """`双11 · 开门红`."""
        return f"{self.title} · {self.name}" if self.name else self.title


class Peaks:
    """All phases of a plan, in time order."""

    def __init__(self, phases: tuple[Phase, ...], *, timezone: str = DEFAULT_ZONE) -> None:
        self.phases = tuple(sorted(phases, key=lambda phase: phase.start_ms))
        self.timezone = timezone
        self._starts = [phase.start_ms for phase in self.phases]

    def phase_at(self, ms: int) -> Phase | None:
        """The phase that holds at an instant."""
        i = bisect.bisect_right(self._starts, ms) - 1
        return self.phases[i] if i >= 0 and ms < self.phases[i].end_ms else None

    def next_phase(self, ms: int) -> tuple[Phase, int] | None:
        """The next phase to begin after an instant, and in how many ms: the countdown."""
        i = bisect.bisect_right(self._starts, ms)
        return (self.phases[i], self._starts[i] - ms) if i < len(self.phases) else None


def parse_peaks(raw: object, *, source: str) -> Peaks:
    """The plan of a peaks file's document; ConfigError holds every mistake with its place."""
    mistakes = Mistakes(source)
    top = Node({} if raw is None else raw, "", mistakes).fields(("timezone", "peaks"))
    zone = top.take("timezone", read_zone, DEFAULT_ZONE)
    phases: list[Phase] = []
    places: list[str] = []
    names: set[str] = set()
    for node in top.take("peaks", _items, _NO_NODES):
        for place, phase in _read_peak(node, zone=zone, names=names):
            phases.append(phase)
            places.append(place)
    _check_overlaps(phases, places, mistakes)
    mistakes.stop()
    return Peaks(tuple(phases), timezone=zone)


def check_names(
    peaks: Peaks, *, policies: Collection[str], rosters: Collection[str] | None, source: str
) -> None:  # fmt: skip
    """ConfigError with every target for what is no SLA policy, and every roster that is none (None: not known)."""
    mistakes = Mistakes(source)
    for phase in peaks.phases:
        for name in phase.sla_targets:
            if name not in policies:
                mistakes.add(f"{phase.place}.sla_targets", f"there is no policy {name!r}")
        if phase.roster and rosters is not None and phase.roster not in rosters:
            mistakes.add(f"{phase.place}.roster", f"there is no roster {phase.roster!r} among the channels' shifts")
    mistakes.stop()


def _items(node: Node) -> list[Node]:
    return node.items()


def _read_peak(node: Node, *, zone: str, names: set[str]) -> list[tuple[str, Phase]]:
    fields = node.fields(("name", "title", "phases"))
    name = fields.need("name", Node.text, stand_in="")
    if name in names:
        fields.wrong("name", f"{name!r} is another peak's name already")
    elif name:
        names.add(name)
    title = fields.take("title", Node.text, name)
    phases = fields.need("phases", _items, stand_in=_NO_NODES)
    if "phases" in fields and node.value["phases"] == []:
        fields.wrong("phases", "has no phase")
    return [(one.place, _read_phase(one, zone=zone, peak=name, title=title)) for one in phases]


def _read_phase(node: Node, *, zone: str, peak: str, title: str) -> Phase:
    fields = node.fields(("name", "from", "to", "expected", "rules", "sla_targets", "roster"))
    start = instant_of_wall(zone, fields.need("from", read_wall, stand_in=0))
    end = instant_of_wall(zone, fields.need("to", read_wall, stand_in=0))
    if "from" in fields and "to" in fields and end <= start and start and end:
        fields.wrong("to", f"{node.value['to']} is not after {node.value['from']}")
    return Phase(
        peak=peak, title=title, name=fields.take("name", Node.text, ""), start_ms=start, end_ms=end,
        multipliers=_multipliers(fields),
        rules=fields.take("rules", lambda n: dict(n.entries()), {}),
        sla_targets=fields.take(
            "sla_targets", lambda n: {key: one.duration_ms(at_least_ms=1) for key, one in n.entries()}, {}
        ),
        roster=fields.take("roster", Node.text, ""),
        place=node.place,
    )  # fmt: skip


def _multipliers(fields: Fields) -> dict[str, float]:
    def read(node: Node) -> dict[str, float]:
        inner = node.fields(VOLUMES)
        return {
            topic: inner.take(topic, lambda n: n.number(above=0.0, at_most=1000.0), 1.0)
            for topic in VOLUMES if topic in inner
        }  # fmt: skip

    return fields.take("expected", read, {})


def _check_overlaps(phases: list[Phase], places: list[str], mistakes: Mistakes) -> None:
    order = sorted(range(len(phases)), key=lambda i: phases[i].start_ms)
    for before, after in itertools.pairwise(order):
        if phases[after].start_ms < phases[before].end_ms and phases[after].start_ms:
            until = format_instant(phases[before].end_ms)
            mistakes.add(places[after], f"begins before {places[before]} ends ({until})")
