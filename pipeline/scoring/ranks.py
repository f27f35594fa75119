"""Ranks among districts: 1 is the best, ties share the better rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.transform import Floats, Singles

SIGN = np.int32(0x7FFFFFFF)


def rank_rows(scores: Floats) -> Floats:
    """Rank along the last axis, highest score first. [..., areas] -> the same shape; NaN has no rank."""
    is_missing = np.isnan(scores)
    ranks = rank_complete_rows(np.where(is_missing, -np.inf, scores)).astype(float)
    ranks[is_missing] = np.nan
    return ranks


def rank_complete_rows(scores: Floats) -> NDArray[np.int32]:
    """As ``rank_rows``, for scores without NaN."""
    better_first = -scores
    order = np.argsort(better_first, axis=-1)
    ordered = np.take_along_axis(better_first, order, axis=-1)
    return _place(order, ordered[..., 1:] == ordered[..., :-1])


def rank_draws(scores: Singles) -> NDArray[np.int32]:
    """Ranks in every draw: [draws, areas], complete and in single precision, -> the same shape.

    The same as ``rank_complete_rows`` and about twice as fast: score and area number are packed into one whole
    number, which sorts faster than an index does.
    """
    bits = (np.float32(0) - scores).view(np.int32)  # a difference, so that 0 has one sign
    packed = (bits ^ ((bits >> 31) & SIGN)).astype(np.int64)  # orders negative floats too
    packed <<= 32
    packed |= np.arange(scores.shape[-1])
    packed.sort(axis=-1)
    order = packed & 0xFFFFFFFF
    packed >>= 32
    return _place(order, packed[..., 1:] == packed[..., :-1])


def _place(order: NDArray[np.int64], is_tied: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Ranks from the order of areas, best first, and which of them tie with the one before."""
    place = np.broadcast_to(np.arange(1, order.shape[-1] + 1, dtype=np.int32), order.shape)
    if is_tied.any():
        starts = np.array(place)
        starts[..., 1:][is_tied] = 0
        place = np.maximum.accumulate(starts, axis=-1)
    ranks = np.empty(order.shape, dtype=np.int32)
    np.put_along_axis(ranks, order, place, axis=-1)
    return ranks
