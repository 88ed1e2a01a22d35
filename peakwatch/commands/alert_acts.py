"""`peakwatch alerts ack`, `snooze`, `silence` …: from words to actions, and what became of them."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from alerts import actions as kinds
from alerts.actions import Action, row_of
from peakwatch import acting
from peakwatch import alert_screen as screen
from peakwatch.commands.times import Until
from peakwatch.terminal import readable
from schemas.errors import PermanentError, TransientError
from schemas.rules.types import KINDS, SEVERITIES
from schemas.settings import Settings
from storage.history import History

ON_ALERTS: Final[dict[str, Any]] = {
    "ack": kinds.Acknowledge, "snooze": kinds.Snooze, "resolve": kinds.Resolve, "false-alarm": kinds.FalseAlarm,
    "note": kinds.AddNote,
}  # fmt: skip
CLOSED: Final[dict[str, Sequence[str]]] = {"kind": KINDS, "severity": SEVERITIES}
_TEXT_OF: Final = {"false-alarm": "reason", "note": "text"}


def act(arguments: argparse.Namespace, settings: Settings, history: History, *, now_ms: int) -> int:
    """Send what the person does, and tell what came of it; 1 if something was refused."""
    if arguments.word in ON_ALERTS:
        arguments.ids = [acting.whole_id(history, given) for given in arguments.ids]
    actions = actions_of(arguments, now_ms=now_ms)
    acting.send(settings, actions)
    try:
        results = acting.wait(history, actions, within_s=arguments.wait / 1000)
    except TransientError as error:
        print(f"peakwatch: sent, but what came of it cannot be asked: {error}", file=sys.stderr)
        results = [acting.Result(action, False, "") for action in actions]
    if arguments.json:
        import msgspec

        shown = [{**msgspec.to_builtins(one.action), "taken": one.taken, "refused": one.refused} for one in results]
        screen.print_json({"actions": shown})
    else:
        for one in results:
            _tell(one, waited_ms=arguments.wait)
    return 1 if any(one.refused for one in results) else 0


def actions_of(arguments: argparse.Namespace, *, now_ms: int) -> Sequence[Action]:
    """The actions that the words stand for. PermanentError where they stand for none."""
    who, word = arguments.by or _user(), arguments.word

    def common() -> dict[str, Any]:
        return {"action_id": acting.new_action_id(), "who": who, "at": now_ms}

    if word in ON_ALERTS:
        more: dict[str, Any] = {"text": getattr(arguments, _TEXT_OF.get(word, "note"))}
        if word == "snooze":
            more["until"] = _end(arguments, now_ms)
        made = [ON_ALERTS[word](**common(), alert_id=one, **more) for one in arguments.ids]
    elif word == "unsilence":
        made = [kinds.EndSilence(**common(), silence_id=arguments.silence_id)]
    else:
        matchers = _matchers(arguments.matchers)
        end = _end(arguments, now_ms)
        made = [kinds.BeginSilence(**common(), matchers=matchers, until=end, text=arguments.reason)]
    return [acting.checked(action) for action in made]


def _end(arguments: argparse.Namespace, now_ms: int) -> int:
    if arguments.lasts is not None:
        return now_ms + int(arguments.lasts)
    end: Until = arguments.until
    return end.after(now_ms)


def _matchers(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        label, equals, values = pair.partition("=")
        if not equals or not label or label in found:
            raise PermanentError(f"silence: {pair!r} is not LABEL=VALUE, each label once")
        found[label] = tuple(values.split(","))
        for value in found[label]:
            if value not in CLOSED.get(label, (value,)):  # it would silence nothing, and nobody would know
                raise PermanentError(f"silence: {label}: {value!r} is not one of {', '.join(CLOSED[label])}")
    return found


def _tell(one: acting.Result, *, waited_ms: int) -> None:
    row = row_of(one.action)
    if one.refused:
        print(f"peakwatch: {row.alert_id}: {one.refused}", file=sys.stderr)
    elif one.taken:
        print(readable(f"{row.alert_id}: {screen.action_line(row)}"))
    else:
        print(f"{row.alert_id}: sent; no worker took it within {waited_ms / 1000:g} s, the next that runs will")


def _user() -> str:
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):
        raise PermanentError("who are you? Give --by") from None
