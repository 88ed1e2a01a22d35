"""Recognises texts that say the same in nearly the same words within the last hours: copied praise, one customer many
times, many customers in one anger.

Marks and counts only. Whether a marked text is left out is a setting of the caller's, and by default it stays in: many
customers hit by one incident write the same five words.

A text's sketch is its MinHash over pairs of neighbouring characters (Broder 1997); punctuation, digits, spaces and
repeated characters are left out. Sketches are compared where two of their values agree.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment.codepoints import END, encode

WINDOW_MS: Final = 6 * 3_600_000
Bands = tuple[int, ...]

_HASHES: Final = 12
_BANDS: Final = 4
# Of twelve values nine agree: 0.75 of all pairs of characters are shared, give or take.
_LEAST_AGREEING: Final = 9
# A text that is contained in a longer one is another text (设施陈旧 in 服务太差，设施陈旧).
_LEAST_LENGTH_SHARE: Final = 0.6
# In a shorter text one character more is another meaning (好用, 不好用): only the same is a copy.
_SHORT: Final = 6
_MOST_CUSTOMERS: Final = 256
_MOST_RECENT: Final = 32


class Mark(NamedTuple):
    """What is known of a text when it arrives; `copies` counts it too, so 1 is the first of its kind."""

    copies: int
    same_customer: bool  # this customer said it before
    burst: bool  # copied for one product, faster than customers write by chance


@dataclass(slots=True)
class _Group:
    sketch: "Sketch"
    copies: int
    newest_at_ms: int
    customers: set[str]
    recent: list[tuple[int, str]]  # (at_ms, product) of the last few


@dataclass(slots=True)
class _Single:
    """A group of one, which most stay: as little as can become a `_Group`."""

    sketch: "Sketch"
    newest_at_ms: int
    customer_key: str
    product: str

    def group(self) -> _Group:
        customers = {self.customer_key} if self.customer_key else set()
        return _Group(self.sketch, 1, self.newest_at_ms, customers, [(self.newest_at_ms, self.product)])


class NearDuplicates:
    """The sketches of the last `window_ms`, at most `max_groups` kinds of text, the longest unheard of dropped first.

    Holds no clock and no chance: the same texts in the same order get the same marks.
    """

    def __init__(
        self,
        *,
        window_ms: int = WINDOW_MS,
        max_groups: int = 50_000,
        burst_copies: int = 5,
        burst_ms: int = 600_000,
        burst_length: int = 8,
    ) -> None:
        """A burst is `burst_copies` copies for one product within `burst_ms`, of a text of at least `burst_length`
        telling characters: 很好 is said by everybody, a whole sentence is not."""
        if min(window_ms, max_groups, burst_copies, burst_ms) <= 0 or burst_copies > _MOST_RECENT:
            raise ValueError(
                "window_ms, max_groups, burst_copies and burst_ms must be positive, burst_copies at most 32"
            )
        self._window_ms = window_ms
        self._max_groups = max_groups
        self._burst_copies = burst_copies
        self._burst_ms = burst_ms
        self._burst_length = burst_length
        self._newest_at_ms = 0
        self._next_id = 0
        self._groups: OrderedDict[int, _Group | _Single] = OrderedDict()  # the longest unheard of first
        self._by_band: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def mark(self, text: str, at_ms: int, customer_key: str, product: str) -> Mark:
        """As `mark_batch`, for one text; costs ten times as much a text as a large batch."""
        return self.mark_batch([text], [at_ms], [customer_key], [product])[0]

    def mark_batch(
        self, texts: Sequence[str], at_ms: Sequence[int], customer_keys: Sequence[str], products: Sequence[str]
    ) -> list[Mark]:
        """One mark a text, in order. An empty `customer_key` is nobody; a text without letters is nobody's copy."""
        columns = zip(sketches(texts), at_ms, customer_keys, products, strict=True)
        return [
            self._mark(sketch, at, customer_key, product) if sketch.length else _FIRST
            for sketch, at, customer_key, product in columns
        ]

    def _mark(self, sketch: "Sketch", at_ms: int, customer_key: str, product: str) -> Mark:
        self._forget(at_ms)
        group_id = self._find(sketch)
        if group_id is None:
            if len(self._groups) >= self._max_groups:
                self._drop(next(iter(self._groups)))
            self._groups[self._next_id] = _Single(sketch, at_ms, customer_key, product)
            for band in sketch.bands:
                self._by_band[band] = self._next_id
            self._next_id += 1
            return _FIRST
        group = self._groups[group_id]
        if isinstance(group, _Single):
            group = self._groups[group_id] = group.group()
        self._groups.move_to_end(group_id)
        same_customer = customer_key in group.customers
        if customer_key and len(group.customers) < _MOST_CUSTOMERS:
            group.customers.add(customer_key)
        group.copies += 1
        group.newest_at_ms = max(group.newest_at_ms, at_ms)
        group.recent = [one for one in group.recent if at_ms - one[0] < self._burst_ms][-_MOST_RECENT:]
        group.recent.append((at_ms, product))
        copied = sum(one[1] == product for one in group.recent)
        return Mark(group.copies, same_customer, sketch.length >= self._burst_length and copied >= self._burst_copies)

    def _find(self, sketch: "Sketch") -> int | None:
        for band in sketch.bands:
            group_id = self._by_band.get(band)
            if group_id is not None and _alike(self._groups[group_id].sketch, sketch):
                return group_id
        return None

    def _forget(self, at_ms: int) -> None:
        if at_ms > self._newest_at_ms:
            self._newest_at_ms = at_ms
        horizon = self._newest_at_ms - self._window_ms
        while self._groups:
            group_id = next(iter(self._groups))
            if self._groups[group_id].newest_at_ms > horizon:
                return
            self._drop(group_id)

    def _drop(self, group_id: int) -> None:
        for band in self._groups.pop(group_id).sketch.bands:
            if self._by_band.get(band) == group_id:
                del self._by_band[band]

    def dump(self) -> dict[str, object]:
        """All of it, as values that JSON holds; what is loaded from it goes on exactly as this one does."""
        groups: list[list[object]] = []
        for group_id, one in self._groups.items():
            group = one.group() if isinstance(one, _Single) else one
            found_by = [band for band in group.sketch.bands if self._by_band.get(band) == group_id]
            recent = [list(seen) for seen in group.recent]
            customers = sorted(group.customers)
            groups.append([group.sketch.dump(), found_by, group.copies, group.newest_at_ms, customers, recent])
        return {"newest_at_ms": self._newest_at_ms, "groups": groups}

    def load(self, dumped: Mapping[str, object]) -> None:
        """Takes over what `dump` gave. Raises KeyError, TypeError or ValueError when it is something else."""
        newest_at_ms, groups = dumped["newest_at_ms"], dumped["groups"]
        if not (isinstance(newest_at_ms, int) and isinstance(groups, list)):
            raise TypeError("not the dump of NearDuplicates")
        self._newest_at_ms, self._next_id = newest_at_ms, len(groups)
        self._groups, self._by_band = OrderedDict(), {}
        for group_id, (sketch, found_by, copies, at_ms, customers, recent) in enumerate(groups):
            seen = [(int(at), str(product)) for at, product in recent]
            self._groups[group_id] = _Group(Sketch.load(sketch), copies, at_ms, set(customers), seen)
            for band in found_by:
                self._by_band[band] = group_id


