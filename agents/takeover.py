"""Taking a source partition over, and writing for it from then on: claims, then batches, each acknowledged.

Decides in which order claims, reads and writes happen so that nothing counts twice and nothing is lost; what
counts is `claims`', what is in a batch is the caller's. docs/transport.md tells why the order is as it is.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from agents.broker import FETCH_MAX_WAIT_MS, Options, Partition, open_consumer
from agents.claims import (
    NOBODY,
    NOTHING,
    Fence,
    Held,
    Mark,
    Source,
    Stamp,
    decode_stamp,
    encode_stamp,
    new_owner,
)
from schemas.errors import BadEvent, PermanentError, TransientError

# At most so many batches wait for the broker at once; more than that and the writer waits.
MAX_UNACKED: Final = 256


class Journal(NamedTuple):
    """A place in an output partition from which the fence of one source can be read on."""

    offset: int  # the next record to read
    held: Held  # the fence just before it


class Outputs:
    """The output partitions of one source partition, while it is ours. Not for two tasks at once."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        *,
        source: Source,
        owner: bytes,
        claimed: Mapping[Partition, Journal],
        check: Callable[[], None],
    ) -> None:
        self._producer = producer
        self._source = source
        self._owner = owner
        self._check = check
        self._journals = dict(claimed)
        self._written = {output: journal.held for output, journal in claimed.items()}
        self._unacked: list[tuple[Partition, Held, asyncio.Future[Any]]] = []
        self._broken: str | None = None

    @property
    def fences(self) -> Mapping[Partition, Mark]:
        """Of each output partition: what counts there. Cut chunks at these; what lies below is not sent."""
        return {output: held.mark for output, held in self._written.items()}

    @property
    def journals(self) -> Mapping[Partition, Journal]:
        """Where the next owner may begin to read; goes into the snapshot's root after `flush`."""
        return self._journals

    async def send(self, output: Partition, value: bytes, *, start: int, mark: Mark) -> bool:
        """Send a batch that stands for the source from `start` up to `mark`; `flush` awaits it.

        False when the mark is within the fence: it counted before and is not sent. Waits while the broker is
        behind. Raises what `check` raises, and `TransientError` when an earlier batch failed.
        """
        self._ensure_sound()
        held = self._written[output]
        if mark <= held.mark:
            return False
        self._check()
        if len(self._unacked) >= MAX_UNACKED:
            await self.flush()
        held = held._replace(number=held.number + 1, mark=mark)
        stamp = Stamp("batch", self._source, self._owner, held.number, start, mark)
        try:
            future = await self._producer.send(output[0], value, partition=output[1], headers=[encode_stamp(stamp)])
        except KafkaError as error:
            raise self._break(error) from error
        self._written[output] = held
        self._unacked.append((output, held, future))
        return True

    async def flush(self) -> None:
        """Wait until the broker has all that was sent; `TransientError` when it has not: take over anew then.

        After a failure nothing more can be sent. Batches behind the one that failed may still arrive; they do
        not count, as their numbers do not follow.
        """
        self._ensure_sound()
        unacked, self._unacked = self._unacked, []
        results = await asyncio.gather(*(future for _, _, future in unacked), return_exceptions=True)
        for (output, held, _), result in zip(unacked, results, strict=True):
            if isinstance(result, BaseException):
                raise self._break(result) from result
            self._journals[output] = Journal(result.offset + 1, held)

    def _ensure_sound(self) -> None:
        if self._broken is not None:
            raise TransientError(f"kafka: an earlier batch failed: {self._broken}")

    def _break(self, error: BaseException) -> TransientError:
        self._broken = repr(error)
        return TransientError(f"kafka: a batch for {self._source} failed: {error!r}")


