"""One step of a ticket, what it can do to a clock, and the order of steps (O1).

Steps are kept as records of 25 bytes whose order as bytes is the order of the rule: a ticket's whole past
costs little, and the place of a late step is found by comparing bytes.
"""

from struct import Struct as Layout
from typing import Final

import msgspec

CREATED: Final = 1
REPLY: Final = 2  # by a person
CUSTOMER: Final = 3
PENDING: Final = 4
RESUMED: Final = 5
STOP: Final = 6  # resolved and closed are one and the same to every clock (R1, R2, F2)
REOPENED: Final = 7

# `assigned` and `escalated` do nothing to any clock, and so does a bot's reply (F1).
_CODES: Final = {
    "created": CREATED,
    "first_response": REPLY,
    "agent_reply": REPLY,
    "customer_reply": CUSTOMER,
    "pending": PENDING,
    "resumed": RESUMED,
    "resolved": STOP,
    "closed": STOP,
    "reopened": REOPENED,
}

_RECORD = Layout(">QQQB")
RECORD_BYTES: Final = _RECORD.size
_BIAS = 1 << 63  # makes signed integers sort as bytes


class Step(msgspec.Struct, frozen=True, gc=False):
    """A step as it arrived. `arrival` grows with every step of a ticket and stays with it over a restart.

    An absent `seq` orders as 0. `at_ms` is 0 or more; `seq` and `arrival` fit into 64 bits, signed.
    """

    at_ms: int
    action: str
    arrival: int
    seq: int | None = None
    bot: bool = False


def code_of(step: Step) -> int:
    """What the step does, as one of the constants above; 0 for a step that can do nothing to a clock."""
    code = _CODES.get(step.action, 0)
    return 0 if code == REPLY and step.bot else code


def record_of(step: Step, code: int) -> bytes:
    """The step as it is kept. Records of equal length compare as the steps' order: time, `seq`, arrival."""
    return _RECORD.pack(step.at_ms + _BIAS, (step.seq or 0) + _BIAS, step.arrival + _BIAS, code)


def at_of(record: bytes | bytearray) -> int:
    """The instant of a record."""
    return int.from_bytes(record[:8], "big") - _BIAS


def steps_of(records: bytes | bytearray) -> list[tuple[int, int]]:
    """(instant, code) of joined records, in their order."""
    return [(at - _BIAS, code) for at, _, _, code in _RECORD.iter_unpack(records)]


def insert(records: bytes | bytearray, record: bytes) -> bytes | bytearray:
    """The joined records with one more, in its place."""
    place = len(records)
    while place and records[place - RECORD_BYTES : place] > record:
        place -= RECORD_BYTES
    return records[:place] + record + records[place:]
