"""YAML text to plain values, for configuration files: one reading, strict where YAML is treacherous.

Only what JSON knows comes out (text, numbers, booleans, null, lists, mappings with text keys). Dates, times
and `yes`/`no` stay text: YAML 1.1 would make 13:30 the integer 810. What values mean is the callers'.
"""

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml

from schemas.errors import ConfigError

MAX_VALUES: Final = 200_000  # with what aliases repeat; more than this is a mistake or an attack


def load_yaml(text: str, source: str) -> Any:
    """The document's value; an empty one is None. ConfigError holds every mistake as `source:line: …`."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{source}:{line}: {error.problem or error.context}"]) from None
    except RecursionError:
        raise ConfigError([f"{source}: nested too deeply"]) from None
    except yaml.YAMLError as error:  # characters that no YAML may hold
        raise ConfigError([f"{source}: {' '.join(str(error).split())}"]) from None
    if node is None:
        return None
    builder = _Builder(source)
    try:
        value = builder.build(node, ())
    except RecursionError:
        raise ConfigError([f"{source}: nested too deeply"]) from None
    if builder.mistakes:
        raise ConfigError(dict.fromkeys(builder.mistakes))
    return value


class _Loader(yaml.SafeLoader):
    """SafeLoader's reading, but only JSON's scalars are recognised without a tag."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


class _Builder:
    """Values of a node graph, with the mistakes that it met."""

    def __init__(self, source: str) -> None:
        self.mistakes: list[str] = []
        self._source = source
        self._values = 0

    def build(self, node: yaml.Node, path: tuple[int, ...]) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            raise ConfigError([f"{self._source}: more than {MAX_VALUES} values"])
        if id(node) in path:
            return self._mistake(node, "an alias inside its own anchor")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, (*path, id(node)))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, id(node))) for child in node.value]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: tuple[int, ...]) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._merge(value_node, merged, path)
                continue
            key = self.build(key_node, path)
            if not isinstance(key, str):
                shown = key_node.value if isinstance(key, Hashable) else "a list or mapping"
                self._mistake(key_node, f"the key {shown!r} is not text (quote it)")
            elif key in own:
                self._mistake(key_node, f"the key {key!r} stands twice")
            else:
                own[key] = self.build(value_node, path)
        return merged | own

    def _merge(self, node: yaml.Node, into: dict[str, Any], path: tuple[int, ...]) -> None:
        value = self.build(node, path)
        for mapping in value if isinstance(value, list) else [value]:
            if isinstance(mapping, dict):
                for key, inner in mapping.items():
                    into.setdefault(key, inner)
            else:
                self._mistake(node, "<< takes a mapping or a list of them")

    def _scalar(self, node: yaml.Node) -> Any:
        kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), node.value
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "int":
                return int(text)
            if kind == "float":
                return float(text)
        except ValueError:
            return self._mistake(node, f"{text[:40]!r} is no number")
        return self._mistake(node, f"the tag {node.tag} is not read here")

    def _mistake(self, node: yaml.Node, text: str) -> None:
        self.mistakes.append(f"{self._source}:{node.start_mark.line + 1}: {text}")
