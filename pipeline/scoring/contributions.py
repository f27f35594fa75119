"""Each member's contribution to its node's score; contributions sum exactly (METHODOLOGY section 5)."""

from __future__ import annotations

import numpy as np

from pipeline.catalogue.frameworks import Aggregate
from pipeline.scoring.transform import Floats


def contributions(aggregate: Aggregate, members: Floats, weights: Floats, middle: float, floor: float) -> Floats:
    """Contribution of each member; the sum over members equals ``total`` of the node's score.

    ``members``, ``weights``: [members, ..., areas]; ``middle`` is the score of the typical area (50 on 0 to 100).
    Arithmetic: ``w (score - 50)``; geometric: ``w ln(score / 50)``; harmonic: ``w (1/50 - 1/score)``.
    """
    if aggregate == "arithmetic":
        return np.where(weights > 0, weights * (members - middle), 0.0)
    held = np.maximum(np.where(weights > 0, members, middle), floor)
    if aggregate == "geometric":
        return weights * np.log(held / middle)
    return weights * (1 / middle - 1 / held)


def total(aggregate: Aggregate, score: Floats, middle: float) -> Floats:
    """What the contributions of a node sum to: ``score - 50``, ``ln(score / 50)`` or ``1/50 - 1/score``."""
    if aggregate == "arithmetic":
        return score - middle
    if aggregate == "geometric":
        return np.log(score / middle)
    return 1 / middle - 1 / score
