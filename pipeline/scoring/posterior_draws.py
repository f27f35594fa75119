"""Draws of positions: plain ones about the figures as published, and posterior ones of what the truth may be.

Method: `pipeline.estimation.posterior`. Both kinds share one set of errors, so that draw by draw they are one world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.estimation.posterior import shrink
from pipeline.scoring.transform import Bools, Floats, Singles

# Where figures differ no more than their errors explain, the spread of the truth still counts as this share of a typical
# error variance. Without any, all areas would tie, and each would be first with certainty.
LEAST_SPREAD = 0.01


@dataclass(frozen=True)
class Pull:
    """How posterior draws differ from plain ones: ``weight`` (gamma) and ``shift`` (towards the mean): [..., areas]."""

    weight: Floats
    shift: Floats


def pull_of(position: Floats, error: Floats, groups: Sequence[Bools], members: Bools) -> Pull:
    """The pull towards the mean of each group's districts; none for areas without an error, or of fewer than five.

    ``position``, ``error``: [..., areas]; ``groups``: [areas] each, the areas measured together; ``members``: [areas],
    the scored districts, which alone make the mean and the spread of the truth. Wider areas are pulled by the same.
    """
    weight, shift = np.ones(position.shape), np.zeros(position.shape)
    variance = np.nan_to_num(error) ** 2
    for inside in groups:
        own = inside & members
        if not own.any():
            continue
        found = shrink(position[..., own], error[..., own])
        is_used = ~np.isnan(position[..., own]) & (variance[..., own] > 0)
        usual = np.where(is_used, variance[..., own], 0).sum(axis=-1) / np.maximum(is_used.sum(axis=-1), 1)
        spread = np.maximum(found.variance, LEAST_SPREAD * usual)[..., None]
        is_pulled = inside & (variance > 0) & found.is_estimated[..., None] & ~np.isnan(position)
        weight = np.where(is_pulled, spread / np.where(is_pulled, spread + variance, 1.0), weight)
        shift = np.where(is_pulled, (weight - 1) * (position - found.mean[..., None]), shift)
    return Pull(weight, shift)


def plain_and_posterior(point: Floats, errors: Singles, pull: Pull, groups: Sequence[Bools], members: Bools) -> Singles:
    """Positions in every draw: [2 x draws, areas], plain draws first, posterior draws after them.

    ``point``: [areas]; ``errors``: [draws, areas], those of the position; ``groups``: the areas compared with one typical
    district, none if positions are used as given. The typical district moves with the draws. Plain draws add noise to
    figures that already contain noise, which would shift it towards the longer tail in all draws alike; so its shift is
    centred. Posterior draws are measured from their own typical district.
    """
    draws = len(errors)
    out = np.empty((2 * draws, len(point)), dtype=np.float32)
    plain, posterior = out[:draws], out[draws:]
    np.add(errors, point.astype(np.float32), out=plain)
    np.multiply(errors, np.sqrt(pull.weight).astype(np.float32), out=posterior)
    posterior += (point + pull.shift).astype(np.float32)
    for inside in groups:
        own = inside & members & ~np.isnan(point)
        if not own.any():
            continue
        shift = np.median(plain[:, own], axis=1)
        _move(plain, inside, shift - shift.mean())
        _move(posterior, inside, np.median(posterior[:, own], axis=1) - np.float32(np.median(point[own])))
    return out


def _move(drawn: Singles, inside: Bools, shift: Singles) -> None:
    if inside.all():
        drawn -= shift[:, None]
    else:
        drawn[:, inside] -= shift[:, None]
