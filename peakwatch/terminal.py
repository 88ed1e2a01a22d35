"""Questions to whoever sits at the terminal, also while standard input is a file."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
