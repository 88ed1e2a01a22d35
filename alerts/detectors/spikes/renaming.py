"""Names that were given early, looked at again: by what came since, or when another part of the same shows.

Seen after a minute, two names may be nearly tied, and chance may show a part of an incident first, or a slice around
it. What explains it better by then takes its place: told with the same start, while the first one ends as folded.
"""

import math
from typing import TYPE_CHECKING, Final

from alerts.decision import Decision
from alerts.detectors.spikes import attribution, evidence
from alerts.detectors.spikes.attribution import Candidate
from alerts.detectors.spikes.incidents import Incident

if TYPE_CHECKING:
    from alerts.detectors.spikes.watch import Watch

RENAMED_NATS: Final = 3.0  # by which another slice must explain an incident better to take over its name
RENAMED_MS: Final = 30 * 60_000  # later everybody knows it by the old one
WITHIN: Final = 0.98  # of a slice's events in another: it lies within that, whatever the dimensions are called


def looked_at_again(watch: "Watch", one: Incident, now_ms: int) -> list[Decision]:
    """Tell a young incident by another name, where by now a slice within or around its own explains it better.

    Of a crossing one what is due may be known in another way: a difference of evidence says little there.
    """
    if now_ms - one.raised_at > RENAMED_MS:
        return []
    with watch.incidents.beside(one):
        found = watch.candidates(one.sid, one.starts_at, now_ms)
    rank = watch.table.rank
    best = attribution.most_specific(found, rank)
    if best is None or not watch.table.nested(one.column, best.column) or not watch.is_spike(best):
        return []
    own = next((attribution.merit(other, rank) for other in found if other.sid == one.sid), math.inf)
    if attribution.merit(best, rank) < own + RENAMED_NATS:
        return []
    return _retold(watch, one, best, one.starts_at, now_ms)


def joined(watch: "Watch", new: Candidate, since_ms: int, now_ms: int) -> list[Decision]:
    """Tell the slice around a new spike and a young incident instead, where it explains more than both apart."""
    rank = watch.table.rank
    for one in watch.incidents.open():
        if one.folded or now_ms - one.raised_at > RENAMED_MS:
            continue
        begun = min(since_ms, one.starts_at)
        with watch.incidents.beside(one):
            around = watch.candidates(new.sid, begun, now_ms)
            alone = watch.candidates(one.sid, one.starts_at, now_ms)
        best = attribution.most_specific(around, rank)
        if best is None or best.sid in (new.sid, one.sid) or not watch.is_spike(best):
            continue
        own = next((attribution.merit(other, rank) for other in alone if other.sid == one.sid), math.inf)
        if attribution.merit(best, rank) < attribution.merit(new, rank) + own:
            continue
        if all(_lies_within(watch, sid, best, begun) for sid in (one.sid, new.sid)):
            return _retold(watch, one, best, begun, now_ms)
    return []


def _retold(watch: "Watch", one: Incident, best: Candidate, starts_at: int, now_ms: int) -> list[Decision]:
    ended = watch.decision(one, "clear", now_ms, evidence.of(watch, one, now_ms), "folded")
    watch.incidents.drop(one)
    return [*watch.begin(best, starts_at, now_ms), ended]


def _lies_within(watch: "Watch", sid: int, best: Candidate, since_ms: int) -> bool:
    """Whether all that comes of a slice lies in another one, as a shop does that sells of one category."""
    rows = watch.recent.rows(since_ms)
    mine = (rows.sids[:, watch.table.column[sid]] == sid) & (rows.got > 0.0)
    return bool(mine.any()) and bool((rows.sids[mine, best.column] == best.sid).mean() >= WITHIN)