async def take_over(
    producer: AIOKafkaProducer,
    *,
    bootstrap: str,
    source: Source,
    outputs: Sequence[Partition],
    generation: int,
    confirm: Callable[[], Awaitable[None]],
    check: Callable[[], None],
    since: Mapping[Partition, Journal] | None = None,
    timeout_ms: int = 60_000,
    options: Options | None = None,
) -> Outputs:
    """Claim `source` in all output partitions, and find out what counts in each.

    Take the page store's state over first: a snapshot must not be saved by the last owner after its batches
    have ceased to count. `generation`: of the assignment that gave us the source. `confirm`
    (`Consumer.confirm_session`): that it is still ours, asked when an older claim has a higher generation, as
    after the group was deleted. `check` (`Consumer.check_session`): called before every write. `since`: the
    journals of the last snapshot's root; a partition that has none is read from the start.
    Raises `TransientError` when the broker does not do all this in time, and what `confirm` and `check` raise.
    """
    if len(set(outputs)) != len(outputs):
        raise PermanentError(f"outputs: {outputs} names a partition twice")
    while True:
        owner = new_owner()
        check()
        stamp = Stamp("claim", source, owner, generation, 0, NOTHING)
        try:
            await _send_claims(producer, stamp, outputs)
            async with open_consumer(bootstrap, options=options) as consumer:
                claimed = await _read_to_claim(
                    consumer, stamp=stamp, outputs=outputs, since=since or {}, timeout_ms=timeout_ms
                )
        except KafkaError as error:
            raise TransientError(f"kafka {bootstrap}: cannot take {source} over: {error!r}") from error
        newest = max(journal.held.generation for journal in claimed.values())
        if newest == generation:
            return Outputs(producer, source=source, owner=owner, claimed=claimed, check=check)
        await confirm()
        generation = newest


def encode_journals(journals: Mapping[Partition, Journal]) -> list[list[Any]]:
    """As plain values, for a snapshot's root; `decode_journals` reads them back."""
    return [
        [*output, journal.offset, journal.held.owner, *journal.held[1:3], *journal.held.mark]
        for output, journal in sorted(journals.items())
    ]


def decode_journals(plain: Sequence[Sequence[Any]]) -> dict[Partition, Journal]:
    """The journals of a snapshot's root, for `take_over(since=...)`."""
    return {
        (topic, partition): Journal(offset, Held(owner, generation, number, Mark(to, tick_ms)))
        for topic, partition, offset, owner, generation, number, to, tick_ms in plain
    }


async def _send_claims(producer: AIOKafkaProducer, stamp: Stamp, outputs: Sequence[Partition]) -> None:
    header = encode_stamp(stamp)
    acks = [await producer.send(topic, b"", partition=partition, headers=[header]) for topic, partition in outputs]
    await asyncio.gather(*acks)


async def _read_to_claim(
    consumer: AIOKafkaConsumer,
    *,
    stamp: Stamp,
    outputs: Sequence[Partition],
    since: Mapping[Partition, Journal],
    timeout_ms: int,
) -> dict[Partition, Journal]:
    """Fold every output partition up to our own claim: this needs no end offset (a broker may lie)."""
    fences = await _begin(consumer, outputs=outputs, since=since, source=stamp.source)
    claimed: dict[Partition, Journal] = {}
    deadline = time.monotonic() + timeout_ms / 1000
    while len(claimed) < len(outputs):
        if time.monotonic() > deadline:
            missing = [output for output in outputs if output not in claimed]
            raise TransientError(f"kafka: the claim on {stamp.source} is not yet in {missing}")
        for tp, records in (await consumer.getmany(timeout_ms=FETCH_MAX_WAIT_MS)).items():
            output = (tp.topic, tp.partition)
            if output not in claimed and (journal := _fold(records, fences[output], stamp)) is not None:
                claimed[output] = journal
                consumer.pause(tp)
    return claimed


def _fold(records: Iterable[Any], fence: Fence, claim: Stamp) -> Journal | None:
    """The place behind our claim, if it is among these records."""
    for record in records:
        try:
            stamp = decode_stamp(record.headers)
        except BadEvent:  # not from a worker: counts for nobody, the readers say so
            continue
        if stamp.source == claim.source:
            fence.accepts(stamp)
            if stamp.owner == claim.owner:
                return Journal(record.offset + 1, fence.held(claim.source))
    return None


async def _begin(
    consumer: AIOKafkaConsumer,
    *,
    outputs: Sequence[Partition],
    since: Mapping[Partition, Journal],
    source: Source,
) -> dict[Partition, Fence]:
    """Put the consumer at the journals' places, with the fences as they were there."""
    tps = {output: TopicPartition(*output) for output in outputs}
    consumer.assign(list(tps.values()))
    starts = await consumer.beginning_offsets(list(tps.values()))
    fences: dict[Partition, Fence] = {}
    for output, tp in tps.items():
        journal = since.get(output, Journal(0, NOBODY))
        if starts[tp] <= journal.offset:
            fences[output] = Fence({source: journal.held})
        else:  # retention took what lies between, perhaps with a claim: keep the mark, believe the next owner
            fences[output] = Fence({source: NOBODY._replace(mark=journal.held.mark)}, adopting=True)
        consumer.seek(tp, max(starts[tp], journal.offset))
    return fences
