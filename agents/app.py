"""The Faust worker: topics, agents and timers, bound here and nowhere else.

What it is made of: `source_stage` (stage 1), `window_stage` and `decision_stage` (stage 2), `stages` (who owns what).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import faust
from aiokafka import AIOKafkaProducer
from faust.types import TP

from agents import broker, connection, pagestore
from agents.action_stage import ActionPorts, ActionStage
from agents.alert_stage import AlertStage, Notifier, restore
from agents.claims import Fence
from agents.clock import AnyClock
from agents.decision_stage import DecisionPorts, DecisionStage
from agents.metrics import WorkerCollector, serve
from agents.pages import Snapshot
from agents.publish import Publisher
from agents.source_stage import SourcePorts, SourceStage, owned_by
from agents.stages import Stages
from agents.takeover import decode_journals, take_over
from agents.transport.chunks import Chunk, ChunkSchema
from agents.transport.driver import APP_SETTINGS, broker_url, consumer_of, register
from agents.watching import Watching
from agents.window_stage import EventTime, WindowPorts, WindowStage, event_time_of
from alerts.notify.http import open_session
from schemas.errors import ConfigError, PermanentError, TransientError
from schemas.results import Delivery
from schemas.settings import Settings
from schemas.topics import ACTIONS, ALERTS, DEAD_LETTERS, DELTAS, OBSERVATIONS, SOURCES, WINDOWS
from storage.writer import Writer
from streams import window_pages
from streams.decisions import Decisions
from streams.dimensions import Dimensions
from streams.source import Source, SourceConfig
from streams.windows import RollingWindows

_log = logging.getLogger("peakwatch.worker")

DAY_MS: Final = 86_400_000
CHUNK_RECORDS: Final = 1_000  # as much as one turn of the event loop may take
QUEUED_CHUNKS: Final = 16
SNAPSHOTS: Final = pagestore.TOPIC


@dataclass(frozen=True, slots=True)
class Parts:
    """What the worker is given: pure parts, and where rows and notices go."""

    source: SourceConfig
    decisions: Callable[[], Decisions]
    writer: Callable[[], Writer]
    notifier: Callable[[aiohttp.ClientSession, Writer], Notifier] | None  # None: alerts are stored, nobody is told
    told: Callable[[], Sequence[Delivery]]  # what the delivery log has of the last day; blocks
    clock: AnyClock


def topic_specs(settings: Settings) -> list[broker.TopicSpec]:
    """Every topic that a worker reads or writes."""
    week, many, copies = 7 * DAY_MS, settings.partitions, settings.kafka_replication
    kept = broker.TopicSpec.kept
    return [
        *(kept(name, partitions=many, retention_ms=week, replication=copies) for name in SOURCES),
        kept(WINDOWS, partitions=many, retention_ms=DAY_MS, replication=copies),
        kept(ALERTS, partitions=1, retention_ms=4 * week, replication=copies),
        kept(DEAD_LETTERS, partitions=many, retention_ms=4 * week, replication=copies),
        kept(DELTAS, partitions=settings.window_partitions, retention_ms=2 * DAY_MS, replication=copies),
        kept(OBSERVATIONS, partitions=1, retention_ms=2 * DAY_MS, replication=copies),
        kept(ACTIONS, partitions=1, retention_ms=4 * week, replication=copies),
        pagestore.topic_spec(partitions=many, replication=copies),
    ]


class Worker:
    """One worker's app and what it owns."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        register()
        self.failure: BaseException | None = None
        self._settings = settings
        self._parts = parts
        self._missed: dict[TP, int] = {}
        self._open_clients = contextlib.AsyncExitStack()
        self._options = connection.client_options(settings)
        self._producer: AIOKafkaProducer
        self._writer: Writer
        self._store: pagestore.PageStore
        self._http: aiohttp.ClientSession | None = None
        self.app = faust.App(
            settings.group,
            broker=broker_url(settings.kafka_bootstrap),
            broker_credentials=connection.credentials(settings),
            broker_session_timeout=settings.kafka_session_timeout_ms / 1000,
            broker_heartbeat_interval=max(settings.kafka_session_timeout_ms / 5000, 0.5),
            broker_commit_interval=1.0,
            broker_client_id=settings.group,
            store="memory://",
            datadir=_data_dir(settings),
            web_enabled=False,
            topic_partitions=settings.partitions,
            **APP_SETTINGS,
        )
        self._sources = Stages(self._take_source, settle=self._settle)
        self._windows = Stages(self._take_windows, settle=self._settle)
        self._decisions = Stages(self._take_decisions, settle=self._settle)
        self._alerts = Stages(self._take_alerts, settle=self._settle)
        self._actions = Stages(self._take_actions, settle=self._settle)
        self._kinds: list[tuple[frozenset[str], Stages[Any]]] = [
            (frozenset(SOURCES), self._sources),
            (frozenset({ACTIONS}), self._actions),
            (frozenset({DELTAS}), self._windows),
            (frozenset({OBSERVATIONS}), self._decisions),
            (frozenset({ALERTS}), self._alerts),
        ]
        self._watching = Watching(
            clock=parts.clock, sources=self._sources, windows=self._windows, decisions=self._decisions,
            alerts=self._alerts, others=[self._actions], end_of=lambda tp: consumer_of(self.app).end_of(tp),
            failure=lambda: self.failure,
        )  # fmt: skip
        self._bind()

    # --- agents

    def _bind(self) -> None:
        app = self.app
        for name in SOURCES:
            app.agent(self._topic(name), name=name)(self._agent(self._source_chunk))
        app.agent(self._topic(ACTIONS), name="actions")(self._agent(self._action_chunk))
        app.agent(self._topic(DELTAS), name="windows")(self._agent(self._window_chunk))
        app.agent(self._topic(OBSERVATIONS), name="decisions")(self._agent(self._decision_chunk))
        app.agent(self._topic(ALERTS), name="alerts")(self._agent(self._alert_chunk))
        app.timer(self._settings.flush_ms / 1000, name="flush")(self._timed("flush", self._flush))
        app.timer(self._settings.snapshot_ms / 1000, name="snapshot")(self._timed("snapshot", self._snapshot))
        app.on_partitions_assigned.connect(self._assigned)
        app.on_partitions_revoked.connect(self._revoked)
        app.on_before_shutdown.connect(self._before_shutdown)
        app.task(self._started)

    def _topic(self, name: str) -> Any:
        return self.app.topic(name, schema=ChunkSchema(CHUNK_RECORDS), maxsize=QUEUED_CHUNKS)

    def _agent(self, handle: Callable[[Chunk], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                try:
                    await handle(event.value)
                except Exception as error:
                    # Faust would start the agent anew behind the failed chunk; the state would lack it for ever.
                    await self._fail(error)
                    raise

        return agent

    async def _source_chunk(self, chunk: Chunk) -> None:
        await self._chunk(self._sources, chunk)

    async def _action_chunk(self, chunk: Chunk) -> None:
        await self._chunk(self._actions, chunk)

    async def _window_chunk(self, chunk: Chunk) -> None:
        await self._chunk(self._windows, chunk)

    async def _decision_chunk(self, chunk: Chunk) -> None:
        await self._chunk(self._decisions, chunk)

    async def _chunk(self, stages: Stages[Any], chunk: Chunk) -> None:
        tp = TP(chunk.topic, chunk.partition)
        stage = await stages.get(tp)
        if stage is None:
            return  # fetched before the partition was taken from us
        async with stage.lock:
            if chunk.start > stage.position:
                if self._missed.get(tp) != stage.position:
                    self._missed[tp] = stage.position
                    await consumer_of(self.app).rewind(tp, stage.position, missed_before=chunk)
                    return
                if stage.position:
                    _log.error(
                        "%s/%d: records %d to %d are gone: the broker keeps them for too short a time",
                        *tp, stage.position, chunk.start - 1,
                    )  # fmt: skip
            await stage.chunk(chunk, now_ms=self._parts.clock.now_ms())

    async def _alert_chunk(self, chunk: Chunk) -> None:
        await self._chunk(self._alerts, chunk)

    async def _fail(self, error: BaseException) -> None:
        """Stop the whole worker: whoever starts it again finds everything exact."""
        if self.failure is None:
            self.failure = error
        await self.app.crash(error)

    # --- time

    def _timed(self, name: str, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        measured = self._watching.timed(name, work)

        async def timer() -> None:
            try:
                await measured()
            except Exception as error:
                await self._fail(error)
                raise

        return timer

    async def _flush(self) -> None:
        now_ms = self._parts.clock.now_ms()
        for _, source in self._sources.ready():
            async with source.lock:
                await source.flush(now_ms)
        for _, windows in self._windows.ready():
            async with windows.lock:
                await windows.emit(now_ms)
        for _, decisions in self._decisions.ready():
            async with decisions.lock:
                await decisions.tick(now_ms)
        for _, alerts in self._alerts.ready():
            async with alerts.lock:
                await alerts.tick(now_ms)
        await self._alerts.snapshot(now_ms)  # at once: what was told is not to be told again

    async def _snapshot(self) -> None:
        for _, stages in self._kinds:
            await stages.snapshot(self._parts.clock.now_ms())

    # --- partitions come and go

    async def _started(self) -> None:
        """Show metrics and health from the start; a task also keeps the app alive until its first assignment."""
        port, host = self._settings.metrics_port, self._settings.metrics_host
        if not port:
            return
        try:
            collector = WorkerCollector(self._watching.view())
            stop = await serve(collector, self._watching.health, port=port, host=host)
        except ConfigError as error:
            await self._fail(error)
            raise
        self._open_clients.push_async_callback(stop)

    async def _assigned(self, _app: Any, /, *told: Any, **_: Any) -> None:
        assigned: set[TP] = told[0]
        generation = self.app.consumer_generation_id
        self._missed.clear()
        await self._open()
        for topics, stages in self._kinds:
            stages.assign((tp for tp in assigned if tp.topic in topics), generation=generation)
        self._watching.assigned = True

    async def _revoked(self, _app: Any, /, *told: Any, **_: Any) -> None:
        revoked: set[TP] = told[0]
        now_ms = self._parts.clock.now_ms()
        for topics, stages in self._kinds:
            ours = [tp for tp in revoked if tp.topic in topics]
            await stages.snapshot(now_ms, ours)
            for tp in ours:
                stages.drop(tp)
                self._store.give_up(tp.topic, tp.partition)
                self._watching.gone(tp)

    async def _before_shutdown(self, _app: Any, /, *_: Any, **__: Any) -> None:
        await self._snapshot()
        with contextlib.suppress(AttributeError):  # never opened
            await self._writer.close()
        await self._open_clients.aclose()

    async def _open(self) -> None:
        if hasattr(self, "_producer"):
            return
        settings = self._settings
        # linger_ms=0: we pack ourselves; with a linger, aiokafka on uvloop was seen to stop sending for good.
        self._producer = await self._open_clients.enter_async_context(
            broker.open_producer(settings.kafka_bootstrap, linger_ms=0, options=self._options)
        )
        self._store = pagestore.PageStore(
            self._producer, bootstrap=settings.kafka_bootstrap, partitions=settings.partitions, options=self._options
        )
        self._writer = self._parts.writer()
        await self._writer.start()
        self._watching.writer, self._watching.store = self._writer, self._store

    # --- taking over

    async def _take_source(self, tp: TP, generation: int) -> SourceStage:
        settings = self._settings
        windows = tuple((DELTAS, number) for number in range(settings.window_partitions))
        decisions = (OBSERVATIONS, 0)
        snapshot = await self._snapshot_of(tp, generation)
        source = Source(self._parts.source, tp.topic, tp.partition)
        position = tick_ms = 0
        since = {}
        if snapshot is not None:
            source.load(snapshot.pages)
            position, tick_ms = snapshot.root["position"], snapshot.root["tick_ms"]
            since = decode_journals(snapshot.root["journals"])
        outputs = await take_over(
            self._producer, bootstrap=settings.kafka_bootstrap, source=(tp.topic, tp.partition),
            outputs=[*windows, decisions], since=since, generation=generation, options=self._options,
            confirm=consumer_of(self.app).confirm_session, check=consumer_of(self.app).check_session,
        )  # fmt: skip
        watch = self._watching.absorbed(tp.topic, tp.partition)
        ports = SourcePorts(outputs, windows, decisions, self._writer, _Saved(self._store, tp), self._send, watch)
        return SourceStage(source, ports, position=position, tick_ms=tick_ms)

    async def _take_actions(self, tp: TP, generation: int) -> ActionStage:
        decisions = (OBSERVATIONS, 0)
        snapshot = await self._snapshot_of(tp, generation)
        position, since = 0, {}
        if snapshot is not None:
            position, since = snapshot.root["position"], decode_journals(snapshot.root["journals"])
        outputs = await take_over(
            self._producer, bootstrap=self._settings.kafka_bootstrap, source=(tp.topic, tp.partition),
            outputs=[decisions], since=since, generation=generation, options=self._options,
            confirm=consumer_of(self.app).confirm_session, check=consumer_of(self.app).check_session,
        )  # fmt: skip
        ports = ActionPorts(outputs, decisions, self._writer, _Saved(self._store, tp), self._send)
        return ActionStage(ports, position=position)

    async def _take_windows(self, tp: TP, generation: int) -> WindowStage:
        settings = self._settings
        owns = None if settings.window_partitions == 1 else owned_by(tp.partition, settings.window_partitions)
        windows = RollingWindows(Dimensions(settings.dimensions), owns=owns)
        snapshot = await self._snapshot_of(tp, generation)
        event_time, fence, position = EventTime(settings.idle_ms), Fence(adopting=True), 0
        if snapshot is not None:
            window_pages.load(windows, snapshot.pages)
            event_time = event_time_of(snapshot.root, settings.idle_ms)
            fence, position = Fence.load(snapshot.root["fence"]), snapshot.root["position"]
        topic = Publisher(self._producer, topic=WINDOWS, partitions=settings.partitions)
        ports = WindowPorts(self._writer, _Saved(self._store, tp), topic)
        return WindowStage(windows, ports, event_time=event_time, fence=fence, position=position)

    async def _take_decisions(self, tp: TP, generation: int) -> DecisionStage:
        settings = self._settings
        decisions = self._parts.decisions()
        snapshot = await self._snapshot_of(tp, generation)
        event_time, fence, position = EventTime(settings.idle_ms), Fence(adopting=True), 0
        if snapshot is not None:
            decisions.load(snapshot.pages)
            event_time = event_time_of(snapshot.root, settings.idle_ms)
            fence, position = Fence.load(snapshot.root["fence"]), snapshot.root["position"]
        topic = Publisher(self._producer, topic=ALERTS, partitions=1)
        ports = DecisionPorts(self._writer, _Saved(self._store, tp), topic, self._watching.told)
        return DecisionStage(decisions, ports, event_time=event_time, fence=fence, position=position)

    async def _snapshot_of(self, tp: TP, generation: int) -> Snapshot | None:
        return await self._store.take_over(
            tp.topic, tp.partition, generation=generation,
            confirm=consumer_of(self.app).confirm_session,
        )  # fmt: skip

    async def _take_alerts(self, tp: TP, generation: int) -> AlertStage:
        snapshot = await self._snapshot_of(tp, generation)
        notifier = None
        if self._parts.notifier is not None:
            if self._http is None:
                self._http = await self._open_clients.enter_async_context(open_session())
            notifier = self._parts.notifier(self._http, self._writer)
            pages = {} if snapshot is None else snapshot.pages
            self._watching.notifier = notifier
            try:
                await asyncio.to_thread(restore, notifier, pages, self._parts.told)
            except TransientError as error:
                # To be told twice is better than not to be told.
                _log.warning("the delivery log cannot be read, so that a notice may come twice: %s", error)
        position = 0 if snapshot is None else snapshot.root["position"]
        return AlertStage(self._writer, notifier, _Saved(self._store, tp), position=position)

    def _settle(self, tp: TP, offset: int) -> None:
        consumer_of(self.app).settle(tp, offset)

    async def _send(self, topic: str, key: bytes, value: bytes) -> None:
        await self._producer.send_and_wait(topic, value, key=key)


def _data_dir(settings: Settings) -> str:
    """A folder for Faust, which wants one though nothing is kept there. PermanentError if it cannot be made."""
    path = Path(settings.spool_dir) / "faust"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentError(f"spool_dir: {settings.spool_dir}: {error.strerror or error}") from None
    return str(path)


class _Saved:
    """The page store for one partition."""

    def __init__(self, store: pagestore.PageStore, tp: TP) -> None:
        self._store = store
        self._tp = tp

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None:
        """Replace these pages; an empty one is taken away."""
        kept = {name: page or None for name, page in pages.items()}
        await self._store.save(self._tp.topic, self._tp.partition, kept, root)
