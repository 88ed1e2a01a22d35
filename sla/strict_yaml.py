"""YAML as configuration needs it: a key given twice is a mistake, and `1:30` is no number of seconds.

What a document means is left to the readers of policies and calendars.
"""

import datetime as dt
from typing import Any

import yaml

from schemas.errors import ConfigError


def load_yaml(text: str, source: str) -> object:
    """The document as Python objects; ConfigError names `source` and the line of every key given twice."""
    loader = _StrictLoader(text)
    try:
        document: object = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise ConfigError([f"{source}{line}: {error.problem or error.context}"]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{source}: not YAML: {error}"]) from error
    except RecursionError as error:
        raise ConfigError([f"{source}: nested too deeply"]) from error
    finally:
        loader.dispose()
    if loader.mistakes:
        raise ConfigError(f"{source} {mistake}" for mistake in loader.mistakes)
    return document


class _StrictLoader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.mistakes: list[str] = []

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        # Here, before a merge (`<<`) is resolved: a key that overrides a merged one is meant.
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if (key.tag, key.value) in seen:
                self.mistakes.append(f"line {key.start_mark.line + 1}: {key.value} is given twice")
            seen.add((key.tag, key.value))
        super().flatten_mapping(node)

    def whole_number(self, node: yaml.ScalarNode) -> int | str:
        # YAML 1.1 reads 1:30 as 90 and 8:00 as 480.
        return str(node.value) if ":" in node.value else int(self.construct_yaml_int(node))

    def number(self, node: yaml.ScalarNode) -> float | str:
        return str(node.value) if ":" in node.value else float(self.construct_yaml_float(node))

    def date(self, node: yaml.ScalarNode) -> Any:
        try:
            value: dt.date | dt.datetime = self.construct_yaml_timestamp(node)
        except ValueError:
            return str(node.value)  # 2026-02-30: who reads the document knows its place
        return value


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _StrictLoader.whole_number)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _StrictLoader.number)
_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _StrictLoader.date)
