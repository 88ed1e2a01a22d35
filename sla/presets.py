"""Reply times that marketplaces grade, as policies: the section `presets` of a rules file. Off unless asked for.

Each stands before the file's own policies, so that it is the first to match; it says of itself which tickets it is for.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from schemas.strict import Fields, Mistakes, Node
from schemas.yaml import load_yaml
from sla.policy import Policy, parse_policies
from sla.working_time import Calendar

_FILE = Path(__file__).parent / "assets" / "presets.yaml"


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Mapping[str, Any]]:
    """Every preset that ships, by platform."""
    document = load_yaml(_FILE.read_text(encoding="utf-8"), _FILE.name)
    return {one["platform"]: one for one in document["presets"]}


def parse_presets(raw: object, calendars: Mapping[str, Calendar], *, source: str) -> tuple[Policy, ...]:
    """The policies of the presets that are asked for; ConfigError holds every mistake with its place."""
    mistakes = Mistakes(source)
    policies: list[Policy] = []
    found: list[str] = []
    for node in Node(raw, "presets", mistakes).items(at_most=100):
        fields = node.fields(("platform", "match", "calendar"))
        platform = fields.need("platform", lambda n: n.one_of(tuple(shipped())), stand_in="")
        if "match" not in fields or not isinstance(node.value["match"], dict) or not node.value["match"]:
            fields.wrong("match", "is missing: say which tickets are the platform's, such as {shop_id: s1}")
        elif platform:
            try:
                policies += _policies(platform, fields, calendars, number=len(policies))
            except ConfigError as error:
                place = f"{source}: {node.place}" if source else node.place
                found += [place + text[text.index("]") + 1 :] for text in error.mistakes]  # without its policies[0]
    try:
        mistakes.stop()
    except ConfigError as error:
        found = [*error.mistakes, *found]
    if found:
        raise ConfigError(dict.fromkeys(found))
    return tuple(policies)


def _policies(platform: str, fields: Fields, calendars: Mapping[str, Calendar], *, number: int) -> tuple[Policy, ...]:
    said = {"match": fields["match"].value}
    if "calendar" in fields:
        said["calendar"] = fields["calendar"].value
    raw = [
        {"name": f"{platform}/{one['clock']}" + (f"#{number}" if number else ""), **one, **said}
        for one in shipped()[platform]["policies"]
    ]
    return parse_policies(raw, calendars, source="")
