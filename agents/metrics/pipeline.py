"""How far each owned partition has come, and how much is kept in memory for it."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from prometheus_client.core import Metric

from agents.metrics.families import counter, gauge, histogram
from agents.metrics.figures import WorkerFigures
from schemas.histogram import Histogram
from streams.source import Source

AT: Final = ("topic", "partition")
_TALLIES: Final = (
    ("events", "Readable events taken, duplicates included"),
    ("duplicates", "Events whose event_id was seen before"),
    ("late", "Events later than the allowed lateness"),
)


class Progress(NamedTuple):
    """An owned partition of any topic."""

    topic: str
    partition: int
    position: int  # offset of the next record to be taken
    saved: int  # up to here everything is safe
    end: int | None  # the log's end as the broker told with the last fetch; None: not heard yet
    state_bytes: int  # what its saved state takes


class Reached(NamedTuple):
    """A partition of the second stage, which event time moves."""

    topic: str
    partition: int
    reached_ms: int  # -1: nothing yet
    now_ms: int
    keys: int  # of windows; 0 where there are none
    panes: int


def source_families(sources: Sequence[Source]) -> Iterable[Metric]:
    """Stage 1: what came of the messages, and what is remembered of them."""
    for name, text in _TALLIES:
        values = [(_place(one), getattr(one.intake.tally, name)) for one in sources]
        yield counter(name, f"{text}, since the partition was taken over", AT, values)
    newest = [(_place(one), one.newest_ms / 1000) for one in sources if one.newest_ms >= 0]
    yield gauge("event_time_seconds", "Newest event time of the partition, seconds since the epoch", AT, newest)
    tickets = [(_place(one), len(one.desk.watch)) for one in sources]
    yield gauge("tickets_remembered", "Tickets in memory, open or not", AT, tickets)
    seen = [(_place(one), len(one.intake.dedupe)) for one in sources]
    yield gauge("event_ids_remembered", "Event ids in memory, against duplicates", AT, seen)


def progress_families(owned: Sequence[Progress]) -> Iterable[Metric]:
    """Every partition that the worker owns."""
    lag = [(_at(one), max(0, one.end - one.position)) for one in owned if one.end is not None]
    yield gauge("consumer_lag_records", "Records in the log that were not taken yet", AT, lag)
    yield gauge("position", "Offset of the next record to be taken", AT, [(_at(one), one.position) for one in owned])
    unsaved = [(_at(one), max(0, one.position - one.saved)) for one in owned]
    yield gauge(
        "unsaved_records", "Records taken whose outcome is not saved yet: read again after a crash", AT, unsaved
    )
    state = [(_at(one), one.state_bytes) for one in owned]
    yield gauge("state_bytes", "What the partition's saved state takes", AT, state)


def reached_families(stages: Sequence[Reached]) -> Iterable[Metric]:
    """Stage 2: how far event time has come, and how much is remembered."""
    delays = [(_at(one), (one.now_ms - one.reached_ms) / 1000) for one in stages if one.reached_ms >= 0]
    yield gauge("watermark_delay_seconds", "The clock less the event time that has been reached", AT, delays)
    windows = [one for one in stages if one.keys or one.panes]
    yield gauge("window_keys", "Keys that have a window", AT, [(_at(one), one.keys) for one in windows])
    yield gauge("window_panes", "Panes of 10 s in memory", AT, [(_at(one), one.panes) for one in windows])


def worker_families(figures: WorkerFigures) -> Iterable[Metric]:
    """What the process as a whole counts."""
    letters = sorted(figures.dead_letters.items())
    yield counter("dead_letters", "Messages that could not be read", ("topic", "reason"), letters)
    timers: dict[tuple[str, ...], Histogram] = {(name,): one for name, one in figures.timers.items()}
    yield histogram("timer_seconds", "How long a turn of the worker's timer took", ("timer",), timers)
    saved = [((topic,), count) for topic, count in sorted(figures.saved_bytes.items())]
    yield counter("saved_bytes", "Bytes of state written to the broker", ("topic",), saved)
    yield gauge("config_info", "1; the configuration in force is in the label", ("version",), [((figures.config,), 1)])


def _place(source: Source) -> list[str]:
    return [source.intake.topic, str(source.intake.partition)]


def _at(one: Progress | Reached) -> list[str]:
    return [one.topic, str(one.partition)]
