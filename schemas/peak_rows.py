"""The promotion plan as rows for the store: for the wall's annotations, and for one promotion against the last."""

from collections import Counter
from typing import Final

from schemas.instants import format_instant
from schemas.peaks import Peaks, Phase
from schemas.results import PeakPhase
from schemas.zones import wall_ms

APART_MS: Final = 60 * 86_400_000  # phases of one peak that lie further apart belong to two editions of it


def peak_rows(plan: Peaks) -> list[PeakPhase]:
    """A row a phase. An edition is named by the year in which its last phase begins; a phase that comes again within
    an edition is numbered.
    """
    rows: list[PeakPhase] = []
    for peak in dict.fromkeys(phase.peak for phase in plan.phases):
        for edition in _editions([phase for phase in plan.phases if phase.peak == peak]):
            year = format_instant(wall_ms(plan.timezone, edition[-1].start_ms), offset_minutes=0)[:4]
            met: Counter[str] = Counter()
            for phase in edition:
                met[phase.name] += 1
                name = phase.name if met[phase.name] == 1 else f"{phase.name} {met[phase.name]}"
                rows.append(PeakPhase(peak, year, name, phase.start_ms, phase.end_ms, phase.title))
    return rows


def _editions(phases: list[Phase]) -> list[list[Phase]]:
    editions: list[list[Phase]] = []
    for phase in phases:
        if editions and phase.start_ms - editions[-1][-1].end_ms <= APART_MS:
            editions[-1].append(phase)
        else:
            editions.append([phase])
    return editions
