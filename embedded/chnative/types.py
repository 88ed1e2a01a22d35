"""ClickHouse's type names, as far as a column's length in Native format depends on them."""

import re
from dataclasses import dataclass
from functools import lru_cache

_SIZES = {
    "UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "UInt128": 16, "UInt256": 32,
    "Int8": 1, "Int16": 2, "Int32": 4, "Int64": 8, "Int128": 16, "Int256": 32,
    "Float32": 4, "Float64": 8, "BFloat16": 2, "Bool": 1, "Date": 2, "Date32": 4, "DateTime": 4, "DateTime32": 4,
    "DateTime64": 8, "Time": 4, "Time64": 8, "Enum8": 1, "Enum16": 2, "UUID": 16, "IPv4": 4, "IPv6": 16, "Nothing": 1,
    "Decimal32": 4, "Decimal64": 8, "Decimal128": 16, "Decimal256": 32,
}  # fmt: skip
_ALIASES = {
    "Point": "Tuple(Float64, Float64)", "Ring": "Array(Point)", "LineString": "Array(Point)", "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)", "MultiPolygon": "Array(Polygon)",
}  # fmt: skip
_DECIMAL_SIZES = ((9, 4), (18, 8), (38, 16), (76, 32))
_TOKEN = re.compile(r"`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.|'')*'|[(),]|[^\s(),`']+|\s+", re.S)
MAX_DEPTH = 50


class UnknownTypeError(Exception):
    """A type whose length in a block is not known here."""


@dataclass(frozen=True, slots=True)
class Fixed:
    size: int


@dataclass(frozen=True, slots=True)
class String:
    pass


@dataclass(frozen=True, slots=True)
class Nullable:
    inner: "Type"


@dataclass(frozen=True, slots=True)
class Array:
    inner: "Type"


@dataclass(frozen=True, slots=True)
class Tuple:
    elements: "tuple[Type, ...]"


@dataclass(frozen=True, slots=True)
class LowCardinality:
    keys: "Type"


Type = Fixed | String | Nullable | Array | Tuple | LowCardinality


@lru_cache(maxsize=4096)
def parse_type(text: str, depth: int = 0) -> Type:
    """The shape behind a type's name; raises UnknownTypeError."""
    if depth > MAX_DEPTH:
        raise UnknownTypeError("a type nested too deeply")
    text = text.strip()
    name, bracket, rest = text.partition("(")
    name = name.strip()
    if bracket and not rest.endswith(")"):
        raise UnknownTypeError(text)
    inner = rest[:-1]
    if name == "String" and not bracket:
        return String()
    if name in _SIZES:
        return Fixed(_SIZES[name])
    if name in _ALIASES:
        return parse_type(_ALIASES[name], depth + 1)
    if name.startswith("Interval"):
        return Fixed(8)
    return _compound(name, inner, depth + 1)


def _compound(name: str, inner: str, depth: int) -> Type:
    match name:
        case "FixedString":
            return Fixed(_number(inner, 1 << 24))
        case "Decimal":
            precision = _number(inner.split(",")[0], 76)
            return Fixed(next(size for most, size in _DECIMAL_SIZES if precision <= most))
        case "Nullable":
            return Nullable(parse_type(inner, depth))
        case "Array":
            return Array(parse_type(inner, depth))
        case "LowCardinality":
            keys = parse_type(inner, depth)
            return LowCardinality(keys.inner if isinstance(keys, Nullable) else keys)
        case "Tuple":
            return Tuple(_elements(inner, depth))
        case "Map" | "Nested":
            return Array(Tuple(_elements(inner, depth)))
        case "SimpleAggregateFunction":
            return parse_type(_split(inner)[-1], depth)
    raise UnknownTypeError(name)


def _elements(inner: str, depth: int) -> tuple[Type, ...]:
    return tuple(parse_type(_without_name(part), depth) for part in _split(inner))


def _split(inner: str) -> list[str]:
    """The parts between commas that stand in no brackets and no quotes."""
    parts, level = [""], 0
    for token in _TOKEN.findall(inner):
        level += (token == "(") - (token == ")")
        if token == "," and level == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts if part.strip()]


def _without_name(part: str) -> str:
    """`a Int32` → `Int32`: elements of a tuple may have names."""
    tokens = _TOKEN.findall(part)
    return "".join(tokens[2:]) if len(tokens) > 2 and tokens[1].isspace() else part


def _number(text: str, most: int) -> int:
    if not text.strip().isdigit() or int(text) > most:
        raise UnknownTypeError(f"number {text[:40]!r}")
    return int(text)
