"""Which slices are watched: the keys (dimension, value) under which an event's cell is counted."""

from typing import Final

from schemas.errors import ConfigError
from schemas.events import DIMENSIONS, Dims

ALL: Final = "all"
DEFAULT_DIMENSIONS: Final = (
    ALL, "category", "channel", "region", "customer_tier", "shop_id", "product_id",
    "category+region", "category+channel",
)  # fmt: skip

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


def check_dimensions(names: tuple[str, ...]) -> None:
    """ConfigError with every name that is no dimension, or stands twice."""
    mistakes = [
        f"dimensions[{i}]: {name!r} is not `all`, one of {', '.join(DIMENSIONS)}, or two of these joined by +"
        for i, name in enumerate(names)
        if not _known(name)
    ]
    mistakes += [f"dimensions: {name!r} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    if mistakes:
        raise ConfigError(mistakes)


def _known(name: str) -> bool:
    parts = name.split("+")
    return name == ALL or (len(parts) <= 2 and len(set(parts)) == len(parts) and set(parts) <= set(DIMENSIONS))


def _positions(name: str) -> tuple[int, ...]:
    return () if name == ALL else tuple(DIMENSIONS.index(part) for part in name.split("+"))
