"""One figure of an alert beside what the stored rows say of it."""

from typing import Any, Final, NamedTuple

CLOSE: Final = 1e-5  # rows are rounded to six digits
LATE_SHARE: Final = 0.05  # what came late or was told apart later may change a count by so much, and by two


class Check(NamedTuple):
    """One figure of an alert and what the rows say of it. `agrees` None: it is shown, not judged."""

    what: str
    said: Any
    found: Any
    agrees: bool | None
    note: str = ""


def counted(what: str, said: int, found: int, note: str, *, settled: int | None = None) -> Check:
    """A count that may differ by what came late. `settled`: without the last moments before the decision, of which the
    most may have come after it.
    """
    spare = max(2.0, LATE_SHARE * said)
    agrees = (found if settled is None else settled) - spare <= said <= found + spare
    return Check(what, said, found, agrees, f"{note}; some came late" if agrees and found != said else note)


def close(one: float | None, other: float | None) -> bool:
    """Whether two figures are the same, but for rounding."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= CLOSE * max(1.0, abs(one))
