"""A record of a topic, as stages take it out of a chunk."""

from collections.abc import Sequence
from typing import NamedTuple


class Line(NamedTuple):
    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
