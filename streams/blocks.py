"""Blocks of one pane's figures by key: put together, compared, searched."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.figures import COLUMNS
from streams.pane_log import Block, KeyIds, SketchPane

EMPTY: Final = Block(np.zeros(0, np.int64), np.zeros((0, COLUMNS), np.int64))


def consolidate(blocks: Sequence[Block]) -> Block:
    """One block with every key's figures added up."""
    if not blocks:
        return EMPTY
    keys = np.concatenate([block.keys for block in blocks])
    figures = np.concatenate([block.figures for block in blocks])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = starts(keys)
    if not len(first):
        return EMPTY
    return Block(keys[first], np.add.reduceat(figures[order], first, axis=0))


def changing(block: Block, sketched: SketchPane) -> Block:
    """Without the keys for which all came to nothing, as when a breach was told and taken back: they changed nothing.

    Only for a pane of which no row was given yet.
    """
    kept = block.figures.any(axis=1)
    if kept.all():
        return block
    kept |= np.isin(block.keys, [key for (key, _), sketch in sketched.items() if sketch])
    return Block(block.keys[kept], block.figures[kept])


def starts(ordered: KeyIds) -> KeyIds:
    """Where a new value begins."""
    fresh = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)


def union(a: KeyIds, b: KeyIds) -> KeyIds:
    """The ids of either, ascending, as both are."""
    if not len(b):
        return a
    if not len(a):
        return b
    return np.union1d(a, b)


def positions(ids: KeyIds, block: Block) -> tuple[KeyIds, KeyIds]:
    """Where the ids that stand in a block are, in the ids and in the block; both ascend."""
    if not len(block.keys):
        return block.keys, block.keys
    at = np.searchsorted(block.keys, ids)
    at[at == len(block.keys)] = 0
    inside = np.flatnonzero(block.keys[at] == ids)
    return inside, at[inside]
