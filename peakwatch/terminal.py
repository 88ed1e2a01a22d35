"""What a terminal may be shown of texts that others wrote, and questions to whoever sits at it."""

import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINER: Final = "\u200d"  # families of emoji


@contextmanager
def question_terminal() -> Iterator[Callable[[str], str] | None]:
    """A function that shows a question and gives the line answered ("" at its end); None when nobody is there.

    Somebody is there when messages go to a terminal that the process may read from.
    """
    if not sys.stderr.isatty():
        yield None
        return
    try:
        terminal = open("/dev/tty", encoding="utf-8", errors="replace")  # noqa: SIM115  # closed below
    except OSError:
        yield None
        return
    with terminal:

        def ask(question: str) -> str:
            sys.stderr.write(question)
            sys.stderr.flush()
            return terminal.readline()

        yield ask


def readable(text: str) -> str:
    """One line that leaves the terminal as it is: a review, a name or a note may hold its commands."""
    return "".join(" " if _moves(char) else char for char in text)


def _moves(char: str) -> bool:
    return not char.isprintable() and char != _JOINER and unicodedata.category(char) in _HIDDEN
