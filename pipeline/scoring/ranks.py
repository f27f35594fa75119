"""Ranks among districts: 1 is the best, ties share the better rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.transform import Floats, Singles

TIE = 1e-12  # scores closer than this share of the largest differ only by rounding, and tie
SIGN = np.int32(0x7FFFFFFF)
FEW = 1024  # the area's number then fits beside a score in 32 bits
AT_ONCE = 100  # draws ranked together


def rank_rows(scores: Floats) -> Floats:
    """Rank along the last axis, highest score first. [..., areas] -> the same shape; NaN has no rank.

    Rows belong together (nodes and years of one framework): ties are measured relative to the largest score.
    """
    is_missing = np.isnan(scores)
    ranks = rank_complete_rows(np.where(is_missing, -np.inf, scores)).astype(float)
    ranks[is_missing] = np.nan
    return ranks


def rank_complete_rows(scores: Floats) -> NDArray[np.int32]:
    """As ``rank_rows``, for scores without NaN; minus infinity is worst."""
    better_first = -scores
    order = np.argsort(better_first, axis=-1, kind="stable")
    ordered = np.take_along_axis(better_first, order, axis=-1)
    near = TIE * np.abs(scores).max(initial=0.0, where=np.isfinite(scores))
    return _place(order, ordered[..., 1:] <= ordered[..., :-1] + near)


def rank_draws(scores: Singles, bounds: tuple[float, float] | None = None) -> NDArray[np.signedinteger[Any]]:
    """Ranks in every draw: [draws, areas], complete and in single precision, -> [areas, draws].

    A few draws are ranked at a time, so that the sorted data stay in the processor's cache. Ranks come out area by
    area, in the smallest whole numbers that hold them, ready to be counted and sorted.
    """
    draws, areas = scores.shape
    ranks = np.empty((areas, draws), dtype=np.int16 if areas < 2**15 else np.int32)
    for first in range(0, draws, AT_ONCE):
        order, is_tied = _order_of_draws(scores[first : first + AT_ONCE], bounds)
        place = _places(is_tied, areas, ranks.dtype)
        order *= draws
        order += np.arange(first, first + len(order))[:, None]
        ranks.reshape(-1)[order.reshape(-1)] = place
    return ranks


def _order_of_draws(scores: Singles, bounds: tuple[float, float] | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Areas of each draw, best first, and which of them tie with the one before.

    Score and area number are packed into one integer, which sorts several times faster than an index does. With
    ``bounds`` (the lowest and highest possible score) and up to FEW areas it fits 32 bits. Scores less than four
    millionths of the range apart then tie, far below the resolution of draws.
    """
    areas = scores.shape[-1]
    if bounds is not None and areas <= FEW:
        low, high = bounds
        bits = max(1, (areas - 1).bit_length())
        # just below the top, where rounding overflows
        steps = np.float32(((1 << (32 - bits)) - 1) * 0.999 / (high - low))
        small = ((np.float32(high) - scores) * steps).astype(np.uint32)
        small <<= np.uint32(bits)
        small |= np.arange(areas, dtype=np.uint32)
        small.sort(axis=-1)
        order = (small & np.uint32((1 << bits) - 1)).astype(np.int64)
        small >>= np.uint32(bits)
        return order, small[..., 1:] == small[..., :-1]
    raw = (np.float32(0) - scores).view(np.int32)  # a difference, so that 0 has one sign
    packed = (raw ^ ((raw >> 31) & SIGN)).astype(np.int64)  # orders negative floats too
    packed <<= 32
    packed |= np.arange(areas)
    packed.sort(axis=-1)
    order = packed & 0xFFFFFFFF
    packed >>= 32
    return order, packed[..., 1:] == packed[..., :-1]


def _place(order: NDArray[np.int64], is_tied: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Ranks from the order of areas, best first, and which of them tie with the one before."""
    count = order.shape[-1]
    if not count:
        return np.empty(order.shape, dtype=np.int32)
    place = _places(is_tied, count, np.dtype(np.int32))
    ranks = np.empty(order.size, dtype=np.int32)
    row = np.arange(order.size // count) * count
    ranks[(order.reshape(-1, count) + row[:, None]).reshape(-1)] = place
    return ranks.reshape(order.shape)


def _places(
    is_tied: NDArray[np.bool_], count: int, dtype: np.dtype[np.signedinteger[Any]]
) -> NDArray[np.signedinteger[Any]]:
    """Places 1 to ``count`` of each row, concatenated; a run of ties takes the place of the one it follows."""
    follows = np.zeros((*is_tied.shape[:-1], count), dtype=bool)
    follows[..., 1:] = is_tied  # runs do not reach from one row into the next
    place = np.array(np.broadcast_to(np.arange(1, count + 1, dtype=dtype), follows.shape)).reshape(-1)
    tied = np.flatnonzero(follows)
    if tied.size:
        begins = np.flatnonzero(np.diff(tied, prepend=-2) != 1)
        place[tied] = np.repeat(place[tied[begins] - 1], np.diff(begins, append=tied.size))
    return place
