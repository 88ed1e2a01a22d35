"""How the net of sentiment/net.py lies in the artifact: arrays by name, as small as they go."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment.features import TABLE_SIZE
from sentiment.net import UNKNOWN, Net, Vocabulary

Arrays = dict[str, npt.NDArray[Any]]


def to_arrays(net: Net, name: str) -> Arrays:
    """What `from_arrays` reads under that name; rows of the tables are numbered upwards by symbol and by place."""
    characters = np.flatnonzero(net.vocabulary.characters > UNKNOWN)
    header = {"scales": net.scales, "unit": net.unit, "bias": net.bias, "grams": len(net.grams)}
    grams: Arrays = {}
    for length, (numbered, table) in enumerate(zip(net.vocabulary.grams, net.grams, strict=True), start=2):
        grams[f"{name}_{length}_gaps"] = np.diff(np.flatnonzero(numbered), prepend=0).astype(np.uint32)
        grams[f"{name}_{length}_grams"] = table
    return grams | {
        f"{name}_header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
        f"{name}_characters": characters.astype(np.uint16),
        f"{name}_tables": np.stack(net.tables).astype(np.int8),
        f"{name}_offset": net.offset,
        f"{name}_kernels": np.stack(net.kernels).astype(np.int8),
        f"{name}_offsets": np.stack(net.offsets).astype(np.int32),
        f"{name}_out": net.out.astype(np.int16),
    }


def from_arrays(stored: Mapping[str, npt.NDArray[Any]], name: str) -> Net:
    """Raises KeyError or ValueError when an array is missing or broken."""
    header = json.loads(stored[f"{name}_header"].tobytes())
    known = stored[f"{name}_characters"]
    characters = np.full(0x10000, UNKNOWN, dtype=np.uint16)
    characters[known] = np.arange(UNKNOWN + 1, UNKNOWN + 1 + len(known))
    numbered, tables = [], []
    for length in range(2, 2 + int(header["grams"])):
        places = np.cumsum(stored[f"{name}_{length}_gaps"], dtype=np.int64)
        rows = np.zeros(TABLE_SIZE, dtype=np.uint16)
        rows[places] = np.arange(1, 1 + len(places))
        numbered.append(rows)
        tables.append(stored[f"{name}_{length}_grams"])
    before, at, behind = stored[f"{name}_tables"].astype(np.int16)
    return Net(
        vocabulary=Vocabulary(characters, tuple(numbered)),
        tables=(before, at, behind),
        grams=tuple(tables),
        offset=stored[f"{name}_offset"],
        kernels=tuple(stored[f"{name}_kernels"].astype(np.float32)),
        offsets=tuple(stored[f"{name}_offsets"].astype(np.float32)),
        scales=tuple(header["scales"]),
        out=stored[f"{name}_out"].astype(np.float64),
        unit=float(header["unit"]),
        bias=float(header["bias"]),
    )
