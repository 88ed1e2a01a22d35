"""The few colours of the wall, and where a figure turns amber and red.

The limits are a shop's to change: here they are what the shipped rules and policies call out of the ordinary.
"""

from typing import Final

GREEN: Final = "#2e9e5b"
AMBER: Final = "#e8a317"
RED: Final = "#d43f3a"
GREY: Final = "#5a6472"
BLUE: Final = "#3274d9"
INK: Final = "#22272e"

Steps = tuple[tuple[float | None, str], ...]
"""From which value on which colour; the first has None: from below."""


def rising(amber: float, red: float) -> Steps:
    """Less is better."""
    return ((None, GREEN), (amber, AMBER), (red, RED))


def falling(amber: float, red: float) -> Steps:
    """More is better: red below `red`, amber below `amber`."""
    return ((None, RED), (red, AMBER), (amber, GREEN))


PLAIN: Final[Steps] = ((None, BLUE),)
NEGATIVE_SHARE: Final = rising(0.20, 0.30)
SENTIMENT: Final = falling(0.70, 0.60)
COMPLAINTS_PER_1K: Final = rising(4.0, 8.0)
FIRST_RESPONSE_MS: Final = rising(30 * 60_000, 60 * 60_000)
RESOLUTION_MS: Final = rising(12 * 3_600_000, 24 * 3_600_000)
BREACH_SHARE: Final = rising(0.05, 0.15)
ATTAINMENT: Final = falling(0.95, 0.85)
AT_RISK: Final = rising(1, 10)
OPEN_ALERTS: Final = rising(1, 3)
CRITICAL_ALERTS: Final[Steps] = ((None, GREEN), (1, RED))
WARNING_ALERTS: Final[Steps] = ((None, GREEN), (1, AMBER))
AGE_SECONDS: Final = rising(60, 300)
COVERAGE: Final = falling(1.0, 0.8)
SHARE_BAD: Final = rising(0.10, 0.25)
CSAT: Final = falling(4.2, 3.8)
LAG: Final = rising(10_000, 100_000)

SEVERITIES: Final = {"critical": RED, "warning": AMBER, "info": BLUE}
STATES: Final = {"firing": RED, "updated": AMBER, "resolved": GREEN}
LABELS: Final = {"negatives": RED, "neutrals": GREY, "positives": GREEN}
