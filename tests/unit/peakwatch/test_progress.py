import io
import sys
from pathlib import Path

import pytest

from peakwatch.progress import counting, lines_of


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_counted_also_where_the_last_has_no_end(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"a\nb\n" * 400_000)
    two.write_bytes(b"c\nd")
    assert lines_of([str(one), str(two)]) == 800_002
    (tmp_path / "empty").write_bytes(b"")
    assert lines_of([str(tmp_path / "empty")]) == 0


def test_what_cannot_be_known_beforehand_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"a\n")
    for files in ([], ["-"], [str(tmp_path / "one"), "-"], [str(tmp_path)], [str(tmp_path / "missing")]):
        assert lines_of(files) is None


def test_a_program_that_reads_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    with counting("events") as progress:
        assert progress is None
    assert err.getvalue() == ""


@pytest.mark.parametrize(("known", "shown"), [(True, "50 %"), (False, "5 events")])
def test_a_terminal_sees_how_much_is_left_where_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool, shown: str
) -> None:
    (tmp_path / "events").write_bytes(b"x\n" * 10)
    err = _Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with counting("events", files=[str(tmp_path / "events")] if known else ["-"]) as progress:
        assert progress is not None
        progress(5)
    assert shown in err.getvalue()
    assert ("%" in err.getvalue()) == known
