"""The Faust worker: topics, agents and timers, bound here and nowhere else.

What it is made of: `source_stage` (stage 1), `window_stage` and `decision_stage` (stage 2), `stages` (who owns what),
`assembly` (how a stage is put together), `clients` (what is held open).
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import faust
from faust.types import TP

from agents import connection
from agents.aligning import Aligning
from agents.assembly import Assembly
from agents.clients import Clients
from agents.metrics import WorkerCollector, ensure_free, serve
from agents.parts import Parts, data_dir, topic_specs
from agents.reloading import ConfigFiles
from agents.source_stage import SourceStage
from agents.stages import Stages
from agents.transport.chunks import Chunk, ChunkSchema
from agents.transport.driver import APP_SETTINGS, broker_url, consumer_of, register
from agents.watching import Watching
from schemas.settings import Settings
from schemas.topics import ACTIONS, ALERTS, DELTAS, OBSERVATIONS, SOURCES

__all__ = ["Parts", "Worker", "topic_specs"]

_log = logging.getLogger("peakwatch.worker")

CHUNK_RECORDS: Final = 1_000  # as much as one turn of the event loop may take
PART_RECORDS: Final = 20  # and as many batches between the stages, each of which may be of hundreds of events
QUEUED_CHUNKS: Final = 16
RELOAD_S: Final = 2.0  # how often the configuration's files are looked at


class Worker:
    """One worker's app and what it owns."""

    def __init__(self, settings: Settings, parts: Parts, *, files: ConfigFiles[Parts] | None = None) -> None:
        """`files`: where a configuration may change while the worker runs."""
        if settings.metrics_port:
            ensure_free(port=settings.metrics_port, host=settings.metrics_host)
        register()
        self.failure: BaseException | None = None
        self.safe = False  # at the end: all that was ours is stored or spooled
        self._settings = settings
        self._files = files
        self._reload_asked = False
        self._let_go = False  # at the end: nothing is ours any more
        self._clients = Clients(settings)
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
        self._sources = Stages(
            lambda tp, generation: self._assembly.source(tp, generation), settle=self._settle,
            taken=lambda stage: stage.taken,
        )  # fmt: skip
        self._aligning = Aligning(self._sources, waits=lambda tp, taken: consumer_of(self.app).waits(tp, taken))
        self._windows = Stages(lambda tp, generation: self._assembly.windows(tp, generation), settle=self._settle)
        self._decisions = Stages(lambda tp, generation: self._assembly.decisions(tp, generation), settle=self._settle)
        self._alerts = Stages(
            lambda tp, generation: self._assembly.alerts(tp, generation), settle=self._settle,
            unsaved=lambda stage: stage.unsaved,
        )  # fmt: skip
        self._actions = Stages(lambda tp, generation: self._assembly.actions(tp, generation), settle=self._settle)
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
        self._assembly = Assembly(
            settings, parts, clients=self._clients, watching=self._watching, aligning=self._aligning,
            consumer=lambda: consumer_of(self.app),
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
        app.task(self._align)
        app.task(self._look_at_store)

    def _topic(self, name: str) -> Any:
        return self.app.topic(name, schema=ChunkSchema(CHUNK_RECORDS), maxsize=QUEUED_CHUNKS)

    def _agent(self, handle: Callable[[Chunk], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                async with self._failing():
                    await handle(event.value)

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
        """Hand a chunk to its stage, in parts: between them a snapshot, or the end of the worker, has its turn."""
        rest: Chunk | None = chunk
        while rest is not None:
            part: Chunk | None = rest
            if len(rest.records) > PART_RECORDS and stages is not self._sources:  # these take pieces of their own
                part, rest = rest.split(rest.records[PART_RECORDS].offset)
            else:
                rest = None
            if part is not None and not await self._part(stages, part):
                return

    async def _part(self, stages: Stages[Any], chunk: Chunk) -> bool:
        """Whether it was taken, and what follows on it may be, too."""
        tp = TP(chunk.topic, chunk.partition)
        stage = await stages.get(tp)
        if stage is None:
            return False  # fetched before the partition was taken from us
        async with stage.lock:
            if not stages.owns(tp, stage):
                return False
            if not await consumer_of(self.app).follows(tp, chunk, taken=stages.taken(stage)):
                return False
            if isinstance(stage, SourceStage):
                await self._aligning.chunk(stage, chunk)
            else:
                await stage.chunk(chunk, now_ms=self._assembly.parts.clock.now_ms())
        return True

    async def _alert_chunk(self, chunk: Chunk) -> None:
        await self._chunk(self._alerts, chunk)

    @contextlib.asynccontextmanager
    async def _failing(self) -> AsyncIterator[None]:
        """What fails in it stops the whole worker: whoever starts it again finds everything exact.

        Faust would start an agent anew behind the chunk that failed; the state would lack it for ever. Where all is
        let go, what fails has nothing left to lose.
        """
        try:
            yield
        except Exception as error:
            if self._let_go:
                _log.info("after the end: %r", error)
                return
            if self.failure is None:
                self.failure = error
            await self.app.crash(error)
            raise

    # --- time

    def _timed(self, name: str, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        measured = self._watching.timed(name, work)

        async def timer() -> None:
            async with self._failing():
                await measured()

        return timer

    async def _look_back(self) -> None:
        """Have delivered again what Faust dropped on its way to us."""
        consumer = consumer_of(self.app)
        for _, stages in self._kinds:
            for tp, position in list(stages.overlooked(consumer.delivered)):
                await consumer.rewind(tp, position)

    async def _flush(self) -> None:
        await self._look_back()
        now_ms = self._assembly.parts.clock.now_ms()
        for tp, source in self._sources.ready():
            async with source.lock:
                if self._sources.owns(tp, source):
                    await source.flush(now_ms)
        more = self._aligning.told_ms() is not None
        for tp, windows in self._windows.ready():
            whole = False
            while not whole and not self.app.should_stop:
                async with windows.lock:
                    whole = not self._windows.owns(tp, windows) or await windows.emit(now_ms, more=more)
        for tp, decisions in self._decisions.ready():
            async with decisions.lock:
                if self._decisions.owns(tp, decisions):
                    await decisions.tick(now_ms, more=more)
        for tp, alerts in self._alerts.ready():
            async with alerts.lock:
                if self._alerts.owns(tp, alerts):
                    await alerts.tick(now_ms, more=self._lies_ready(self._actions, self._decisions, self._alerts))
        await self._alerts.snapshot(now_ms)  # at once: what was told is not to be told again

    def _lies_ready(self, *kinds: Stages[Any]) -> bool:
        """Whether any of these, as far as they are ours, is being taken over or has more in its log."""
        waits = consumer_of(self.app).waits
        return any(
            kind.awaited() or any(waits(tp, kind.taken(stage)) for tp, stage in kind.standing()) for kind in kinds
        )

    async def _snapshot(self) -> None:
        for _, stages in self._kinds:
            await stages.snapshot(self._assembly.parts.clock.now_ms())

    # --- another configuration

    async def _reload(self) -> None:
        """Take over what the files say now, stage by stage, each at a place of its log of its own."""
        if self._files is not None:
            asked, self._reload_asked = self._reload_asked, False
            parts = await asyncio.to_thread(self._files.poll, asked=asked)
            if parts is not None:
                _log.warning("configuration %s is in force, after %s", parts.version, self._assembly.parts.version)
                self._assembly.parts = parts
        parts = self._assembly.parts
        self._watching.figures.config = parts.version
        now_ms = parts.clock.now_ms()
        for tp, source in self._sources.ready():
            async with source.lock:
                if self._sources.owns(tp, source) and source.version != parts.version:
                    await source.reconfigure(parts.source.policies, version=parts.version, now_ms=now_ms)
        for tp, decisions in self._decisions.ready():
            async with decisions.lock:
                if self._decisions.owns(tp, decisions) and decisions.version != parts.version:
                    await self._clients.writer.write(parts.phases)
                    await decisions.reconfigure(parts.decisions(), version=parts.version, now_ms=now_ms)
        for tp, alerts in self._alerts.ready():
            async with alerts.lock:
                if self._alerts.owns(tp, alerts) and alerts.version != parts.version:
                    alerts.reconfigure(await self._assembly.notifier(parts), version=parts.version)

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
        async with self._failing():
            collector = WorkerCollector(self._watching.view())
            stop = await serve(collector, self._watching.health, port=port, host=host)
            self._clients.on_close(stop)

    async def _align(self) -> None:
        async with self._failing():
            await self._aligning.run()

    async def _look_at_store(self) -> None:
        """Say once if rows cannot be stored: all else goes on, and nobody would see it."""
        trouble = await asyncio.to_thread(self._assembly.parts.trouble)
        if trouble:
            _log.warning("%s. Until then rows wait in %s and nothing is lost", trouble, self._settings.spool_dir)

    async def _assigned(self, _app: Any, /, *told: Any, **_: Any) -> None:
        assigned: set[TP] = told[0]
        generation = self.app.consumer_generation_id
        await self._open()
        if self.app.should_stop:
            return  # all that was ours is let go already, or is about to be
        consumer_of(self.app).held = self._aligning.holds
        for topics, stages in self._kinds:
            stages.assign((tp for tp in assigned if tp.topic in topics), generation=generation)
        self._watching.assigned = True

    async def _revoked(self, _app: Any, /, *told: Any, **_: Any) -> None:
        revoked: set[TP] = told[0]
        now_ms = self._assembly.parts.clock.now_ms()
        for topics, stages in self._kinds:
            ours = [tp for tp in revoked if tp.topic in topics]
            await stages.release(now_ms, ours)
            for tp in ours:
                self._clients.store.give_up(tp.topic, tp.partition)
                self._watching.gone(tp)

    async def _before_shutdown(self, _app: Any, /, *_: Any, **__: Any) -> None:
        """Let all go first: a timer, a revocation or a take-over under way would write to what is closed then."""
        now_ms = self._assembly.parts.clock.now_ms()
        for _topics, stages in self._kinds:
            await stages.release(now_ms)
        self._let_go = True
        await self._clients.close()
        self.safe = self.app.crash_reason is None

    async def _open(self) -> None:
        await self._clients.open(self._assembly.parts.writer)
        self._watching.writer, self._watching.store = self._clients.writer, self._clients.store

    def _settle(self, tp: TP, offset: int) -> None:
        consumer_of(self.app).settle(tp, offset)
