"""JSON Schemas of the contract's events, from the very types that decode them: `python -m schemas.jsonschema`.

A schema says what the types say. What only code checks (instants, a rating within its scale, the size of a message)
stands in the descriptions.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.events import EVENT_TYPES, MAX_MESSAGE_BYTES
from schemas.topics import KEY_FIELD

FOLDER: Final = Path(__file__).resolve().parent / "json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
EVENT_TIME: Final = (
    "RFC 3339 with T and an offset, or integer milliseconds since the epoch; years 1970 to 9999, "
    "digits finer than a millisecond are cut off."
)


def event_schemas() -> dict[str, dict[str, Any]]:
    """A schema a topic, by the name of its file."""
    schemas = {}
    for topic, kind in EVENT_TYPES.items():
        found = msgspec.json.schema(kind)
        schema = found["$defs"][kind.__name__]
        schema["properties"]["event_time"]["description"] = EVENT_TIME
        if "rating" in schema["properties"]:
            schema["properties"]["rating"]["description"] = "Within 1 to rating_max, which is 5 where it is absent."
        description = (
            f"{schema['description']} Topic `{topic}`, key `{KEY_FIELD[topic]}`, at most {MAX_MESSAGE_BYTES} bytes."
        )
        schemas[f"{topic}.json"] = {"$schema": DIALECT, **schema, "description": description}
    return schemas


def text_of(schema: dict[str, Any]) -> str:
    """The file's content: the same bytes each time."""
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Write every schema, and take away those of types that are gone."""
    FOLDER.mkdir(exist_ok=True)
    schemas = event_schemas()
    for old in FOLDER.glob("*.json"):
        if old.name not in schemas:
            old.unlink()
    for name, schema in schemas.items():
        (FOLDER / name).write_text(text_of(schema), encoding="utf-8")
    print(f"{len(schemas)} schemas written to {FOLDER.parent.name}/{FOLDER.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
