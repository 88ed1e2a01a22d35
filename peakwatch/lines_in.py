"""Lines of a stream in batches: many where many are there, those that are there where the next ones are awaited.

Decides when a batch is answered. A program that asks line by line, a person at the terminal or a `tail -f` has the
answer before it writes more; a file comes in batches large enough to be judged fast.
"""

import select
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from typing import IO, Final, cast

MOST_LINES: Final = 2_000
PATIENCE_S: Final = 0.005  # a fast writer's pipe is refilled within; nobody notices it
_READ_BYTES: Final = 1 << 18


def arrived(source: IO[bytes]) -> Iterator[list[bytes]]:
    """Batches of at most `MOST_LINES` lines without their ends. Nothing but a newline ends a line; costs time linear
    in the bytes however long a line is."""
    stream = cast(BufferedIOBase, source)
    more_is_there = _asking(source)
    lines: list[bytes] = []
    begun: list[bytes] = []  # of a line whose end has not come
    while block := stream.read1(_READ_BYTES):
        first, *others = block.split(b"\n")
        begun.append(first)
        if others:
            lines += (b"".join(begun), *others[:-1])
            begun = [others[-1]]
        while len(lines) >= MOST_LINES:
            yield lines[:MOST_LINES]
            del lines[:MOST_LINES]
        if lines and not more_is_there():
            yield lines
            lines = []
    if any(begun):
        lines.append(b"".join(begun))
    if lines:
        yield lines


def _asking(source: IO[bytes]) -> Callable[[], bool]:
    """Whether more can be read at once, or has ended; what has no descriptor is all there."""
    try:
        descriptor = source.fileno()
    except OSError:
        return lambda: True
    return lambda: bool(select.select([descriptor], [], [], PATIENCE_S)[0])
