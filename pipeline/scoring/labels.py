"""Four labels from two scores, shown only if they are probable enough (METHODOLOGY section 6)."""

from __future__ import annotations

import numpy as np

from pipeline.scoring.transform import AnyFloats, Floats, Ints

LABELS = ("growing and sharing", "growing not sharing", "sharing not growing", "neither")
NOT_CLEAR = "not clear"


def label_probabilities(growth: AnyFloats, sharing: AnyFloats, middle: float) -> Floats:
    """Probability of each label: [4, areas], in the order of LABELS.

    ``growth``, ``sharing``: scores [draws, areas] (or [areas] without error); above ``middle`` is growing, or
    sharing, faster than the typical district.
    """
    growing, sharing_more = np.broadcast_arrays(np.atleast_2d(growth) > middle, np.atleast_2d(sharing) > middle)
    both = (growing & sharing_more).mean(axis=0)
    only_growing = growing.mean(axis=0) - both
    only_sharing = sharing_more.mean(axis=0) - both
    neither = np.maximum(1 - both - only_growing - only_sharing, 0)  # never -1e-16
    return np.array([both, only_growing, only_sharing, neither])


def printed_label(probabilities: Floats, least: float) -> tuple[Ints, Floats]:
    """Position in LABELS of the most probable label, or -1 (not clear) if it is less probable than ``least``.

    ``probabilities``: [4, areas]; also returns the highest probability. Both [areas].
    """
    best = probabilities.argmax(axis=0)
    highest = probabilities.max(axis=0)
    return np.where(highest >= least - 1e-12, best, -1), highest
