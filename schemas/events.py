"""The contract's events, and how a message becomes one: lenient to unknown fields, strict to types and limits.

Decides what is readable; where an unreadable message goes is the caller's business (`BadEvent` says why it is one).
"""

import re
from typing import Annotated, Final, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from schemas.errors import BadEvent
from schemas.instants import check_range, parse_instant
from schemas.topics import COMPLAINTS, ORDERS, REVIEWS, TICKETS, Source

MAX_MESSAGE_BYTES: Final = 256 * 1024
MAX_TEXT_CHARS: Final = 20_000
MAX_AHEAD_MS: Final = 10 * 60_000  # rule A4

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
Severity = Literal["low", "normal", "high"]
Priority = Literal["urgent", "high", "normal", "low"]
Action = Literal[
    "created", "assigned", "first_response", "agent_reply", "customer_reply", "pending",
    "resumed", "escalated", "resolved", "reopened", "closed",
]  # fmt: skip

Dims = tuple[str, str, str, str, str, str]
T = TypeVar("T")
DIMENSIONS: Final = ("category", "channel", "region", "customer_tier", "shop_id", "product_id")


class Event(Struct, kw_only=True, frozen=True, gc=False):
    """What every event has. `null` is the same as absent (rule D1)."""

    event_id: Id
    event_time: int | str
    seq: Int64 | None = None
    category: str | None = None
    channel: str | None = None
    region: str | None = None
    customer_tier: str | None = None
    shop_id: str | None = None
    product_id: str | None = None
    customer_id: str | None = None
    order_id: str | None = None

    @property
    def dims(self) -> Dims:
        """The values of `DIMENSIONS`, in that order; absent is ""."""
        return (
            self.category or "", self.channel or "", self.region or "",
            self.customer_tier or "", self.shop_id or "", self.product_id or "",
        )  # fmt: skip


class Review(Event, kw_only=True, frozen=True, gc=False):
    """One customer review; `rating` lies in 1..`rating_max`."""

    review_id: Id
    rating: float | None = None
    rating_max: float | None = None
    text: Text | None = None

    @property
    def rating_share(self) -> float | None:
        """The rating on the scale 0..1, where there is one."""
        if self.rating is None:
            return None
        return (self.rating - 1.0) / (self.rating_limit - 1.0)

    @property
    def rating_limit(self) -> float:
        """The best rating there can be."""
        return DEFAULT_RATING_MAX if self.rating_max is None else self.rating_max


class Complaint(Event, kw_only=True, frozen=True, gc=False):
    """One complaint, from whatever side it came."""

    complaint_id: Id
    reason: str | None = None
    severity: Severity | None = None
    text: Text | None = None


class Ticket(Event, kw_only=True, frozen=True, gc=False):
    """One step in a service ticket's life."""

    ticket_id: Id
    action: Action
    priority: Priority | None = None
    queue: str | None = None
    agent_id: str | None = None
    bot: bool | None = None
    csat: float | None = None
    text: Text | None = None


class Orders(Event, kw_only=True, frozen=True, gc=False):
    """The number of orders in the interval that ends at `event_time`."""

    count: Count


AnyEvent = Review | Complaint | Ticket | Orders
Decoded = tuple[AnyEvent, int]

DEFAULT_RATING_MAX: Final = 5.0
CSAT_OVERFLOWS: Final = "Number out of range - at `$.csat`"  # msgspec's words; a test sees to it that they stay
EVENT_TYPES: Final[dict[Source, type[AnyEvent]]] = {
    REVIEWS: Review,
    COMPLAINTS: Complaint,
    TICKETS: Ticket,
    ORDERS: Orders,
}
ACTIONS: Final[tuple[str, ...]] = get_args(Action)


