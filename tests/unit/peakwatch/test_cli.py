"""The command: help for everybody, and the contract's exit statuses."""

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from peakwatch.cli import COMMANDS, main
from storage.migrate import Applied


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
     ["demo", "--seconds", "x"], ["demo", "--seconds", "0"], ["demo", "--seconds", "nan"],
     ["feed", "f", "--rate", "-1"], ["score", "--label", "0"], ["score", "--label", "x"], ["migrate", "--jsonn"]],
)  # fmt: skip
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err.lower()


@pytest.mark.parametrize(
    "arguments", [[], ["score", "--nonsense"], ["score", "file"], ["score", "--jsonl", "--explain"]]
)
def test_wrong_usage_before_any_parser_is_status_2_too(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err.lower()


def test_an_unknown_option_is_told_with_the_usage_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["feed", "f", "--brokers", "x"])
    error = capsys.readouterr().err
    assert "feed" in error.splitlines()[0]
    assert "--brokers x" in error.splitlines()[-1]


def test_the_version_is_asked_for_and_so_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    told = capsys.readouterr()
    assert ended.value.code == 0
    assert told.out.startswith("peakwatch ")
    assert told.err == ""


@pytest.mark.parametrize(
    ("arguments", "streams", "expected"),
    [
        ("--version", ">/dev/full", "standard output: No space left on device"),
        ("--help", ">/dev/full", "standard output: No space left on device"),
        ("score", ">/dev/full", "standard output: No space left on device"),
        ("check", ">/dev/full", "standard output: No space left on device"),
        ("replay -", ">/dev/full", "standard output: No space left on device"),
        ("check", ">&-", "standard output is closed"),
        ("replay /", "", "/: Is a directory"),
    ],
)
def test_a_stream_that_fails_is_status_1_and_one_clear_line(arguments: str, streams: str, expected: str) -> None:
    command = f"printf 'a\\n' | {{ {shlex.quote(sys.executable)} -m peakwatch.cli {arguments} {streams}; }}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == f"peakwatch: {expected}\n"


class Standard:
    """A standard stream of bytes."""

    def __init__(self, content: bytes = b"") -> None:
        self.buffer = io.BytesIO(content)

    def flush(self) -> None:
        self.buffer.flush()


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


def test_check_reads_the_files_that_the_settings_name_as_a_worker_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, settings = tmp_path / "rules.yaml", tmp_path / "peakwatch.yaml"
    rules.write_text("rules: [{name: a, kind: none}]\n")
    settings.write_text(
        f"rules: {rules}\nnotify: {tmp_path}/none.yaml\njudge_url: htp://user:geheim@x\nrehearsal: now\n"
        "clickhouse_password: 20261111\n"
    )
    assert main(["check", "--config", str(settings)]) == 1
    told = capsys.readouterr().err
    settings.write_text(settings.read_text().replace("20261111", "'20261111'"))
    assert main(["check", "--config", str(settings)]) == 1
    told += capsys.readouterr().err
    for mistake in (
        "clickhouse_password: is not a text; put it in quotes", "rules[0].kind", "none.yaml: No such file",
        "judge_url: is no http or https address", "rehearsal: 'now' is not INSTANT/INSTANT/SPEED",
    ):  # fmt: skip
        assert mistake in told
    assert "geheim" not in told
    assert "20261111" not in told
    rules.write_text("rules: []\n")
    settings.write_text(f"rules: {rules}\n")
    assert main(["check", "--config", str(settings)]) == 0
    assert " 0 rules" in capsys.readouterr().out


def test_check_tells_programs_every_mistake_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text('rules:\n  - name: "\\ud800"\n  - kind: nothing\n')
    assert main(["check", "--json", "--rules", str(rules)]) == 1
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["ok"] is False
    assert [f"peakwatch: {mistake}" for mistake in found["mistakes"]] == told.err.splitlines()
    assert len(found["mistakes"]) >= 2
    assert main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "mistakes": []}


def test_migrate_tells_programs_what_it_did(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [Applied(1, "0001_events", "c0ffee"), Applied(2, "0002_reader", "beef", left_out="no right to make users")]
    monkeypatch.setattr("peakwatch.stores.clickhouse", lambda _: io.BytesIO())
    monkeypatch.setattr("storage.migrate.migrate", lambda *_, **__: steps)
    assert main(["migrate", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["database"] == "peakwatch"
    assert [(step["name"], step["left_out"]) for step in told["applied"]] == [
        ("0001_events", ""), ("0002_reader", "no right to make users"),
    ]  # fmt: skip
