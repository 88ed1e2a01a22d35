"""Events from lines to Kafka, by kafka-python: each to its topic, by its key, at a steady rate."""

import time
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final, NamedTuple

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.errors import TransientError
from schemas.events import decoded
from schemas.settings import Settings
from schemas.topics import KEY_FIELD, SOURCES

REACHED_MS: Final = 10_000  # a broker that does not answer within it is told as not reached
PACE_SECONDS: Final = 0.02  # how often the rate is looked at
MAX_LINE_BYTES: Final = 1_000_000  # what brokers and the producer take by default, less what goes around it


class Fed(NamedTuple):
    """What a feed came to."""

    sent: int
    refused: int  # lines without a topic of ours, or too long for a message
    seconds: float


def producer(settings: Settings) -> KafkaProducer:
    """A producer that waits for the broker's word; TransientError when there is no broker."""
    options: dict[str, Any] = {}
    if settings.kafka_security_protocol != "PLAINTEXT":
        options = {
            "security_protocol": settings.kafka_security_protocol,
            "ssl_cafile": settings.kafka_ssl_cafile or None,
            "ssl_certfile": settings.kafka_ssl_certfile or None,
            "ssl_keyfile": settings.kafka_ssl_keyfile or None,
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password,
        }
    try:
        return KafkaProducer(
            bootstrap_servers=settings.kafka_bootstrap.split(","), acks="all", linger_ms=10,
            compression_type="lz4", enable_idempotence=False, bootstrap_timeout_ms=REACHED_MS, **options,
        )  # fmt: skip
    except KafkaError as error:
        raise TransientError(f"kafka {settings.kafka_bootstrap}: not reached ({error}); is the broker up?") from None


def bounded_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines; of one that is too long only the beginning, so that no file can fill the memory."""
    within, mark = False, BOM_UTF8  # some editors put a byte order mark at a file's beginning
    while part := file.readline(MAX_LINE_BYTES + 1):
        if not within:
            yield part.removeprefix(mark)
        mark = b""
        within = not part.endswith(b"\n")


def feed(
    lines: Iterable[bytes], to: KafkaProducer, *, rate: float | None, progress: Callable[[int], None] | None = None
) -> Fed:
    """Send every line to the topic that it names; `rate` is events a second, None as fast as it goes.

    TransientError when the broker refuses or is lost: what was acknowledged by then stays.
    """
    began = time.perf_counter()
    sent = refused = 0
    lost: list[Exception] = []
    try:
        for raw in lines:
            line = raw.rstrip(b"\r\n")
            topic, key = (None, None) if len(line) > MAX_LINE_BYTES else _address(line)
            if topic is None:
                refused += 1
                continue
            to.send(topic, value=line, key=key).add_errback(lost.append)
            sent += 1
            if lost:
                break
            if rate:
                _pace(began, sent, rate)
            if progress is not None and sent % 256 == 0:
                progress(sent)
        to.flush()
        if lost:  # a batch fails apart from the call that filled it
            raise lost[0]
    except KafkaError as error:
        raise TransientError(f"kafka: sending failed after {sent} events: {error}") from None
    return Fed(sent, refused, time.perf_counter() - began)


class _Address(msgspec.Struct):
    topic: str
    product_id: str | None = None
    complaint_id: str | None = None
    ticket_id: str | None = None
    shop_id: str | None = None


_decoder: Final = msgspec.json.Decoder(_Address)


def _address(line: bytes) -> tuple[str | None, bytes | None]:
    try:
        address = decoded(_decoder, line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    if address.topic not in SOURCES:
        return None, None
    key = getattr(address, KEY_FIELD[address.topic])
    return address.topic, key.encode() if key else None


def _pace(began: float, sent: int, rate: float) -> None:
    ahead = sent / rate - (time.perf_counter() - began)
    if ahead > PACE_SECONDS:
        time.sleep(ahead)
