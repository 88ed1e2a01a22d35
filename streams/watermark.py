"""How far event time has come in one partition, and what is late there."""


class Watermark:
    """The newest event time seen, and the allowed lateness behind it, both in ms."""

    __slots__ = ("lateness_ms", "newest_ms")

    def __init__(self, lateness_ms: int, newest_ms: int = -1) -> None:
        self.lateness_ms = lateness_ms
        self.newest_ms = newest_ms

    def observe(self, at_ms: int) -> bool:
        """Take note of an event; True if it is later than allowed."""
        if at_ms > self.newest_ms:
            self.newest_ms = at_ms
            return False
        return at_ms < self.newest_ms - self.lateness_ms

    def closed_ms(self) -> int:
        """Up to here nothing but late events can come."""
        return self.newest_ms - self.lateness_ms
