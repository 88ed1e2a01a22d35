"""Which slices are watched: the keys (dimension, value) under which an event's cell is counted."""

from typing import Final

from schemas.events import DIMENSIONS, Dims
from schemas.settings import DEFAULT_DIMENSIONS

ALL: Final = "all"
Key = tuple[str, str]


class Dimensions:
    """The configured dimensions, each as the positions in a cell that make its value."""

    def __init__(self, names: tuple[str, ...] = DEFAULT_DIMENSIONS) -> None:
        self.names = names
        self._parts = tuple(_positions(name) for name in names)

    def keys(self, cell: Dims) -> list[Key]:
        """One key a dimension; the value of `all` is "", of a joined one its values joined by `|`.

        An absent value counts under "", so that a dimension's values add up to `all`.
        """
        return [
            (name, cell[parts[0]] if len(parts) == 1 else "|".join([cell[part] for part in parts]))
            for name, parts in zip(self.names, self._parts, strict=True)
        ]


def _positions(name: str) -> tuple[int, ...]:
    return () if name == ALL else tuple(DIMENSIONS.index(part) for part in name.split("+"))
