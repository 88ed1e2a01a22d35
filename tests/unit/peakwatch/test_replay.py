"""`peakwatch replay`, driven as the command: rubbish in, dead letters out; the same bytes on every run."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import peakwatch.replay
from bench import generate
from peakwatch.cli import main
from schemas.events import MAX_MESSAGE_BYTES
from schemas.instants import MAX_MS

COUNTS = ("events", "dead_letters", "late", "duplicates", "alerts")


class Ran(NamedTuple):
    status: int
    summary: dict[str, Any]
    error: str
    outputs: dict[str, bytes]


Replay = Callable[..., Ran]


@pytest.fixture
def replay(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Replay:
    return lambda content, *options: run(tmp_path, capfd, content, *options)


def run(folder: Path, capfd: pytest.CaptureFixture[str], content: bytes, *options: str) -> Ran:
    """The command in this process, all outputs asked for."""
    source = folder / "in.jsonl"
    source.write_bytes(content)
    files = {name: folder / f"{name}.jsonl" for name in ("alerts", "windows", "sla")}
    asked = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    status = main(["replay", str(source), *asked, *options])
    out, error = capfd.readouterr()
    summary = json.loads(out.splitlines()[-1]) if status == 0 else {}
    outputs = {name: path.read_bytes() for name, path in files.items() if path.exists()}
    return Ran(status, summary, error, outputs)


def event(number: int, at: object, topic: str = "reviews", **more: object) -> bytes:
    base = {"topic": topic, "event_id": str(number), "event_time": at, "review_id": "r", "complaint_id": "c",
            "ticket_id": "t", "action": "created", "count": 10**12, "text": "太差了"}  # fmt: skip
    return json.dumps({**base, **more}).encode()


RUBBISH: dict[str, bytes] = {
    "random bytes": random.Random(1).randbytes(400).replace(b"\n", b"") + b"\xff",
    "no JSON": b"hello",
    "broken JSON": b'{"topic":"reviews","event_id":"a"',
    "no object": b"[1,2,3]",
    "no topic": b'{"event_id":"a"}',
    "a topic of another kind": b'{"topic":["reviews"],"event_id":"a"}',
    "an unknown topic": b'{"topic":"rewievs","event_id":"a"}',
    "two topics": b'{"topic":"reviews","topic":{}}',
    "a wrong type": event(1, 1, text=5),
    "a huge number": event(1, 10**400),
    "a huge rating": event(1, 1).replace(b'"text"', b'"rating":1e999,"text"'),
    "a float for a time": event(1, 1e300),
    "deep nesting": b'{"topic":"reviews","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "only brackets": b"[" * 100_000,
    "a NUL byte": event(1, 1).replace(b"review_id", b"review\x00id"),
    "only NUL bytes": b"\x00" * 100,
    "a lone surrogate": b'{"topic":"reviews","event_id":"\\ud800","event_time":1,"review_id":"r"}',
    "a surrogate in UTF-8": b'{"topic":"reviews","event_id":"\xed\xa0\x80","event_time":1,"review_id":"r"}',
    "after the year 9999": event(1, MAX_MS + 1),
    "the year 10000": event(1, "10000-01-01T00:00:00Z"),
    "before 1970": event(1, "1969-12-31T23:59:59Z"),
    "a giant line": b'{"topic":"reviews","text":"' + b"x" * 3_000_000 + b'"}',
    "an empty line": b"",
}


@pytest.mark.parametrize("what", RUBBISH)
def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on(what: str, replay: Replay) -> None:
    ran = replay(b"\n".join([event(7, 5), RUBBISH[what], event(8, 6), b""]))
    assert (ran.status, ran.error) == (0, "")
    assert [ran.summary[name] for name in COUNTS] == [2, 1, 0, 0, 0]


def test_all_rubbish_together_is_counted_line_by_line(replay: Replay) -> None:
    ran = replay(b"\n".join(RUBBISH.values()) + b"\r\n" + event(1, 1))
    assert (ran.status, ran.summary["dead_letters"], ran.summary["events"]) == (0, len(RUBBISH), 1)


def test_a_text_cut_within_an_emoji_is_an_event(replay: Replay) -> None:
    ran = replay(event(1, 1_762_800_000_000, text="客服太差\ud83d"))
    assert (ran.summary["events"], ran.summary["dead_letters"]) == (1, 0)


def test_a_byte_order_mark_costs_no_line(replay: Replay) -> None:
    ran = replay(b"\xef\xbb\xbf" + event(1, 5) + b"\n" + event(2, 6))
    assert [ran.summary[name] for name in COUNTS] == [2, 0, 0, 0, 0]
    assert [replay(content).summary["dead_letters"] for content in (b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"1\n2")] == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize("topic", ["reviews", "complaints", "tickets", "orders"])
def test_the_first_and_the_last_instant_there_is_end_no_run(topic: str, replay: Replay) -> None:
    days = [event(i, at, topic, action=action) for i, (at, action) in enumerate(
        [(0, "created"), (1_794_325_500_000, "pending"), (MAX_MS, "closed"), (MAX_MS - 1, "reopened"), (5, "created")]
    )]  # fmt: skip
    ran = replay(b"\n".join(days))
    assert (ran.status, ran.error) == (0, "")
    assert ran.summary["events"] == 5
    assert all(json.loads(line) for output in ran.outputs.values() for line in output.splitlines())


_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.integers(0, MAX_MS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_texts = st.sampled_from(["event_id", "category", "channel", "text", "action", "ticket_id", "severity", "customer_id"])
_known = _texts | st.sampled_from(["event_time", "seq", "rating", "rating_max", "csat", "bot", "count", "priority"])
_event = st.builds(
    lambda topic, number, at, changed: event(number, at, topic, **changed),
    st.sampled_from(["reviews", "complaints", "tickets", "orders", "windows"]), st.integers(0, 5),
    st.integers(0, MAX_MS) | st.integers(0, 10**6),
    st.dictionaries(_known, _value, max_size=3),
)  # fmt: skip
_line = (
    st.binary(max_size=60)
    | _event
    | st.builds(lambda line, at: line[: at % (len(line) + 1)], _event, st.integers(0, 200))
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_line, max_size=12))
def test_whatever_the_file_holds_every_line_is_an_event_or_a_dead_letter(lines: list[bytes], replay: Replay) -> None:
    content = b"\n".join(lines)
    ran = replay(content)
    assert (ran.status, ran.error) == (0, "")
    expected = len(content.split(b"\n")) - content.endswith(b"\n") if content else 0
    assert ran.summary["events"] + ran.summary["dead_letters"] == expected
    for output in ran.outputs.values():
        assert all(isinstance(json.loads(line), dict) for line in output.splitlines())


def test_output_is_the_same_bytes_on_every_run_and_whatever_the_batch(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"\n".join(generate.events(300, seed=3))
    runs = []
    for lines, block in ((4096, 1 << 18), (19, 70), (333, 4096), (4096, 1 << 18)):
        monkeypatch.setattr(peakwatch.replay, "BATCH_LINES", lines)
        monkeypatch.setattr(peakwatch.replay, "READ_BYTES", block)
        ran = replay(content)
        assert ran.status == 0
        runs.append(([ran.summary[name] for name in COUNTS], ran.outputs))
    assert all(one == runs[0] for one in runs)
    assert runs[0][1]["windows"]
    assert runs[0][1]["sla"]


def test_a_line_at_the_limit_is_read_and_a_longer_one_is_a_dead_letter(replay: Replay) -> None:
    full = event(1, 1, pad="x" * (MAX_MESSAGE_BYTES - len(event(1, 1, pad=""))))
    assert len(full) == MAX_MESSAGE_BYTES
    longer = event(2, 1, pad="x" * (MAX_MESSAGE_BYTES + 1 - len(event(2, 1, pad=""))))
    ran = replay(b"\r\n".join([full, longer, event(3, 1)]))
    assert [ran.summary[name] for name in COUNTS] == [2, 1, 0, 0, 0]


def test_lateness_is_the_caller_s(replay: Replay) -> None:
    content = b"\n".join([event(1, 100_000), event(2, 39_000), event(3, 41_000)])
    assert replay(content).summary["late"] == 0
    assert replay(content, "--lateness", "60").summary["late"] == 1
    assert replay(content, "--lateness", "0").summary["late"] == 2


def test_an_id_seen_in_another_file_or_topic_is_a_duplicate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(event(1, 5) + b"\n")
    second.write_bytes(event(1, 9, "tickets") + b"\n" + event(2, 9, "tickets"))
    assert main(["replay", str(first), str(second)]) == 0
    summary = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (summary["events"], summary["duplicates"]) == (3, 1)
    assert set(summary) >= {*COUNTS, "seconds", "events_per_second"}


@pytest.fixture
def nothing_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test when events are read."""

    def read(*_: object, **__: object) -> None:
        pytest.fail("events were read")

    monkeypatch.setattr(peakwatch.replay, "replay", read)


