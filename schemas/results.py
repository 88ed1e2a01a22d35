"""All that leaves the engine: rows for the store, lines for the contract's files, messages for the topics.

Instants are integer ms since the epoch here; the contract's RFC 3339 text is made where a line is written
(`schemas/lines.py`). Rows are NamedTuples in their table's column order.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

AlertKind = Literal[
    "negative_spike", "complaint_spike", "sla_breach", "sla_warning", "sla_breach_rate", "feed_silent", "threshold",
]  # fmt: skip
AlertStatus = Literal["firing", "updated", "resolved"]
AlertSeverity = Literal["info", "warning", "critical"]
ClockName = Literal["first_response", "resolution", "next_response"]

WINDOW_SECONDS: Final = (60, 300, 900, 3600, 86400)
PANE_MS: Final = 10_000


class ReviewRow(NamedTuple):
    """One judged review; `text` is masked, customer and order are pseudonyms.

    `words`: what the masked text is about, each once; of negative ones, and of a sample of the others.
    """

    event_id: str
    event_time: int
    received_at: int
    topic_partition: int
    topic_offset: int
    category: str
    channel: str
    region: str
    customer_tier: str
    shop_id: str
    product_id: str
    customer: str
    order: str
    review_id: str
    rating: float | None  # 0..1
    text: str
    text_score: float  # P(positive) by the text alone
    score: float  # by text and rating together
    label: str
    invalid: str  # '' or why it says nothing: empty, default_praise, ad, link, noise
    duplicates: int  # near-duplicates seen before it within the sketch's window
    late: bool
    words: tuple[str, ...] = ()


class ComplaintRow(NamedTuple):
    """One complaint, masked."""

    event_id: str
    event_time: int
    received_at: int
    topic_partition: int
    topic_offset: int
    category: str
    channel: str
    region: str
    customer_tier: str
    shop_id: str
    product_id: str
    customer: str
    order: str
    complaint_id: str
    reason: str
    severity: str
    text: str
    late: bool


class TicketRow(NamedTuple):
    """One step of a ticket, masked."""

    event_id: str
    event_time: int
    received_at: int
    topic_partition: int
    topic_offset: int
    category: str
    channel: str
    region: str
    customer_tier: str
    shop_id: str
    product_id: str
    customer: str
    order: str
    ticket_id: str
    seq: int | None
    action: str
    priority: str
    queue: str
    agent_id: str
    bot: bool
    csat: float | None
    text: str
    late: bool


class OrdersRow(NamedTuple):
    """A count of orders."""

    event_id: str
    event_time: int
    received_at: int
    topic_partition: int
    topic_offset: int
    category: str
    channel: str
    region: str
    customer_tier: str
    shop_id: str
    product_id: str
    count: int  # type: ignore[assignment]  # the contract's name; a tuple's method is not missed
    late: bool


class DeadLetter(NamedTuple):
    """A message that could not be read, whole."""

    topic: str
    partition: int
    offset: int
    received_at: int
    reason: str
    detail: str
    raw: bytes


class SlaTransition(NamedTuple):
    """A line of the SLA ledger: what happened to a clock, and under which policy and calendar."""

    ticket_id: str
    clock: str
    cycle: int  # 0, but for next_response: the run of unanswered messages
    kind: str  # warning, breach, met, stopped, corrected
    at: int
    policy: str
    policy_version: str
    calendar: str
    calendar_version: str
    target_ms: int
    elapsed_ms: int
    category: str
    channel: str
    region: str
    customer_tier: str
    shop_id: str
    product_id: str
    priority: str
    queue: str
    topic_partition: int
    version: int  # the source offset it stands for: of two equal keys the higher counts


class SlaClockRow(NamedTuple):
    """Where a clock of a ticket stands: written when it starts and each time it moves or gets a verdict."""

    ticket_id: str
    clock: str
    cycle: int
    policy: str
    state: str  # running, met, breached (rule B3)
    paused: bool  # pending: it stands still
    started_at: int
    target_ms: int
    elapsed_ms: int  # at the moment of this row
    warn_due_at: int | None  # when it warns and breaches if nothing happens; None: paused, stopped or past
    due_at: int | None
    warned_at: int | None
    breached_at: int | None
    stopped_at: int | None
    category: str
    channel: str
    region: str
    customer_tier: str
    shop_id: str
    product_id: str
    priority: str
    queue: str
    topic_partition: int
    version: int  # of two rows of one clock the higher counts


class AlertAction(NamedTuple):
    """What somebody did about an alert: acknowledge, snooze, silence …"""

    alert_id: str
    at: int
    action: str
    actor: str
    until: int | None
    comment: str
    action_id: str = ""
    matchers: Mapping[str, Sequence[str]] = MappingProxyType({})  # of a silence
    refused: str = ""  # why it did nothing


class Delivery(NamedTuple):
    """One attempt to tell a channel of an alert's transition."""

    alert_id: str
    alert_at: int  # the transition's `at`
    status: str  # the transition's status
    channel: str
    attempt: int  # from 1
    at: int
    outcome: str  # sent, retry, failed, muted …
    duration_ms: int
    detail: str


