"""Acting on alerts: an action goes to its topic, a worker takes it in its order among the facts, the store tells what
came of it. The command is one way in; a page is another.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from alerts.actions import Action, BeginSilence, EndSilence, decode_action, encode_action
from schemas.errors import BadEvent, PermanentError, TransientError
from schemas.settings import Settings
from schemas.topics import ACTIONS
from storage.history import History

ID_CHARS: Final = 20  # see `alerts.incident.alert_id`
SEND_S: Final = 15
ASK_EVERY_S: Final = 0.25


class Result(NamedTuple):
    """What became of an action."""

    action: Action
    taken: bool  # by a worker, by the time we stopped waiting
    refused: str  # why it did nothing


def whole_id(history: History, given: str) -> str:
    """The alert's id that begins so. PermanentError when none or several do; a whole one is not asked for."""
    if len(given) == ID_CHARS:
        return given
    found = history.ids(given)
    if len(found) == 1:
        return found[0]
    if not found:
        raise PermanentError(f"there is no alert whose id begins with {given}")
    raise PermanentError(f"several alerts begin with {given}: {', '.join(found)}")


def checked(action: Action) -> Action:
    """The action, as whoever reads its message will see it. PermanentError where that is none (a text too long …)."""
    try:
        return decode_action(encode_action(action))
    except BadEvent as error:
        raise PermanentError(f"{action.name}: {error.text}") from None


def new_action_id() -> str:
    """A name that no other action has; of a silence it is the silence's id."""
    return secrets.token_hex(6)


def send(settings: Settings, actions: Sequence[Action]) -> None:
    """Hand actions to the broker; on return they are safe. TransientError when it does not take them."""
    # Not at the module's top: the client takes a while to load, and only whoever sends needs it.
    from kafka.errors import KafkaError

    from peakwatch.feeding import producer

    to = producer(settings)
    try:
        # One partition, in order; without a key, as it is one log.
        waiting = [to.send(ACTIONS, value=encode_action(action), partition=0) for action in actions]
        for future in waiting:
            future.get(timeout=SEND_S)
    except KafkaError as error:
        raise TransientError(
            f"kafka {settings.kafka_bootstrap}: the topic {ACTIONS} did not take it ({error}); "
            "has a worker been started, which creates it?"
        ) from None
    finally:
        to.close(timeout=SEND_S)


def wait(history: History, actions: Sequence[Action], *, within_s: float) -> list[Result]:
    """What became of actions, as the store tells it; those that no worker has taken in time are not `taken`.

    What was taken also shows in `list` and `show` then, if that too comes in time: an alert's lines take another way
    to the store than the action's own.
    """
    wanted = [action.action_id for action in actions]
    deadline = time.monotonic() + within_s
    while True:
        found = {row.action_id: row.refused for row in history.actions_of(wanted)}
        shown = len(found) == len(wanted) and all(found[one.action_id] or _shows(history, one) for one in actions)
        if shown or time.monotonic() > deadline:
            return [Result(action, action.action_id in found, found.get(action.action_id, "")) for action in actions]
        time.sleep(ASK_EVERY_S)


def _shows(history: History, action: Action) -> bool:
    """Whether the alert's own lines tell of an action that was taken; of one on an alert that is over none does."""
    if isinstance(action, BeginSilence | EndSilence):
        return True
    state = history.alert(action.alert_id)
    return state is not None and (state.state == "resolved" or state.said_at >= action.at)
