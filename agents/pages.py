"""A state as pages in a compacted log, replaced as a whole or not at all. Pure.

Each page has two slots. A save writes changed pages to the slot that the last commit does not name, then a
directory in the same way, and last, when the broker has all of that, the commit: one record that names the
directory. Whatever prefix of the log is left, its last commit finds every byte that it names.

Every take-over writes a claim with a new token and its group's generation. The token is part of all keys, and
only what the last claim's owner wrote after it is read: a former owner that still writes cannot touch what the
new one relies on.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from schemas.errors import PermanentError

MAX_PART_BYTES: Final = 900 * 1024  # brokers refuse a record of 1 MiB and its key
DIRECTORY: Final = ""  # the page that names the others

Kind = Literal["claim", "page", "commit"]
Log = list[tuple[bytes, bytes | None]]  # keys and values; None takes the key away

_DIGEST_BYTES: Final = 16


class Place(NamedTuple):
    """Where a page is, and what it must hash to."""

    slot: int
    parts: int
    digest: bytes


class Key(NamedTuple):
    """The key of a record in the state topic; JSON, so that any Kafka client shows what is there."""

    owner_key: str
    partition: int
    kind: Kind
    token: str
    page: str = ""
    slot: int = 0
    part: int = 0


class Snapshot(NamedTuple):
    """A state as it was saved. What was a tuple in the root comes back as a list."""

    pages: dict[str, bytes]
    root: dict[str, Any]


class Plan(NamedTuple):
    """What a save writes, in three steps, each acknowledged before the next begins."""

    pages: Log
    commit: Log
    leftovers: Log  # keys that nothing names any more
    after: "Pages"


class Pages:
    """What one owner has committed; a plan makes the next one."""

    def __init__(
        self,
        owner_key: str,
        partition: int,
        token: str,
        *,
        places: Mapping[str, Place] | None = None,
        written: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.owner_key = owner_key
        self.partition = partition
        self.token = token
        self._places = places or {}
        self._written = written or {}  # page -> parts that lie in slot 0 and in slot 1

    def claim(self, generation: int) -> Log:
        """The record with which the owner begins; the group's generation in which it was given the state."""
        return [(self._key("claim"), msgspec.json.encode(generation))]

    def plan(self, pages: Mapping[str, bytes | None], root: Mapping[str, Any]) -> Plan:
        """Replace these pages (None: take the page away), keep all others; one that is as it was is not written."""
        if DIRECTORY in pages:
            raise PermanentError(f"state {self.owner_key}/{self.partition}: a page has no name")
        places, written = dict(self._places), dict(self._written)
        records: Log = []
        leftovers: Log = []
        for page in sorted(pages):
            content = pages[page]
            if content is None:
                if places.pop(page, None) is not None:
                    leftovers += self._erase(page, written.pop(page), (0, 0))
                continue
            if page not in places or places[page].digest != digest(content):
                records += self._write(page, content, places, written, leftovers)
        entries = [(page, *places[page]) for page in sorted(places) if page != DIRECTORY]
        directory = msgspec.msgpack.encode((entries, root), order="deterministic")
        records += self._write(DIRECTORY, directory, places, written, leftovers)
        commit = msgspec.msgpack.encode(places[DIRECTORY])
        after = Pages(self.owner_key, self.partition, self.token, places=places, written=written)
        return Plan(records, [(self._key("commit"), commit)], leftovers, after)

    def _write(
        self,
        page: str,
        content: bytes,
        places: dict[str, Place],
        written: dict[str, tuple[int, int]],
        leftovers: Log,
    ) -> Log:
        slot = 1 - places[page].slot if page in places else 0
        parts = [content[at : at + MAX_PART_BYTES] for at in range(0, len(content), MAX_PART_BYTES)] or [b""]
        places[page] = Place(slot, len(parts), digest(content))
        before = written.get(page, (0, 0))
        now = (len(parts), before[1]) if slot == 0 else (before[0], len(parts))
        leftovers += self._erase(page, before, now)
        written[page] = now
        return [(self._key("page", page, slot, number), part) for number, part in enumerate(parts)]

    def _erase(self, page: str, before: tuple[int, int], now: tuple[int, int]) -> Log:
        return [
            (self._key("page", page, slot, part), None) for slot in (0, 1) for part in range(now[slot], before[slot])
        ]

    def _key(self, kind: Kind, page: str = "", slot: int = 0, part: int = 0) -> bytes:
        return encode_key(Key(self.owner_key, self.partition, kind, self.token, page, slot, part))


