"""Fisher scoring within bounds: each step is held back until the likelihood grows, and stays within the range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from scipy.optimize import minimize

from pipeline.estimation.arrays import Bools, Floats
from pipeline.estimation.errors import EstimationError

MOST_ITERATIONS = 30
MOST_HALVINGS = 5
GRADIENT_OPTIONS = {"ftol": 1e-15, "gtol": 1e-8, "maxiter": 500}
# Gain in log-likelihood that a step promises. Below the first the likelihood is too coarse a guide and the step is
# taken as it is; below the second the parameters are settled to about 1e-9 of their standard errors.
GAIN_TOO_SMALL_TO_SEE = 1e-8
GAIN_OF_NO_MATTER = 1e-18
# Of a correlation matrix of parameters: less is no information.
LEAST_EIGENVALUE = 1e-12

TINY = np.finfo(float).tiny

State = TypeVar("State")


class Likelihood(Protocol[State]):
    """A likelihood of few parameters. A state is what was worked out for one set of them."""

    def at(self, parameters: Floats) -> State | None:
        """The state at these parameters, [parameters]; None where there is no likelihood."""

    def log_likelihood(self, state: State) -> float:
        """The logarithm of the likelihood to climb."""

    def score_and_information(self, state: State) -> tuple[Floats, Floats]:
        """Its derivatives, [parameters], and their expected information, [parameters, parameters]."""


@dataclass(frozen=True)
class Point(Generic[State]):
    """One set of ``parameters``, [parameters], at which the likelihood could be worked out."""

    parameters: Floats
    log_likelihood: float
    state: State


@dataclass(frozen=True)
class Maximum(Generic[State]):
    """``is_at_edge``: [parameters], at an end of the range, where the likelihood rises on beyond it."""

    point: Point[State]
    is_at_edge: Bools
    iterations: int


def points(model: Likelihood[State], starts: list[Floats]) -> list[Point[State]]:
    """Those of ``starts`` at which the likelihood can be worked out. Raises EstimationError where it is none of them."""
    found = [point for start in starts if (point := _point(model, start)) is not None]
    if not found:
        raise EstimationError(
            "no likelihood can be worked out: the estimates or their standard errors are too far apart in size; "
            "check their units"
        )
    return found


def _point(model: Likelihood[State], parameters: Floats) -> Point[State] | None:
    state = model.at(parameters)
    if state is None:
        return None
    height = model.log_likelihood(state)
    return Point(parameters, height, state) if np.isfinite(height) else None


def maximise(
    model: Likelihood[State], start: Point[State], lower: Floats, upper: Floats, longest: Floats
) -> Maximum[State]:
    """The maximum of a likelihood within ``lower`` and ``upper``, [parameters], from a start inside.

    No step changes a parameter by more than ``longest``. A parameter at an end of its range is held there as long as
    the likelihood rises beyond it. Where scoring does not settle in a few steps, as where the information is far from
    the likelihood's curvature, L-BFGS-B finishes.
    """
    here, gain_before = start, np.inf
    for iteration in range(1, MOST_ITERATIONS + 1):
        score, information = model.score_and_information(here.state)
        is_at_edge = _is_at_edge(here.parameters, score, lower, upper)
        step = _step(here.parameters, score, information, is_at_edge, lower, upper)
        gain = float(score @ step)
        if gain < GAIN_OF_NO_MATTER or (gain_before < GAIN_TOO_SMALL_TO_SEE and gain >= gain_before):
            return Maximum(here, is_at_edge, iteration)
        step *= min(1.0, float((longest / np.maximum(np.abs(step), TINY)).min()))
        moved = _guarded(model, here, step, gain, lower, upper)
        if moved is None:
            break
        here, gain_before = moved, gain
    return _by_gradient(model, here, lower, upper, iteration)


def _is_at_edge(here: Floats, score: Floats, lower: Floats, upper: Floats) -> Bools:
    is_at_edge: Bools = ((here <= lower) & (score <= 0)) | ((here >= upper) & (score >= 0))
    return is_at_edge


def _guarded(
    model: Likelihood[State], here: Point[State], step: Floats, gain: float, lower: Floats, upper: Floats
) -> Point[State] | None:
    """The step, halved until the likelihood grows; None where it does not."""
    for halving in range(MOST_HALVINGS + 1):
        there = _point(model, np.clip(here.parameters + step / 2**halving, lower, upper))
        if there is not None and (there.log_likelihood > here.log_likelihood or gain < GAIN_TOO_SMALL_TO_SEE):
            return there
    return None


def _by_gradient(
    model: Likelihood[State], here: Point[State], lower: Floats, upper: Floats, iterations: int
) -> Maximum[State]:
    """Climb on from ``here`` by gradients alone, in units of what each parameter's information says it is known by."""
    information = np.diag(model.score_and_information(here.state)[1])
    unit = np.where(information > 0, 1 / np.sqrt(np.where(information > 0, information, 1.0)), 1.0)

    def descend(scaled: Floats) -> tuple[float, Floats]:
        there = _point(model, np.clip(scaled * unit, lower, upper))
        if there is None:
            return np.inf, np.zeros_like(scaled)
        return -there.log_likelihood, -model.score_and_information(there.state)[0] * unit

    bounds = list(zip(lower / unit, upper / unit, strict=True))
    found = minimize(
        descend, here.parameters / unit, jac=True, method="L-BFGS-B", bounds=bounds, options=GRADIENT_OPTIONS
    )
    there = _point(model, np.clip(found.x * unit, lower, upper))
    top = there if there is not None and there.log_likelihood >= here.log_likelihood else here
    is_at_edge = _is_at_edge(top.parameters, model.score_and_information(top.state)[0], lower, upper)
    return Maximum(top, is_at_edge, iterations + int(found.nit))


def _step(here: Floats, score: Floats, information: Floats, is_held: Bools, lower: Floats, upper: Floats) -> Floats:
    """The scoring step of the parameters that are free; one that would leave its range from an end of it is held too."""
    is_free = ~is_held
    while True:
        step = np.zeros_like(here)
        if is_free.any():
            step[is_free] = inverse_where_known(information[np.ix_(is_free, is_free)]) @ score[is_free]
        leaves = is_free & (((here <= lower) & (step < 0)) | ((here >= upper) & (step > 0)))
        if not leaves.any():
            return step
        is_free &= ~leaves


def inverse_where_known(information: Floats) -> Floats:
    """Inverse of a positive semidefinite matrix, 0 in directions without information, whatever the units."""
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    inverse_scale = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    units = np.outer(inverse_scale, inverse_scale)
    found: Floats = np.linalg.pinv(information * units, rcond=LEAST_EIGENVALUE, hermitian=True) * units
    return found
