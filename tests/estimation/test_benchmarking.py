"""Benchmarked figures agree with regions and nations, and what cannot agree is refused."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.estimation import EstimationError, benchmark

REGIONS = ["north"] * 4 + ["south"] * 3 + ["wales"] * 5 + ["island"]
NATIONS = {"north": "england", "south": "england", "wales": "wales", "island": "wales"}
WEIGHTS = np.random.default_rng(1).uniform(1e4, 1e6, len(REGIONS))
FIGURES = np.random.default_rng(2).normal(75, 4, len(REGIONS))
REGIONAL = {"north": 74.0, "south": 77.0, "wales": 71.5, "island": 69.0}


def mean_of(figures, group: str, of) -> float:
    is_in = np.array([of(region) == group for region in REGIONS])
    return float(np.average(figures[is_in], weights=WEIGHTS[is_in]))


@pytest.mark.parametrize("adjustment", ["ratio", "difference"])
def test_weighted_means_are_the_regions_figures(adjustment):
    found = benchmark(FIGURES, WEIGHTS, REGIONS, REGIONAL, adjustment=adjustment)
    for region, figure in REGIONAL.items():
        assert mean_of(found.figures, region, str) == pytest.approx(figure, abs=1e-9)
    assert found.regional == REGIONAL


@pytest.mark.parametrize("adjustment", ["ratio", "difference"])
def test_nations_hold_too_and_regions_are_moved_to_them_together(adjustment):
    national = {"england": 75.9}
    found = benchmark(FIGURES, WEIGHTS, REGIONS, REGIONAL, nations=NATIONS, national=national, adjustment=adjustment)
    assert mean_of(found.figures, "england", NATIONS.__getitem__) == pytest.approx(75.9, abs=1e-9)
    for region, figure in found.regional.items():
        assert mean_of(found.figures, region, str) == pytest.approx(figure, abs=1e-9)
    assert found.regional["wales"] == 71.5
    moved = [found.regional[name] - REGIONAL[name] for name in ("north", "south")]
    shares = [found.regional[name] / REGIONAL[name] for name in ("north", "south")]
    assert moved[0] == pytest.approx(moved[1]) if adjustment == "difference" else shares[0] == pytest.approx(shares[1])


def test_figures_of_nations_that_regions_already_make_change_nothing():
    of_england = [WEIGHTS[:4].sum(), WEIGHTS[4:7].sum()]
    england = float(np.average([74.0, 77.0], weights=of_england))
    plain = benchmark(FIGURES, WEIGHTS, REGIONS, REGIONAL)
    both = benchmark(FIGURES, WEIGHTS, REGIONS, REGIONAL, nations=NATIONS, national={"england": england})
    np.testing.assert_allclose(both.figures, plain.figures, rtol=1e-13)


def test_within_a_region_a_ratio_keeps_ratios_and_a_difference_keeps_differences():
    by_ratio = benchmark(FIGURES, WEIGHTS, REGIONS, REGIONAL).figures
    by_difference = benchmark(FIGURES, WEIGHTS, REGIONS, REGIONAL, adjustment="difference").figures
    np.testing.assert_allclose(by_ratio[:4] / by_ratio[0], FIGURES[:4] / FIGURES[0])
    np.testing.assert_allclose(by_difference[:4] - by_difference[0], FIGURES[:4] - FIGURES[0], atol=1e-12)


def test_an_area_that_is_its_regions_only_one_takes_its_figure_and_is_named():
    found = benchmark(FIGURES, WEIGHTS, REGIONS, REGIONAL)
    assert found.is_only_one.tolist() == [False] * 12 + [True]
    assert found.figures[12] == pytest.approx(69.0, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modelled": np.where(FIGURES[2] == FIGURES, np.nan, FIGURES)}, "area 3: benchmarking needs a figure"),
        ({"weights": np.where(FIGURES[2] == FIGURES, -1.0, WEIGHTS)}, "area 3: .* weight of 0 or more"),
        ({"weights": np.zeros(len(REGIONS))}, "island: the weights of its areas are 0"),
        ({"regional": {**REGIONAL, "north": np.nan}}, "region north has no figure"),
        ({"regional": {"north": 74.0}}, "region island has no figure"),
        ({"regional": {**REGIONAL, "east": 1.0}}, "region east has a figure to agree with, but no area"),
        ({"regional": {**REGIONAL, "north": -1.0}}, "north: .* cannot be reached .* by difference"),
        ({"nations": {"north": "england"}, "national": {"england": 75.0}}, "region island is in no nation"),
        ({"nations": NATIONS, "national": {"scotland": 75.0}}, "nation scotland has a figure to agree with"),
    ],
)
def test_what_cannot_agree_is_refused_by_name(change, message):
    given = {"modelled": FIGURES, "weights": WEIGHTS, "regions": REGIONS, "regional": REGIONAL, **change}
    with pytest.raises(EstimationError, match=message):
        benchmark(**given)
