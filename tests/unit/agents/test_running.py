"""How a worker ends: what reaches whoever reads its log."""

import asyncio
import threading

import pytest

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
