"""What goes between the stages, as MessagePack: deltas for the windows, facts for the decisions.

A large batch is compressed: what lies ready after an outage comes at once, and a broker takes 1 MB a message.
"""

from collections import Counter
from typing import Final, NamedTuple

import lz4.block
import msgspec

from schemas.errors import BadEvent
from schemas.results import Observation
from sla.transition import Transition
from streams.facts import Facts, Feed, Forecast
from streams.holding import Holding
from streams.panes import Deltas, decode_deltas, encode_deltas


class Told(NamedTuple):
    """How far a worker has told of all its sources, in event time. None: of whatever lay ready."""

    worker: str
    to_ms: int | None


NOBODY_SAID: Final = Told("", None)


class DeltaBatch(msgspec.Struct, array_like=True, frozen=True):
    """For the windows. `newest_ms`: the newest event time of the source partition."""

    newest_ms: int
    deltas: bytes
    told: Told = NOBODY_SAID


class FactBatch(msgspec.Struct, array_like=True, frozen=True):
    """For the decisions; raw rows stay behind."""

    newest_ms: int
    observations: list[Observation]
    transitions: list[Transition]
    feeds: list[tuple[Feed, int]]
    forecast: list[tuple[Forecast, int]] | None
    deltas: bytes
    told: Told = NOBODY_SAID


COMPRESSED: Final = b"\xc1"  # begins no MessagePack
PLAIN_BYTES: Final = 16_384  # smaller ones are not worth it

_encode: Final = msgspec.msgpack.Encoder().encode
_deltas: Final = msgspec.msgpack.Decoder(DeltaBatch)
_facts: Final = msgspec.msgpack.Decoder(FactBatch)
_held: Final = msgspec.msgpack.Decoder(tuple[int, list[tuple[str, int, int]], list[tuple[int, bytes]]])


def encode_delta_batch(newest_ms: int, deltas: Deltas, *, told: Told = NOBODY_SAID) -> bytes:
    """For a partition of the windows' topic."""
    return _packed(_encode(DeltaBatch(newest_ms, encode_deltas(deltas), told)))


def decode_delta_batch(raw: bytes) -> tuple[int, Deltas, Told]:
    """The source partition's newest event time, its deltas, and how far its worker is. BadEvent for anything else."""
    try:
        batch = _deltas.decode(_unpacked(raw))
        return batch.newest_ms, decode_deltas(batch.deltas), batch.told
    except msgspec.DecodeError as error:
        raise BadEvent("not_a_batch", str(error)) from None


def encode_fact_batch(newest_ms: int, facts: Facts, *, told: Told = NOBODY_SAID) -> bytes:
    """For the decisions' partition."""
    forecast = None if facts.forecast is None else list(facts.forecast.items())
    batch = FactBatch(
        newest_ms, facts.observations, facts.transitions, list(facts.feeds.items()), forecast,
        encode_deltas(facts.deltas), told,
    )  # fmt: skip
    return _packed(_encode(batch))


def decode_fact_batch(raw: bytes) -> tuple[int, Facts, Told]:
    """The source partition's newest event time, its facts, and how far its worker is. BadEvent for anything else."""
    try:
        batch = _facts.decode(_unpacked(raw))
        facts = Facts(
            observations=batch.observations,
            transitions=batch.transitions,
            feeds=Counter(dict(batch.feeds)),
            forecast=None if batch.forecast is None else dict(batch.forecast),
            deltas=decode_deltas(batch.deltas),
        )
    except msgspec.DecodeError as error:
        raise BadEvent("not_a_batch", str(error)) from None
    return batch.newest_ms, facts, batch.told


def encode_held(holding: Holding) -> bytes:
    """For a page of a snapshot."""
    last = [(*source, pane) for source, pane in holding.last.items()]
    held = [(pane, encode_fact_batch(0, facts)) for pane, facts in holding.held()]
    return _packed(_encode((holding.passed, last, held)))


def decode_held(raw: bytes) -> Holding:
    """What `encode_held` was given."""
    passed, last, held = _held.decode(_unpacked(raw))
    holding = Holding(passed=passed, last={(topic, partition): pane for topic, partition, pane in last})
    for pane, batch in held:
        holding.restore(pane, decode_fact_batch(batch)[1])
    return holding


def _packed(raw: bytes) -> bytes:
    if len(raw) <= PLAIN_BYTES:
        return raw
    packed: bytes = lz4.block.compress(raw)
    return COMPRESSED + packed


def _unpacked(raw: bytes) -> bytes:
    if not raw.startswith(COMPRESSED):
        return raw
    try:
        plain: bytes = lz4.block.decompress(raw[1:])
    except (lz4.block.LZ4BlockError, ValueError) as error:
        raise BadEvent("not_a_batch", str(error)) from None
    return plain
