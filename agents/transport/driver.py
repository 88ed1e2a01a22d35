"""Faust's Kafka transport, with chunks: the classes that Faust finds under the URL scheme `kafkachunk`.

A topic is chunked when it is declared with `ChunkSchema`; every other topic stays one by one, as ever.
Decides how Faust's consumer is told what the ledgers say; what may be delivered and committed is theirs.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from faust.exceptions import ImproperlyConfigured
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as kafka
from faust.types import TP, AppT, ConsumerMessage
from faust.types.tuples import ack_lock

from agents import broker
from agents.claims import Lease
from agents.transport.chunks import Chunk, ChunkSchema
from agents.transport.ledger import Delivery, Ledger

_log = logging.getLogger("peakwatch.worker")

SCHEME: Final = "kafkachunk"

# Faust has 1500. One fetch at a time goes to a broker, so that a poll on idle partitions would hold up the
# busy ones for as long.
FETCH_MAX_WAIT_MS: Final = 100

STOP_AGAIN_S: Final = 0.5

# What the transport needs of Faust, for `faust.App(**APP_SETTINGS, ...)`: chunks not yet settled must not
# hold up a rebalance or the end (they are delivered again), and one poll takes whole chunks.
APP_SETTINGS: Final[Mapping[str, Any]] = {
    "stream_wait_empty": False,
    "stream_publish_on_commit": False,
    "broker_max_poll_records": 8_000,
    "consumer_auto_offset_reset": "earliest",
    "processing_guarantee": "at_least_once",
    "topic_disable_leader": True,
}


def register() -> None:
    """Make `kafkachunk://host:port` known to Faust; call it before the app is built. Twice is harmless."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


def broker_url(bootstrap: str) -> str:
    """The URL for `faust.App(broker=...)` from `host:port[,host:port...]`."""
    return ";".join(f"{SCHEME}://{server.strip()}" for server in bootstrap.split(","))


def consumer_of(app: AppT) -> "Consumer":
    """The app's consumer; `ImproperlyConfigured` when the app runs on another transport."""
    consumer = app.consumer
    if not isinstance(consumer, Consumer):
        raise ImproperlyConfigured(f"broker: {app.conf.broker} is not {SCHEME}://")
    return consumer


class ChunkMessage(ConsumerMessage):
    """A chunk on its way to the agent. That it was acknowledged is kept apart, so that the records can go."""

    __slots__ = ("delivery",)
    delivery: Delivery

    @property
    def acked(self) -> bool:
        """Whether the agent acknowledged the whole chunk."""
        return self.delivery.done

    @acked.setter
    def acked(self, done: bool) -> None:
        if done:  # the base class says False when it is made, before there is a delivery
            self.delivery.done = True


