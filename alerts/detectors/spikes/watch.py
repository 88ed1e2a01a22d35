"""One kind's watch: expectation, sequential test, naming, and the life of its incidents, pane by pane.

What differs between reviews and complaints stands in `reviews.py`, `complaints.py` and `orders.py`.
"""

from typing import Any, Final

import numpy as np

from alerts.decision import Decision
from alerts.detectors.spikes import attribution, chances, evidence, renaming
from alerts.detectors.spikes.arrays import Bools, Floats, Ids
from alerts.detectors.spikes.attribution import Candidate, Tally
from alerts.detectors.spikes.baseline import Baseline
from alerts.detectors.spikes.common import CommonMode
from alerts.detectors.spikes.config import KindSettings, SpikeConfig
from alerts.detectors.spikes.dedupe import Bursts
from alerts.detectors.spikes.incidents import Incident, Incidents
from alerts.detectors.spikes.recent import Recent, Rows
from alerts.detectors.spikes.sequential import Sequential
from alerts.detectors.spikes.series import SliceTable
from alerts.detectors.spikes.surge import Surge
from schemas.results import AlertKind

MINUTE_MS: Final = 60_000
LEARN_MS: Final = 2 * MINUTE_MS
SHORTEST_LAG_MS: Final = MINUTE_MS
LIKELY_RATIO: Final = 1.25  # a slice may be named from here on; whether it is then told is `min_ratio`'s business
CONFIRMED: Final = 0.97  # of the evidence must be left when it is recalculated from the events themselves
WARM_UP: Final = 8.0  # negatives (complaints) learnt before anything is called unusual
WELL_KNOWN: Final = 50.0  # and before everything is
MOST_ALARMS: Final = 5  # named in a pane; the rest in the next
HELD_MS: Final = 40_000
WORTH_REBUILDING: Final = 2.5  # nats