_FIRST: Final = Mark(1, False, False)


def _alike(one: "Sketch", other: "Sketch") -> bool:
    if one.values == other.values:
        return True
    if one.length < _SHORT or sum(map(eq, one.values, other.values)) < _LEAST_AGREEING:
        return False
    return min(one.length, other.length) >= _LEAST_LENGTH_SHARE * max(one.length, other.length)


# --- sketches

_MULTIPLIERS: Final = np.array(
    [
        0x9E3779B1,
        0x85EBCA77,
        0xC2B2AE3D,
        0x27D4EB2F,
        0x165667B1,
        0xD3A2646D,
        0xFD7046C5,
        0xB55A4F09,
        0x68E31DA5,
        0x1B873593,
        0xCC9E2D51,
        0xE6546B65,
    ],
    dtype=np.uint32,
)


class Sketch(NamedTuple):
    """What texts are compared by; `length` counts the telling characters."""

    length: int
    values: bytes
    bands: Bands

    def dump(self) -> list[object]:
        return [self.length, self.values.hex(), list(self.bands)]

    @classmethod
    def load(cls, dumped: Sequence[Any]) -> "Sketch":
        length, values, bands = dumped
        return cls(length, bytes.fromhex(values), tuple(bands))


def sketches(texts: Sequence[str]) -> list[Sketch]:
    """Every text's sketch; equal texts have equal ones whatever else is in the batch."""
    if not texts:
        return []
    codes, closing = _telling(texts)
    ends = np.flatnonzero(closing)
    begins = np.concatenate((np.zeros(1, dtype=np.intp), ends[:-1] + 1))
    values = _minima(_pairs(codes, closing), closing, begins)
    # One byte of each value is enough to compare by, since two values agree in full before anything is compared;
    # the low one, for the high bits of a minimum are nearly always 0.
    packed = (values & np.uint32(0xFF)).astype(np.uint8).tobytes()
    return [
        Sketch(length, packed[number * _HASHES : (number + 1) * _HASHES], bands)
        for number, (length, bands) in enumerate(zip((ends - begins).tolist(), _bands(values), strict=True))
    ]


