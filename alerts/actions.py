"""What people do to alerts: acknowledge, snooze, resolve, call false, note, silence; with who and when.

Messages of the topic `peakwatch-actions`, and their effect on the lifecycle. Where an action comes from (a
command, a link, a page) is none of its business. An action that came before, by its id, does nothing again.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, NamedTuple

import msgspec
from msgspec import Meta

from alerts.incident import Incident, Note
from alerts.lifecycle import Lifecycle
from alerts.silences import Silence
from schemas.errors import BadEvent
from schemas.results import Alert, AlertAction

REMEMBERED: Final = 10_000

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Who = Annotated[str, Meta(min_length=1, max_length=128)]
Words = Annotated[str, Meta(max_length=2000)]
Instant = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]


class _Action(msgspec.Struct, frozen=True, kw_only=True, tag_field="action", forbid_unknown_fields=False):
    """`at`: ms since the epoch, when the person acted."""

    action_id: Id
    who: Who
    at: Instant
    name: ClassVar[str]


class Acknowledge(_Action, frozen=True, kw_only=True, tag="acknowledge"):
    """Somebody has it: no further updates, unless it gets worse."""

    name: ClassVar[str] = "acknowledge"
    alert_id: Id
    text: Words = ""


class Snooze(_Action, frozen=True, kw_only=True, tag="snooze"):
    """Nobody is told until then; if it still fires then, it says so."""

    name: ClassVar[str] = "snooze"
    alert_id: Id
    until: Instant
    text: Words = ""


class Resolve(_Action, frozen=True, kw_only=True, tag="resolve"):
    """It is over, whatever the detector says; silent until the condition has cleared once, or is worse."""

    name: ClassVar[str] = "resolve"
    alert_id: Id
    text: Words = ""


class FalseAlarm(_Action, frozen=True, kw_only=True, tag="false_alarm"):
    """It should not have fired, for this reason."""

    name: ClassVar[str] = "false_alarm"
    alert_id: Id
    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class AddNote(_Action, frozen=True, kw_only=True, tag="note"):
    """A remark, kept with the alert."""

    name: ClassVar[str] = "note"
    alert_id: Id
    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class BeginSilence(_Action, frozen=True, kw_only=True, tag="silence"):
    """Mute all that match, from `at` until `until`; its id is the action's."""

    name: ClassVar[str] = "silence"
    matchers: Annotated[dict[str, tuple[str, ...]], Meta(min_length=1, max_length=20)]
    until: Instant
    text: Words = ""


class EndSilence(_Action, frozen=True, kw_only=True, tag="unsilence"):
    """End a silence before its time."""

    name: ClassVar[str] = "unsilence"
    silence_id: Id


OnAlert = Acknowledge | Snooze | Resolve | FalseAlarm | AddNote
Action = OnAlert | BeginSilence | EndSilence

_decoder: Final[msgspec.json.Decoder[Action]] = msgspec.json.Decoder(Action)


class Outcome(NamedTuple):
    """What an action did: the transitions, and why it did nothing, if so."""

    alerts: list[Alert]
    refused: str = ""


class Actions:
    """Applies actions to a lifecycle, each once."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._seen: dict[str, None] = {}

    def apply(self, action: Action) -> Outcome:
        """The effect of an action; a refusal tells why, fit for the person who acted."""
        if action.action_id in self._seen:
            return Outcome([], "this action was taken already")
        self._seen[action.action_id] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if isinstance(action, BeginSilence):
            return self._silence(action)
        if isinstance(action, EndSilence):
            return self._unsilence(action)
        incident = self._lifecycle.find(action.alert_id)
        if incident is None:
            return Outcome([], f"there is no alert {action.alert_id}, or it is over for long")
        return self._on_alert(action, incident)

    def dump(self) -> list[str]:
        """The ids of the actions taken, for `load`."""
        return list(self._seen)

    def load(self, state: list[str]) -> None:
        """Take over what `dump` gave."""
        self._seen = dict.fromkeys(state)

    def _on_alert(self, action: OnAlert, incident: Incident) -> Outcome:
        if isinstance(action, Snooze) and action.until <= action.at:
            return Outcome([], "the snooze ends before it begins")
        if incident.stage == "resolved" and isinstance(action, Acknowledge | Snooze | Resolve):
            return Outcome([], "the alert is over")
        incident.add_note(Note(action.name, action.who, action.at, action.text))
        if isinstance(action, Resolve):
            return Outcome(self._lifecycle.close(incident, at=action.at, reason="resolved"))
        if isinstance(action, FalseAlarm):
            return Outcome(self._lifecycle.close(incident, at=action.at, reason="false_alarm"))
        if isinstance(action, Acknowledge):
            incident.acknowledged_by, incident.acknowledged_at = action.who, action.at
            return Outcome(self._lifecycle.tell(incident, at=action.at, reason="acknowledged"))
        if isinstance(action, Snooze):
            incident.snoozed_until = action.until
            return Outcome(self._lifecycle.tell(incident, at=action.at, reason="snoozed"))
        return Outcome(self._lifecycle.tell(incident, at=action.at, reason="note"))

    def _silence(self, action: BeginSilence) -> Outcome:
        if action.until <= action.at:
            return Outcome([], "the silence ends before it begins")
        self._lifecycle.silences.add(Silence(
            silence_id=action.action_id, matchers=action.matchers, starts_at=action.at, ends_at=action.until,
            who=action.who, comment=action.text,
        ))  # fmt: skip
        return Outcome(self._lifecycle.remute(at=action.at))

    def _unsilence(self, action: EndSilence) -> Outcome:
        if not self._lifecycle.silences.end(action.silence_id):
            return Outcome([], f"there is no silence {action.silence_id}")
        return Outcome(self._lifecycle.remute(at=action.at))


def row_of(action: Action, *, refused: str = "") -> AlertAction:
    """The action as the store keeps it, with why it did nothing; of a silence the id stands where an alert's would."""
    if isinstance(action, BeginSilence | EndSilence):
        subject = action.action_id if isinstance(action, BeginSilence) else action.silence_id
    else:
        subject = action.alert_id
    until = action.until if isinstance(action, Snooze | BeginSilence) else None
    comment = "" if isinstance(action, EndSilence) else action.text
    matchers = action.matchers if isinstance(action, BeginSilence) else {}
    return AlertAction(
        alert_id=subject, at=action.at, action=action.name, actor=action.who, until=until, comment=comment,
        action_id=action.action_id, matchers=matchers, refused=refused,
    )  # fmt: skip


def decode_action(raw: bytes) -> Action:
    """An action of a message; BadEvent if it is none."""
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadEvent("bad_action", str(error)) from None


def encode_action(action: Action) -> bytes:
    """The message of an action, with its keys in one order."""
    return msgspec.json.encode(action, order="deterministic")


def parse_matchers(pairs: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Matchers of `{"kind": "negative_spike", "value": ["手机", "家电"]}`: a value or a list of them each."""
    return {
        key: tuple(str(one) for one in value) if isinstance(value, list | tuple) else (str(value),)
        for key, value in pairs.items()
    }
