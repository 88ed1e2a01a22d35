"""Lines to topics: each where it says, by the contract's key."""

import json
import warnings
from typing import Any

import pytest

from schemas.errors import TransientError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of kafka-python's own, on its first import
    from kafka.errors import KafkaTimeoutError

    from peakwatch.feeding import feed


class Producer:
    """Keeps what it is given, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.sent: list[tuple[str, bytes, bytes | None]] = []
        self.flushed = False
        self._fails = fails

    def send(self, topic: str, *, value: bytes, key: bytes | None) -> None:
        if self._fails:
            raise KafkaTimeoutError("no answer")
        self.sent.append((topic, value, key))

    def flush(self) -> None:
        self.flushed = True


def line(**event: Any) -> bytes:
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    ("topic", "field"),
    [("reviews", "product_id"), ("complaints", "complaint_id"), ("tickets", "ticket_id"), ("orders", "shop_id")],
)
def test_a_line_goes_to_its_topic_by_the_contract_s_key(topic: str, field: str) -> None:
    to = Producer()
    keyed, keyless = line(topic=topic, **{field: "k"}), line(topic=topic)
    fed = feed([keyed + b"\r\n", keyless + b"\n"], to, rate=None)
    assert to.sent == [(topic, keyed, b"k"), (topic, keyless, None)]
    assert to.flushed
    assert (fed.sent, fed.refused) == (2, 0)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b'{"a":1}', b'{"topic":"windows"}', b'{"topic":1}', b"[" * 9999])
def test_a_line_without_a_topic_of_ours_is_counted_and_left_out(raw: bytes) -> None:
    to = Producer()
    assert feed([raw], to, rate=None).refused == 1
    assert to.sent == []


def test_a_broker_that_refuses_is_an_error_to_try_again() -> None:
    with pytest.raises(TransientError, match="after 0 events"):
        feed([line(topic="orders")], Producer(fails=True), rate=None)
