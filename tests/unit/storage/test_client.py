"""What errors of the driver mean."""

import errno
import socket
import struct

import pytest
from clickhouse_driver import errors
from clickhouse_driver.columns.exceptions import ColumnTypeMismatchException

from schemas.errors import PeakWatchError, PermanentError, TransientError
from storage.client import ClickHouse, ClickHouseSettings, RowsRefused, ServerRefused, explain


def _answer(code: int, text: str = "DB::Exception: Something. Stack trace:\n\n0. main") -> errors.ServerException:
    return errors.ServerException(text, code=code)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_answer(241), TransientError),  # MEMORY_LIMIT_EXCEEDED
        (_answer(252), TransientError),  # TOO_MANY_PARTS
        (_answer(242), TransientError),  # TABLE_IS_READ_ONLY
        (_answer(60), ServerRefused),
        (_answer(516), ServerRefused),
        (_answer(62), ServerRefused),
        (_answer(27), RowsRefused),
        (_answer(469), RowsRefused),  # VIOLATED_CONSTRAINT
        (errors.NetworkError("x"), TransientError),
        (errors.SocketTimeoutError("x"), TransientError),
        (errors.UnexpectedPacketFromServerError("x"), TransientError),
        (errors.ChecksumDoesntMatchError("x"), TransientError),
        (errors.TypeMismatchError("x"), RowsRefused),
        (ColumnTypeMismatchException("x"), RowsRefused),
        (struct.error("x"), RowsRefused),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), RowsRefused),
        (EOFError("x"), TransientError),
        (ConnectionResetError(errno.ECONNRESET, "reset"), TransientError),
        (PermissionError(errno.EACCES, "denied"), PermanentError),
        (TransientError("ours"), TransientError),
    ],
    ids=repr,
)
def test_an_error_is_what_its_caller_can_do_about_it(error: Exception, kind: type[PeakWatchError]) -> None:
    found = explain(error, where="db:9000")
    assert type(found) is kind
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    ("code", "advice"), [(60, "peakwatch migrate"), (81, "peakwatch migrate"), (516, "clickhouse.password")]
)
def test_the_user_is_told_what_to_do(code: int, advice: str) -> None:
    found = explain(_answer(code), where="db:9000")
    assert str(found).startswith(f"clickhouse db:9000: code {code}: Something.")
    assert advice in str(found)
    assert isinstance(found, ServerRefused)
    assert found.systemic


def test_a_server_that_is_not_there_is_worth_another_try() -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        client = ClickHouse(ClickHouseSettings(port=taken.getsockname()[1], connect_timeout_ms=500))
        with pytest.raises(TransientError, match="not reached"):
            client.execute("SELECT 1")
        with pytest.raises(TransientError, match="not reached"):
            client.insert("t", ["a"], [[1]])
        client.close()


def test_an_insert_of_nothing_asks_nobody() -> None:
    client = ClickHouse(ClickHouseSettings(port=1))
    assert client.insert("t", ["a"], [[]]) == 0


def test_secrets_show_in_no_repr() -> None:
    shown = repr(ClickHouseSettings(password="s3cret", keyfile="/etc/key.pem"))
    assert "s3cret" not in shown
    assert "key.pem" not in shown