class PeakPhase(NamedTuple):
    """A phase of a promotion, for annotations and for one promotion against the last."""

    peak: str
    edition: str  # e.g. the year
    phase: str
    starts_at: int
    ends_at: int
    title: str


class WindowRow(NamedTuple):
    """A rolling window as the contract shows it, and what else the wall asks of one."""

    window_seconds: int
    window_end: int
    dimension: str
    value: str
    version: int  # of two rows with one key the higher counts
    reviews: int
    judged: int  # reviews less the invalid ones: the denominator of negative_share
    negative: int
    neutral: int
    negative_share: float | None
    sentiment_mean: float | None
    rating_mean: float | None
    satisfaction: float | None
    complaints: int
    orders: int
    complaints_per_1k_orders: float | None
    tickets_created: int
    tickets_open: int
    first_response_ms: tuple[int, int, int] | None  # p50, p90, p99
    resolution_ms: tuple[int, int, int] | None
    sla_breaches: int
    sla_met: int
    sla_breach_rate: float | None
    reopened: int
    agreement: float | None  # share of reviews whose text and stars agree
    first_response_sketch: dict[int, int]  # bucket -> count, see streams/sketch.py
    resolution_sketch: dict[int, int]
    compared: int = 0  # reviews of which text and stars both take a side: the denominator of agreement
    invalid_share: float | None = None  # of all reviews: no customer's own words
    uncertain_share: float | None = None  # of those judged: neutral
    duplicate_share: float | None = None  # of all reviews: near-duplicates of earlier ones
    drift: float | None = None  # 0 … 1, of the words against the day before; dimension category, 3600 s


class Alert(NamedTuple):
    """A transition of an alert."""

    alert_id: str
    rule: str
    kind: AlertKind
    status: AlertStatus
    severity: AlertSeverity
    at: int
    starts_at: int
    ends_at: int | None
    labels: dict[str, str]
    value: float | None
    baseline: float | None
    peak: str | None
    summary: str
    evidence: dict[str, Any]  # JSON values, by kind
    reason: str  # why this transition: '' or e.g. 'corrected', 'escalated'


class Observation(NamedTuple):
    """What the detectors see of one event (or of many equal ones): no text, but where to find it."""

    kind: Literal["review", "complaint", "orders"]
    at: int
    dims: tuple[str, str, str, str, str, str]  # schemas.events.DIMENSIONS
    count: int  # type: ignore[assignment]  # reviews, complaints or orders that it stands for
    negativity: float  # of a review: 1 - score; else 0.0
    negative: bool  # of a review: its label; else False
    customer: str  # a pseudonym, to count one customer's anger once; '' unknown
    sample: str  # event id, where count is 1
    text: str  # masked, cut to EVIDENCE_CHARS, of negative reviews and complaints; else ''


EVIDENCE_CHARS: Final = 80
