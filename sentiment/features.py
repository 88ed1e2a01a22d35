"""Which n-grams of symbols a text has, as places in the weight table.

Decides the hash and the n-gram lengths; both are part of the artifact's meaning: change one and train again.
"""

import numpy as np
import numpy.typing as npt

from sentiment.normalize import MARGIN, SymbolBatch

Places = npt.NDArray[np.uint32]

LONGEST = 4
TABLE_BITS = 22
TABLE_SIZE = 1 << TABLE_BITS
# The place that invalid n-grams (those across two texts) are sent to; its weight is always zero.
NOWHERE = 0

_ODD = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1, 0xD6E8FEB9)


def ngram_places(batch: SymbolBatch, *, longest: int = LONGEST) -> list[Places]:
    """For n = 1 … longest the table place of the n-gram that starts at each symbol.

    A text's n-grams start from its leading boundary up to its last symbol, so the boundary itself tells beginnings
    and ends apart. All arrays have the length of `batch.symbols` less MARGIN.
    """
    symbols = batch.symbols
    size = len(symbols) - MARGIN
    ends = batch.starts[1:]
    rolling = np.zeros(size, dtype=np.uint32)
    found = []
    for n in range(1, longest + 1):
        rolling = rolling * np.uint32(_ODD[0]) + symbols[n - 1 : n - 1 + size] + np.uint32(1)
        mixed = (rolling ^ (rolling >> np.uint32(15))) * np.uint32(_ODD[n])
        place = mixed >> np.uint32(32 - TABLE_BITS)
        for back in range(1, n - 1):
            place[ends - back] = NOWHERE
        found.append(place)
    # A boundary alone would be in every text: it would only say that there is a text.
    found[0][batch.starts] = NOWHERE
    return found
