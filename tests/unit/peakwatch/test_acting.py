"""What the command says of an action, and when."""

from typing import Any, cast

import pytest

from alerts.actions import AddNote, BeginSilence, row_of
from peakwatch import acting
from schemas.results import AlertAction
from storage.history import AlertState, History

NOTE = AddNote(action_id="x1", who="li", at=5_000, alert_id="a" * 20, text="仓库已恢复")
SILENCE = BeginSilence(action_id="x2", who="li", at=5_000, matchers={"value": ("手机",)}, until=9_000)


class Store:
    """Tells of the action at once, and of the alert what each look is given."""

    def __init__(self, *looks: tuple[str, int], refused: str = "") -> None:
        self.looks = list(looks)
        self.refused = refused

    def actions_of(self, action_ids: Any) -> list[AlertAction]:
        return [row_of(one, refused=self.refused) for one in (NOTE, SILENCE) if one.action_id in action_ids]

    def alert(self, alert_id: str) -> AlertState:
        state, said_at = self.looks.pop(0)
        return AlertState(
            alert_id, "r", "threshold", state, "warning", 1, 1, said_at, None, None, {}, 1.0, 1.0, 1.0, None, ""
        )


def asked(store: Store) -> History:
    return cast(History, store)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "ASK_EVERY_S", 0)


def test_what_was_taken_shows_with_the_alert_by_the_time_that_it_is_said() -> None:
    store = Store(("firing", 4_000), ("firing", 4_000), ("firing", 5_000))
    assert acting.wait(asked(store), [NOTE], within_s=60) == [acting.Result(NOTE, True, "")]
    assert store.looks == []


def test_an_alert_that_is_over_says_nothing_of_a_note() -> None:
    assert acting.wait(asked(Store(("resolved", 4_000))), [NOTE], within_s=60)[0].taken


def test_a_refusal_and_a_silence_are_told_at_once() -> None:
    assert acting.wait(asked(Store(refused="the alert is over")), [NOTE], within_s=60)[0].refused
    assert acting.wait(asked(Store()), [SILENCE], within_s=60)[0].taken


def test_an_action_was_taken_though_the_alert_does_not_show_it_in_time() -> None:
    assert acting.wait(asked(Store(("firing", 4_000))), [NOTE], within_s=-1)[0].taken
