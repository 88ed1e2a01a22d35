"""One incident: what a rule says of one set of labels, from its first raise until it is forgotten.

State only: how it moves from stage to stage is `lifecycle.py`'s business.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from alerts.decision import Decision
from schemas.results import AlertKind, AlertSeverity

Key = tuple[str, tuple[tuple[str, str], ...]]  # rule, labels in order
Stage = Literal["pending", "firing", "resolved"]

RANK: Final[Mapping[AlertSeverity, int]] = {"info": 0, "warning": 1, "critical": 2}
NOTES_KEPT: Final = 50


class Note(msgspec.Struct, frozen=True):
    """What a person did or wrote, kept with the alert."""

    action: str
    who: str
    at: int
    text: str


class Incident(msgspec.Struct, gc=False):
    """Everything the lifecycle knows of an incident. Instants are ms of event time."""

    alert_id: str
    rule: str
    kind: AlertKind
    labels: dict[str, str]
    stage: Stage
    holds: bool  # what the detector said last
    raised_at: int
    starts_at: int
    not_before: int  # pending: when it may fire, for `for` and cooldown
    severity: AlertSeverity  # the worst that was said since it was raised
    value: float | None
    baseline: float | None
    evidence: dict[str, Any]
    fired_at: int | None = None
    ended_at: int | None = None
    ended_as: str = ""  # the reason that was given
    said_at: int = 0  # of the last transition given out
    said_severity: AlertSeverity = "info"
    said_value: float | None = None  # the worst value that was said since it fired
    said_quotes: list[str] = []
    acted_at: int = 0  # of the last transition that a person brought about: what follows comes after it
    said_muted: str = ""  # by what it was muted then
    muted_until: int | None = None
    changes: list[int] = []  # when it fired or resolved, lately
    flapping: bool = False
    closed: str = ""  # closed by a person while the condition held: silent until it clears
    in_storm: bool = False  # the digest spoke for it
    orphaned_at: int | None = None  # since then its rule is gone, or knows nothing of it
    orphaned_as: str = ""  # rule_removed or rule_changed
    snoozed_until: int | None = None
    acknowledged_by: str = ""
    acknowledged_at: int | None = None
    notes: list[Note] = []
    serial: int = 0  # in order of birth, for the pages of a snapshot

    @property
    def key(self) -> Key:
        """The rule and the labels that name it."""
        return key_of(self.rule, self.labels)

    @property
    def per_ticket(self) -> bool:
        """Whether it is about one clock of one ticket."""
        return "ticket_id" in self.labels

    def refresh(self, decision: Decision) -> None:
        """Take over what the detector says now; the severity only rises while the incident lives."""
        self.value, self.baseline = decision.value, decision.baseline
        self.evidence = dict(decision.evidence)
        self.starts_at = min(self.starts_at, decision.starts_at)
        if RANK[decision.severity] > RANK[self.severity]:
            self.severity = decision.severity

    def add_note(self, note: Note) -> None:
        """Keep what a person did; the oldest go first."""
        self.notes = [*self.notes, note][-NOTES_KEPT:]


def new_incident(decision: Decision, *, not_before: int, serial: int) -> Incident:
    """A pending incident of a first raise; the same raise gives the same id on every run and machine."""
    labels = dict(decision.labels)
    return Incident(
        alert_id=alert_id(decision.rule, labels, decision.at), rule=decision.rule, kind=decision.kind,
        labels=labels, stage="pending", holds=True, raised_at=decision.at, starts_at=decision.starts_at,
        not_before=not_before, severity=decision.severity, value=decision.value, baseline=decision.baseline,
        evidence=dict(decision.evidence), serial=serial,
    )  # fmt: skip


def alert_id(rule: str, labels: Mapping[str, str], raised_at: int) -> str:
    """20 hexadecimal digits of a hash over rule, labels and the instant of the first raise."""
    parts = [rule, *(f"{key}={value}" for key, value in sorted(labels.items())), str(raised_at)]
    text = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=10).hexdigest()


def key_of(rule: str, labels: Mapping[str, str]) -> Key:
    """What tells two incidents apart that live at one time."""
    return rule, tuple(sorted(labels.items()))