class Reading:
    """Folds a partition of the state topic, record by record, to the snapshot that one state has."""

    def __init__(self, owner_key: str, partition: int) -> None:
        self._ours = owner_key, partition
        self._token: str | None = None  # of the claim that holds
        self._claims: dict[str, int] = {}  # token -> generation, of every claim seen
        self._committed: tuple[str, Place] | None = None  # token, directory
        self._parts: dict[Key, bytes] = {}
        self._keys: dict[Key, None] = {}  # all that would outlive a compaction

    def apply(self, raw_key: bytes, value: bytes | None) -> None:
        """The next record; those of other states are passed over."""
        key = decode_key(raw_key)
        if (key.owner_key, key.partition) != self._ours:
            return
        if value is None:
            self._keys.pop(key, None)
            if key.token == self._token:  # a former owner may not take away what we still read
                self._parts.pop(key, None)
            return
        self._keys[key] = None
        if key.kind == "claim":
            self._claim(key.token, msgspec.json.decode(value, type=int))
        elif key.token != self._token:
            return  # written by a former owner after its time
        elif key.kind == "page":
            self._parts[key] = value
        else:
            self._commit(key.token, msgspec.msgpack.decode(value, type=Place))

    @property
    def generation(self) -> int:
        """Of the claim that holds; 0 before the first."""
        return 0 if self._token is None else self._claims[self._token]

    def claimed_by(self, token: str) -> bool | None:
        """Whether this claim was seen and holds; None when it was not seen yet."""
        return self._token == token if token in self._claims else None

    def snapshot(self) -> Snapshot | None:
        """The last committed state; `PermanentError` when bytes that it names are gone or changed."""
        if self._committed is None:
            return None
        token, place = self._committed
        entries, root = msgspec.msgpack.decode(
            self._read(token, DIRECTORY, place),
            type=tuple[list[tuple[str, int, int, bytes]], dict[str, Any]],
        )
        pages = {page: self._read(token, page, Place(slot, parts, hashed)) for page, slot, parts, hashed in entries}
        return Snapshot(pages, root)

    def leftovers(self, *, token: str) -> Log:
        """Tombstones for all that owners other than `token` left behind."""
        return [(encode_key(key), None) for key in self._keys if key.token != token]

    def _claim(self, token: str, generation: int) -> None:
        known = token in self._claims
        self._claims.setdefault(token, generation)
        if not known and generation >= self.generation:  # one that arrives late does not undo a newer one
            self._token = token

    def _commit(self, token: str, directory: Place) -> None:
        if self._committed is not None and self._committed[0] != token:
            self._parts = {key: part for key, part in self._parts.items() if key.token == token}
        self._committed = token, directory

    def _read(self, token: str, page: str, place: Place) -> bytes:
        owner_key, partition = self._ours
        keys = [Key(owner_key, partition, "page", token, page, place.slot, part) for part in range(place.parts)]
        content = b"".join(self._parts.get(key, b"") for key in keys)
        if digest(content) != place.digest:
            raise PermanentError(
                f"state {owner_key}/{partition}: page {page!r}, slot {place.slot}: its content is not what was saved"
            )
        return content


def digest(content: bytes) -> bytes:
    """What tells a page from any other."""
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()


def encode_key(key: Key) -> bytes:
    """The key's bytes."""
    return msgspec.json.encode(key)


def decode_key(raw: bytes) -> Key:
    """The key of a record in the state topic; `PermanentError` when it is none."""
    try:
        return _KEYS.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PermanentError(f"state: key {raw[:80]!r}: {error}") from None


def replay(owner_key: str, partition: int, log: Iterable[tuple[bytes, bytes | None]]) -> Reading:
    """The reading of a whole log."""
    reading = Reading(owner_key, partition)
    for key, value in log:
        reading.apply(key, value)
    return reading


_KEYS: Final = msgspec.json.Decoder(Key)
