"""Small areas made up from the models themselves, and where other programs' answers lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.settings import PROJECT_ROOT


@pytest.fixture(scope="session")
def validation() -> Path:
    """Answers of R's sae and sae2; tests that compare with them skip without them."""
    folder = PROJECT_ROOT.parent / "shared" / "data" / "validation"
    if not (folder / "rao_yu_60x6.csv").exists():
        pytest.skip("the answers of sae and sae2 (../shared/data/validation) are not here")
    return folder


def effects(rng: np.random.Generator, areas: int, years: np.ndarray, innovation: float, rho: float, area: float):
    """Area and area-by-year effects together: [areas, years]."""
    apart = np.abs(years[:, None] - years[None, :])
    covariance = innovation * rho**apart / (1 - rho**2) + area
    return rng.multivariate_normal(np.zeros(len(years)), covariance, areas)


def with_covariates(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """An intercept and one covariate: [..., 2]."""
    return np.stack([np.ones(shape), rng.normal(size=shape)], axis=-1)
