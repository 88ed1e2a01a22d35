"""Events: lenient to unknown fields, strict to types and limits (CONTRACT.md, SLA.md T1 and D1)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadEvent
from schemas.events import EVENT_TYPES, MAX_AHEAD_MS, MAX_MESSAGE_BYTES, Review, Ticket, decode_event, peek_instant
from schemas.instants import MAX_MS
from schemas.topics import SOURCES

BASE: dict[str, dict[str, Any]] = {
    "reviews": {"event_id": "e", "event_time": 1, "review_id": "r"},
    "complaints": {"event_id": "e", "event_time": 1, "complaint_id": "c"},
    "tickets": {"event_id": "e", "event_time": 1, "ticket_id": "t", "action": "created"},
    "orders": {"event_id": "e", "event_time": 1, "count": 3},
}
ABSENT = object()
REASONS = {"invalid_field", "not_json", "bad_time", "bad_rating", "too_large"}


def raw(topic: str, **changed: Any) -> bytes:
    event = {**BASE[topic], **changed}
    return json.dumps({key: value for key, value in event.items() if value is not ABSENT}).encode()


def refusal(topic: str, message: bytes, *, now_ms: int | None = None) -> str:
    with pytest.raises(BadEvent) as caught:
        decode_event(topic, message, now_ms=now_ms)
    assert caught.value.text
    return caught.value.reason


@pytest.mark.parametrize("topic", SOURCES)
def test_the_required_fields_alone_are_an_event_and_unknown_ones_are_skipped(topic: str) -> None:
    event, at_ms = decode_event(topic, raw(topic, later_field={"deep": [1, None]}))
    assert type(event) in EVENT_TYPES.values()
    assert (event.event_id, at_ms, event.dims) == ("e", 1, ("",) * 6)


@pytest.mark.parametrize("topic", SOURCES)
def test_each_required_field_is_required(topic: str) -> None:
    for field in BASE[topic]:
        assert refusal(topic, raw(topic, **{field: ABSENT})) == "invalid_field"
        assert refusal(topic, raw(topic, **{field: None})) == "invalid_field"


@pytest.mark.parametrize(
    ("topic", "field", "value", "reason"),
    [
        ("reviews", "event_id", "", "invalid_field"),
        ("reviews", "event_id", "x" * 129, "invalid_field"),
        ("reviews", "event_id", 7, "invalid_field"),
        ("reviews", "event_time", 1.0, "invalid_field"),
        ("reviews", "event_time", True, "invalid_field"),
        ("reviews", "event_time", "1762790400000", "bad_time"),
        ("reviews", "event_time", -1, "bad_time"),
        ("reviews", "event_time", MAX_MS + 1, "bad_time"),
        ("reviews", "event_time", 10**40, "bad_time"),
        ("reviews", "event_time", "10000-01-01T00:00:00Z", "bad_time"),
        ("reviews", "seq", 1.5, "invalid_field"),
        ("reviews", "seq", 2**63, "invalid_field"),
        ("reviews", "category", 5, "invalid_field"),
        ("reviews", "category", ["手机"], "invalid_field"),
        ("reviews", "customer_id", {}, "invalid_field"),
        ("reviews", "rating", "5", "invalid_field"),
        ("reviews", "rating", 0.5, "bad_rating"),
        ("reviews", "rating", 5.5, "bad_rating"),
        ("reviews", "rating", True, "invalid_field"),
        ("reviews", "text", "长" * 20_001, "invalid_field"),
        ("reviews", "text", 1, "invalid_field"),
        ("complaints", "severity", "awful", "invalid_field"),
        ("complaints", "complaint_id", "", "invalid_field"),
        ("tickets", "action", "opened", "invalid_field"),
        ("tickets", "ticket_id", "", "invalid_field"),
        ("tickets", "priority", "asap", "invalid_field"),
        ("tickets", "bot", "true", "invalid_field"),
        ("tickets", "bot", 1, "invalid_field"),
        ("tickets", "csat", "5", "invalid_field"),
        ("orders", "count", -1, "invalid_field"),
        ("orders", "count", 1.5, "invalid_field"),
        ("orders", "count", 10**13, "invalid_field"),
    ],
)
def test_a_wrong_value_is_refused(topic: str, field: str, value: object, reason: str) -> None:
    assert refusal(topic, raw(topic, **{field: value})) == reason


@pytest.mark.parametrize(("rating", "rating_max"), [(1, 1), (2, 0), (1, -3), (11, 10)])
def test_a_rating_outside_its_scale_is_refused(rating: float, rating_max: float) -> None:
    assert refusal("reviews", raw("reviews", rating=rating, rating_max=rating_max)) == "bad_rating"


@pytest.mark.parametrize(
    ("rating", "rating_max", "share"), [(1, None, 0.0), (5, None, 1.0), (3, 5, 0.5), (9, 10, 8 / 9)]
)
def test_a_rating_is_normalised_to_its_scale(rating: float, rating_max: float | None, share: float) -> None:
    event, _ = decode_event("reviews", raw("reviews", rating=rating, rating_max=rating_max))
    assert isinstance(event, Review)
    assert event.rating_share == pytest.approx(share)


@pytest.mark.parametrize("topic", SOURCES)
def test_null_is_absent(topic: str) -> None:
    optional = ("seq", "category", "channel", "customer_id", "text", "priority", "bot", "csat", "rating", "severity")
    assert decode_event(topic, raw(topic, **dict.fromkeys(optional))) == decode_event(topic, raw(topic))


def test_a_score_out_of_range_is_no_dead_letter() -> None:
    event, _ = decode_event("tickets", raw("tickets", csat=99, action="closed"))
    assert isinstance(event, Ticket)
    assert event.csat == 99


def step(csat: bytes, *, more: bytes = b"") -> bytes:
    return b'{"event_id":"a","event_time":1,"csat":' + csat + b',"ticket_id":"t","action":"closed"' + more + b"}"


@pytest.mark.parametrize("csat", [b"1e400", b"-1e400", b"9" * 400])
def test_a_score_that_no_float_holds_costs_the_value_and_not_the_step(csat: bytes) -> None:
    event, at_ms = decode_event("tickets", step(csat, more=b',"queue":"refund","later_field":[1e400]'))
    assert isinstance(event, Ticket)
    assert (event.action, event.queue, at_ms) == ("closed", "refund", 1)
    assert event.csat is not None
    assert not 1.0 <= event.csat <= 5.0


@pytest.mark.parametrize(
    ("more", "reason"), [(b',"bot":1', "invalid_field"), (b',"seq":1e400', "invalid_field"), (b',"x":}', "not_json")]
)
def test_a_score_that_no_float_holds_excuses_no_other_mistake(more: bytes, reason: str) -> None:
    assert refusal("tickets", step(b"1e400", more=more)) == reason


@pytest.mark.parametrize(
    "message",
    [
        b"", b"{", b"null", b"[]", b"7", b'"text"', b"\xff\xfe", b"{}{}", b"\xef\xbb\xbf{}",
        b"[" * 300_000 + b"]" * 300_000, b"[" * 100_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"event_id":"\\ud800","event_time":1,"review_id":"r"}',
        b'{"event_id":"\xed\xa0\x80","event_time":1,"review_id":"r"}',
        b'{"event_id":"a\x00b","event_time":1,"review_id":"r"}',
        b'{"event_id":"a","event_time":NaN,"review_id":"r"}',
        b'{"event_id":"a","event_time":1,"review_id":"r","rating":1e999}',
    ],
)  # fmt: skip
def test_rubbish_is_refused(message: bytes) -> None:
    assert refusal("reviews", message) in {"not_json", "invalid_field", "too_large"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud83d", "\ufffd"), (rb"\uDE00!", "\ufffd!"), (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
        (rb"\\ud83d \ud83d", "\\ud83d \ufffd"), (rb"\n\"\ud83d\"", '\n"\ufffd"'),
    ],
)  # fmt: skip
def test_a_text_cut_within_an_emoji_is_read_with_half_of_it_unknown(written: bytes, read: str) -> None:
    message = b'{"event_id":"a","event_time":1,"review_id":"r","text":"%b"}' % written
    event, at_ms = decode_event("reviews", message)
    assert (event.text, at_ms) == (read, 1)  # type: ignore[union-attr]  # a review
    assert peek_instant(message) == 1


@pytest.mark.parametrize(
    "fields",
    [rb'"category":"\ud83d"', rb'"text":"\ud83d","shop_id":"\udc00"', rb'"text":"\ud83d', rb'"text":"\ud83d\x"'],
)
def test_half_a_character_excuses_no_id_no_dimension_and_no_other_mistake(fields: bytes) -> None:
    assert refusal("reviews", b'{"event_id":"a","event_time":1,"review_id":"r",' + fields + b"}") == "not_json"


def test_deep_nesting_in_an_unknown_field_is_refused_not_crashed() -> None:
    deep = b'{"event_id":"a","event_time":1,"review_id":"r","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert refusal("reviews", deep) == "not_json"


def test_a_message_at_the_limit_is_read_and_one_byte_more_is_not() -> None:
    message = raw("reviews", padding="")
    full = raw("reviews", padding="x" * (MAX_MESSAGE_BYTES - len(message)))
    assert len(full) == MAX_MESSAGE_BYTES
    decode_event("reviews", full)
    assert refusal("reviews", full + b" ") == "too_large"


def test_live_an_event_far_ahead_is_refused_and_a_replay_takes_it() -> None:
    ahead = raw("reviews", event_time=1000 + MAX_AHEAD_MS + 1)
    assert refusal("reviews", ahead, now_ms=1000) == "future_time"
    assert decode_event("reviews", raw("reviews", event_time=1000 + MAX_AHEAD_MS), now_ms=1000)
    assert decode_event("reviews", ahead)


def test_an_unknown_topic_is_refused() -> None:
    assert refusal("windows", raw("reviews")) == "unknown_topic"


_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
_values = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
_fields = st.sampled_from(
    ["event_id", "event_time", "seq", "category", "review_id", "rating", "rating_max", "text", "ticket_id", "action",
     "bot", "csat", "count", "complaint_id", "severity"]
)  # fmt: skip


def outcome(topic: str, message: bytes) -> int | str:
    """The instant, or the reason of the refusal; any other error is this test's failure."""
    try:
        return decode_event(topic, message)[1]
    except BadEvent as bad:
        return bad.reason if bad.text else ""


@given(
    st.sampled_from(SOURCES),
    st.binary(max_size=200) | st.dictionaries(_fields, _values).map(lambda event: json.dumps(event).encode()),
)
def test_whatever_comes_is_an_event_or_a_bad_event(topic: str, message: bytes) -> None:
    found = outcome(topic, message)
    assert found in REASONS or (isinstance(found, int) and 0 <= found <= MAX_MS)


@given(st.sampled_from(SOURCES), _fields, _values)
def test_one_field_changed_to_anything_is_an_event_or_a_bad_event(topic: str, field: str, value: object) -> None:
    found = outcome(topic, raw(topic, **{field: value}))
    assert found in REASONS or (isinstance(found, int) and 0 <= found <= MAX_MS)
