"""Rules, calendars, plans and channels that change while a worker runs: seen, read whole, or refused whole.

Decides when files are read again and what is said of it; what a change does to whatever runs is the stages' business.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

from schemas.errors import ConfigError

T = TypeVar("T")

VERSION_CHARS: Final = 12
_log = logging.getLogger("peakwatch.config")


class Stamp(NamedTuple):
    """What tells cheaply that a file may have changed; a link that points elsewhere shows as well."""

    changed_ns: int
    size: int
    inode: int


class ConfigFiles(Generic[T]):
    """The files of a configuration, and what they say.

    `files`: which there are, asked anew each time (a folder of templates may grow). `read`: what they say; raises
    ConfigError with every mistake. Both block.
    """

    def __init__(self, files: Callable[[], Iterable[Path]], read: Callable[[], T], *, version: str) -> None:
        """`version`: of what is in force now."""
        self._files = files
        self._read = read
        self._stamps = _stamps(files())
        self._refused = ""
        self.version = version

    def poll(self, *, asked: bool = False) -> T | None:
        """What the files say now, if that is new and without a mistake; `asked`: somebody wants an answer."""
        stamps = _stamps(self._files())
        if stamps == self._stamps and not asked:
            return None
        version = version_of(self._files())
        if version == self.version:
            self._stamps, self._refused = stamps, ""
            if asked:
                _log.warning("configuration %s is in force already", version)
            return None
        if version == self._refused and not asked:
            self._stamps = stamps
            return None
        try:
            found = self._read()
        except ConfigError as error:
            self._stamps, self._refused = stamps, version
            mistakes = "; ".join(error.mistakes)
            _log.warning("configuration %s stays in force, %s is refused: %s", self.version, version, mistakes)
            return None
        if version_of(self._files()) != version:
            return None  # written while it was read: next time
        self._stamps, self._refused, self.version = stamps, "", version
        return found


def version_of(files: Iterable[Path]) -> str:
    """What tells one configuration from another: a hash over the files' names and bytes."""
    hashed = hashlib.blake2b(digest_size=VERSION_CHARS // 2)
    for path in files:
        hashed.update(path.name.encode() + b"\0")
        try:
            hashed.update(path.read_bytes())
        except OSError as error:
            hashed.update(f"\0{error.errno}".encode())
    return hashed.hexdigest()


def _stamps(files: Iterable[Path]) -> list[Stamp | None]:
    return [_stamp(path) for path in files]


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)