class ConsumerThread(kafka.AIOKafkaConsumerThread):
    """Where aiokafka runs: polls idle partitions shortly, and notes when the group last heard of us."""

    lease: Lease

    def _create_worker_consumer(self, transport: kafka.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        return consumer

    async def on_start(self) -> None:
        """Start aiokafka, and listen to its heartbeats from then on."""
        self.lease = Lease(session_timeout_ms=int(self.app.conf.broker_session_timeout * 1000))
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        if hasattr(coordinator, "_do_heartbeat"):  # a client without a group has none
            coordinator._do_heartbeat = self._noting(coordinator._do_heartbeat)

    async def on_thread_stop(self) -> None:
        """Stop aiokafka, also in the middle of a rebalance.

        There its fetcher waits for the requests that it has just cancelled, takes its own cancellation for theirs, and
        would fetch on for ever with `stop` waiting for it. So it is cancelled until it has ended.
        """
        stopping = asyncio.ensure_future(super().on_thread_stop())
        while not stopping.done():
            await asyncio.wait([stopping], timeout=STOP_AGAIN_S)
            fetcher = None if self._consumer is None else self._consumer._fetcher
            if fetcher is not None and fetcher._closed:
                fetcher._fetch_task.cancel()
        await stopping

    def _noting(self, heartbeat: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
        async def noted() -> bool:
            sent_at_ms = monotonic_ms()  # the session runs from the broker's receipt, which is not before
            alive = await heartbeat()
            if alive:
                self.lease.renew(sent_at_ms)
            return alive

        return noted


class Consumer(kafka.Consumer):
    """Faust's consumer, with a ledger for each chunked partition."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._chunked: dict[str, int] = {}  # topic -> most records a chunk
        self._ledgers: dict[TP, Ledger] = {}
        self._seek_to: dict[TP, int] = {}  # where perform_seek() put the partitions
        self._fetching = False
        self.held: Callable[[TP], bool] = lambda tp: False  # what is not fetched for now; what was fetched still comes
        super().__init__(*args, **kwargs)
        self._to_conductor, self.callback = self.callback, self._deliver

    # What agents may ask

    def settle(self, tp: TP, offset: int) -> bool:
        """All that records of `tp` below `offset` led to is safe; Faust's next commit tells the broker.

        False when the partition is not (or no longer) ours: then nothing is committed.
        """
        ledger = self._ledgers.get(tp)
        if ledger is None:
            return False
        ledger.settle(offset)
        return True

    def delivered(self, tp: TP) -> int | None:
        """The offset after the last record handed to the agent; None when nothing was."""
        ledger = self._ledgers.get(tp)
        return None if ledger is None else ledger.delivered

    def end_of(self, tp: TP) -> int | None:
        """The log's end as the broker told it with the last fetch; None where there was none, or it is not ours."""
        subscription = self._session._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return None
        end: int | None = assignment.state_value(tp).highwater
        return end

    def waits(self, tp: TP, taken: int) -> bool:
        """Whether the log has more than an agent took up to this offset, as far as the last fetch told.

        Also while there was none; not where the partition is not ours.
        """
        subscription = self._session._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return False
        state, ledger = assignment.state_value(tp), self._ledgers.get(tp)
        if state.highwater is None or not state.has_valid_position:
            return True
        in_hand = None if ledger is None else ledger.fetched_to
        # A transaction's end takes an offset and is no record: what aiokafka has passed by counts, not our offsets.
        return bool(state.position < state.highwater or (in_hand is not None and in_hand > taken))

    async def rewind(self, tp: TP, offset: int, *, missed_before: Chunk | None = None) -> None:
        """Deliver from `offset` again. Chunks that lie ready come first, with a later `start`: drop those.

        `missed_before`: the chunk whose `start` lies behind the agent's position, so that one was missed, as after
        an error in the agent. It is dropped; when the partition was rewound since it was cut, nothing else happens.
        """
        ledger = self._ledger(tp)
        if missed_before is not None and missed_before.round != ledger.round:
            return
        await self.seek_wait({tp: offset})
        ledger.rewind(offset)

    async def follows(self, tp: TP, chunk: Chunk, *, taken: int) -> bool:
        """Whether a chunk goes on where its agent has come to, or has it delivered again from there.

        One that does not was cut before a chunk was missed, or is the first after it; several may lie ready, and none
        of them tells that the records before it are gone. What the broker keeps no more shows within a chunk.
        """
        if chunk.start > taken:
            await self.rewind(tp, taken, missed_before=chunk)
            return False
        if chunk.first > taken > 0:
            (begins,) = (await self.earliest_offsets(tp)).values()
            if begins > taken:
                lost = f"{tp.topic}/{tp.partition}: records {taken} to {begins - 1} are gone"
                _log.error("%s: the broker kept them for too short a time, raise the topic's retention.ms", lost)
        return True

    def check_session(self) -> None:
        """Raise `TransientError` when the group may have given us up: nothing may be written then."""
        self._session.lease.check(monotonic_ms())

    async def confirm_session(self) -> None:
        """Return once a heartbeat sent from now on was acknowledged: the group knows us, our generation is the last.

        Raises `TransientError` when that does not happen within the session timeout.
        """
        lease = self._session.lease
        asked_at_ms = monotonic_ms()
        while lease.renewed_at_ms is None or lease.renewed_at_ms < asked_at_ms:
            lease.check(monotonic_ms())
            await asyncio.sleep(0.05)

    # From aiokafka to the conductor

    def _new_consumer_thread(self) -> ConsumerThread:
        self._session = ConsumerThread(self, loop=self.loop, beacon=self.beacon)
        return self._session

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        if self._fetching:  # the last call was cancelled; aiokafka may have moved on all the same
            for ledger in self._ledgers.values():
                ledger.lost()
        self._fetching = True
        await self._seek_back(active_partitions or set())
        wanted = active_partitions and {tp for tp in active_partitions if not self.held(tp)}
        if active_partitions and not wanted:
            await asyncio.sleep(FETCH_MAX_WAIT_MS / 1000)  # aiokafka would take none for all
            fetched: Any = {}
        else:
            fetched = await super()._getmany(wanted, timeout)
        self._fetching = False
        out: dict[Any, Any] = {}
        for tp, records in fetched.items():
            max_records = self._chunked.get(tp.topic)
            if max_records is None:
                out[tp] = records
                continue
            ours = TP(tp.topic, tp.partition)
            verdict = self._ledger(ours).fetched(records, max_records=max_records)
            if isinstance(verdict, int):
                self.log.info("%r: fetch again from %r", ours, verdict)
                await self._thread.seek_wait({ours: verdict})
            else:
                out[tp] = verdict
        return out

    async def _seek_back(self, active_partitions: set[TP]) -> None:
        """Before a fetch: what the last ones brought and nobody got is fetched again, also when no more comes."""
        back: dict[TP, int] = {}
        for tp in active_partitions & self._ledgers.keys():
            offset = self._ledgers[tp].behind()
            if offset is not None:
                back[tp] = offset
        if back:
            self.log.info("fetch again: %r", back)
            await self._thread.seek_wait(back)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Chunk):
            return super()._to_message(tp, record)
        last = cast(Any, record.records[-1])
        message = ChunkMessage(
            record.topic,
            record.partition,
            last.offset,
            (last.timestamp or 0) / 1000,
            last.timestamp_type,
            None,
            None,
            cast(bytes, record),  # Faust says bytes and passes it on
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.delivery = Delivery(record.end)
        return message

    async def _deliver(self, message: Any) -> None:
        if isinstance(message, ChunkMessage):
            chunk = cast(Chunk, message.value)
            if not self._ledger(message.tp).deliver(chunk, message.delivery):
                return  # fetched before a seek: comes again
        await self._to_conductor(message)

    def on_buffer_full(self, tp: TP) -> None:
        """A full queue makes the conductor wait; Faust's own way, to stop fetching, sleeps up to a second."""
        if tp.topic not in self._chunked:
            super().on_buffer_full(tp)

    # What may be committed

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self._chunked:  # Faust would commit over what is not processed yet
            await super()._add_gap(tp, offset_from, offset_to)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for tp in super()._filter_tps_with_pending_acks(topics):
            if tp not in self._ledgers:
                yield tp
        for tp in list(self._ledgers):
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        ledger = self._ledgers.get(tp)
        if ledger is None:
            return super()._new_offset(tp)
        with ack_lock:  # what Faust notes a message is of no use here and would grow
            self._acked.pop(tp, None)
            self._acked_index.pop(tp, None)
        return ledger.committable()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's search for stuck partitions; chunks settle late on purpose, so only fetching is judged."""
        if tp in self._ledgers:
            self._thread.verify_recovery_event_path(now, tp)
        else:
            super().verify_event_path(now, tp)

    # Every change of position goes to the ledgers

    async def perform_seek(self) -> None:
        """Back to what is committed; where nothing is, to the start.

        aiokafka leaves a partition without a committed offset where it is, which may be behind records that
        Faust fetched and dropped.
        """
        await super().perform_seek()
        ours = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        fresh = [tp for tp in ours if self._read_offset[tp] is None]
        start: dict[TP, int] = {}
        if fresh and self.app.conf.consumer_auto_offset_reset == "earliest":
            earliest = await self.earliest_offsets(*fresh)
            start = {TP(tp.topic, tp.partition): offset for tp, offset in earliest.items()}
            await super().seek_wait(start)
        self._seek_to = {}
        for tp in ours:
            offset = self._read_offset[tp] or start.get(tp)
            if tp.topic in self._chunked:
                if offset is not None:
                    self._seek_to[tp] = offset
                self._ledger(tp).rewind(offset)

    def resume_flow(self) -> None:
        """Faust has just emptied the agents' queues: what was delivered since perform_seek() comes again."""
        super().resume_flow()
        for tp, offset in self._seek_to.items():
            if tp in self._ledgers:
                self._ledgers[tp].rewind(offset)
        self._seek_to = {}

    async def seek(self, partition: TP, offset: int) -> None:
        """Put one partition elsewhere."""
        await super().seek(partition, offset)
        self._rewind([partition])

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Put partitions elsewhere, and wait until they are there."""
        await super().seek_wait(partitions)
        self._rewind(partitions)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what the agents settled while they were told (`app.on_partitions_revoked`), then forget."""
        await super().on_partitions_revoked(revoked)
        if revoked:
            await self.maybe_wait_for_commit_to_finish()  # one under way has not seen all that is settled
            await self.commit()
        for tp in revoked:
            self._ledgers.pop(tp, None)
            self._seek_to.pop(tp, None)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin anew with every partition."""
        self._session.lease.renew(monotonic_ms())  # the group has just given us these
        self._find_chunked_topics()
        self._ledgers.clear()
        self._seek_to = {}
        await super().on_partitions_assigned(assigned, generation_id)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The ends of the partitions, also of a broker that names the start of its last batch instead."""
        transport, conf = cast(kafka.Transport, self.transport), self.app.conf
        ends = await broker.end_offsets(
            ",".join(kafka.server_list(transport.url, transport.default_port)),
            [(tp.topic, tp.partition) for tp in partitions],
            options=kafka.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )
        return {tp: ends[tp.topic, tp.partition] for tp in partitions}

    def _ledger(self, tp: TP) -> Ledger:
        ledger = self._ledgers.get(tp)
        if ledger is None:
            ledger = self._ledgers[tp] = Ledger(tp.topic, tp.partition)
        return ledger

    def _rewind(self, tps: Iterable[TP]) -> None:
        for tp in tps:
            ledger = self._ledgers.get(TP(tp.topic, tp.partition))
            if ledger is not None:
                ledger.rewind(None)

    def _find_chunked_topics(self) -> None:
        chunked: dict[str, int] = {}
        plain: set[str] = set()
        for topic in self.app.topics:
            for name in topic.topics:
                if isinstance(topic.schema, ChunkSchema):
                    chunked[name] = topic.schema.max_records
                else:
                    plain.add(name)
        if both := plain & chunked.keys():
            raise ImproperlyConfigured(f"topics both chunked and plain: {', '.join(sorted(both))}")
        self._chunked = chunked


class Transport(kafka.Transport):
    """What `kafkachunk://` stands for."""

    Consumer = Consumer


def monotonic_ms() -> int:
    """The clock of heartbeats: milliseconds, never set back."""
    return time.monotonic_ns() // 1_000_000
