"""One reading of YAML: strict about keys, deaf to YAML 1.1's guesses."""

import pytest

from schemas.errors import ConfigError
from schemas.yaml import load_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", None, id="empty"),
        pytest.param("a: 13:30", {"a": "13:30"}, id="no-base-60"),
        pytest.param("a: 2026-11-11", {"a": "2026-11-11"}, id="dates-stay-text"),
        pytest.param("a: no", {"a": "no"}, id="no-is-text"),
        pytest.param("a: [1, -2, 1.5, 1e3, ~, true]", {"a": [1, -2, 1.5, 1000.0, None, True]}, id="json-scalars"),
        pytest.param("a: '1'", {"a": "1"}, id="quoted-is-text"),
        pytest.param("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}, id="merge"),
        pytest.param("a: &x {b: 1}\nc: {<<: *x, b: 2}", {"a": {"b": 1}, "c": {"b": 2}}, id="own-key-wins"),
    ],
)
def test_a_value_is_read_as_json_would(text: str, value: object) -> None:
    assert load_yaml(text, "f.yaml") == value


def test_every_key_given_twice_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", "f.yaml")
    assert caught.value.mistakes == (
        "f.yaml:2: the key 'a' stands twice",
        "f.yaml:3: the key 'c' stands twice",
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param("618: x", "f.yaml:1: the key '618' is not text (quote it)", id="number-as-key"),
        pytest.param("a: !!python/name:os.system x", "is not read here", id="foreign-tag"),
        pytest.param("a: &a [*a]", "f.yaml:1: an alias inside its own anchor", id="recursive"),
        pytest.param("a: [1", "f.yaml:", id="syntax"),
        pytest.param("--- 1\n--- 2", "f.yaml:2: ", id="two-documents"),
        pytest.param("a: \x00", "f.yaml: ", id="forbidden-character"),
        pytest.param("[" * 2000, "f.yaml: nested too deeply", id="deep"),
        pytest.param("a: {<<: 1}", "<< takes a mapping", id="merge-of-a-number"),
    ],
)
def test_what_is_no_plain_configuration_is_one_clear_mistake(text: str, mistake: str) -> None:
    with pytest.raises(ConfigError, match=r"f\.yaml") as caught:
        load_yaml(text, "f.yaml")
    assert mistake in str(caught.value)


def test_aliases_cannot_unfold_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    with pytest.raises(ConfigError, match="more than 200000 values"):
        load_yaml("\n".join(lines), "f.yaml")
