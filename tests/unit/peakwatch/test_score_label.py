"""`peakwatch score --label`: which texts are asked about, and what is written."""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peakwatch.labelling import asked, doubtful, known_texts, label_round, labels_of_marks, quotes_of_marks
from schemas.errors import PermanentError
from schemas.results import Alert, AlertAction, AlertKind
from sentiment.judge import Judge, load
from sentiment.labels import Labelled, read_labels

ROOT = Path(__file__).parents[3]
TEXTS = [
    "质量很好，非常满意", "垃圾，用了一天就坏了", "手机13812345678打不通，快递放门口了", "", "此用户没有填写评价",
    "东西收到了", "颜色和图片差不多", "垃圾，用了一天就坏了", "yyds", "包装盒是蓝色的",
]  # fmt: skip


@pytest.fixture(scope="module")
def judge() -> Judge:
    return load()


def answering(*answers: str) -> Callable[[str], str]:
    given = iter(answers)
    return lambda question: next(given, "")


def source() -> io.BytesIO:
    return io.BytesIO("\n".join(TEXTS).encode())


def test_texts_are_masked_once_each_and_valid(judge: Judge) -> None:
    chosen = [text for text, _ in doubtful(TEXTS, judge, 100, seed=1)]
    assert len(chosen) == len(set(chosen)) == 7
    assert "手机[手机号]打不通，快递放门口了" in chosen


def test_the_most_doubtful_are_asked_first(judge: Judge) -> None:
    chosen = doubtful(TEXTS, judge, 3, seed=1)
    doubts = sorted(abs(score - 0.5) for _, score in doubtful(TEXTS, judge, 100, seed=1))
    assert [abs(score - 0.5) for _, score in chosen] == doubts[:3]


def test_what_is_known_is_not_asked_again(judge: Judge) -> None:
    first = doubtful(TEXTS, judge, 3, seed=1)
    again = doubtful(TEXTS, judge, 3, seed=1, known=[text for text, _ in first])
    assert not {text for text, _ in first} & {text for text, _ in again}


def test_keys_are_labels_skips_are_nothing_and_q_ends() -> None:
    chosen = [(name, 0.5) for name in "abcdef"]
    said = list(asked(chosen, answering("n\n", "U\n", "s\n", " p \n", "q\n", "n\n")))
    assert said == [
        Labelled("a", "negative", "person", 0.5), Labelled("b", "neutral", "person", 0.5),
        Labelled("d", "positive", "person", 0.5),
    ]  # fmt: skip


def test_another_key_is_asked_again_and_the_end_of_input_ends() -> None:
    assert [one.label for one in asked([("a", 0.5), ("b", 0.5)], answering("x\n", "\n", "p\n"))] == ["positive"]


def test_a_text_commands_no_terminal_where_it_is_asked_about() -> None:
    shown: list[str] = []
    list(asked([("差\x1b[2J\r好", 0.5)], lambda question: shown.append(question) or "q\n"))  # type: ignore[func-returns-value]
    assert "差 [2J 好" in shown[0]


def test_without_a_terminal_the_labels_are_left_to_be_filled_in(tmp_path: Path) -> None:
    out = io.BytesIO()
    assert label_round(source(), out, n=4, seed=1, ask=None) == 4
    lines = out.getvalue().decode().splitlines()
    assert {(line["label"], line["source"]) for line in map(json.loads, lines)} == {("", "person")}
    with pytest.raises(ValueError, match="line 1: label"):
        read_labels(lines)
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert sorted(known_texts(path)) == sorted(json.loads(line)["text"] for line in lines)
    filled = [json.dumps(json.loads(line) | {"label": "neutral"}) for line in lines]
    assert len(read_labels(filled)) == 4


def test_with_a_terminal_the_file_can_be_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    with path.open("wb") as out:
        assert label_round(source(), out, n=4, seed=1, ask=answering("n\n", "s\n", "p\n", "u\n")) == 3
    assert [one.label for one in read_labels(path.read_text().splitlines())] == ["negative", "positive", "neutral"]
    assert len(known_texts(path)) == 3


def test_a_file_that_is_no_label_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text("好\n")
    with pytest.raises(PermanentError, match="line 1"):
        known_texts(path)
    assert known_texts(tmp_path / "new.jsonl") == []


def test_false_alarm_marks_become_weak_labels(judge: Judge) -> None:
    def alert(name: str, *texts: str, kind: AlertKind = "negative_spike") -> Alert:
        evidence: dict[str, Any] = {"texts": list(texts)}
        return Alert(name, "r", kind, "firing", "info", 1, 1, None, {}, None, None, None, "", evidence, "")

    alerts = [
        alert("a", "垃圾，用了一天就坏了", "质量很好"), alert("a", "垃圾，用了一天就坏了"), alert("b", "差劲"),
        alert("c", "发错货了，气死我了", kind="complaint_spike"),
    ]  # fmt: skip
    actions = [AlertAction(name, 5, "false_alarm", "li", None, "") for name in "ac"]
    actions.append(AlertAction("b", 5, "ack", "li", None, ""))
    found = list(labels_of_marks(alerts, actions, judge))
    assert [(one.text, one.label, one.source) for one in found] == [("垃圾，用了一天就坏了", "neutral", "false_alarm")]
    assert [text for text, _ in quotes_of_marks(alerts, actions, judge)] == ["垃圾，用了一天就坏了"]


def score(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = "import sys; from peakwatch.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", command, "score", *arguments],
        input="\n".join(TEXTS).encode(), cwd=ROOT, check=False, timeout=60, **options,
    )  # fmt: skip


def test_the_command_writes_lines_to_fill_in() -> None:
    done = score("--label", "2", "--seed", "3", capture_output=True)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["label"] for line in done.stdout.decode().splitlines()] == ["", ""]
    assert done.stderr.decode() == "peakwatch: 2 texts to be labelled\n"


@pytest.mark.parametrize("arguments", ["--label 0", "--label x", "--seed 1", "--label 1 --jsonl"])
def test_the_command_refuses_what_makes_no_sense(arguments: str) -> None:
    done = score(*arguments.split(), capture_output=True)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr


def test_the_command_asks_at_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    texts = tmp_path / "texts"
    texts.write_text("\n".join(TEXTS), encoding="utf-8")
    pid, terminal = pty.fork()
    if pid == 0:  # the child has the terminal as its own
        os.chdir(ROOT)
        os.dup2(os.open(texts, os.O_RDONLY), 0)
        command = "import sys; from peakwatch.cli import main; sys.exit(main(sys.argv[1:]))"
        os.execv(sys.executable, [sys.executable, "-c", command, "score", "--label", "3", "--out", str(path)])
    os.write(terminal, b"n\np\nq\n")
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # how the end of a pseudo-terminal shows
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert [one.label for one in read_labels(path.read_text().splitlines())] == ["negative", "positive"]
    assert b"[3/3]" in shown
    assert shown.rstrip().endswith(b"peakwatch: 2 labels")
