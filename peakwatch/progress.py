"""Progress of long work: a live bar on a terminal, nothing where a program reads."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_BLOCK_BYTES: Final = 1 << 20


@contextmanager
def counting(what: str, *, files: Iterable[str] = ()) -> Iterator[Callable[[int], None] | None]:
    """A function that is told the count so far; None when standard error is no terminal.

    `files`: whose lines are counted; the bar shows how much is left where that can be known.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    total = lines_of(files)
    ahead = (BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn()) if total else ()
    columns = (
        SpinnerColumn(), TextColumn("{task.completed:,.0f} " + what), TextColumn("{task.fields[rate]:>10,.0f}/s"),
        TimeElapsedColumn(), *ahead,
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, rate=0.0)

        def tell(count: int) -> None:
            elapsed = progress.tasks[0].elapsed or 1e-9
            progress.update(task, completed=count, rate=count / elapsed)

        yield tell


def lines_of(files: Iterable[str]) -> int | None:
    """How many lines there are in all; None where that cannot be known beforehand: standard input, pipes, no files.

    A file that cannot be read is left to whoever reads it.
    """
    paths = [Path(name) for name in files]
    try:
        if not paths or not all(path.is_file() for path in paths):
            return None
        return sum(map(_lines, paths))
    except OSError:
        return None


def _lines(path: Path) -> int:
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            count, last = count + block.count(b"\n"), block
    return count + (not last.endswith(b"\n"))
