"""Six ways from a position to a score (METHODOLOGY section 4), fitted once on a frozen base.

All but ``rank`` and ``percentile`` are a straight line clipped to a range. So a fitted scale is two numbers and applies
to any leading axes (years or draws) at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.catalogue.frameworks import Normalise
from pipeline.scoring.transform import MAD_TO_SD, AnyFloats, Bools, Floats

DEFAULT_CLIP = 3.0
MIDDLE_AND_SPREAD = ("robust_z", "z")  # methods that measure in spreads from a middle
SMALLEST_SPREAD = 1e-12  # a spread below this share of the values' size is rounding error


@dataclass(frozen=True)
class Scale:
    """``score = clip(offset + factor x position, low, high)``; NaN ``factor`` means no spread to measure with."""

    offset: float
    factor: float
    low: float
    high: float

    @property
    def has_spread(self) -> bool:
        return bool(np.isfinite(self.factor))

    def apply(self, position: AnyFloats) -> AnyFloats:
        """Scores of ``position`` ([..., areas]); NaN stays NaN."""
        score = self.factor * position
        score += self.offset
        return np.clip(score, self.low, self.high, out=score)


def median_and_mad(values: Floats) -> tuple[float, float]:
    """Median and (unscaled) median absolute deviation of a vector without NaN; NaN for an empty one."""
    if values.size == 0:
        return float("nan"), float("nan")
    median = float(np.median(values))
    return median, float(np.median(np.abs(values - median)))


def has_spread(values: Floats, spread: float) -> bool:
    """Whether ``spread`` is more than rounding error relative to the size of ``values``."""
    return bool(values.size > 1 and spread > SMALLEST_SPREAD * float(np.max(np.abs(values))))


def spread_of(settings: Normalise, values: Floats) -> float:
    """The spread that ``robust_z`` and ``z`` measure with: of a vector without NaN, 0 where there is none."""
    if values.size < 2:
        return 0.0
    return MAD_TO_SD * median_and_mad(values)[1] if settings.method == "robust_z" else float(values.std(ddof=1))


def fit_scale(
    settings: Normalise,
    base: Floats,
    polarity: int,
    *,
    centre: float | None = None,
    spread: float | None = None,
    goalposts: tuple[float, float] | None = None,
) -> Scale:
    """Fit a scale on the base positions (vector, one or more a scored district, no NaN).

    ``centre`` is the position that gets the middle score under ``robust_z`` (default: the base's median). Relative
    positions are already measured from the typical district, so 0 is passed for them. ``spread``: what ``robust_z`` and
    ``z`` measure with (default: ``spread_of`` the base). ``rank`` and ``percentile`` have no scale: see
    ``position_scores``.
    """
    low, high = settings.range
    none = Scale(float("nan"), float("nan"), low, high)
    if settings.method == "goalposts":
        if goalposts is None:
            raise ValueError("the goalposts method needs goalposts")
        start, end = goalposts if polarity > 0 else goalposts[::-1]
        factor = (high - low) / (end - start)
        return Scale(low - factor * start, factor, low, high)
    if base.size == 0:
        return none
    if settings.method == "min_max":
        smallest, largest = float(base.min()), float(base.max())
        if not has_spread(base, largest - smallest):
            return none
        start, end = (smallest, largest) if polarity > 0 else (largest, smallest)
        factor = (high - low) / (end - start)
        return Scale(low - factor * start, factor, low, high)
    if settings.method not in MIDDLE_AND_SPREAD:
        raise ValueError(f"method '{settings.method}' has no frozen scale")
    spread = spread_of(settings, base) if spread is None else spread
    if settings.method == "robust_z":
        middle = float(np.median(base)) if centre is None else centre
        clip = settings.clip or DEFAULT_CLIP
    else:
        middle, clip = float(base.mean()), settings.clip or 0.0
    if not has_spread(base, spread):
        return none
    if not clip:
        factor = polarity / spread
        return Scale(-factor * middle, factor, -np.inf, np.inf)
    factor = polarity * (high - low) / 2 / clip / spread
    return Scale((low + high) / 2 - factor * middle, factor, low, high)


def position_scores(settings: Normalise, position: AnyFloats, polarity: int, members: Bools) -> Floats:
    """Scores by order among the scored districts of the same year and draw.

    ``position``: [..., areas]; ``members``: [areas]. ``rank``: 1 for the worst district up to their number for the
    best. ``percentile``: the share of the other districts that are worse, on the settings' range. Ties share the mean;
    other areas get the place they would take. A single district scores NaN, as do rows without spread.
    """
    better = polarity * position
    rows = better.reshape(-1, better.shape[-1])
    out = np.full(rows.shape, np.nan)
    low, high = settings.range
    for index, row in enumerate(rows):
        reference = np.sort(row[members & ~np.isnan(row)])
        if reference.size < 2 or reference[0] == reference[-1]:
            continue
        below = np.searchsorted(reference, row, side="left")
        upto = np.searchsorted(reference, row, side="right")
        # a member is part of the reference: the mean rank among ties is below + (ties + 1) / 2
        place = np.where(members, (below + upto + 1) / 2, (below + upto) / 2 + 0.5)
        if settings.method == "rank":
            out[index] = np.clip(place, 1, reference.size)
        else:
            share = np.clip((place - 1) / (reference.size - 1), 0, 1)
            out[index] = low + (high - low) * share
        out[index, np.isnan(row)] = np.nan
    return out.reshape(better.shape)
