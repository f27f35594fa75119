"""Confidence sets for ranks: exact where errors are nil, covering where they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal

from pipeline.scoring import ScoringInputError, rank_table
from pipeline.scoring.draws import normals
from pipeline.scoring.rank_sets import both_rank_sets, rank_confidence_sets, rank_sets_of_draws
from pipeline.scoring.ranks import rank_draws, rank_rows
from tests.scoring.conftest import SHARED


def table(estimates, errors) -> pd.DataFrame:
    codes = [f"A{n}" for n in range(len(estimates))]
    return pd.DataFrame({"area_code": codes, "estimate": estimates, "standard_error": errors})


@pytest.mark.parametrize("simultaneous", [False, True])
def test_without_error_every_set_is_the_rank_itself(simultaneous):
    ranks = rank_table(table([3.0, 1.0, 2.0, 2.0], [0.0] * 4), 0.95, simultaneous)
    assert list(ranks) == ["area_code", "rank", "rank_lower", "rank_upper"]
    assert ranks["rank"].tolist() == [1, 4, 2, 2]
    assert ranks["rank_lower"].tolist() == [1, 4, 2, 2]
    assert ranks["rank_upper"].tolist() == [1, 4, 3, 3]  # two that are exactly equal may each be last of the pair


@pytest.mark.parametrize("simultaneous", [False, True])
def test_with_huge_errors_nothing_can_be_told_apart(simultaneous):
    ranks = rank_table(table([3.0, 1.0, 2.0], [1e6] * 3), 0.95, simultaneous)
    assert ranks["rank_lower"].tolist() == [1, 1, 1]
    assert ranks["rank_upper"].tolist() == [3, 3, 3]


def test_simultaneous_sets_contain_marginal_ones_and_both_contain_the_rank():
    rng = np.random.default_rng(3)
    theta, sigma = rng.normal(0, 4, 60), rng.uniform(0.5, 2, 60)
    alone = rank_confidence_sets(theta, sigma, 0.9, simultaneous=False)
    together = rank_confidence_sets(theta, sigma, 0.9, simultaneous=True)
    assert (together.lower <= alone.lower).all()
    assert (together.upper >= alone.upper).all()
    for sets in (alone, together):
        assert ((sets.lower <= sets.rank) & (sets.rank <= sets.upper)).all()


def test_two_places_are_told_apart_just_beyond_the_two_sided_normal_limit():
    limit = 1.96 * np.sqrt(2)
    for gap, told_apart in ((limit * 0.95, False), (limit * 1.05, True)):
        sets = rank_confidence_sets(np.array([gap, 0.0]), np.ones(2), 0.95, simultaneous=False, draws=20_000)
        assert (sets.upper[0] == 1) == told_apart


@pytest.mark.parametrize("simultaneous", [False, True])
def test_sets_cover_true_ranks_at_least_as_often_as_they_say(simultaneous):
    rng = np.random.default_rng(11)
    theta = np.sort(rng.normal(0, 2, 25))[::-1]
    sigma = rng.uniform(0.3, 1.0, 25)
    true = rank_rows(theta)
    hits = []
    for seed in range(120):
        sets = rank_confidence_sets(
            theta + rng.normal(0, sigma), sigma, 0.9, simultaneous=simultaneous, draws=400, seed=seed
        )
        inside = (sets.lower <= true) & (true <= sets.upper)
        hits.append(inside.all() if simultaneous else inside.mean())
    assert np.mean(hits) >= 0.88


def test_stepdown_never_widens_and_more_coverage_never_narrows():
    rng = np.random.default_rng(4)
    theta, sigma = rng.normal(0, 5, 40), rng.uniform(0.5, 1.5, 40)
    narrow, wide = (rank_confidence_sets(theta, sigma, c, simultaneous=True) for c in (0.8, 0.99))
    assert (wide.lower <= narrow.lower).all()
    assert (wide.upper >= narrow.upper).all()


def test_an_empty_estimate_has_no_rank_and_is_nobodys_rival():
    ranks = rank_table(table([3.0, np.nan, 1.0], [0.1, np.nan, 0.1]))
    assert ranks["rank"].isna().tolist() == [False, True, False]
    assert ranks["rank_upper"].tolist()[0] == 1
    assert ranks["rank_upper"].tolist()[2] == 2


def test_a_single_area_ranks_first():
    assert rank_table(table([3.0], [1.0])).loc[0, ["rank", "rank_lower", "rank_upper"]].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("frame", "coverage", "message"),
    [
        (table([1.0, 2.0], [0.1, np.nan]), 0.95, "area_code A1: standard_error must be 0 or more"),
        (table([1.0, 2.0], [0.1, -1.0]), 0.95, "area_code A1: standard_error must be 0 or more"),
        (table([1.0, np.inf], [0.1, 0.1]), 0.95, "area_code A1: estimate is infinite"),
        (table([1.0, 2.0], [0.1, 0.1]).assign(area_code="A0"), 0.95, "area_code A0 is given twice"),
        (table([1.0, 2.0], [0.1, 0.1]), 95, "coverage must be between 0 and 1"),
        (table([1.0], [0.1]).drop(columns="estimate"), 0.95, "no column estimate"),
    ],
)
def test_estimates_that_cannot_be_ranked_are_refused_with_the_row(frame, coverage, message):
    with pytest.raises(ScoringInputError, match=message):
        rank_table(frame, coverage)


def test_packed_ranks_equal_plain_ranks_with_ties_and_negative_scores():
    rng = np.random.default_rng(1)
    scores = np.round(rng.normal(0, 3, (250, 40)), 1).astype(np.float32)  # more draws than are ranked at once
    plain = rank_rows(scores.astype(float)).astype(int).T
    assert np.array_equal(rank_draws(scores), plain)
    assert np.array_equal(rank_draws(scores, bounds=(-20.0, 20.0)), plain)
    clipped = np.clip(scores * 40, 0, 100)
    ends = rank_draws(clipped, bounds=(0.0, 100.0))
    assert np.array_equal(ends, rank_rows(clipped.astype(float)).astype(int).T)
    assert rank_draws(scores[:, :1], bounds=(-20.0, 20.0)).tolist() == [[1] * 250]


def slow_sets(theta, sigma, coverage, noise, simultaneous):
    """Mogstad et al., algorithms 3.1 to 3.3, in plain Python on the same drawn errors ([draws, areas]).

    ``(j, k)`` is the one-sided hypothesis that k is not above j. Only a hypothesis that is rejected leaves its family;
    the one in the other direction stays.
    """
    n = len(theta)
    families = [[(j, k) for j in range(n) for k in range(n) if j != k]] if simultaneous else [
        [pair for k in range(n) if k != j for pair in ((j, k), (k, j))] for j in range(n)
    ]  # fmt: skip
    found = []
    for family in families:
        left, rejected = list(family), set()
        while left:
            largest = sorted(max((row[k] - row[j]) / np.hypot(sigma[j], sigma[k]) for j, k in left) for row in noise)
            critical = largest[int(np.ceil(coverage * (len(largest) - 1)))]
            new = {(j, k) for j, k in left if (theta[k] - theta[j]) / np.hypot(sigma[j], sigma[k]) > critical}
            if not new:
                break
            rejected |= new
            left = [pair for pair in left if pair not in new]
        found.append(rejected)
    of = [found[0] if simultaneous else found[j] for j in range(n)]
    lower = [1 + sum((j, k) in of[j] for k in range(n)) for j in range(n)]
    upper = [n - sum((k, j) in of[j] for k in range(n)) for j in range(n)]
    return lower, upper


@pytest.mark.parametrize("simultaneous", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_sets_are_those_of_a_plain_implementation_pair_by_pair(simultaneous, seed):
    rng = np.random.default_rng(seed)
    theta, sigma = rng.normal(0, 3, 9), rng.uniform(0.3, 1.5, 9)
    noise = normals(seed, "rank sets", 0, 0, 150, 9) * sigma
    lower, upper = slow_sets(theta, sigma, 0.9, noise, simultaneous)
    sets = rank_confidence_sets(theta, sigma, 0.9, simultaneous=simultaneous, draws=150, seed=seed)
    assert sets.lower.tolist() == lower
    assert sets.upper.tolist() == upper
    assert sum(upper) - sum(lower) < 9 * 8, "something can be told apart"


def test_a_decided_pair_is_still_guarded_against_in_the_other_direction():
    """Three places: one far below, and a near rival whose limit the far one moves although it is decided.

    The differences to the first place have a correlation of 0.5. The far one is surely below; that it is above stays
    in the family. So the limit of the near one is where ``max(|near|, far)`` has its 95th percentile, not 1.96.
    """
    pair = multivariate_normal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]])
    limit = brentq(lambda c: pair.cdf([c, c], lower_limit=[-c, -np.inf]) - 0.95, 1.5, 3)
    assert 2.05 < limit < 2.25
    for share, told_apart in ((1.97 / limit, False), (0.97, False), (1.03, True)):
        gap = share * limit * np.sqrt(2)
        sets = rank_confidence_sets(np.array([gap, 0.0, -50.0]), np.ones(3), 0.95, simultaneous=False, draws=20_000)
        assert sets.upper[0] == (1 if told_apart else 2)


def test_sets_are_those_of_the_authors_own_package_for_pisa_2022():
    """csranks 1.2.2 on the mathematics scores of 37 countries: lowest and highest end in three runs of 20,000 draws."""
    path = SHARED / "validation" / "csranks_pisa2022_math_95.csv"
    if not path.exists():
        pytest.skip("the sets of csranks (../shared/data/validation) are not here")
    theirs = pd.read_csv(path)
    alone, together = both_rank_sets(
        theirs["estimate"].to_numpy(float), theirs["standard_error"].to_numpy(float), 0.95, draws=20_000
    )
    assert together is not None
    for name, sets in (("marginal", alone), ("simultaneous", together)):
        agrees = pd.Series(data=True, index=theirs.index)
        for end, ours in (("lower", sets.lower), ("upper", sets.upper)):
            agrees &= theirs[f"{name}_{end}_min"].le(ours) & theirs[f"{name}_{end}_max"].ge(ours)
        differ = theirs.loc[~agrees, "area_code"].tolist()
        print(f"{name} sets: {agrees.sum()} of {len(theirs)} agree; these differ: {differ or 'none'}")
        assert agrees.sum() >= 34, f"{name} sets differ for {differ}"


def drawn_worlds(estimates: np.ndarray, shared_error: float, own_error: float, draws: int, seed: int = 4) -> np.ndarray:
    """[draws, areas]: estimates with an error that all areas share in a world, and one of their own."""
    rng = np.random.default_rng(seed)
    shared = shared_error * rng.standard_normal((draws, 1))
    return (estimates + shared + own_error * rng.standard_normal((draws, estimates.size))).astype(np.float32)


def test_sets_of_draws_with_independent_errors_are_those_of_their_standard_errors():
    estimates = np.linspace(0, 10, 30)
    given = rank_confidence_sets(estimates, np.full(30, 0.5), 0.9, simultaneous=False, draws=20_000)
    found = rank_sets_of_draws(estimates, drawn_worlds(estimates, 0.0, 0.5, 20_000), 0.9)
    assert np.abs(found.lower - given.lower).max() <= 1
    assert np.abs(found.upper - given.upper).max() <= 1
    assert (found.rank == given.rank).all()


def test_an_error_that_all_places_share_tells_none_of_them_apart_less():
    estimates = np.linspace(0, 10, 30)
    alone = rank_sets_of_draws(estimates, drawn_worlds(estimates, 0.0, 0.5, 2_000), 0.9)
    with_shared = rank_sets_of_draws(estimates, drawn_worlds(estimates, 20.0, 0.5, 2_000), 0.9)
    width = (alone.upper - alone.lower).mean()
    assert (with_shared.upper - with_shared.lower).mean() == pytest.approx(width, rel=0.1)
    as_if_independent = rank_confidence_sets(estimates, np.full(30, 20.0), 0.9, simultaneous=False)
    assert (as_if_independent.upper - as_if_independent.lower).mean() > 3 * width


def test_sets_of_draws_hold_the_true_rank_of_a_place_at_least_as_often_as_they_say():
    rng = np.random.default_rng(9)
    truth = rng.normal(0, 3, 40)
    true_rank = rank_rows(truth)
    held = []
    for seed in range(60):
        estimates = truth + rng.normal(0, 1) * 2 + rng.normal(0, 1, 40)
        sets = rank_sets_of_draws(estimates, drawn_worlds(estimates, 2.0, 1.0, 200, seed), 0.9)
        held.append((sets.lower <= true_rank) & (true_rank <= sets.upper))
    assert np.mean(held) >= 0.9


def test_a_place_without_an_estimate_has_no_set_and_exact_ones_are_told_apart():
    estimates = np.array([3.0, np.nan, 1.0, 2.0])
    exact = np.repeat(np.nan_to_num(estimates)[None, :], 50, axis=0).astype(np.float32)
    sets = rank_sets_of_draws(estimates, exact, 0.9)
    assert np.isnan(sets.lower[1])
    assert sets.lower[[0, 2, 3]].tolist() == sets.upper[[0, 2, 3]].tolist() == [1, 3, 2]


def test_one_draw_or_an_impossible_coverage_is_refused():
    with pytest.raises(ValueError, match="two draws at least"):
        rank_sets_of_draws(np.zeros(3), np.zeros((1, 3), dtype=np.float32), 0.9)
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_sets_of_draws(np.zeros(3), np.zeros((5, 3), dtype=np.float32), 1.5)
