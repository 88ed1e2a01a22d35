"""Topic names, and what keys each: all that must be seen in order shares a partition."""

from typing import Final, Literal

Source = Literal["reviews", "complaints", "tickets", "orders"]

REVIEWS: Final = "reviews"
COMPLAINTS: Final = "complaints"
TICKETS: Final = "tickets"
ORDERS: Final = "orders"
SOURCES: Final[tuple[Source, ...]] = ("reviews", "complaints", "tickets", "orders")

WINDOWS: Final = "windows"
ALERTS: Final = "alerts"
DEAD_LETTERS: Final = "dead-letters"

# Internal, between the stages.
DELTAS: Final = "peakwatch-deltas"  # panes by dimension value, for the rolling windows
OBSERVATIONS: Final = "peakwatch-observations"  # one partition: what the detectors decide on
ACTIONS: Final = "peakwatch-actions"  # acknowledge, snooze, silence …

# No topic: whose claims and batches in the observations are the passing of event time, see `agents/decision_stage.py`.
CLOCK: Final = "peakwatch-clock"

KEY_FIELD: Final[dict[Source, str]] = {
    "reviews": "product_id",
    "complaints": "complaint_id",
    "tickets": "ticket_id",
    "orders": "shop_id",
}
