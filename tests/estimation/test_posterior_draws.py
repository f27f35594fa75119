"""Posterior draws: shrunk as the likelihood says, and intervals of ranks that hold the true rank."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import optimize

from pipeline.estimation.posterior import PosteriorError, draw_posterior, rank_interval, ranks_among, shrink
from tools.error_study.simulations import BOTH, PLAIN, POSTERIOR, RankCoverage, rank_coverage


def sample(seed: int, variance: float, areas: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    error = rng.uniform(0.5, 2.0, areas)
    return 10 + np.sqrt(variance) * rng.normal(size=areas) + error * rng.normal(size=areas), error


def restricted_log_likelihood(variance: float, x: np.ndarray, error: np.ndarray) -> float:
    weight = 1 / (variance + error**2)
    mean = (weight * x).sum() / weight.sum()
    return 0.5 * float(np.log(weight).sum() - np.log(weight.sum()) - (weight * (x - mean) ** 2).sum())


@pytest.mark.parametrize("variance", [0.3, 2.0, 9.0])
def test_the_variance_of_the_truth_maximises_the_restricted_likelihood(variance: float) -> None:
    x, error = sample(3, variance)
    best = optimize.minimize_scalar(
        lambda v: -restricted_log_likelihood(v, x, error), bounds=(0, 100), method="bounded", options={"xatol": 1e-10}
    )
    found = shrink(x, error)
    assert float(found.variance) == pytest.approx(best.x, rel=1e-5)
    weight = 1 / (best.x + error**2)
    mean = (weight * x).sum() / weight.sum()
    assert float(found.mean) == pytest.approx(mean, rel=1e-6)
    gamma = best.x / (best.x + error**2)
    assert found.value == pytest.approx(mean + gamma * (x - mean), rel=1e-5)
    assert found.error == pytest.approx(np.sqrt(gamma) * error, rel=1e-4)


def test_many_cases_at_once_give_what_each_gives_alone_in_any_unit() -> None:
    cases = [sample(seed, variance) for seed, variance in ((1, 0.5), (2, 3.0), (3, 0.0))]
    x, error = (np.array(part) for part in zip(*cases, strict=True))
    x[1, :7] = np.nan
    together = shrink(x, error)
    for k in range(3):
        alone = shrink(x[k], error[k])
        assert together.value[k] == pytest.approx(alone.value, nan_ok=True)
        tiny = shrink(x[k] * 1e-9, error[k] * 1e-9)
        assert tiny.value * 1e9 == pytest.approx(alone.value, rel=1e-6, nan_ok=True)


def test_estimates_that_differ_no_more_than_their_errors_say_so() -> None:
    error = np.full(40, 5.0)
    found = shrink(np.linspace(9, 11, 40), error)
    assert bool(found.is_at_edge)
    assert found.value == pytest.approx(10.0)
    assert found.error == pytest.approx(0.0)


def test_figures_without_an_error_stay_as_they_are_and_do_not_speak_for_the_others() -> None:
    x, error = sample(5, 2.0)
    alone = shrink(x, error)
    more = shrink(np.append(x, [500.0, 7.0]), np.append(error, [np.nan, 0.0]))
    assert more.value[:-2] == pytest.approx(alone.value)
    assert more.value[-2:].tolist() == [500.0, 7.0]
    assert more.weight[-2:].tolist() == [1.0, 1.0]
    drawn = draw_posterior(np.random.default_rng(1), more, 50)
    assert (drawn[:, -2:] == [500.0, 7.0]).all()


def test_too_few_areas_are_left_as_given_and_say_so() -> None:
    x, error = sample(5, 2.0, areas=4)
    found = shrink(x, error)
    assert not found.is_estimated
    assert found.value.tolist() == x.tolist()
    assert found.error.tolist() == error.tolist()
    nothing = shrink(np.full(9, np.nan), np.full(9, np.nan))
    assert not nothing.is_estimated


def test_equal_figures_and_wrong_input_have_named_ends() -> None:
    same = shrink(np.full(20, 3.0), np.full(20, 1.0))
    assert bool(same.is_at_edge)
    assert same.value == pytest.approx(3.0)
    with pytest.raises(PosteriorError, match="negative"):
        shrink(np.ones(5), np.full(5, -1.0))
    with pytest.raises(PosteriorError, match="differ in shape"):
        shrink(np.ones(5), np.ones(4))


def test_draws_are_those_of_the_posterior_and_the_same_for_the_same_seed() -> None:
    x, error = sample(6, 2.0)
    found = shrink(x, error)
    drawn = draw_posterior(np.random.default_rng(2), found, 20_000)
    assert drawn.mean(axis=0) == pytest.approx(found.value, abs=0.05)
    assert drawn.std(axis=0) == pytest.approx(found.error, rel=0.04)
    assert np.array_equal(drawn, draw_posterior(np.random.default_rng(2), found, 20_000))


@pytest.fixture(scope="module")
def simulated() -> dict[str, RankCoverage]:
    return rank_coverage(7, worlds=60)


def test_posterior_draws_hold_true_ranks_where_plain_draws_do_not(simulated: dict[str, RankCoverage]) -> None:
    plain, posterior = simulated[PLAIN], simulated[POSTERIOR]
    assert plain.everywhere < 0.84
    assert 0.89 < posterior.everywhere < 0.93
    assert plain.printed_ends < 0.83
    assert 0.89 < posterior.printed_ends < 0.95
    assert posterior.wrongly_sure < 0.05 < plain.wrongly_sure


def test_an_interval_for_both_holds_true_ranks_at_the_true_and_at_the_printed_ends(
    simulated: dict[str, RankCoverage],
) -> None:
    both = simulated[BOTH]
    assert min(both.everywhere, both.true_ends, both.printed_ends) > 0.92
    assert simulated[POSTERIOR].true_ends < 0.8, "what the wider interval is for"
    assert both.width < 1.15 * simulated[POSTERIOR].width


def test_ranks_among_rivals_leave_an_area_out_of_its_own_rivals_and_share_the_better_place() -> None:
    rivals = np.array([[5.0, 3.0, 3.0, 1.0]])
    assert ranks_among(rivals, rivals).tolist() == [[1, 2, 2, 4]]
    assert ranks_among(np.array([[2.0, 9.0, 0.0, 3.0]]), rivals).tolist() == [[3, 1, 4, 2]]


def test_where_nothing_tells_areas_apart_every_rank_is_possible() -> None:
    error = np.full(40, 5.0)
    figures = np.linspace(9, 11, 40)
    rng = np.random.default_rng(1)
    plain = figures + error * rng.normal(size=(200, 40))
    low, high = rank_interval(plain, draw_posterior(rng, shrink(figures, error), 200))
    assert (low == 1).all()
    assert (high == 40).all()


def test_all_indicators_and_years_are_shrunk_within_a_second() -> None:
    cases = [sample(seed, 2.0, areas=360) for seed in range(20 * 17)]
    x, error = (np.array(part).reshape(20, 17, 360) for part in zip(*cases, strict=True))
    began = time.process_time()
    found = shrink(x, error)
    assert time.process_time() - began < 2
    assert found.value.shape == x.shape