@pytest.mark.usefixtures("nothing_read")
def test_every_mistake_of_every_file_is_told_before_any_event_is_read(replay: Replay, tmp_path: Path) -> None:
    rules, calendar, peaks = (tmp_path / f"{name}.yaml" for name in ("rules", "calendar", "peaks"))
    rules.write_text(
        "policies:\n"
        "  - {name: a, clock: resolution, target: 0s}\n"
        "  - {name: a, clock: resolution, target: 1h, calendar: nowhere, match: {colour: red}}\n"
        "rules:\n  - {name: x, kind: nonsense}\nextra: 1\n"
    )
    calendar.write_text("calendars:\n  office: {timezone: Mars/Olympus, hours: {mon-fri: 18:00-09:00}}\n")
    peaks.write_text("- nonsense\n")
    ran = replay(b"", "--rules", str(rules), "--calendar", str(calendar), "--peaks", str(peaks))
    assert ran.status == 1
    for part in ("extra", "target", "nowhere", "colour", "kind", "timezone", "hours", "peaks.yaml"):
        assert part in ran.error, part
    assert all(line.startswith("peakwatch: ") for line in ran.error.splitlines())
    assert "Traceback" not in ran.error


@pytest.mark.usefixtures("nothing_read")
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"a: [", b"- 1\n", b"&a [*a]\n", b"x" * 10])
def test_a_configuration_that_is_none_is_one_clear_line(content: bytes | None, replay: Replay, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    if content is not None:
        rules.write_bytes(content)
    ran = replay(b"", "--rules", str(rules))
    assert ran.status == 1
    assert str(rules) in ran.error
    assert "Traceback" not in ran.error


@pytest.mark.parametrize("lateness", ["-1", "nan", "inf", "1e30"])
def test_a_lateness_out_of_range_is_a_failure(lateness: str, replay: Replay) -> None:
    ran = replay(b"", f"--lateness={lateness}")
    assert ran.status == 1
    assert "--lateness" in ran.error


def test_windows_have_the_dimensions_that_are_asked_for(replay: Replay) -> None:
    content = event(1, 1_762_800_000_000, category="手机", region="华东") + b"\n"
    written = replay(content, "--dimensions", "all, category+region").outputs["windows"].splitlines()
    assert {(row["dimension"], row["value"]) for row in map(json.loads, written)} == {
        ("all", ""), ("category+region", "手机|华东"),
    }  # fmt: skip
    usual = {json.loads(row)["dimension"] for row in replay(content).outputs["windows"].splitlines()}
    assert usual > {"all", "category", "region", "category+region"}


@pytest.mark.parametrize(
    ("text", "customers", "judged"),
    [
        ("客服一直不回消息，再也不来了", 1, 1),
        ("强烈推荐，真的很不错，会回购的", 20, 4),
        ("质量太差，用了一天就坏了", 20, 20),
    ],
    ids=["one customer's repetitions", "a burst of copied praise", "a burst of the same anger"],
)
def test_copies_are_left_out_of_sentiment_only_when_that_is_asked(
    text: str, customers: int, judged: int, replay: Replay
) -> None:
    at = 1_762_800_000_000
    events = [
        event(n, at + n * 1000, text=text, product_id="p", customer_id=f"c{n % customers}") for n in range(20)
    ]  # fmt: skip
    usual, without = (
        json.loads(replay(b"\n".join(events), "--dimensions", "all", *options).outputs["windows"].splitlines()[-1])
        for options in ([], ["--drop-copies"])
    )
    assert (usual["reviews"], usual["judged"]) == (20, 20)
    assert (without["reviews"], without["judged"]) == (20, judged)
    assert without["invalid_share"] == pytest.approx(1 - judged / 20)
    assert without["duplicate_share"] == usual["duplicate_share"] == pytest.approx(0.95)


def test_a_rehearsal_leaves_copies_out_as_well(replay: Replay) -> None:
    lines = [event(n, 1_762_800_000_000 + n * 1000, text="再也不来了，差评", customer_id="c") for n in range(20)]
    last = replay(b"\n".join(lines), "--dimensions", "all", "--rehearse", "--json", "--drop-copies")
    assert json.loads(last.outputs["windows"].splitlines()[-1])["judged"] == 1


@pytest.mark.usefixtures("nothing_read")
def test_dimensions_that_there_are_not_are_told_all_at_once(replay: Replay) -> None:
    ran = replay(b"", "--dimensions", "all,colour,region+,category+category")
    assert ran.status == 1
    lines = ran.error.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("peakwatch: --dimensions: ") for line in lines)


def test_a_file_that_cannot_be_read_or_written_is_one_clear_line(
    replay: Replay, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for arguments in (
        [str(tmp_path / "none.jsonl")], [str(tmp_path)], ["/dev/null", "--windows", str(tmp_path / "no" / "w")],
        ["/dev/null", "--alerts", str(tmp_path)],
    ):  # fmt: skip
        assert main(["replay", *arguments]) == 1
        error = capfd.readouterr().err
        assert error.startswith("peakwatch: ")
        assert error.count("\n") == 1
    assert replay(event(1, 1), "--windows", "/dev/full").error.startswith("peakwatch: /dev/full: No space")


def test_an_output_that_cannot_be_written_shows_before_any_event_is_read(tmp_path: Path) -> None:
    assert main(["replay", str(tmp_path / "none.jsonl"), "--sla", str(tmp_path)]) == 1


def test_of_an_empty_file_nothing_is_said(replay: Replay) -> None:
    ran = replay(b"")
    assert [ran.summary[name] for name in COUNTS] == [0] * 5
    assert ran.outputs == {"alerts": b"", "windows": b"", "sla": b""}
