"""How a worker ends: what reaches whoever reads its log."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Any, cast

import pytest

from agents import running
from agents.running import without_cancellations


def _raised_in_a_thread(error: BaseException) -> None:
    def work() -> None:
        raise error

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_thread_that_is_cancelled_at_the_end_shows_no_traceback_and_any_other_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading, "excepthook", without_cancellations)
    _raised_in_a_thread(asyncio.CancelledError())
    assert capsys.readouterr().err == ""
    _raised_in_a_thread(ValueError("what went wrong"))
    assert "ValueError: what went wrong" in capsys.readouterr().err


@dataclass
class _Ending:
    """A worker and Faust's main, as far as their end goes."""

    safe: bool
    failure: BaseException | None = None
    ending: bool = True


class _AtOnce:
    """An event that nobody sets, for which nobody waits either."""

    def wait(self, seconds: float) -> bool:
        return False


@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [
        (_Ending(safe=True), 0, "all is safe"),
        (_Ending(safe=False), 1, "did not end within 15 s (is the broker gone?)"),
        (_Ending(safe=True, failure=ValueError("x"), ending=False), 1, "did not end within 15 s (x)"),
    ],
)
def test_a_client_that_hangs_at_the_end_fails_a_worker_only_while_something_is_not_safe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ending: _Ending, status: int, told: str
) -> None:
    def leave(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr("os._exit", leave)
    patience = running._Patience(cast(Any, ending), cast(Any, ending))
    patience.over = cast(Any, _AtOnce())
    with pytest.raises(SystemExit) as left:
        patience.run()
    assert left.value.code == status
    assert told in capsys.readouterr().err
