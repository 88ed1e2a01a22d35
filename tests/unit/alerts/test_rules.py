"""Which rules count: a file's sections, or what ships; and no document ends in anything but rules or a ConfigError."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules import load_peaks, load_rules, rules_of, shipped_rules
from schemas.errors import ConfigError
from schemas.peaks import parse_peaks
from schemas.rules.read import COMMON, SHAPES, WAVE
from schemas.rules.types import KINDS


def test_what_ships_is_valid_and_named_once() -> None:
    rules = shipped_rules()
    assert {rule.kind for rule in rules} == set(KINDS)
    assert len({rule.name for rule in rules}) == len(rules)
    assert next(rule for rule in rules if rule.kind == "feed_silent").owner == "platform"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="no-file"),
        pytest.param("", id="empty-file"),
        pytest.param("policies: []", id="only-policies"),
    ],
)
def test_a_section_left_out_keeps_what_ships(text: str | None) -> None:
    assert load_rules(text, source="r.yaml") == shipped_rules()


def test_a_section_replaces_what_ships_as_a_whole() -> None:
    assert load_rules("rules: []", source="r.yaml") == ()


def test_an_unknown_section_is_a_mistake_beside_the_others() -> None:
    with pytest.raises(ConfigError) as caught:
        load_rules("rulez: []\nrules: [{kind: sla_breach}]", source="r.yaml")
    assert caught.value.mistakes == (
        "r.yaml: rulez: unknown key; did you mean rules?",
        "r.yaml: rules[0].name: is missing",
    )


def test_the_rules_that_ship_fit_the_plan_that_ships() -> None:
    assert len(load_rules(None, source="", peaks=load_peaks(None, source=""))) == len(shipped_rules())


def mistakes_of(parse: Callable[[], object]) -> tuple[str, ...] | None:
    """The mistakes that a parser found; None if it found none."""
    try:
        parse()
    except ConfigError as error:
        return error.mistakes
    return None


keys = sorted({*COMMON, *WAVE, "kind", "peaks", *(key for _, own in SHAPES.values() for key in own)})
scalars = (
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["5m", "1h", "all", "category", "reviews", "negative_share", "breaches_due", "08:00", *KINDS])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
rule_like = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=5), "kind": st.sampled_from(KINDS)},
    optional={key: values for key in keys if key not in ("name", "kind")},
)


@given(st.lists(rule_like | values, max_size=3) | values)
def test_any_document_gives_rules_or_mistakes_with_places(rules: Any) -> None:
    mistakes = mistakes_of(lambda: rules_of({"rules": rules}, source="r.yaml"))
    assert all(mistake.startswith("r.yaml: rules") for mistake in mistakes or ())


phase_like = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "from", "to", "expected", "rules", "sla_targets", "roster"), values)
)
peak_like = st.fixed_dictionaries({"name": values, "phases": st.lists(phase_like | values, max_size=3) | values})


plans = st.fixed_dictionaries({}, optional={"timezone": values, "peaks": st.lists(peak_like | values, max_size=3)})


@given(plans | values)
def test_any_document_gives_a_plan_or_mistakes(document: Any) -> None:
    mistakes = mistakes_of(lambda: parse_peaks(document, source="p.yaml"))
    assert all(mistake.startswith("p.yaml: ") for mistake in mistakes or ())
