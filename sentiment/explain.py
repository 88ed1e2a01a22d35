"""Which pieces of a text moved its score, and by how much.

Decides how the n-grams' evidence, which overlaps, is shared out among stretches of text that people can read.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sentiment.features import ngram_places
from sentiment.judge import Judge
from sentiment.stance import cut

# A share of the strongest character's weight below which a character belongs to no piece.
_FAINT = 0.08


class Piece(NamedTuple):
    """`text[begin:end]` as it was written, which raised the text's log-odds by `log_odds`."""

    begin: int
    end: int
    log_odds: float


def explain(judge: Judge, text: str) -> list[Piece]:
    """Pieces of the text with their log-odds, the strongest first; above 0 speaks for positive.

    An n-gram's weight is shared evenly by its characters; neighbours that pull the same way make a piece. The pieces,
    the faint characters left out and the judge's bias add up to the text's log-odds. Where a doubtful text got a second
    look, each character's share there is what the nets would lose without it (`Net.shares`). Of a text taken for a
    statement (`Judge.statements`) the pieces shrink as its log-odds do. Empty for a text without words.
    """
    batch = judge.weights.normalizer.batch([text])
    if not batch.has_words()[0]:
        return []
    linear = judge.weights.linear
    first, end = int(batch.starts[0]), int(batch.starts[1])
    places = ngram_places(batch, longest=linear.longest)
    _, mass = linear.sums(places, batch)
    unit = linear.slope / float(np.sqrt(linear.floor + mass[0]))
    shares = np.zeros(len(batch.symbols))
    for length, place in enumerate(places, start=1):
        weight = linear.evidence[place[first:end]] * (unit / length)
        for offset in range(length):
            shares[first + offset : end + offset] += weight
    first_word = found = linear.log_odds(batch, places)
    for look in judge.weights.looks:
        if abs(float(found[0])) < look.below:
            shares *= look.of_linear
            shares[first + 1 : end] += look.of_net * look.net.shares(batch, places, 0)
            found = look.log_odds(found, batch, places)
    stance = judge.weights.stance
    if stance is not None and len(stance.statements(first_word, batch, places)) and found[0]:
        shares *= float(cut(found)[0] / found[0])
    origins = [*judge.weights.normalizer.origins(text).tolist(), len(text)]
    return _pieces(shares[first + 1 : end].tolist(), origins)


def _pieces(shares: Sequence[float], origins: Sequence[int]) -> list[Piece]:
    """What folding left out goes with the character before it: the rest of a run, an emoji's skin."""
    faint = _FAINT * max((abs(share) for share in shares), default=0.0)
    pieces: list[Piece] = []
    start = 0
    for place in range(1, len(shares) + 1):
        if place < len(shares) and _side(shares[place], faint) == _side(shares[start], faint):
            continue
        if _side(shares[start], faint):
            pieces.append(Piece(origins[start], origins[place], round(sum(shares[start:place]), 4)))
        start = place
    return sorted(pieces, key=lambda piece: -abs(piece.log_odds))


def _side(share: float, faint: float) -> int:
    return 0 if abs(share) <= faint else 1 if share > 0 else -1
