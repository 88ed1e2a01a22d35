"""What is counted per pane: the columns of a delta, by index.

All integers, so that sums are exact and the order in which events arrive changes no figure; scores and ratings
are summed in millionths.
"""

from typing import Final

MICROS: Final = 1_000_000

REVIEWS: Final = 0
JUDGED: Final = 1  # reviews less the invalid ones
NEGATIVE: Final = 2
NEUTRAL: Final = 3
SENTIMENT_MICROS: Final = 4
RATINGS: Final = 5
RATING_MICROS: Final = 6
COMPARED: Final = 7  # reviews of which both the text and the stars take a side, see `sentiment.watch`
AGREEING: Final = 8
COMPLAINTS: Final = 9
ORDERS: Final = 10
CREATED: Final = 11
OPEN_CHANGE: Final = 12
CSATS: Final = 13
CSAT_MICROS: Final = 14
SLA_BREACHES: Final = 15
SLA_MET: Final = 16
REOPENED: Final = 17
DUPLICATES: Final = 18  # near-duplicate reviews
COLUMNS: Final = 19

# The two sketches of a delta.
FIRST_RESPONSE: Final = 0
RESOLUTION: Final = 1
SKETCHES: Final = 2
