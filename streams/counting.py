"""What one accepted event adds: to its cell's pane, to the detectors' observations, to the raw rows.

Decides the figures' meaning (what counts as judged, compared, agreeing …); tickets have their own module.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from schemas.events import DIMENSIONS, Complaint, Dims, Orders, Review
from schemas.masking import pseudonym
from schemas.results import EVIDENCE_CHARS, PANE_MS, ComplaintRow, Observation, OrdersRow, ReviewRow
from sentiment.calibration import NEUTRAL_FROM, NEUTRAL_TO
from sentiment.watch import HIGH_STARS, LOW_STARS
from streams import figures as f
from streams.intake import Accepted
from streams.judging import Verdict
from streams.panes import PaneDeltas

WordsOf = Callable[[Iterable[str]], list[list[str]]]

_CATEGORY: Final = DIMENSIONS.index("category")
_CUT_OF_OTHERS: Final = 8  # one in so many reviews that are not negative is cut into words, to hold the others against


@dataclass(frozen=True, slots=True)
class Counting:
    """How events are counted. `mask` hides what is personal in a text; `rows`: whether raw rows are wanted.

    `words`: cuts texts into what they are about, for the rows; None: they go without.
    """

    mask: Callable[[str], str]
    salt: bytes
    rows: bool
    words: WordsOf | None = None


def count_review(
    how: Counting, item: Accepted, verdict: Verdict, *, panes: PaneDeltas
) -> tuple[Observation | None, ReviewRow | None]:
    """Add a review to its pane (unless it is late) and give its observation and its row."""
    review = item.event
    assert isinstance(review, Review)
    dims, rating = review.dims, review.rating_share
    valid, negative = not verdict.invalid, verdict.label == "negative"
    observation = None
    if not item.late:
        _add_review(panes.row(item.at_ms // PANE_MS, dims), verdict, rating)
        if valid:
            panes.words(item.at_ms, dims[_CATEGORY], verdict.words)
            observation = Observation(
                "review", item.at_ms, dims, 1, round(1.0 - verdict.score, 6), negative,
                pseudonym(review.customer_id, salt=how.salt) if negative else "", review.event_id,
                _quote(how, review.text) if negative else "",
            )  # fmt: skip
    row = None
    if how.rows:
        text = how.mask(review.text or "")
        row = ReviewRow(
            review.event_id, item.at_ms, item.received_at, item.partition, item.offset, *dims,
            pseudonym(review.customer_id, salt=how.salt), pseudonym(review.order_id, salt=how.salt),
            review.review_id, rating, text, verdict.text_score, verdict.score, verdict.label,
            verdict.invalid, verdict.duplicates, item.late, _words(how, verdict, review.event_id, text),
        )  # fmt: skip
    return observation, row


def _words(how: Counting, verdict: Verdict, event_id: str, text: str) -> tuple[str, ...]:
    if how.words is None or verdict.invalid:
        return ()
    if verdict.label != "negative" and zlib.crc32(event_id.encode("utf-8", "surrogatepass")) % _CUT_OF_OTHERS:
        return ()
    return tuple(how.words([text])[0])


def count_complaint(
    how: Counting, item: Accepted, *, panes: PaneDeltas
) -> tuple[Observation | None, ComplaintRow | None]:
    """Add a complaint to its pane (unless it is late) and give its observation and its row."""
    complaint = item.event
    assert isinstance(complaint, Complaint)
    dims = complaint.dims
    observation = None
    if not item.late:
        panes.row(item.at_ms // PANE_MS, dims)[f.COMPLAINTS] += 1
        observation = Observation(
            "complaint", item.at_ms, dims, 1, 0.0, False, pseudonym(complaint.customer_id, salt=how.salt),
            complaint.event_id, _quote(how, complaint.text),
        )  # fmt: skip
    row = None
    if how.rows:
        row = ComplaintRow(
            complaint.event_id, item.at_ms, item.received_at, item.partition, item.offset, *dims,
            pseudonym(complaint.customer_id, salt=how.salt), pseudonym(complaint.order_id, salt=how.salt),
            complaint.complaint_id, complaint.reason or "other", complaint.severity or "normal",
            how.mask(complaint.text or ""), item.late,
        )  # fmt: skip
    return observation, row


def count_orders(how: Counting, item: Accepted, *, panes: PaneDeltas) -> tuple[Observation | None, OrdersRow | None]:
    """Add a count of orders to its pane (unless it is late) and give its observation and its row."""
    orders = item.event
    assert isinstance(orders, Orders)
    dims: Dims = orders.dims
    observation = None
    if not item.late:
        panes.row(item.at_ms // PANE_MS, dims)[f.ORDERS] += orders.count
        observation = Observation("orders", item.at_ms, dims, orders.count, 0.0, False, "", orders.event_id, "")
    row = None
    if how.rows:
        row = OrdersRow(
            orders.event_id, item.at_ms, item.received_at, item.partition, item.offset, *dims, orders.count, item.late
        )
    return observation, row


def _add_review(row: list[int], verdict: Verdict, rating: float | None) -> None:
    row[f.REVIEWS] += 1
    if verdict.duplicates:
        row[f.DUPLICATES] += 1
    if rating is not None:
        row[f.RATINGS] += 1
        row[f.RATING_MICROS] += round(rating * f.MICROS)
    if verdict.invalid:
        return
    row[f.JUDGED] += 1
    row[f.SENTIMENT_MICROS] += round(verdict.score * f.MICROS)
    if verdict.label == "negative":
        row[f.NEGATIVE] += 1
    elif verdict.label == "neutral":
        row[f.NEUTRAL] += 1
    # As `sentiment.watch` compares: the text's own score, since one that has the stars in it agrees with them by
    # itself; a text of which the judge is not sure, or three stars of five, take no side.
    said = -1 if verdict.text_score < NEUTRAL_FROM else 1 if verdict.text_score > NEUTRAL_TO else 0
    if rating is not None and said:
        rated = -1 if rating <= LOW_STARS else 1 if rating >= HIGH_STARS else 0
        if rated:
            row[f.COMPARED] += 1
            row[f.AGREEING] += rated == said


def _quote(how: Counting, text: str | None) -> str:
    if not text:
        return ""
    # Masked before it is cut: half a phone number would no longer be seen as one.
    return how.mask(text[: EVIDENCE_CHARS * 4])[:EVIDENCE_CHARS]
