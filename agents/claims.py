"""Who may write for a source partition, and what of it counts: the fence that every reader keeps. Pure.

A worker that takes a source partition over writes a *claim* with a new owner token into every output
partition. A batch counts for a reader when its owner is the one of the last claim before it in that output
partition, when it is the next one of that owner (none was lost or doubled on the way) and when it stands for
more of the source than all that counted before. A late, repeated or foreign batch changes nothing, for every
reader alike. A claim carries the generation of the consumer group in which its owner was given the source, so
that one which arrives late does not undo a newer one.
`takeover` writes claims and batches; what is in a batch is the caller's.
"""

import secrets
import struct
from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.errors import BadEvent, TransientError

Source = tuple[str, int]  # topic, partition
Headers = Iterable[tuple[str, bytes]]

HEADER: Final = "peakwatch-stamp"
OWNER_BYTES: Final = 8

_VERSION: Final = 1
_KINDS: Final[dict[int, Literal["claim", "batch"]]] = {0: "claim", 1: "batch"}
_FIXED: Final = struct.Struct(f">BB{OWNER_BYTES}sIQQQQ")


class Mark(NamedTuple):
    """How much of a source partition something stands for: the records below `to`, the time up to `tick_ms`.

    Marks are ordered as tuples: between two records only ticks pass.
    """

    to: int
    tick_ms: int


NOTHING: Final = Mark(0, 0)


class Stamp(NamedTuple):
    """What the header of a claim or batch says; readers need not decode a value that does not count."""

    kind: Literal["claim", "batch"]
    source: Source
    owner: bytes
    number: int  # a batch: the owner's batches in this output partition, from 1; a claim: the group's generation
    start: int  # the offset of the source from which the batch begins
    mark: Mark  # what counts with it


class Held(NamedTuple):
    """What a fence knows of one source partition."""

    owner: bytes  # b"": nobody
    generation: int  # of the owner's claim
    number: int  # of the owner's last batch; 0 before the first
    mark: Mark  # all that counted


NOBODY: Final = Held(b"", 0, 0, NOTHING)


class Fence:
    """Tells a reader of one output partition which batches count; feed it every record in order."""

    def __init__(self, held: Mapping[Source, Held] | None = None, *, adopting: bool = False) -> None:
        """`held`: what the fence held where the reading begins.

        `adopting`: the log was cut at its start, so that claims may be missing: the first owner seen counts.
        """
        self._held = dict(held or {})
        self._adopting = adopting

    def accepts(self, stamp: Stamp) -> bool:
        """Whether this record is a batch that counts; remembers what it says."""
        held = self._held.get(stamp.source, NOBODY)
        if stamp.kind == "claim":
            if stamp.owner != held.owner and stamp.number >= held.generation:  # a claim sent twice is one
                self._held[stamp.source] = Held(stamp.owner, stamp.number, 0, held.mark)
            return False
        follows = stamp.owner == held.owner and stamp.number == held.number + 1
        if not follows and not (self._adopting and not held.owner):
            return False
        counts = stamp.mark > held.mark
        self._held[stamp.source] = held._replace(
            owner=stamp.owner, number=stamp.number, mark=max(stamp.mark, held.mark)
        )
        return counts

    def held(self, source: Source) -> Held:
        """What is known of a source partition."""
        return self._held.get(source, NOBODY)

    def dump(self) -> bytes:
        """All that the fence knows, to begin again at this place of the log with `Fence.load`."""
        return msgspec.msgpack.encode(sorted(self._held.items()))

    @classmethod
    def load(cls, dumped: bytes) -> "Fence":
        """The fence as it was dumped."""
        return cls(dict(msgspec.msgpack.decode(dumped, type=list[tuple[Source, Held]])))


class Lease:
    """Fences a worker against itself: one that the group may have given up must not write.

    The group gives a member up when it has not heard of it for the session timeout; what is measured is the
    time since the last sign of life was *sent*, so the lease ends no later than the session.
    """

    def __init__(self, *, session_timeout_ms: int) -> None:
        self._session_timeout_ms = session_timeout_ms
        self._renewed_at_ms: int | None = None

    @property
    def renewed_at_ms(self) -> int | None:
        """When the last sign of life was sent that was acknowledged."""
        return self._renewed_at_ms

    def renew(self, sent_at_ms: int) -> None:
        """A heartbeat or a commit sent at this time (of a clock that is never set back) was acknowledged."""
        if self._renewed_at_ms is None or sent_at_ms > self._renewed_at_ms:
            self._renewed_at_ms = sent_at_ms

    def check(self, now_ms: int) -> None:
        """Raise `TransientError` when the lease has run out: stop writing, wait for the next assignment."""
        if self._renewed_at_ms is None:
            raise TransientError("kafka: no heartbeat was acknowledged yet")
        silent_ms = now_ms - self._renewed_at_ms
        if silent_ms >= self._session_timeout_ms:
            raise TransientError(
                f"kafka: no heartbeat acknowledged for {silent_ms} ms, session timeout {self._session_timeout_ms} ms"
            )


def new_owner() -> bytes:
    """A token that no other take-over has."""
    return secrets.token_bytes(OWNER_BYTES)


def encode_stamp(stamp: Stamp) -> tuple[str, bytes]:
    """The stamp as a Kafka record header."""
    topic, partition = stamp.source
    kind = 0 if stamp.kind == "claim" else 1
    fixed = _FIXED.pack(
        _VERSION, kind, stamp.owner, partition, stamp.number, stamp.start, stamp.mark.to, stamp.mark.tick_ms
    )
    return HEADER, fixed + topic.encode()


def decode_stamp(headers: Headers) -> Stamp:
    """The stamp among a record's headers; `BadEvent` when there is none that can be read."""
    raw = next((value for key, value in headers if key == HEADER), None)
    if raw is None:
        raise BadEvent("no_stamp", f"headers: no {HEADER}")
    if len(raw) <= _FIXED.size or raw[0] != _VERSION or raw[1] not in _KINDS:
        raise BadEvent("bad_stamp", f"headers: {HEADER}: {raw[:80]!r} cannot be read")
    _, kind, owner, partition, number, start, to, tick_ms = _FIXED.unpack_from(raw)
    try:
        topic = raw[_FIXED.size :].decode()
    except UnicodeDecodeError:
        raise BadEvent("bad_stamp", f"headers: {HEADER}: topic {raw[_FIXED.size :]!r} is no UTF-8") from None
    return Stamp(_KINDS[kind], (topic, partition), owner, number, start, Mark(to, tick_ms))
