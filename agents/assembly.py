"""How a stage is put together when its partition becomes ours: its snapshot, its fence, its claims and its ports.

Decides from where each kind of stage goes on; what it does from there is its own module's business.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from faust.types import TP

from agents import broker, claims, pagestore
from agents.action_stage import ActionPorts, ActionStage
from agents.alert_stage import AlertStage, Notifier, restore
from agents.aligning import Aligning
from agents.batches import Told, decode_held
from agents.claims import NOBODY, Fence
from agents.clients import Clients
from agents.decision_stage import HELD, DecisionPorts, DecisionStage
from agents.pages import Snapshot
from agents.parts import Parts
from agents.publish import Publisher
from agents.source_stage import SourcePorts, SourceStage, owned_by
from agents.takeover import Journal, Outputs, decode_journals, take_over
from agents.transport.driver import Consumer
from agents.watching import Watching
from agents.window_stage import EventTime, WindowPorts, WindowStage, event_time_of
from schemas.errors import TransientError
from schemas.results import Alert
from schemas.settings import Settings
from schemas.topics import ALERTS, CLOCK, DELTAS, OBSERVATIONS, WINDOWS
from streams import window_pages
from streams.dimensions import Dimensions
from streams.source import Source
from streams.windows import RollingWindows

_log = logging.getLogger("peakwatch.worker")

NOWHERE: Final = Journal(0, NOBODY)


class Assembly:
    """Builds stages. `parts` is the configuration in force: whoever changes it changes it here."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        *,
        clients: Clients,
        watching: Watching,
        aligning: Aligning,
        consumer: Callable[[], Consumer],
    ) -> None:
        self.parts = parts
        self._settings = settings
        self._clients = clients
        self._watching = watching
        self._aligning = aligning
        self._worker = secrets.token_hex(8)  # a name of this process
        self._consumer = consumer

    async def source(self, tp: TP, generation: int) -> SourceStage:
        """Stage 1 of a source partition."""
        windows = tuple((DELTAS, number) for number in range(self._settings.window_partitions))
        decisions = (OBSERVATIONS, 0)
        snapshot = await self._snapshot_of(tp, generation)
        parts = self.parts
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
        clients = self._clients
        aligning, worker = self._aligning, self._worker
        ports = SourcePorts(
            outputs, windows, decisions, clients.writer, self._saved(tp), clients.send, watch,
            told=lambda: Told(worker, aligning.told_ms()), lags=lambda: aligning.lags(tp),
        )  # fmt: skip
        return SourceStage(source, ports, position=position, tick_ms=tick_ms, version=parts.version)

    async def actions(self, tp: TP, generation: int) -> ActionStage:
        """What passes people's actions on to the decisions."""
        decisions = (OBSERVATIONS, 0)
        snapshot = await self._snapshot_of(tp, generation)
        position, since = 0, {}
        if snapshot is not None:
            position, since = snapshot.root["position"], decode_journals(snapshot.root["journals"])
        read = await self._clients.store.load(*decisions)
        if read is not None and read.root["position"] > since.get(decisions, NOWHERE).offset:
            # Their fence knows all that came before; our own journal may be as old as the last action.
            held = Fence.load(read.root["fence"]).held((tp.topic, tp.partition))
            since = {decisions: Journal(read.root["position"], held)}
        outputs = await self._take_over((tp.topic, tp.partition), [decisions], since=since, generation=generation)
        ports = ActionPorts(outputs, decisions, self._clients.writer, self._saved(tp), self._clients.send)
        return ActionStage(ports, position=position)

    async def windows(self, tp: TP, generation: int) -> WindowStage:
        """Stage 2: the rolling windows of one partition of the deltas."""
        settings = self._settings
        owns = None if settings.window_partitions == 1 else owned_by(tp.partition, settings.window_partitions)
        windows = RollingWindows(Dimensions(settings.dimensions), owns=owns)
        snapshot = await self._snapshot_of(tp, generation)
        event_time, fence, position = EventTime(settings.idle_ms), Fence(adopting=True), 0
        if snapshot is not None:
            window_pages.load(windows, snapshot.pages)
            event_time = event_time_of(snapshot.root, settings.idle_ms)
            fence, position = Fence.load(snapshot.root["fence"]), snapshot.root["position"]
        topic = Publisher(self._clients.producer, topic=WINDOWS, partitions=settings.partitions)
        ports = WindowPorts(self._clients.writer, self._saved(tp), topic)
        return WindowStage(windows, ports, event_time=event_time, fence=fence, position=position)

    async def decisions(self, tp: TP, generation: int) -> DecisionStage:
        """Stage 2: detectors, rules and the alerts' lifecycle."""
        settings, parts, clients = self._settings, self.parts, self._clients
        decisions, changes = parts.decisions(), list[Alert]()
        snapshot = await self._snapshot_of(tp, generation)
        event_time, fence, position = EventTime(settings.idle_ms), Fence(adopting=True), 0
        since, holding = {}, None
        if snapshot is not None:
            changes = decisions.load(snapshot.pages)
            before = snapshot.root["config"]
            if before != parts.version:
                _log.warning("decisions: made by configuration %s so far, from here on by %s", before, parts.version)
            event_time = event_time_of(snapshot.root, settings.idle_ms)
            holding = decode_held(snapshot.pages[HELD]) if snapshot.pages.get(HELD) else None
            fence, position = Fence.load(snapshot.root["fence"]), snapshot.root["position"]
            since = {(tp.topic, tp.partition): Journal(position, fence.held((CLOCK, 0)))}
        clock = await self._take_over((CLOCK, 0), [(tp.topic, tp.partition)], since=since, generation=generation)
        topic = Publisher(clients.producer, topic=ALERTS, partitions=1)
        ports = DecisionPorts(
            clock, (tp.topic, tp.partition), clients.writer, self._saved(tp), topic, self._watching.told
        )  # fmt: skip
        stage = DecisionStage(
            decisions, ports, event_time=event_time, fence=fence, position=position,
            shown=parts.clock.shown, version=parts.version, holding=holding,
        )  # fmt: skip
        await clients.writer.write(parts.phases)
        await stage.tell(changes)
        return stage

    async def alerts(self, tp: TP, generation: int) -> AlertStage:
        """What stores the alerts and tells them."""
        parts = self.parts
        snapshot = await self._snapshot_of(tp, generation)
        notifier = await self.notifier(parts)
        if notifier is not None:
            pages = {} if snapshot is None else snapshot.pages
            try:
                await asyncio.to_thread(restore, notifier, pages, parts.told)
            except TransientError as error:
                # To be told twice is better than not to be told.
                _log.warning("the delivery log cannot be read, so that a notice may come twice: %s", error)
        position = 0 if snapshot is None else snapshot.root["position"]
        return AlertStage(self._clients.writer, notifier, self._saved(tp), position=position, version=parts.version)

    async def notifier(self, parts: Parts) -> Notifier | None:
        """A notifier of this configuration; None where nobody is told."""
        if parts.notifier is None:
            return None
        self._watching.notifier = made = parts.notifier(await self._clients.http(), self._clients.writer)
        return made

    async def _take_over(
        self, source: claims.Source, outputs: Sequence[broker.Partition], *,
        since: Mapping[broker.Partition, Journal], generation: int,
    ) -> Outputs:  # fmt: skip
        consumer, clients = self._consumer(), self._clients
        return await take_over(
            clients.producer, bootstrap=self._settings.kafka_bootstrap, source=source, outputs=outputs, since=since,
            generation=generation, options=clients.options, confirm=consumer.confirm_session,
            check=consumer.check_session,
        )  # fmt: skip

    async def _snapshot_of(self, tp: TP, generation: int) -> Snapshot | None:
        return await self._clients.store.take_over(
            tp.topic, tp.partition, generation=generation, confirm=self._consumer().confirm_session
        )

    def _saved(self, tp: TP) -> pagestore.Saved:
        return pagestore.Saved(self._clients.store, tp.topic, tp.partition)
