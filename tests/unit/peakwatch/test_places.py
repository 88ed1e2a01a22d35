"""No file is lost by a slip in a path."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from peakwatch.cli import main
from peakwatch.places import ensure_apart, ensure_readable
from schemas.errors import PermanentError

EVENT = '{"topic":"orders","event_id":"1","event_time":0,"count":1}\n'


@pytest.mark.parametrize("option", ["--alerts", "--windows", "--sla"])
def test_a_replay_never_writes_over_what_it_reads(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    events, rules = tmp_path / "events.jsonl", tmp_path / "rules.yaml"
    events.write_text(EVENT)
    rules.write_text("rules: []\n")
    linked = tmp_path / "linked.jsonl"
    linked.symlink_to(events)
    for target in (events, linked, rules):
        assert main(["replay", str(events), "--rules", str(rules), option, str(target)]) == 1
        assert "write to another file" in capsys.readouterr().err
    assert events.read_text() == EVENT
    assert rules.read_text() == "rules: []\n"


def test_a_file_that_is_not_there_is_told_before_anything_is_written(tmp_path: Path) -> None:
    before, events = tmp_path / "before.jsonl", tmp_path / "events.jsonl"
    before.write_text("of last time\n")
    events.write_text(EVENT)
    assert main(["replay", str(events), str(tmp_path / "none.jsonl"), "--alerts", str(before)]) == 1
    assert before.read_text() == "of last time\n"


def test_two_outputs_need_two_files_but_may_share_a_device(tmp_path: Path) -> None:
    new, null = tmp_path / "new.jsonl", Path("/dev/null")
    with pytest.raises(PermanentError, match="already"):
        ensure_apart(read=["-"], written=[new, None, tmp_path / "." / "new.jsonl"])
    ensure_apart(read=["/dev/null"], written=[null, null, new])


@pytest.mark.parametrize("name", [".", "no/such", "a\0b"])
def test_what_cannot_be_read_is_told_by_its_name(name: str) -> None:
    with pytest.raises(PermanentError):
        ensure_readable(["-", name])


@pytest.mark.parametrize(
    ("pack", "command"), [(gzip.compress, "zcat"), (bz2.compress, "bzcat"), (lzma.compress, "xzcat")]
)
def test_a_compressed_file_is_told_with_the_command_that_unpacks_it(
    tmp_path: Path, pack: Callable[[bytes], bytes], command: str
) -> None:
    packed = tmp_path / "last week.jsonl"
    packed.write_bytes(pack(b"{}"))
    with pytest.raises(PermanentError, match=f"is compressed; unpack it on the way: {command} '"):
        ensure_readable([str(packed)])
