"""Weighted arithmetic, geometric and harmonic means over the members of a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.catalogue.frameworks import Aggregate, Normalise
from pipeline.scoring.transform import AnyFloats, Bools, Floats


def smallest_factor(settings: Normalise) -> float:
    """The lowest value of a member in a geometric or harmonic mean: one hundredth of the range, 1 on 0 to 100.

    A score of 0 would otherwise cancel everything beside it.
    """
    return (settings.range[1] - settings.range[0]) / 100


def combine(
    aggregate: Aggregate,
    members: Sequence[Callable[[], AnyFloats]],
    weights: Floats,
    floor: float,
    bounds: tuple[float, float] | None = None,
) -> AnyFloats:
    """The weighted mean of members that are created one at a time and then released.

    ``members``: functions that return [..., areas]. ``weights``: [members, ..., areas], summing to 1 over members where
    the node is scored and 0 elsewhere. The result is the mean, or a finite filler where weights are 0, in the members'
    own precision. It is clipped to the range of its members, which rounding could exceed. With ``bounds``, the lowest
    and highest possible score, it is only clipped to these, which is quicker for draws.
    """
    total: AnyFloats | None = None
    span: tuple[AnyFloats, AnyFloats] = (np.array(np.inf), np.array(-np.inf))
    for member, weight in zip(members, weights, strict=True):
        values = member()
        if aggregate != "arithmetic":
            values = np.maximum(values, floor)
        if bounds is None:
            span = _widened(span, values, weight > 0)
        if aggregate == "geometric":
            values = np.log(values)
        elif aggregate == "harmonic":
            values = 1.0 / values
        part = weight.astype(values.dtype, copy=False) * values
        if total is None:
            total = part
        elif total.shape == np.broadcast_shapes(total.shape, part.shape):
            total += part
        else:
            total = total + part
    if total is None:
        raise ValueError("a node without members has no mean")
    mean = total
    if aggregate == "geometric":
        mean = np.exp(total)
    elif aggregate == "harmonic":
        mean = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    if bounds is not None:
        return np.clip(mean, *bounds, out=mean)
    return np.where((weights > 0).any(axis=0), np.clip(mean, *span), mean)


def _widened(span: tuple[AnyFloats, AnyFloats], values: AnyFloats, counts: Bools) -> tuple[AnyFloats, AnyFloats]:
    """The lowest and highest so far, including the values that count."""
    lowest, highest = span
    return (
        np.asarray(np.minimum(lowest, np.where(counts, values, np.inf))),
        np.asarray(np.maximum(highest, np.where(counts, values, -np.inf))),
    )
