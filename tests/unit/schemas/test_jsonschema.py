"""The published schemas say what the decoder does."""

import json

import pytest

from schemas.events import EVENT_TYPES
from schemas.jsonschema import FOLDER, event_schemas, text_of
from schemas.topics import SOURCES, Source


def test_the_files_are_current() -> None:
    want = {name: text_of(schema) for name, schema in event_schemas().items()}
    have = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert have == want, "run: make schemas"


@pytest.mark.parametrize("topic", SOURCES)
def test_a_schema_names_every_field_and_those_that_are_required(topic: Source) -> None:
    schema = json.loads((FOLDER / f"{topic}.json").read_text(encoding="utf-8"))
    kind = EVENT_TYPES[topic]
    assert set(schema["properties"]) == set(kind.__struct_fields__)
    assert {"event_id", "event_time"} < set(schema["required"])
    assert schema.get("additionalProperties", True) is True
