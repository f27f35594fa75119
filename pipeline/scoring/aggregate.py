"""Weighted arithmetic, geometric and harmonic means over the members of a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.catalogue.frameworks import Aggregate, Normalise
from pipeline.scoring.transform import AnyFloats, Floats


def smallest_factor(settings: Normalise) -> float:
    """The least a member counts in a geometric or harmonic mean: one hundredth of the range, 1 on 0 to 100.

    A score of 0 would otherwise wipe out everything beside it.
    """
    return (settings.range[1] - settings.range[0]) / 100


def combine(
    aggregate: Aggregate, members: Sequence[Callable[[], AnyFloats]], weights: Floats, floor: float
) -> AnyFloats:
    """The weighted mean of members that are made one at a time and let go again.

    ``members``: functions that give [..., areas]; ``weights``: [members, ..., areas], summing to 1 over members
    where the node is scored and 0 elsewhere. The result is the mean, or a finite filler where weights are 0, in the
    members' own precision.
    """
    total: AnyFloats | None = None
    for member, weight in zip(members, weights, strict=True):
        values = member()
        if aggregate == "geometric":
            values = np.log(np.maximum(values, floor))
        elif aggregate == "harmonic":
            values = 1.0 / np.maximum(values, floor)
        part = weight.astype(values.dtype, copy=False) * values
        if total is None:
            total = part
        elif total.shape == np.broadcast_shapes(total.shape, part.shape):
            total += part
        else:
            total = total + part
    if total is None:
        raise ValueError("a node without members has no mean")
    if aggregate == "geometric":
        return np.exp(total)
    if aggregate == "harmonic":
        return np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return total