def _telling(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """The texts' telling characters, repetitions left out, and where a text ends."""
    codes, starts, _ = encode(texts)
    closing = np.zeros(len(codes), dtype=np.bool_)
    closing[starts[1:] - 1] = True
    closing[-1] = True
    kept = _TELLING[np.minimum(codes, np.uint32(len(_TELLING) - 1))] | closing
    codes, closing = codes[kept], closing[kept]
    fresh = np.ones(len(codes), dtype=np.bool_)
    fresh[1:] = (codes[1:] != codes[:-1]) | closing[1:] | closing[:-1]
    return codes[fresh], closing[fresh]


def _pairs(codes: NDArray[np.uint32], closing: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """A number for each two neighbouring characters of a text; its last one stands with the end."""
    codes = np.where(closing, np.uint32(END), codes)
    following = np.concatenate((codes[1:], np.array([END], dtype=np.uint32)))
    mixed = codes * np.uint32(0x01000193) + following
    mixed ^= mixed >> np.uint32(15)
    return mixed


def _minima(pairs: NDArray[np.uint32], closing: NDArray[np.bool_], begins: NDArray[np.intp]) -> NDArray[np.uint32]:
    """For each text (row) and hash (column) the least value."""
    columns = np.empty((_HASHES, len(begins)), dtype=np.uint32)
    for number, multiplier in enumerate(_MULTIPLIERS):
        mixed = pairs * multiplier
        mixed ^= mixed >> np.uint32(13)
        mixed *= np.uint32(0xC2B2AE35)
        mixed[closing] = _LARGEST  # the end alone is in every text
        columns[number] = np.minimum.reduceat(mixed, begins)
    return np.ascontiguousarray(columns.T)


_LARGEST: Final = np.uint32(0xFFFFFFFF)


def _bands(values: NDArray[np.uint32]) -> list[Bands]:
    wide = values.astype(np.uint64)
    number = np.arange(_BANDS, dtype=np.uint64)
    # Two values of 31 bits and the band's number in 64.
    joined = (
        ((wide[:, 0 : 2 * _BANDS : 2] >> np.uint64(1)) << np.uint64(33))
        | ((wide[:, 1 : 2 * _BANDS : 2] >> np.uint64(1)) << np.uint64(2))
        | number
    )
    return list(map(tuple, joined.tolist()))


def _telling_table() -> NDArray[np.bool_]:
    """Letters of any script and emoji tell; digits, signs, spaces and invisible characters do not."""
    table = np.zeros(0x20001, dtype=np.bool_)
    for low, high in (
        (0x41, 0x5B),
        (0x61, 0x7B),
        (0xC0, 0x2000),
        (0x3040, 0xD800),
        (0xF900, 0xFE00),
        (0x1F000, 0x20001),
    ):
        table[low:high] = True
    return table


_TELLING: Final = _telling_table()
