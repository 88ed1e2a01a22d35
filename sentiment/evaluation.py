"""How right a judge is: the figures that the training, the bench and the docs all quote."""

from collections.abc import Sequence

import numpy as np

from sentiment.calibration import expected_calibration_error


def measure(scores: Sequence[float], truths: Sequence[bool]) -> dict[str, float]:
    """Shares 0 … 1 rounded to 4 digits: right at a cut of 1/2, F1 of the negative class, calibration error."""
    score, positive = np.asarray(scores, dtype=np.float64), np.asarray(truths, dtype=np.bool_)
    called = score < 0.5
    right_alarms = int((called & ~positive).sum())
    f1 = 2 * right_alarms / max(1, int(called.sum()) + int((~positive).sum()))
    return {
        "texts": len(score),
        "accuracy": round(float((called != positive).mean()), 4),
        "negative_f1": round(f1, 4),
        "ece": round(expected_calibration_error(score, positive.astype(np.int64)), 4),
    }
