"""What a command reads and writes, looked at before it begins: a slip in a path must not cost the file."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from schemas.errors import PermanentError

STANDARD: Final = "-"
PACKED: Final = {
    b"\x1f\x8b": "zcat",
    b"\x28\xb5\x2f\xfd": "zstdcat",
    b"BZh": "bzcat",
    b"\xfd7zXZ": "xzcat",
    b"PK\x03\x04": "unzip -p",
}


def ensure_readable(files: Iterable[str]) -> None:
    """PermanentError for the first file that is not there, or is compressed. A pipe is not opened."""
    for name in files:
        if name == STANDARD:
            continue
        try:
            os.stat(name)
        except (OSError, ValueError) as error:
            raise PermanentError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
        if os.path.isdir(name):
            raise PermanentError(f"{name}: Is a directory")
        if not os.access(name, os.R_OK):
            raise PermanentError(f"{name}: Permission denied")
        if unpack := _packed(name):
            raise PermanentError(f"{name}: is compressed; unpack it on the way: {unpack} {shlex.quote(name)} | … -")


def _packed(name: str) -> str:
    """What unpacks a regular file; "" for one that is not compressed: every line of it would be a dead letter."""
    if not os.path.isfile(name):
        return ""
    with open(name, "rb") as file:
        first = file.read(6)
    return next((command for magic, command in PACKED.items() if first.startswith(magic)), "")


def ensure_apart(*, read: Iterable[str | Path | None], written: Iterable[Path | None]) -> None:
    """PermanentError where a file that is to be written is also read, or is written twice. Devices may be."""
    taken = [Path(one) for one in read if one is not None and one != STANDARD]
    for path in written:
        if path is None:
            continue
        if any(_same(path, one) for one in taken):
            raise PermanentError(f"{path}: is read, or written, by this command already; write to another file")
        taken.append(path)


def _same(path: Path, other: Path) -> bool:
    if path.is_file() and other.is_file():
        return path.samefile(other)
    return not path.exists() and path.resolve() == other.resolve()
