"""The weights and what they make of a batch: n-gram evidence, as log-odds before any rating.

Decides the arithmetic. Sums run over integers, so a text gets the same score alone, in any batch and on any machine.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sentiment.features import TABLE_SIZE, Places, ngram_places
from sentiment.normalize import Normalizer, SymbolBatch

WEIGHTS = Path(__file__).parent / "assets" / "weights.npz"


@dataclass(frozen=True, slots=True)
class Linear:
    """log-odds = slope * sum(evidence) / sqrt(floor + sum(mass)) + bias, over all n-grams of the text."""

    evidence: npt.NDArray[np.int16]
    mass: npt.NDArray[np.uint16]
    longest: int
    slope: float
    floor: float
    bias: float

    def log_odds(self, batch: SymbolBatch) -> npt.NDArray[np.float64]:
        evidence, mass = self.sums(ngram_places(batch, longest=self.longest), batch)
        log_odds: npt.NDArray[np.float64] = self.slope * evidence / np.sqrt(self.floor + mass) + self.bias
        return log_odds

    def sums(
        self, places: list[Places], batch: SymbolBatch
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        end = int(batch.starts[-1])
        evidence = np.zeros(end, dtype=np.int32)
        mass = np.zeros(end, dtype=np.uint32)
        for place in places:
            evidence += self.evidence[place[:end]]
            mass += self.mass[place[:end]]
        starts = batch.starts[:-1]
        return (
            np.add.reduceat(evidence, starts, dtype=np.int64),
            np.add.reduceat(mass, starts, dtype=np.int64),
        )


@dataclass(frozen=True, slots=True)
class Weights:
    normalizer: Normalizer
    linear: Linear
    origin: dict[str, object]


def read_weights(path: Path = WEIGHTS) -> Weights:
    """Reads the artifact that sentiment.train wrote. Raises OSError or ValueError when it is missing or broken."""
    with np.load(path, allow_pickle=False) as stored:
        header = json.loads(stored["header"].tobytes())
        places = np.cumsum(stored["gaps"], dtype=np.int64)
        evidence = np.zeros(TABLE_SIZE, dtype=np.int16)
        evidence[places] = stored["evidence"]
        mass = np.zeros(TABLE_SIZE, dtype=np.uint16)
        mass[places] = stored["mass"]
        linear = Linear(
            evidence=evidence,
            mass=mass,
            longest=int(header["longest"]),
            slope=float(header["slope"]),
            floor=float(header["floor"]),
            bias=float(header["bias"]),
        )
        normalizer = Normalizer(
            traditional=stored["traditional"].tobytes().decode("utf-8"),
            simplified=stored["simplified"].tobytes().decode("utf-8"),
        )
    return Weights(normalizer=normalizer, linear=linear, origin=header)
