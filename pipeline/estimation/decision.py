"""Whether a model is published."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.estimation.errors import EstimationError
from pipeline.estimation.rao_yu_prediction import Predictions

# Mean weight on the survey's own estimates below which a model is not published: it would be its covariates' copy.
LEAST_WEIGHT = 0.3
PUBLISHED = "published"


def need_numbers(found: Predictions, is_direct: np.ndarray) -> None:
    """Raises EstimationError where a figure, its error or a weight is no number."""
    held = np.stack([found.modelled, found.mse, found.weight_direct])[:, is_direct, 0]
    if not np.isfinite(held).all() or (held[1] <= 0).any():
        raise EstimationError(
            "the model gives figures or errors that are no numbers; check the units of what it is given"
        )


def decide(weights: Sequence[float]) -> str:
    """Whether a model is published: by the smaller of its mean weights on the survey."""
    least = min(weights)
    return PUBLISHED if least >= LEAST_WEIGHT else f"not published: the survey's own weight is {least:.2f}"
