"""`peakwatch replay`: files in order of arrival → the engine → the contract's JSONL files."""

import gc
import sys
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Final, cast

import msgspec

import sentiment.judge
import sentiment.words
from peakwatch.config import Config
from peakwatch.held_windows import HeldWindows
from schemas.errors import PermanentError
from schemas.events import MAX_MESSAGE_BYTES, decoded
from schemas.lines import alert_line, sla_line
from schemas.results import Alert
from schemas.rules import ThresholdRule
from schemas.settings import DEFAULT_DIMENSIONS
from schemas.topics import SOURCES
from sentiment.privacy import mask_text
from sentiment.validity import validity_batch
from streams.decisions import Decisions
from streams.dimensions import Dimensions
from streams.engine import Decider, Engine, Line, Windows
from streams.intake import Record
from streams.judging import Judging
from streams.source import DEFAULT_LATENESS_MS, SourceConfig
from streams.window_lines import WindowLines
from streams.windows import RollingWindows

BATCH_LINES: Final = 4096
READ_BYTES: Final = 1 << 18
YOUNG_OBJECTS: Final = 100_000  # events make many objects and no cycles: looking for some so often finds nothing


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the lines go; None: nowhere. `dimensions` are the windows'."""

    alerts: Path | None = None
    windows: Path | None = None
    sla: Path | None = None
    dimensions: tuple[str, ...] = DEFAULT_DIMENSIONS


@dataclass(frozen=True, slots=True)
class Summary:
    """What a replay came to; the last line on standard output."""

    events: int
    dead_letters: int
    late: int
    duplicates: int
    alerts: int
    seconds: float
    events_per_second: float


def replay(
    files: Iterable[str], config: Config, *, outputs: Outputs, lateness_ms: int = DEFAULT_LATENESS_MS,
    drop_copies: bool = False, progress: Callable[[int], None] | None = None, decider: Decider | None = None,
    beside: Engine | None = None,
) -> Summary:  # fmt: skip
    """Run the files (`-`: standard input) one after the other. `progress` is told the lines so far.

    `drop_copies` is the workers' setting of that name.
    `decider` stands in for the configuration's own (`decisions_of`); `beside` is an engine that is given all the same.
    Raises PermanentError for a file that cannot be read or written, with what to do.
    """
    began = time.perf_counter()
    gc.set_threshold(YOUNG_OBJECTS)
    alerts = 0
    with ExitStack() as stack:
        asked = outputs.windows is not None
        windows = stack.enter_context(HeldWindows(RollingWindows(Dimensions(outputs.dimensions)))) if asked else None
        engine = engine_of(
            config, decider or decisions_of(config), lateness_ms=lateness_ms, windows=windows, drop_copies=drop_copies
        )
        # All of them now: that one cannot be written must not show only after the last event.
        to_alerts, to_windows, to_sla = (_open(path, stack) for path in (outputs.alerts, outputs.windows, outputs.sla))
        for count, batch in _batches(_records(files)):
            for alert in engine.feed(batch):
                alerts += _write(to_alerts, alert_line(alert))
            if beside is not None:
                _exhaust(beside.feed(batch))
            if progress is not None:
                progress(count)
        for alert in engine.finish():
            alerts += _write(to_alerts, alert_line(alert))
        if beside is not None:
            _exhaust(beside.finish())
        _write_windows(engine, to_windows)
        _write_sla(engine, to_sla)
    seconds = time.perf_counter() - began
    tally = engine.tally
    lines = tally.events + tally.dead_letters
    return Summary(
        tally.events, tally.dead_letters, tally.late, tally.duplicates, alerts, round(seconds, 3),
        round(lines / seconds, 1),
    )  # fmt: skip


def engine_of(
    config: Config, decider: Decider, *, lateness_ms: int = DEFAULT_LATENESS_MS, windows: Windows | None = None,
    drop_copies: bool = False,
) -> Engine:  # fmt: skip
    """The engine that a configuration means; the rules are the decider's."""
    source = SourceConfig(
        judging=_judging(config, windows=windows is not None, drop_copies=drop_copies),
        mask=mask_text, policies=config.promises, lateness_ms=lateness_ms,
    )  # fmt: skip
    return Engine(source, windows=windows, decisions=decider)