def decode_event(topic: str, raw: bytes, *, now_ms: int | None = None) -> Decoded:
    """The event and its instant in ms since the epoch, or `BadEvent`.

    `now_ms`: the live clock; an event more than 10 min ahead of it is refused (rule A4). None: a replay.
    """
    decoder = _DECODERS.get(topic)
    if decoder is None:
        raise BadEvent("unknown_topic", f"topic: {topic[:80]!r} is not one of {', '.join(_DECODERS)}")
    if len(raw) > MAX_MESSAGE_BYTES:
        raise BadEvent("too_large", f"message: {len(raw)} bytes, over {MAX_MESSAGE_BYTES}")
    try:
        event = decoder.decode(raw)
    except msgspec.ValidationError as error:
        event = _without_csat(decoder, raw, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        event = _with_half_characters(decoder, raw, str(error))
    except RecursionError:
        raise BadEvent("not_json", "message: nested too deep") from None
    at_ms = _instant(event.event_time)
    if now_ms is not None and at_ms > now_ms + MAX_AHEAD_MS:
        raise BadEvent("future_time", f"event_time: {at_ms - now_ms} ms ahead of the clock, over {MAX_AHEAD_MS}")
    if type(event) is Review and event.rating is not None:
        _check_rating(event.rating, event.rating_limit)
    return event, at_ms


def peek_instant(raw: bytes) -> int:
    """The event time of a message, read without the rest of it; -1 where there is none that can be read."""
    try:
        return _instant(decoded(_timed, raw).event_time)
    except (BadEvent, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return -1


def decoded(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    """What a decoder makes of a message; halves of characters are U+FFFD to it, which it would not take otherwise.

    They come of texts cut within an emoji, as programs cut that count in UTF-16: `…\\ud83d"`. Raises what the decoder
    does.
    """
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = _ESCAPED.sub(_without_half, raw)
        if whole == raw:
            raise
        return decoder.decode(whole)


def _without_csat(decoder: msgspec.json.Decoder[AnyEvent], raw: bytes, mistake: str) -> AnyEvent:
    """A step whose `csat` no float holds (1e400): like any outside 1..5 it costs the value, not the step (rule A5)."""
    if mistake != CSAT_OVERFLOWS:
        raise BadEvent("invalid_field", mistake)
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        del fields["csat"]
        step = decoder.decode(msgspec.json.encode(fields))
    except msgspec.ValidationError as error:
        raise BadEvent("invalid_field", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadEvent("not_json", str(error)) from None
    return msgspec.structs.replace(step, csat=float("inf"))


def _with_half_characters(decoder: msgspec.json.Decoder[AnyEvent], raw: bytes, mistake: str) -> AnyEvent:
    """As `decoded`, but an id or a dimension with half a character is none."""
    try:
        event = decoded(decoder, raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadEvent("not_json", mistake) from None
    others = (getattr(event, field) for field in event.__struct_fields__ if field != "text")
    if any(type(other) is str and "\ufffd" in other for other in others):
        raise BadEvent("not_json", mistake)
    return event


# Escapes from left to right: a whole pair, a half, any other (a backslash of its own takes what follows along).
_ESCAPED: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _without_half(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]


def _instant(value: int | str) -> int:
    try:
        return parse_instant(value) if type(value) is str else check_range(value)  # type: ignore[arg-type]  # int
    except ValueError as error:
        raise BadEvent("bad_time", f"event_time: {str(value)[:40]!r}: {error}") from None


def _check_rating(rating: float, rating_max: float) -> None:
    if not (1.0 < rating_max < float("inf") and 1.0 <= rating <= rating_max):
        raise BadEvent("bad_rating", f"rating: {rating:g} is not in 1..{rating_max:g}")


class _Timed(msgspec.Struct):
    event_time: int | str


_timed: Final = msgspec.json.Decoder(_Timed)
_DECODERS: Final[dict[str, msgspec.json.Decoder[AnyEvent]]] = {
    topic: msgspec.json.Decoder(kind) for topic, kind in EVENT_TYPES.items()
}