class Watch:
    """What reviews and complaints have in common."""

    kind: AlertKind
    trusted = True  # whether the running sums rest on nothing that was guessed

    def __init__(self, table: SliceTable, settings: KindSettings, config: SpikeConfig) -> None:
        self.table, self.settings, self.config = table, settings, config
        self.ratios = np.array(settings.ratios)
        self.baseline = Baseline(table, settings, config)
        self.common = CommonMode(table)
        self.sequential = Sequential(len(settings.ratios))
        self.recent = Recent(table.columns, most=config.recent_rows)
        self.incidents = Incidents(table, settings, config)
        self.bursts = Bursts()
        self.surge = Surge()
        self.product = table.slices.index(("product_id",)) if ("product_id",) in table.slices else None
        self.first_ms = 0
        self.minute_ms = self.learnt_ms = 0
        self.held: dict[int, int] = {}  # alarms that no slice explained, and until when they are not looked at

    # What a kind decides for itself

    def gains(self, rows: Rows, due: Floats) -> Floats:
        """Log gain of each row on each alternative, related negatives weighed down."""
        raise NotImplementedError

    def tally(
        self, column: int, rows: Rows, *, due: Floats, heard: Floats, alarm: Bools, since_ms: int, now_ms: int
    ) -> Tally:
        """The slices of a column over the rows since an instant, rows of other incidents left out (`heard`)."""
        raise NotImplementedError

    def history(self, one: int, now_ms: int) -> Rows:
        """The slice's own events of late, by event time, with what was due of it."""
        raise NotImplementedError

    def uncertainty(self, ids: Ids) -> Floats:
        """Squared relative error of the series' expectations."""
        return self.baseline.uncertainty(ids) + self.surge.error

    def orders_due(self, one: int, now_ms: int) -> float | None:
        """Complaints to expect of an order in this slice; None where there are no orders."""
        return None

    def left(self, at: Ids, sids: Ids) -> Floats:
        """The part of each row's trials that stands beside the incidents of which it is not known whose they are."""
        return np.ones(len(at))

    def unwatched(self, at: Ids) -> Bools:
        """Which instants teach nothing, since not everything of them was heard."""
        return np.zeros(len(at), bool)

    def unclear(self, at: Ids) -> Bools:
        """Which instants teach nothing of shares, since it is not known what of them belongs to an incident."""
        return np.zeros(len(at), bool)

    def measure(self, now_ms: int) -> None:
        """How large open incidents are by now, where that is not known anyway."""

    def learn_more(self, sids: Ids, got: Floats) -> None:
        """What else a kind learns from rows old enough."""

    # Time

    def reserve(self) -> None:
        """Make room for the table's newest series."""
        size = len(self.table)
        self.baseline.reserve()
        self.common.reserve()
        self.sequential.sums.reserve(size)
        self.bursts.reserve(size)

    def forget(self, ids: Ids) -> None:
        """These ids stand for other series from now on."""
        self.baseline.forget(ids)
        self.common.forget(ids)
        self.sequential.sums.clear(ids)
        self.bursts.forget(ids)

    @property
    def warm(self) -> bool:
        """Whether enough was learnt to call anything unusual."""
        return self.baseline.learnt >= WARM_UP and self.baseline.trials > 0.0

    @property
    def learning(self) -> bool:
        """Whether there is something that was not yet learnt from."""
        return self.recent.waits

    def minute(self, now_ms: int) -> None:
        """What is done once a minute."""
        self.minute_ms = now_ms
        self.common.fade(now_ms)
        self.incidents.fade(now_ms)
        if now_ms - self.learnt_ms < LEARN_MS:
            return
        self.learnt_ms = now_ms
        age = now_ms - self.first_ms
        lag = min(self.config.baseline_lag_ms, max(SHORTEST_LAG_MS, age // 2))
        at, sids, got, trials = self.recent.unlearnt(now_ms - lag)
        if len(at):
            free = ~self.incidents.claimed(at, sids)
            left = trials * self.left(at, sids)
            known = free & ((left > 0.0) | (trials == 0.0)) & ~self.unwatched(at)
            if left[known].any():
                counted = at[known & (trials > 0.0)]
                self.baseline.learn(int(counted[len(counted) // 2]), sids[known], got[known], left[known])
            clear = ~self.unclear(at)
            self.learn_more(sids[clear], (got * self.incidents.usual(at, sids))[clear])
        self.recent.trim(now_ms - self.config.recent_ms)
        self.incidents.forget(now_ms - self.config.recent_ms - self.config.baseline_lag_ms)

    # Alarm, name, begin

    def judge(self, touched: Ids, now_ms: int) -> list[Decision]:
        """Decisions to raise, for the series that this pane touched."""
        if not self.warm:
            self.sequential.reset(touched)
            return []
        found: list[Decision] = []
        least = self.settings.evidence_nats - self.settings.spread_nats - chances.most_let_off(self.settings)
        alarms = touched[self.sequential.evidence(touched) >= least]
        if self.held:
            self.held = {one: until for one, until in self.held.items() if until > now_ms}
            alarms = np.array([one for one in alarms.tolist() if one not in self.held], np.int64)
        for _ in range(MOST_ALARMS):
            alarms = alarms[self.sequential.evidence(alarms) >= least]
            if not len(alarms):
                break
            beyond = np.array([self._verdict(int(one), now_ms)[0] - self.wanted(int(one)) for one in alarms])
            first = int(beyond.argmax())
            if beyond[first] < 0.0:
                break
            alarm = int(alarms[first])
            decision = self._name(alarm, now_ms)
            if decision is None:  # what was recalculated from the events themselves counts
                self._rebuild(alarm, now_ms)
                self.held[alarm] = now_ms + HELD_MS
                alarms = np.delete(alarms, first)
            else:
                found += decision
        return found

    def wanted(self, one: int) -> float:
        """The evidence that an alarm of a series takes."""
        return self.settings.wanted(self._rank(one)) + self.stream_nats(one)

    def stream_nats(self, one: int) -> float:
        """What of it the stream as a whole asks for: by its volume, and by how rare incidents were of late."""
        volume = chances.by_volume(self.settings, self.baseline.a_day, self._rank(one))
        return volume + chances.by_calm(self.settings, self.incidents.lately)

    def _rank(self, one: int) -> float:
        return float(self.table.rank[self.table.column[one]])

    def _verdict(self, one: int, now_ms: int) -> tuple[float, int]:
        """Evidence of a series after over-dispersion and what its run owes to chance; and the run's start.

        Nothing where it is no spike by size.
        """
        ids = np.array([one])
        sums = self.sequential.sums
        total, got, due = (sums[name][one] for name in ("sum", "got", "due"))
        owed = chances.owed(self.settings, now_ms - sums["since"][one], due)
        nats = self.discounted(total, got, due, self.uncertainty(ids)[0]) - owed
        best = int(nats.argmax())
        return float(nats[best]), best

    def discounted(self, nats: Floats, got: Floats, due: Floats, uncertainty: Floats | float) -> Floats:
        """Evidence over over-dispersion; nothing where the size or the count is too small to wake somebody."""
        large = (got + 0.5 >= self.settings.min_ratio * (due + 0.5)) & (got >= self.settings.min_count)
        result: Floats = np.where(large, nats / (1.0 + due * uncertainty), 0.0)
        return result

    def _name(self, alarm: int, now_ms: int) -> list[Decision] | None:
        self.measure(now_ms)  # one that grows is no incident of what lies within it
        nats, alternative = self._verdict(alarm, now_ms)
        since = self._start(alarm, alternative, now_ms)
        best: Candidate | None = None
        for _ in range(2):  # the second time from the named slice's own start
            found = self.candidates(alarm, since, now_ms)
            if self.trusted:
                found = [one._replace(nats=max(nats, one.nats)) if one.sid == alarm else one for one in found]
            best = attribution.most_specific(found, self.table.rank)
            if best is None:
                return None
            since = self._start(best.sid, alternative if best.sid == alarm else best.alternative, now_ms)
        assert best is not None
        if not self.is_spike(best):
            return None
        return renaming.joined(self, best, since, now_ms) or self.begin(best, since, now_ms)

    def is_spike(self, best: Candidate) -> bool:
        """Whether a slice is, by itself, unusual enough to be told."""
        enough = best.got >= self.settings.min_count and best.got + 0.5 >= self.settings.min_ratio * (best.due + 0.5)
        let_off = min(0.0, float(chances.by_size(self.settings, best.due)))
        return enough and best.nats >= CONFIRMED * (self.wanted(best.sid) + let_off)

    def candidates(self, alarm: int, since_ms: int, now_ms: int) -> list[Candidate]:
        """The slices that may carry an alarm, by what came since an instant."""
        rows = self.recent.rows(since_ms)
        due, heard = self.incidents.explain(rows.at, rows.sids, rows.due)
        column = int(self.table.column[alarm])
        mine = rows.sids[:, column] == alarm
        own = self.tally(column, rows, due=due, heard=heard, alarm=mine, since_ms=since_ms, now_ms=now_ms)
        place = np.flatnonzero(own.ids == alarm)
        if not len(place):
            return []
        excess = float((own.got - own.due)[place[0]])
        found: list[Candidate] = []
        young = self.baseline.learnt < WELL_KNOWN  # there is nothing beside everything to compare it with
        for column in range(1 if young else 0, self.table.columns):
            sums = self.tally(column, rows, due=due, heard=heard, alarm=mine, since_ms=since_ms, now_ms=now_ms)
            large = sums.got > LIKELY_RATIO * sums.due
            kept = Tally(*(values[large] for values in sums))
            if len(kept.ids):
                found += attribution.candidates(
                    kept, column, uncertainty=self.uncertainty(kept.ids), alarm_excess=excess, rivals=len(sums.ids)
                )
        return found

    def _start(self, one: int, alternative: int, now_ms: int) -> int:
        rows = self.history(one, now_ms)
        late = rows.at >= now_ms - self.config.recent_ms
        rows = rows.where(late)
        due, heard = self.incidents.explain(rows.at, rows.sids, rows.due)
        own = heard[:, self.table.column[one]] > 0.0  # a run does not begin among events that are another incident's
        gains = self.gains(rows, due)[own, alternative]
        return attribution.change_point(rows.at[own], gains) if own.any() else now_ms

    def begin(self, best: Candidate, starts_at: int, now_ms: int) -> list[Decision]:
        """A new incident, told unless it is a side of one that was."""
        ratio = (best.got + self.settings.min_ratio) / (best.due + 1.0)
        incident = Incident(
            sid=best.sid, column=best.column, starts_at=starts_at, raised_at=now_ms,
            ratio=max(self.settings.min_ratio, ratio), severity="warning", got=best.got, due=best.due, count=0.0,
            told_at=now_ms, last_event=now_ms, fast_got=best.got, fast_due=best.due, evidence=best.nats,
            stream_nats=self.stream_nats(best.sid),
        )  # fmt: skip
        incident.severity = self.incidents.severity(ratio, incident.excess())
        told = evidence.of(self, incident, now_ms)
        rows = self.recent.rows(starts_at)
        self.incidents.fold(incident, rows.at, rows.sids, rows.got)
        self.incidents.add(incident)
        self._take_out(incident, now_ms)
        return [] if incident.folded else [self.decision(incident, "raise", now_ms, told)]

    def _take_out(self, incident: Incident, now_ms: int) -> None:
        """The incident's events leave all other series, whose sums are worked out anew."""
        rows = self.recent.rows(incident.starts_at)
        mine = rows.sids[:, incident.column] == incident.sid
        ids = np.unique(rows.sids[mine]).astype(np.int64)
        ids = ids[ids > 0]
        nats = self.sequential.evidence(ids)
        self.sequential.reset(ids[nats < WORTH_REBUILDING])
        for one in ids[nats >= WORTH_REBUILDING]:
            self._rebuild(int(one), now_ms)

    def _rebuild(self, one: int, now_ms: int) -> None:
        column = int(self.table.column[one])
        rows = self.history(one, now_ms)
        due, heard = self.incidents.explain(rows.at, rows.sids, rows.due)
        own = heard[:, column] > 0.0
        rows, due = rows.where(own), due[own]
        total = np.cumsum(self.gains(rows, due), axis=0)
        if not len(total):
            self.sequential.reset(np.array([one]))
            return
        lowest = np.minimum(total, 0.0).argmin(axis=0)
        floor = np.minimum(0.0, total.min(axis=0))
        begun = np.where(floor < 0.0, lowest + 1, 0)
        last = np.minimum(begun, len(rows.at) - 1)
        after = [slice(int(start), None) for start in begun]
        nats = np.maximum(0.0, total[-1] - floor)
        alive = nats > 0.0
        self.sequential.replace(
            one, total=nats, since=rows.at[last],
            got=np.where(alive, [float(rows.got[part].sum()) for part in after], 0.0),
            due=np.where(alive, [float(due[part].sum()) for part in after], 0.0),
        )  # fmt: skip

    # Update, clear

    def follow(self, now_ms: int) -> list[Decision]:
        """Updates and clears of the open incidents."""
        found: list[Decision] = []
        for one in self.incidents.open():
            if self.incidents.is_over(one, now_ms):
                one.ends_at = now_ms
                self.sequential.reset(np.array([one.sid]))
                if not one.folded:
                    found.append(self.decision(one, "clear", now_ms, evidence.of(self, one, now_ms)))
                continue
            if one.folded and not self.incidents.outgrows(one):
                continue
            if one.folded:
                one.folded, one.told_at = False, now_ms
                one.severity = self.incidents.severity((one.got + 0.5) / (one.due + 0.5), one.excess())
                found.append(self.decision(one, "raise", now_ms, evidence.of(self, one, now_ms)))
                continue
            severity = self.incidents.severity((one.got + 0.5) / (one.due + 0.5), one.excess())
            worse = severity == "critical" and one.severity != "critical"
            if worse:
                one.severity = severity
            if worse or (now_ms - one.told_at >= self.config.update_ms and one.relief == 0.0):
                one.told_at = now_ms
                renamed = renaming.looked_at_again(self, one, now_ms)
                if not renamed:
                    told = evidence.of(self, one, now_ms)
                    renamed = [self.decision(one, "update", now_ms, told, "escalated" if worse else "")]
                found += renamed
        return found

    def decision(self, one: Incident, state: Any, now_ms: int, told: evidence.Told, reason: str = "") -> Decision:
        """The decision about an incident."""
        return Decision(
            rule=self.settings.rule, kind=self.kind, state=state, severity=one.severity,
            labels=self.table.label(one.sid), at=now_ms, starts_at=one.starts_at, value=told.value,
            baseline=told.baseline, evidence=told.evidence, reason=reason,
        )  # fmt: skip

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "baseline": self.baseline.dump(), "common": self.common.dump(), "sequential": self.sequential.dump(),
            "recent": self.recent.dump(), "incidents": self.incidents.dump(), "bursts": self.bursts.dump(),
            "surge": self.surge.dump(), "held": list(self.held.items()),
            "times": [self.first_ms, self.minute_ms, self.learnt_ms],
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        for name in ("baseline", "common", "sequential", "recent", "incidents", "bursts", "surge"):
            getattr(self, name).load(state[name])
        self.held = dict(state["held"])
        self.first_ms, self.minute_ms, self.learnt_ms = state["times"]
