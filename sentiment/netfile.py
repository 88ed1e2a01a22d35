"""How the net of sentiment/net.py lies in the artifact: arrays by name, as small as they go."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment.features import TABLE_SIZE
from sentiment.net import UNKNOWN, Net, Vocabulary

Arrays = dict[str, npt.NDArray[Any]]


def to_arrays(net: Net) -> Arrays:
    """What `from_arrays` reads; rows of the tables are numbered upwards by symbol and by place."""
    characters = np.flatnonzero(net.vocabulary.characters > UNKNOWN)
    pairs = np.flatnonzero(net.vocabulary.pairs)
    header = {"scales": net.scales, "unit": net.unit, "bias": net.bias}
    return {
        "net": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
        "net_characters": characters.astype(np.uint16),
        "net_pair_gaps": np.diff(pairs, prepend=0).astype(np.uint32),
        "net_tables": np.stack(net.tables).astype(np.int8),
        "net_pairs": net.pairs,
        "net_offset": net.offset,
        "net_kernels": np.stack(net.kernels).astype(np.int8),
        "net_offsets": np.stack(net.offsets).astype(np.int32),
        "net_out": net.out.astype(np.int16),
    }


def from_arrays(stored: Mapping[str, npt.NDArray[Any]]) -> Net:
    """Raises KeyError or ValueError when an array is missing or broken."""
    header = json.loads(stored["net"].tobytes())
    known = stored["net_characters"]
    characters = np.full(0x10000, UNKNOWN, dtype=np.uint16)
    characters[known] = np.arange(UNKNOWN + 1, UNKNOWN + 1 + len(known))
    places = np.cumsum(stored["net_pair_gaps"], dtype=np.int64)
    pairs = np.zeros(TABLE_SIZE, dtype=np.uint16)
    pairs[places] = np.arange(1, 1 + len(places))
    before, at, behind = stored["net_tables"].astype(np.int16)
    return Net(
        vocabulary=Vocabulary(characters, pairs),
        tables=(before, at, behind),
        pairs=stored["net_pairs"],
        offset=stored["net_offset"],
        kernels=tuple(stored["net_kernels"].astype(np.float32)),
        offsets=tuple(stored["net_offsets"].astype(np.float32)),
        scales=tuple(header["scales"]),
        out=stored["net_out"].astype(np.float64),
        unit=float(header["unit"]),
        bias=float(header["bias"]),
    )
