"""What comes of a batch of events: values that a driver carries away."""

from collections import Counter
from dataclasses import dataclass, field

from schemas.results import ComplaintRow, DeadLetter, Observation, OrdersRow, ReviewRow, SlaClockRow, TicketRow
from sla.transition import Transition
from streams.panes import NO_DELTAS, Deltas

Feed = tuple[str, str, int]  # topic, channel, pane
Forecast = tuple[str, str, int]  # queue, clock, horizon in ms


@dataclass(slots=True)
class Facts:
    """Rows for the store, deltas for the windows, observations and transitions for the decisions."""

    reviews: list[ReviewRow] = field(default_factory=list)
    complaints: list[ComplaintRow] = field(default_factory=list)
    tickets: list[TicketRow] = field(default_factory=list)
    orders: list[OrdersRow] = field(default_factory=list)
    clocks: list[SlaClockRow] = field(default_factory=list)  # of the tickets that had a step
    dead_letters: list[DeadLetter] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    feeds: Counter[Feed] = field(default_factory=Counter)
    forecast: dict[Forecast, int] | None = None  # clocks that will breach, as of now; None: not looked at
    deltas: Deltas = NO_DELTAS

    def __bool__(self) -> bool:
        return bool(
            self.observations or self.transitions or self.feeds or self.deltas or self.forecast is not None
            or self.reviews or self.complaints or self.tickets or self.orders or self.clocks or self.dead_letters
        )  # fmt: skip

    def extend(self, other: "Facts") -> None:
        """Add another's rows to these; its deltas are left to the caller."""
        self.reviews += other.reviews
        self.complaints += other.complaints
        self.tickets += other.tickets
        self.orders += other.orders
        self.clocks += other.clocks
        self.dead_letters += other.dead_letters
        self.observations += other.observations
        self.transitions += other.transitions
        self.feeds.update(other.feeds)
        if other.forecast is not None:
            self.forecast = other.forecast
