"""A rehearsal as a whole: one pass over the events, then as many over what the rules were asked."""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from alerts.notify.rehearsal import one_group, rehearse
from peakwatch.config import Config
from peakwatch.rehearsal.compare import Comparison, compare
from peakwatch.rehearsal.incidents import Incident, incidents_of
from peakwatch.rehearsal.recording import Kept, Recording
from peakwatch.rehearsal.report import Night, Report, report_of
from peakwatch.rehearsal.suggest import Advice, advise
from peakwatch.replay import Outputs, Summary, decisions_of, engine_of, replay
from schemas.results import Alert
from schemas.rules import Rule
from schemas.strict import Mistakes, Node
from schemas.zones import read_minute

NIGHT: Final = "00:00-07:00"

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked beside who would have been told."""

    night: Night
    against: Config | None = None
    per_week: float | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All that a rehearsal found."""

    summary: Summary
    night: Night
    report: Report
    comparison: Comparison | None = None
    advice: Advice | None = None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        found = dataclasses.asdict(self.report)
        if self.comparison is not None:
            found["comparison"] = dataclasses.asdict(self.comparison)
            del found["comparison"]["rules"]  # the report itself
        if self.advice is not None:
            found["advice"] = dataclasses.asdict(self.advice)
        return found


def rehearsal(
    files: Sequence[str], config: Config, wish: Wish, *, outputs: Outputs, lateness_ms: int,
    drop_copies: bool = False, progress: Progress | None = None,
) -> Rehearsal:  # fmt: skip
    """Replay, and tell what people would have been told. Errors are those of `replay`."""
    with ExitStack() as stack:
        again = wish.per_week is not None or (wish.against is not None and _same_facts(config, wish.against))
        recording = stack.enter_context(Recording()) if again else None
        kept = Kept(decisions_of(config), recording)
        beside = beside_kept = None
        if wish.against is not None and not _same_facts(config, wish.against):
            beside_kept = Kept(decisions_of(wish.against), None)
            beside = engine_of(wish.against, beside_kept, lateness_ms=lateness_ms, drop_copies=drop_copies)
        summary = replay(
            files, config, outputs=outputs, lateness_ms=lateness_ms, drop_copies=drop_copies, progress=progress,
            decider=kept, beside=beside,
        )  # fmt: skip
        telling = _Telling(config, wish.night, kept.began_ms, kept.ended_ms)
        told = telling(kept.alerts, config)
        comparison = advice = None
        if wish.against is not None:
            if beside_kept is not None:
                others: Sequence[Alert] = beside_kept.alerts
            else:
                assert recording is not None
                others = list(recording.play(decisions_of(wish.against)))
            old = telling(others, wish.against)
            rules = (*config.rules, *wish.against.rules)
            comparison = compare(told, old, rules=rules, night=wish.night, ended_ms=kept.ended_ms)
        if wish.per_week is not None:
            assert recording is not None

            def run(rules: Sequence[Rule]) -> tuple[Report, list[Incident]]:
                other = dataclasses.replace(config, rules=tuple(rules))
                return telling(recording.play(decisions_of(other)), other)

            advice = advise(
                config.rules, told, per_week=wish.per_week, run=run, night=wish.night,
                span_ms=kept.ended_ms - kept.began_ms, ended_ms=kept.ended_ms,
            )  # fmt: skip
    return Rehearsal(summary, wish.night, told[0], comparison, advice)


def read_night(text: str, *, timezone: str) -> Night:
    """`22:00-07:00`. ConfigError if it is none."""
    mistakes = Mistakes("--night")
    start, _, end = text.partition("-")
    minutes = [read_minute(Node(one, "", mistakes)) for one in (start, end)]
    mistakes.stop()
    return Night(minutes[0], minutes[1], timezone)


class _Telling:
    """From alerts to what people are told of them; the notifier's configuration is one for all rules."""

    def __init__(self, config: Config, night: Night, began_ms: int, ended_ms: int) -> None:
        self._notify = config.notify or one_group()
        self._night, self._began_ms, self._ended_ms = night, began_ms, ended_ms

    def __call__(self, alerts: Any, config: Config) -> tuple[Report, list[Incident]]:
        def phase_roster(at_ms: int) -> str:
            phase = config.peaks.phase_at(at_ms)
            return phase.roster if phase is not None else ""

        all_of_them: list[Alert] = list(alerts)
        told = rehearse(self._notify, all_of_them, until_ms=self._ended_ms, phase_roster=phase_roster)
        incidents = incidents_of(all_of_them)
        report = report_of(told, incidents, night=self._night, began_ms=self._began_ms, ended_ms=self._ended_ms)
        return report, incidents


def _same_facts(config: Config, other: Config) -> bool:
    """Whether the events come to the same for both: then only the rules are asked anew."""

    def policies(one: Config) -> list[tuple[str, str]]:
        return [(policy.name, policy.version) for policy in one.policies]

    return policies(config) == policies(other)
