"""A stream as the detector sees it: observations, with the verdict of a judge on each review."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.alerts.generate import COMPLAINT, ORDERS, REVIEW, Stream
from bench.alerts.world import DIMENSIONS, Floats
from schemas.results import Observation

Bools = NDArray[np.bool_]
BATCH_S: Final = 10.0
LATENESS_S: Final = 300.0


def simulated_negativity(stream: Stream, *, accuracy: float = 0.94) -> Floats:
    """A text model right so often, joined with a rating; calibrated at one negative in seven."""
    chance = np.random.default_rng(stream.plan.seed + 1_000_003)
    size = len(stream.at)
    sign = np.where(stream.negative, 1.0, -1.0)
    shift = {0.94: 1.555, 1.0: 6.0}[accuracy]  # normal quantile of the accuracy
    text = 2.0 * shift * (sign * shift + chance.normal(0.0, 1.0, size))
    star = sign * np.where(chance.random(size) < 0.92, 1.0, -1.0) * (chance.random(size) < 0.9)
    logit = text + star * np.log(0.92 / 0.08) + np.log(1.0 / 6.0)
    result: Floats = 1.0 / (1.0 + np.exp(-logit))
    return result


def observations(
    stream: Stream, negativity: Floats, called: Bools | None = None
) -> Iterator[tuple[int, list[Observation]]]:
    """Batches of ten seconds of arrival, each with the newest event time by then; duplicates and late ones left out.

    `called`: the judge's labels; None: negative from a negativity of one half on.
    """
    labels = (negativity > 0.5 if called is None else called).tolist()
    start, names = stream.plan.start_ms, stream.world.names
    values = [[*names[name], ""] for name in DIMENSIONS]
    columns = [stream.dims[name].tolist() for name in DIMENSIONS]
    at, arrival, kinds = stream.at.tolist(), stream.arrival.tolist(), stream.kind.tolist()
    counts, customers, numbers = stream.count.tolist(), stream.customer.tolist(), stream.number.tolist()
    scores, seen = negativity.tolist(), set[int]()
    batch: list[Observation] = []
    newest, border = 0.0, BATCH_S
    for i in range(len(at)):
        if arrival[i] >= border:
            yield start + int(newest * 1000), batch
            batch, border = [], (arrival[i] // BATCH_S + 1.0) * BATCH_S
        if at[i] < newest - LATENESS_S or numbers[i] in seen:
            continue
        seen.add(numbers[i])
        if kinds[i] != ORDERS:
            newest = max(newest, at[i])
        dims = tuple(values[d][columns[d][i]] for d in range(len(DIMENSIONS)))
        bad = kinds[i] == REVIEW and labels[i]
        batch.append(Observation(
            kind=KINDS[kinds[i]], at=start + int(at[i] * 1000), dims=dims, count=counts[i],  # type: ignore[arg-type]  # six
            negativity=scores[i] if kinds[i] == REVIEW else 0.0, negative=bad,
            customer=f"c{customers[i]}" if customers[i] >= 0 else "", sample=f"e{numbers[i]}",
            text="不好" if bad or kinds[i] == COMPLAINT else "",
        ))  # fmt: skip
    yield start + int(newest * 1000), batch


KINDS: Final = {REVIEW: "review", COMPLAINT: "complaint", ORDERS: "orders"}
