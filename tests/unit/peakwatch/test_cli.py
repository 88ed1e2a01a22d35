"""The command: help for everybody, and the contract's exit statuses."""

import io
import sys

import pytest

from peakwatch.cli import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_what_it_takes_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"peakwatch {command}" in out
    assert "examples:" in out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["--nonsense"], ["replay"], ["replay", "--nonsense", "f"], ["replay", "f", "--lateness", "soon"],
     ["check", "f"], ["worker", "--log-level", "LOUD"], ["feed"], ["feed", "f", "--rate", "fast"],
     ["demo", "--seconds", "x"]],
)  # fmt: skip
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err.lower()


@pytest.mark.parametrize("arguments", [[], ["score", "--nonsense"], ["score", "file"]])
def test_wrong_usage_before_any_parser_is_status_2_too(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err.lower()


class Standard:
    """A standard stream of bytes."""

    def __init__(self, content: bytes = b"") -> None:
        self.buffer = io.BytesIO(content)


def test_score_answers_every_line_whatever_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Standard()
    monkeypatch.setattr(sys, "stdin", Standard("太差了\n很好\n\n".encode() + b"\xff\xfe\n\x00\n" + b"x" * 500_000))
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["score"]) == 0
    lines = out.buffer.getvalue().decode().splitlines()
    assert len(lines) == 6
    for line in lines:
        score, label = line.split("\t")
        assert 0.0 <= float(score) <= 1.0
        assert label in {"negative", "neutral", "positive"}


@pytest.mark.parametrize("name", ["PEAKWATCH_NONSENSE", "PEAKWATCH_LATENESS"])
@pytest.mark.parametrize("command", ["check", "migrate", "worker"])
def test_wrong_settings_are_status_1_and_one_clear_line(
    command: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "nonsense")
    assert main([command]) == 1
    error = capsys.readouterr().err
    assert error.startswith("peakwatch: environment: ")
    assert error.count("\n") == 1


def test_check_of_what_ships_finds_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out.startswith("ok")