def decisions_of(config: Config) -> Decisions:
    """All rules of a configuration, as nothing has happened yet."""
    return Decisions(config.rules, config.peaks, words=sentiment.words.load())


def _exhaust(alerts: Iterable[Alert]) -> None:
    for _ in alerts:
        pass


def _judging(config: Config, *, windows: bool, drop_copies: bool) -> Judging:
    """Only what somebody asks for: the windows' file, or a rule."""
    asked = {name for rule in config.rules if isinstance(rule, ThresholdRule) for name in (rule.figure, rule.per)}
    return Judging(
        sentiment.judge.load(), validity_batch, drop_copies, copies=windows or "duplicate_share" in asked,
        words=windows or "drift" in asked,
    )  # fmt: skip


class _Envelope(msgspec.Struct):
    topic: str


_topic_of: Final = msgspec.json.Decoder(_Envelope)
_topics: Final[dict[str, str]] = {topic: topic for topic in SOURCES}  # one object a name, not one a line


def _batches(records: Iterator[Record]) -> Iterator[tuple[int, list[Line]]]:
    batch: list[Line] = []
    count = 0
    for record in records:
        try:
            topic = decoded(_topic_of, record.raw).topic
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            topic = ""  # the engine counts it as a dead letter
        batch.append(Line(_topics.get(topic, topic), record))
        if len(batch) == BATCH_LINES:
            count += len(batch)
            yield count, batch
            batch = []
    yield count + len(batch), batch


def _records(files: Iterable[str]) -> Iterator[Record]:
    """Every line of every file, numbered; of one that is too long only as much as shows it."""
    number = 0
    for name in files:
        with ExitStack() as stack:
            try:
                standard = cast(BufferedReader, sys.stdin.buffer)
                source = standard if name == "-" else stack.enter_context(open(name, "rb"))
                for raw in _lines(source):
                    yield Record(number, 0, raw)
                    number += 1
            except OSError as error:
                raise PermanentError(f"{name}: {error.strerror or error}") from None


def _lines(source: BufferedReader) -> Iterator[bytes]:
    """Lines without their ends, read by the block: a file's own iteration has no bound on a line's length."""
    rest, skipping = b"", False
    for block in _blocks(source):
        *whole, rest = (rest + block).split(b"\n")
        for raw in whole:
            if skipping:
                skipping = False
            else:
                yield raw[:-1] if raw.endswith(b"\r") else raw
        if len(rest) > MAX_MESSAGE_BYTES:
            if not skipping:
                yield rest
            rest, skipping = b"", True
    if rest and not skipping:
        yield rest


def _blocks(source: BufferedReader) -> Iterator[bytes]:
    """The bytes, without the byte order mark that some editors put first."""
    first = b""
    while len(first) < len(BOM_UTF8) and (more := source.read1(READ_BYTES)):
        first += more
    if first := first.removeprefix(BOM_UTF8):
        yield first
    while block := source.read1(READ_BYTES):
        yield block


def _open(path: Path | None, stack: ExitStack) -> IO[bytes] | None:
    if path is None:
        return None
    try:
        return stack.enter_context(_output(path))
    except OSError as error:
        raise PermanentError(f"{path}: {error.strerror or error}") from None


@contextmanager
def _output(path: Path) -> Iterator[IO[bytes]]:
    """The file; what fails while it is closed (a full disk shows only then) is an error like any other."""
    file = open(path, "wb")  # noqa: SIM115  # closed below, where its errors are ours to tell
    try:
        yield file
    finally:
        try:
            file.close()
        except OSError as error:
            raise PermanentError(f"{path}: {error.strerror or error}") from None


def _write(file: IO[bytes] | None, line: bytes) -> int:
    if file is not None:
        _put(file, line + b"\n")
    return 1


def _put(file: IO[bytes], text: bytes) -> None:
    try:
        file.write(text)
    except OSError as error:
        raise PermanentError(f"{file.name}: {error.strerror or error}") from None


def _write_windows(engine: Engine, file: IO[bytes] | None) -> None:
    if file is not None:
        lines = WindowLines().lines
        for batch in engine.window_batches():
            _put(file, lines(batch))


def _write_sla(engine: Engine, file: IO[bytes] | None) -> None:
    if file is not None:
        for line in engine.sla_lines():
            _write(file, sla_line(**line._asdict()))
