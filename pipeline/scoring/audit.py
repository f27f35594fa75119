"""Statistical audit of a set of indicators or scores: plain functions on arrays [areas, members], NaN missing.

After the OECD/JRC Handbook on Constructing Composite Indicators (2008), steps 4, 5 and 7, and Paruolo, Saisana and
Saltelli (2013), "Ratings and rankings: voodoo or science?", for importance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from pipeline.scoring.transform import Bools, Floats

SKEW_LIMIT = 2.0  # if kurtosis exceeds its limit too, the JRC's rule calls for treatment
KURTOSIS_LIMIT = 3.5
DOMINANCE_LIMIT = 0.5  # one indicator carrying more than this share of importance dominates its index
FEWEST = 10  # complete areas needed for multivariate statistics


class Statistic(NamedTuple):
    """One statistic of a node, of one of its members, or of two. ``limit`` is the largest size that passes, NaN if any.

    ``year`` is given where it is not the year studied. ``is_failure`` marks what fails the framework.
    """

    node: str
    member: str | None
    other: str | None
    name: str
    value: float
    districts: int
    is_flagged: bool = False
    note: str = ""
    limit: float = float("nan")
    is_failure: bool = False
    year: int | None = None


@dataclass(frozen=True)
class Shape:
    """Distribution of one member: ``skew`` and excess ``kurtosis`` are the bias-corrected sample statistics."""

    count: int
    coverage: float
    mean: float
    sd: float
    skew: float
    kurtosis: float
    needs_treatment: bool


def shape(values: Floats) -> Shape:
    """Describe one vector; statistics are NaN if they need more figures, or more spread."""
    held = values[~np.isnan(values)]
    n = held.size
    coverage = n / values.size if values.size else float("nan")
    mean = float(held.mean()) if n else float("nan")
    sd = float(held.std(ddof=1)) if n > 1 else float("nan")
    if n < 4 or not sd > 1e-12 * max(abs(mean), 1e-300):
        return Shape(n, coverage, mean, sd, float("nan"), float("nan"), False)
    centred = held - mean
    m2, m3, m4 = (float((centred**p).mean()) for p in (2, 3, 4))
    skew = np.sqrt(n * (n - 1)) / (n - 2) * m3 / m2**1.5
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (m4 / m2**2 - 3) + 6)
    treat = bool(abs(skew) > SKEW_LIMIT and kurtosis > KURTOSIS_LIMIT)
    return Shape(n, coverage, mean, sd, float(skew), float(kurtosis), treat)


def complete_rows(values: Floats) -> Bools:
    """Areas that have every member."""
    return np.asarray(~np.isnan(values).any(axis=1))


def correlations(values: Floats) -> Floats:
    """Pearson correlations over complete areas: [members, members]; NaN for a member without spread, or too few."""
    held = values[complete_rows(values)]
    members = values.shape[1]
    if len(held) < min(FEWEST, 2 * members + 1):
        return np.full((members, members), np.nan)
    centred = held - held.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = (centred.T @ centred) / np.outer(size, size)
    result[:, size <= 1e-12 * np.abs(held).max(axis=0, initial=1e-300)] = np.nan
    result[size <= 1e-12 * np.abs(held).max(axis=0, initial=1e-300), :] = np.nan
    return result


def rank_correlation(one: Floats, other: Floats) -> tuple[float, int]:
    """Spearman's rank correlation over the areas that have both, and their number; NaN with few or without spread."""
    has_both = ~np.isnan(one) & ~np.isnan(other)
    count = int(has_both.sum())
    x, y = rankdata(one[has_both]), rankdata(other[has_both])
    if count < FEWEST or x.std() == 0 or y.std() == 0:
        return float("nan"), count
    return float(np.corrcoef(x, y)[0, 1]), count


def variance_shares(added: Floats) -> Floats:
    """Each member's share of the variance of the sum: [members, areas] -> [members], summing to 1; NaN without spread."""
    covariances = np.array([np.mean((part - part.mean()) * added.sum(axis=0)) for part in added])
    total = covariances.sum()
    return covariances / total if total > 1e-12 else np.full(len(added), np.nan)


def eigenvalues(correlation: Floats) -> Floats:
    """Variances of the principal components, largest first; they sum to the number of members."""
    if np.isnan(correlation).any():
        return np.full(len(correlation), np.nan)
    return np.asarray(np.linalg.eigvalsh(correlation)[::-1], dtype=float)


def first_component(correlation: Floats) -> Floats:
    """Squared loadings of the first principal component, summing to 1: the weights it would give."""
    if np.isnan(correlation).any():
        return np.full(len(correlation), np.nan)
    return np.asarray(np.linalg.eigh(correlation)[1][:, -1] ** 2, dtype=float)


def cronbach_alpha(correlation: Floats) -> float:
    """Standardised alpha, ``k r / (1 + (k - 1) r)`` with the mean correlation r of k members. NaN for one member."""
    k = len(correlation)
    if k < 2:
        return float("nan")
    mean = float(correlation[np.triu_indices(k, 1)].mean())
    return k * mean / (1 + (k - 1) * mean)


def correlation_ratio(member: Floats, index: Floats) -> float:
    """Share of the index's variance explained by the member alone, however curved the relation.

    ``var(E[index | member]) / var(index)``, the expectation by local linear regression with a normal kernel and
    Silverman's bandwidth. NaN with fewer than FEWEST areas or without spread.
    """
    both = ~np.isnan(member) & ~np.isnan(index)
    x, y = member[both], index[both]
    if x.size < FEWEST or x.std() == 0 or y.std() == 0:
        return float("nan")
    x = (x - x.mean()) / x.std()
    width = 1.06 * x.size**-0.2
    gap = x[None, :] - x[:, None]
    kernel = np.exp(-0.5 * (gap / width) ** 2)
    s0, s1, s2 = kernel.sum(axis=1), (kernel * gap).sum(axis=1), (kernel * gap**2).sum(axis=1)
    weight = kernel * (s2[:, None] - s1[:, None] * gap)
    fitted = (weight @ y) / (s0 * s2 - s1**2)
    return float(min(1.0, fitted.var() / y.var()))


def importance_shares(members: Floats, index: Floats) -> tuple[Floats, Floats]:
    """Correlation ratio of each member with the index, and each as a share of their sum. ``members``: [areas, members]."""
    ratios = np.array([correlation_ratio(members[:, k], index) for k in range(members.shape[1])])
    total = np.nansum(ratios)
    return ratios, ratios / total if total > 0 else np.full(ratios.shape, np.nan)
