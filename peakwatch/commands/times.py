"""Durations and instants as people type them at a command."""

import argparse
from typing import NamedTuple

from schemas.errors import ConfigError
from schemas.instants import parse_instant
from schemas.strict import Mistakes, Node
from schemas.zones import DAY_MS, DEFAULT_ZONE, instant_of_wall, read_minute, read_wall, wall_ms


class Until(NamedTuple):
    """An instant, or the next time of day (of Shanghai) that comes."""

    at_ms: int | None
    minute: int = 0

    def after(self, now_ms: int) -> int:
        """The instant meant by somebody who types it now."""
        if self.at_ms is not None:
            return self.at_ms
        wall = wall_ms(DEFAULT_ZONE, now_ms)
        today = wall - wall % DAY_MS + self.minute * 60_000
        return instant_of_wall(DEFAULT_ZONE, today if today > wall else today + DAY_MS)


def duration(text: str) -> int:
    """Milliseconds of `90s`, `30m`, `1h30m`; wrong usage for anything else."""
    mistakes = Mistakes("")
    found = Node(text, "TIME", mistakes).duration_ms()
    _stop(mistakes)
    return found


def until(text: str) -> Until:
    """`08:00`, `2026-11-12T08:00` (of Shanghai) or RFC 3339; wrong usage for anything else."""
    try:
        return Until(parse_instant(text))
    except ValueError:
        mistakes = Mistakes("")
        node = Node(text, "INSTANT", mistakes)
        dated = "-" in text
        found = Until(instant_of_wall(DEFAULT_ZONE, read_wall(node))) if dated else Until(None, read_minute(node))
        _stop(mistakes)
        return found


def _stop(mistakes: Mistakes) -> None:
    try:
        mistakes.stop()
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.mistakes[0].lstrip(": ")) from None
