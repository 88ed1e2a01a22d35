"""Incidents as pages of a snapshot: those that were born together share one.

A night of breaches leaves tens of thousands of incidents, of which few change between two snapshots, mostly the newest.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from alerts.incident import Incident

PER_PAGE: Final = 256  # some 170 KB


def pack(incidents: Iterable[Incident]) -> dict[str, bytes]:
    """Pages by name; the same incidents give the same bytes."""
    pages: dict[int, list[Incident]] = {}
    for incident in sorted(incidents, key=lambda one: one.serial):
        pages.setdefault(incident.serial // PER_PAGE, []).append(incident)
    return {str(number): msgspec.msgpack.encode(held) for number, held in pages.items()}


def unpack(pages: Mapping[str, bytes]) -> list[Incident]:
    """The incidents of all pages."""
    return [one for page in pages.values() for one in msgspec.msgpack.decode(page, type=list[Incident])]
