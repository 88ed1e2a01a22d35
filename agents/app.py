"""The Faust worker: topics, agents and timers, bound here and nowhere else.

What it is made of: `source_stage` (stage 1), `window_stage` and `decision_stage` (stage 2), `stages` (who owns what).
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import aiohttp
import faust
from aiokafka import AIOKafkaProducer
from faust.types import TP

from agents import broker, claims, connection, pagestore
from agents.action_stage import ActionPorts, ActionStage
from agents.alert_stage import AlertStage, Notifier, restore
from agents.claims import NOBODY, Fence
from agents.decision_stage import DecisionPorts, DecisionStage
from agents.metrics import WorkerCollector, ensure_free, serve
from agents.pages import Snapshot
from agents.parts import Parts, data_dir, topic_specs
from agents.publish import Publisher
from agents.reloading import ConfigFiles
from agents.source_stage import SourcePorts, SourceStage, owned_by
from agents.stages import Stages
from agents.takeover import Journal, Outputs, decode_journals, take_over
from agents.transport.chunks import Chunk, ChunkSchema
from agents.transport.driver import APP_SETTINGS, broker_url, consumer_of, register
from agents.watching import Watching
from agents.window_stage import EventTime, WindowPorts, WindowStage, event_time_of
from alerts.notify.http import open_session
from schemas.errors import ConfigError, TransientError
from schemas.results import Alert
from schemas.settings import Settings
from schemas.topics import ACTIONS, ALERTS, CLOCK, DELTAS, OBSERVATIONS, SOURCES, WINDOWS
from storage.writer import Writer
from streams import window_pages
from streams.dimensions import Dimensions
from streams.source import Source
from streams.windows import RollingWindows

__all__ = ["Parts", "Worker", "topic_specs"]

_log = logging.getLogger("peakwatch.worker")

CHUNK_RECORDS: Final = 1_000  # as much as one turn of the event loop may take
QUEUED_CHUNKS: Final = 16
NOWHERE: Final = Journal(0, NOBODY)
RELOAD_S: Final = 2.0  # how often the configuration's files are looked at


class Worker:
    """One worker's app and what it owns."""

    def __init__(self, settings: Settings, parts: Parts, *, files: ConfigFiles[Parts] | None = None) -> None:
        """`files`: where a configuration may change while the worker runs."""
        if settings.metrics_port:
            ensure_free(port=settings.metrics_port, host=settings.metrics_host)
        register()
        self.failure: BaseException | None = None
        self._settings = settings
        self._parts = parts
        self._files = files
        self._reload_asked = False
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
            datadir=data_dir(settings),
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
        app.timer(RELOAD_S, name="reload")(self._timed("reload", self._reload))
        app.on_partitions_assigned.connect(self._assigned)
        app.on_partitions_revoked.connect(self._revoked)
        app.on_before_shutdown.connect(self._before_shutdown)
        app.task(self._started)
        app.task(self._look_at_store)

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

    async def _look_back(self) -> None:
        """Have delivered again what Faust dropped on its way to us."""
        consumer = consumer_of(self.app)
        for _, stages in self._kinds:
            for tp, position in list(stages.overlooked(consumer.delivered)):
                await consumer.rewind(tp, position)

    async def _flush(self) -> None:
        await self._look_back()
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

    # --- another configuration

    async def _reload(self) -> None:
        """Take over what the files say now, stage by stage, each at a place of its log of its own."""
        if self._files is not None:
            asked, self._reload_asked = self._reload_asked, False
            parts = await asyncio.to_thread(self._files.poll, asked=asked)
            if parts is not None:
                _log.warning("configuration %s is in force, after %s", parts.version, self._parts.version)
                self._parts = parts
        parts = self._parts
        self._watching.figures.config = parts.version
        now_ms = parts.clock.now_ms()
        for _, source in self._sources.ready():
            async with source.lock:
                if source.version != parts.version:
                    await source.reconfigure(parts.source.policies, version=parts.version, now_ms=now_ms)
        for _, decisions in self._decisions.ready():
            async with decisions.lock:
                if decisions.version != parts.version:
                    await self._writer.write(parts.phases)
                    await decisions.reconfigure(parts.decisions(), version=parts.version, now_ms=now_ms)
        for _, alerts in self._alerts.ready():
            async with alerts.lock:
                if alerts.version != parts.version:
                    alerts.reconfigure(await self._new_notifier(parts), version=parts.version)

    def ask_for_reload(self) -> None:
        """Look at the files soon, and say what is in force."""
        self._reload_asked = True

    # --- partitions come and go

    async def _started(self) -> None:
        """Show metrics and health from the start; a task also keeps the app alive until its first assignment."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.ask_for_reload)
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

    async def _look_at_store(self) -> None:
        """Say once if rows cannot be stored: all else goes on, and nobody would see it."""
        trouble = await asyncio.to_thread(self._parts.trouble)
        if trouble:
            _log.warning("%s. Until then rows wait in %s and nothing is lost", trouble, self._settings.spool_dir)

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
        parts = self._parts
        source = Source(parts.source, tp.topic, tp.partition)
        position = tick_ms = 0
        since = {}
        if snapshot is not None:
            source.load(snapshot.pages)
            position, tick_ms = snapshot.root["position"], snapshot.root["tick_ms"]
            since = decode_journals(snapshot.root["journals"])
        outputs = await self._take_over(
            (tp.topic, tp.partition), [*windows, decisions], since=since, generation=generation
        )  # fmt: skip
        watch = self._watching.absorbed(tp.topic, tp.partition)
        ports = SourcePorts(outputs, windows, decisions, self._writer, self._saved(tp), self._send, watch)
        return SourceStage(source, ports, position=position, tick_ms=tick_ms, version=parts.version)

    async def _take_actions(self, tp: TP, generation: int) -> ActionStage:
        decisions = (OBSERVATIONS, 0)
        snapshot = await self._snapshot_of(tp, generation)
        position, since = 0, {}
        if snapshot is not None:
            position, since = snapshot.root["position"], decode_journals(snapshot.root["journals"])
        read = await self._store.load(*decisions)
        if read is not None and read.root["position"] > since.get(decisions, NOWHERE).offset:
            # Their fence knows all that came before; our own journal may be as old as the last action.
            held = Fence.load(read.root["fence"]).held((tp.topic, tp.partition))
            since = {decisions: Journal(read.root["position"], held)}
        outputs = await self._take_over((tp.topic, tp.partition), [decisions], since=since, generation=generation)
        ports = ActionPorts(outputs, decisions, self._writer, self._saved(tp), self._send)
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
        ports = WindowPorts(self._writer, self._saved(tp), topic)
        return WindowStage(windows, ports, event_time=event_time, fence=fence, position=position)

    async def _take_decisions(self, tp: TP, generation: int) -> DecisionStage:
        settings = self._settings
        parts = self._parts
        decisions, changes = parts.decisions(), list[Alert]()
        snapshot = await self._snapshot_of(tp, generation)
        event_time, fence, position = EventTime(settings.idle_ms), Fence(adopting=True), 0
        since = {}
        if snapshot is not None:
            changes = decisions.load(snapshot.pages)
            before = snapshot.root["config"]
            if before != parts.version:
                _log.warning("decisions: made by configuration %s so far, from here on by %s", before, parts.version)
            event_time = event_time_of(snapshot.root, settings.idle_ms)
            fence, position = Fence.load(snapshot.root["fence"]), snapshot.root["position"]
            since = {(tp.topic, tp.partition): Journal(position, fence.held((CLOCK, 0)))}
        clock = await self._take_over((CLOCK, 0), [(tp.topic, tp.partition)], since=since, generation=generation)
        topic = Publisher(self._producer, topic=ALERTS, partitions=1)
        ports = DecisionPorts(
            clock, (tp.topic, tp.partition), self._writer, self._saved(tp), topic, self._watching.told
        )  # fmt: skip
        stage = DecisionStage(
            decisions, ports, event_time=event_time, fence=fence, position=position,
            shown=parts.clock.shown, version=parts.version
        )  # fmt: skip
        await self._writer.write(parts.phases)
        await stage.tell(changes)
        return stage

    async def _take_over(
        self, source: claims.Source, outputs: Sequence[broker.Partition], *,
        since: Mapping[broker.Partition, Journal], generation: int,
    ) -> Outputs:  # fmt: skip
        consumer = consumer_of(self.app)
        return await take_over(
            self._producer, bootstrap=self._settings.kafka_bootstrap, source=source, outputs=outputs, since=since,
            generation=generation, options=self._options, confirm=consumer.confirm_session,
            check=consumer.check_session,
        )  # fmt: skip

    async def _snapshot_of(self, tp: TP, generation: int) -> Snapshot | None:
        return await self._store.take_over(
            tp.topic, tp.partition, generation=generation,
            confirm=consumer_of(self.app).confirm_session,
        )  # fmt: skip

    async def _take_alerts(self, tp: TP, generation: int) -> AlertStage:
        parts = self._parts
        snapshot = await self._snapshot_of(tp, generation)
        notifier = await self._new_notifier(parts)
        if notifier is not None:
            pages = {} if snapshot is None else snapshot.pages
            try:
                await asyncio.to_thread(restore, notifier, pages, parts.told)
            except TransientError as error:
                # To be told twice is better than not to be told.
                _log.warning("the delivery log cannot be read, so that a notice may come twice: %s", error)
        position = 0 if snapshot is None else snapshot.root["position"]
        return AlertStage(self._writer, notifier, self._saved(tp), position=position, version=parts.version)

    async def _new_notifier(self, parts: Parts) -> Notifier | None:
        if parts.notifier is None:
            return None
        if self._http is None:
            self._http = await self._open_clients.enter_async_context(open_session())
        self._watching.notifier = notifier = parts.notifier(self._http, self._writer)
        return notifier

    def _saved(self, tp: TP) -> pagestore.Saved:
        return pagestore.Saved(self._store, tp.topic, tp.partition)

    def _settle(self, tp: TP, offset: int) -> None:
        consumer_of(self.app).settle(tp, offset)

    async def _send(self, topic: str, key: bytes, value: bytes) -> None:
        await self._producer.send_and_wait(topic, value, key=key)
