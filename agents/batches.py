"""What goes between the stages, as MessagePack: deltas for the windows, facts for the decisions.

A large batch is compressed: what lies ready after an outage comes at once, and a broker takes 1 MB a message.
"""

from collections import Counter
from typing import Final

import lz4.block
import msgspec

from schemas.errors import BadEvent
from schemas.results import Observation
from sla.transition import Transition
from streams.facts import Facts, Feed, Forecast
from streams.panes import Deltas, decode_deltas, encode_deltas


class DeltaBatch(msgspec.Struct, array_like=True, frozen=True):
    """For the windows. `newest_ms`: the newest event time of the source partition."""

    newest_ms: int
    deltas: bytes


class FactBatch(msgspec.Struct, array_like=True, frozen=True):
    """For the decisions; raw rows stay behind."""

    newest_ms: int
    observations: list[Observation]
    transitions: list[Transition]
    feeds: list[tuple[Feed, int]]
    forecast: list[tuple[Forecast, int]] | None
    deltas: bytes


COMPRESSED: Final = b"\xc1"  # begins no MessagePack
PLAIN_BYTES: Final = 16_384  # smaller ones are not worth it

_encode: Final = msgspec.msgpack.Encoder().encode
_deltas: Final = msgspec.msgpack.Decoder(DeltaBatch)
_facts: Final = msgspec.msgpack.Decoder(FactBatch)


def encode_delta_batch(newest_ms: int, deltas: Deltas) -> bytes:
    """For a partition of the windows' topic."""
    return _packed(_encode(DeltaBatch(newest_ms, encode_deltas(deltas))))


def decode_delta_batch(raw: bytes) -> tuple[int, Deltas]:
    """The newest event time of the source partition, and its deltas. BadEvent for anything else."""
    try:
        batch = _deltas.decode(_unpacked(raw))
        return batch.newest_ms, decode_deltas(batch.deltas)
    except msgspec.DecodeError as error:
        raise BadEvent("not_a_batch", str(error)) from None


def encode_fact_batch(newest_ms: int, facts: Facts) -> bytes:
    """For the decisions' partition."""
    forecast = None if facts.forecast is None else list(facts.forecast.items())
    batch = FactBatch(
        newest_ms, facts.observations, facts.transitions, list(facts.feeds.items()), forecast,
        encode_deltas(facts.deltas),
    )  # fmt: skip
    return _packed(_encode(batch))


def decode_fact_batch(raw: bytes) -> tuple[int, Facts]:
    """The newest event time of the source partition, and what came of its events. BadEvent for anything else."""
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
    return batch.newest_ms, facts


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
