"""What goes between the stages, as MessagePack: deltas for the windows, facts for the decisions."""

from collections import Counter
from typing import Final

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


_encode: Final = msgspec.msgpack.Encoder().encode
_deltas: Final = msgspec.msgpack.Decoder(DeltaBatch)
_facts: Final = msgspec.msgpack.Decoder(FactBatch)


def encode_delta_batch(newest_ms: int, deltas: Deltas) -> bytes:
    """For a partition of the windows' topic."""
    return _encode(DeltaBatch(newest_ms, encode_deltas(deltas)))


def decode_delta_batch(raw: bytes) -> tuple[int, Deltas]:
    """The newest event time of the source partition, and its deltas. BadEvent for anything else."""
    try:
        batch = _deltas.decode(raw)
        return batch.newest_ms, decode_deltas(batch.deltas)
    except msgspec.DecodeError as error:
        raise BadEvent("not_a_batch", str(error)) from None


def encode_fact_batch(newest_ms: int, facts: Facts) -> bytes:
    """For the decisions' partition."""
    forecast = None if facts.forecast is None else list(facts.forecast.items())
    return _encode(
        FactBatch(
            newest_ms, facts.observations, facts.transitions, list(facts.feeds.items()), forecast,
            encode_deltas(facts.deltas),
        )
    )  # fmt: skip


def decode_fact_batch(raw: bytes) -> tuple[int, Facts]:
    """The newest event time of the source partition, and what came of its events. BadEvent for anything else."""
    try:
        batch = _facts.decode(raw)
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
