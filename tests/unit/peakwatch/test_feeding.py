"""Lines to topics: each where it says, by the contract's key."""

import io
import json
import warnings
from typing import Any

import pytest

from schemas.errors import TransientError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of kafka-python's own, on its first import
    from kafka.errors import KafkaTimeoutError
    from kafka.future import Future

    from peakwatch.feeding import MAX_LINE_BYTES, bounded_lines, feed


class Producer:
    """Keeps what it is given, or fails."""

    def __init__(self, *, fails: bool = False, loses: Exception | None = None) -> None:
        self.sent: list[tuple[str, bytes, bytes | None]] = []
        self.answers: list[Future] = []
        self.flushed = False
        self._fails = fails
        self._loses = loses

    def send(self, topic: str, *, value: bytes, key: bytes | None) -> Future:
        if self._fails:
            raise KafkaTimeoutError("no answer")
        self.sent.append((topic, value, key))
        self.answers.append(Future())
        return self.answers[-1]

    def flush(self) -> None:
        self.flushed = True
        for answer in self.answers:
            answer.failure(self._loses) if self._loses else answer.success(None)


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


def test_a_text_cut_within_an_emoji_goes_as_it_is() -> None:
    to, cut = Producer(), line(topic="reviews", product_id="k", text="差\ud83d")
    feed([cut], to, rate=None)
    assert to.sent == [("reviews", cut, b"k")]


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b'{"a":1}', b'{"topic":"windows"}', b'{"topic":1}', b"[" * 9999])
def test_a_line_without_a_topic_of_ours_is_counted_and_left_out(raw: bytes) -> None:
    to = Producer()
    assert feed([raw], to, rate=None).refused == 1
    assert to.sent == []


def test_a_broker_that_refuses_is_an_error_to_try_again() -> None:
    with pytest.raises(TransientError, match="after 0 events"):
        feed([line(topic="orders")], Producer(fails=True), rate=None)


def test_an_event_that_the_broker_took_and_then_lost_is_an_error_too() -> None:
    with pytest.raises(TransientError, match="batch expired"):
        feed([line(topic="orders")], Producer(loses=KafkaTimeoutError("batch expired")), rate=None)


def test_a_line_too_long_for_a_message_is_left_out_and_read_only_in_part() -> None:
    long = line(topic="orders", text="x" * (3 * MAX_LINE_BYTES))
    after = line(topic="orders")
    lines = list(bounded_lines(io.BytesIO(long + b"\n" + after + b"\n" + after)))
    assert [len(one) <= MAX_LINE_BYTES + 1 for one in lines] == [True, True, True]
    to = Producer()
    fed = feed(lines, to, rate=None)
    assert (fed.sent, fed.refused) == (2, 1)
    assert [value for _, value, _ in to.sent] == [after, after]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert list(bounded_lines(io.BytesIO(b"\xef\xbb\xbf{}\n{}\n"))) == [b"{}\n", b"{}\n"]
