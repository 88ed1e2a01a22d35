"""The weights and what they make of a batch: log-odds before any rating.

Decides the arithmetic: n-gram evidence for every text, and which texts are doubtful enough for a second look. Sums run
over whole numbers, so a text gets the same score alone and in any batch.
"""

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sentiment.features import TABLE_SIZE, Places, ngram_places
from sentiment.net import Net
from sentiment.netfile import from_arrays, to_arrays
from sentiment.normalize import Normalizer, SymbolBatch
from sentiment.stance import Stance, cut

Floats = npt.NDArray[np.float64]
T = TypeVar("T")
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

    def log_odds(self, batch: SymbolBatch, places: list[Places] | None = None) -> Floats:
        """`places` are those of ngram_places, where the caller has them already."""
        evidence, mass = self.sums(places or ngram_places(batch, longest=self.longest), batch)
        log_odds: Floats = self.slope * evidence / np.sqrt(self.floor + mass) + self.bias
        return log_odds

    def sums(self, places: list[Places], batch: SymbolBatch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
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
class SecondLook:
    """Texts with log-odds within ±`below` get `of_linear` · these + `of_net` · the net's + `bias` instead."""

    net: Net
    below: float
    of_linear: float
    of_net: float
    bias: float

    def log_odds(self, first: Floats, batch: SymbolBatch, places: list[Places]) -> Floats:
        """The batch's log-odds after this look; those of texts that are not doubtful stay as they are."""
        doubtful = np.flatnonzero(np.abs(first) < self.below)
        result = first.copy()
        if len(doubtful):
            found = self.net.log_odds(batch, places, doubtful)
            result[doubtful] = self.of_linear * first[doubtful] + self.of_net * found + self.bias
        return result


@dataclass(frozen=True, slots=True)
class Weights:
    """`looks` are taken one after the other, each at what the ones before it left doubtful; then `stance` is asked."""

    normalizer: Normalizer
    linear: Linear
    looks: tuple[SecondLook, ...] = ()
    stance: Stance | None = None

    def log_odds(self, batch: SymbolBatch) -> Floats:
        places = ngram_places(batch, longest=self.linear.longest)
        first = self.linear.log_odds(batch, places)
        found = first.copy()
        for look in self.looks:
            found = look.log_odds(found, batch, places)
        if self.stance is not None:
            stated = self.stance.statements(first, batch, places)
            found[stated] = cut(found[stated])
        return found

    def statements(self, batch: SymbolBatch) -> npt.NDArray[np.bool_]:
        """Whether a text was taken for one that only states facts."""
        found = np.zeros(len(batch), dtype=np.bool_)
        if self.stance is not None:
            places = ngram_places(batch, longest=self.linear.longest)
            found[self.stance.statements(self.linear.log_odds(batch, places), batch, places)] = True
        return found


def read_weights(path: Path = WEIGHTS) -> Weights:
    """Reads the artifact that sentiment.train wrote. Raises OSError or ValueError when it is missing or broken."""
    return _read(path, _unpacked)


def read_normalizer(path: Path = WEIGHTS) -> Normalizer:
    """As `read_weights`, and of the artifact only how texts are folded, which takes milliseconds."""
    return _read(path, _normalizer)


def _read(path: Path, unpack: Callable[[Mapping[str, npt.NDArray[Any]]], T]) -> T:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return unpack(stored)
    except (zipfile.BadZipFile, KeyError) as problem:
        raise ValueError(f"{path.name}: not the weights that sentiment.train writes: {problem}") from problem


def _unpacked(stored: Mapping[str, npt.NDArray[Any]]) -> Weights:
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
    looks = (SecondLook(from_arrays(stored, f"net{n}"), **look) for n, look in enumerate(header["looks"]))
    stance = Stance(stored["stance"], **header["stance"]) if "stance" in header else None
    return Weights(_normalizer(stored), linear, tuple(looks), stance)


def _normalizer(stored: Mapping[str, npt.NDArray[Any]]) -> Normalizer:
    return Normalizer(
        traditional=stored["traditional"].tobytes().decode("utf-8"),
        simplified=stored["simplified"].tobytes().decode("utf-8"),
    )


def pack_weights(
    path: Path,
    *,
    places: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    masses: npt.NDArray[np.float64],
    slope: float,
    floor: float,
    bias: float,
    longest: int,
    variants: tuple[str, str],
    looks: Sequence[SecondLook] = (),
    stance: Stance | None = None,
) -> None:
    """Writes the artifact that `read_weights` reads; weights become whole numbers."""
    evidence_unit = float(np.abs(weights).max()) / _EVIDENCE_STEPS
    mass_unit = float(masses.max()) / _MASS_STEPS
    evidence = np.round(weights / evidence_unit).astype(np.int16)
    mass = np.round(masses / mass_unit).astype(np.uint16)
    telling = (evidence != 0) | (mass != 0)
    header: dict[str, object] = {
        "looks": [{name: getattr(look, name) for name in ("below", "of_linear", "of_net", "bias")} for look in looks],
        "longest": longest,
        "slope": slope * evidence_unit / mass_unit**0.5,
        "floor": floor / mass_unit,
        "bias": bias,
    }
    arrays: dict[str, Any] = {
        "header": _bytes(json.dumps(header)),
        "gaps": np.diff(places[telling], prepend=0).astype(np.uint32),
        "evidence": evidence[telling],
        "mass": mass[telling],
        "traditional": _bytes(variants[0]),
        "simplified": _bytes(variants[1]),
    }
    if stance is not None:
        header["stance"] = {name: getattr(stance, name) for name in ("longest", "unit", "bias")}
        arrays |= {"header": _bytes(json.dumps(header)), "stance": stance.evidence}
    for number, look in enumerate(looks):
        arrays |= to_arrays(look.net, f"net{number}")
    with path.open("wb") as out:
        np.savez_compressed(out, **arrays)


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


# Fine enough to move no label; sums of whole numbers come out alike in any order.
_EVIDENCE_STEPS = 16000
_MASS_STEPS = 8000
