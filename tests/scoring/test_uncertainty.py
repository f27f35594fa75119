"""Intervals cover what they say, and the draws are the same however they are made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import IndicatorSpec, score_framework, score_table
from pipeline.scoring.draws import BLOCK, centred_interval, normals, quantiles, rank_interval
from pipeline.scoring.flavour import run_flavour
from pipeline.scoring.inputs import read_areas, read_cube
from pipeline.scoring.positions import indicator_series
from pipeline.scoring.posterior_draws import plain_and_posterior, pull_of
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.simulate import Series, Variant, simulate
from tests.scoring.conftest import FRAMEWORK, SPECS, areas_of, plain, synthetic_figures

TREE = {
    "id": "index",
    "aggregate": "geometric",
    "children": [
        {"id": "growth", "aggregate": "geometric", "children": [{"id": "p1", "indicators": ["a"]}, {"id": "p2", "indicators": ["b"]}]},
        {"id": "sharing", "indicators": ["c", "d"]},
    ],
}  # fmt: skip
KNOWN = {name: IndicatorSpec(1, "log_ratio" if name in "ab" else "difference") for name in "abcd"}


def long(name: str, years: range, values: np.ndarray, errors: np.ndarray, codes: list[str]) -> pd.DataFrame:
    """``values``, ``errors``: [years, areas]."""
    frame = pd.DataFrame(values, index=years, columns=codes).stack().rename("value").reset_index()
    frame.columns = ["year", "area_code", "value"]
    return frame.assign(indicator_id=name, standard_error=errors.reshape(-1), status="ok")


def framework(**fields: Any):
    return parse_framework(
        {
            "id": "coverage",
            "base_year": 2000,
            "normalise": {"method": "robust_z", "clip": 6},
            "missing": {"carry_forward_years": 0},
            "tree": TREE,
        }
        | fields
    )


def coverage(tables: Any, truth: Any, keep: str) -> pd.Series:
    """Share of true scores inside their 90% interval, by node."""
    keys = ["area_code", "flavour", "window_years", "year", "node_id"]
    both = tables.score.merge(truth.score[[*keys, "score"]], on=keys, suffixes=("", "_true")).query(keep)
    inside = both["score_true"].between(both["score_lower"], both["score_upper"])
    return inside.groupby(both["node_id"]).mean()


def test_ninety_per_cent_intervals_of_level_scores_cover_the_truth_90_to_94_per_cent_of_the_time():
    rng = np.random.default_rng(5)
    codes = [f"E{n:03d}" for n in range(120)]
    replicates = range(2001, 2041)  # every year is a new survey of the same truth, on the base of 2000
    observed, true = [], []
    for name, spec in KNOWN.items():
        z = rng.normal(0, 1, len(codes))
        level = 20 * np.exp(0.2 * z) if spec.transform == "log_ratio" else 50 + 5 * z
        error = (0.06 * level if spec.transform == "log_ratio" else np.full(len(codes), 1.5)) * rng.uniform(
            0.6, 1.4, len(codes)
        )
        everywhere = np.tile(level, (len(replicates), 1))
        noise = rng.normal(0, 1, everywhere.shape) * error
        base = long(name, range(2000, 2001), level[None, :], np.zeros((1, len(codes))), codes)
        observed += [base, long(name, replicates, everywhere + noise, np.tile(error, (len(replicates), 1)), codes)]
        true += [base, long(name, replicates, everywhere, np.zeros_like(everywhere), codes)]
    areas = areas_of(pd.DataFrame({"area_code": codes}))
    settings = {"first_year": 2001}
    fw = framework(windows=[])
    tables = score_framework(fw, pd.concat(observed), areas, KNOWN, draws=400, **settings)
    truth = score_framework(fw, pd.concat(true), areas, KNOWN, **settings)
    found = coverage(tables, truth, "flavour == 'level'")
    assert len(found) == 9
    assert found.between(0.9, 0.94).all(), found


def test_ninety_per_cent_intervals_of_change_scores_cover_the_truth_89_to_94_per_cent_of_the_time():
    share = 0.6
    rng = np.random.default_rng(6)
    codes = [f"E{n:04d}" for n in range(300)]
    years = range(1991, 2041)
    observed, true = [], []
    for name, spec in KNOWN.items():
        steps = rng.normal(0, 0.2, (len(years), len(codes)))
        z = rng.normal(0, 1, len(codes)) + np.cumsum(steps, axis=0)
        level = 20 * np.exp(0.05 * z) if spec.transform == "log_ratio" else 50 + 2 * z
        error = 0.012 * level if spec.transform == "log_ratio" else np.full(level.shape, 0.5)
        noise = np.sqrt(1 - share) * rng.normal(0, 1, len(codes)) + np.sqrt(share) * rng.normal(0, 1, level.shape)
        # the base window is free of error, so that one frozen base serves both
        exact = np.array(years)[:, None] <= 2000
        observed.append(long(name, years, level + np.where(exact, 0, noise * error), np.where(exact, 0, error), codes))
        true.append(long(name, years, level, np.zeros_like(level), codes))
    areas = areas_of(pd.DataFrame({"area_code": codes}))
    fw = framework(windows=[{"years": 10, "min_points": 10}])
    settings = {"first_year": 2010}
    tables = score_framework(fw, pd.concat(observed), areas, KNOWN, draws=400, **settings)
    truth = score_framework(fw, pd.concat(true), areas, KNOWN, **settings)
    found = coverage(tables, truth, "flavour == 'change' and year in (2010, 2015, 2020, 2025, 2030, 2035, 2040)")
    assert len(found) == 9
    assert found.between(0.89, 0.94).all(), found


def test_rank_intervals_cover_the_true_rank_also_of_those_that_truly_come_first_or_last():
    """Drawn ranks taken as they come would cover the truly first and last 65 times in 100: they move inwards."""
    rng = np.random.default_rng(5)
    codes = [f"E{n:03d}" for n in range(120)]
    replicates = range(2001, 2021)
    truth = rng.normal(0, 1, len(codes))
    error = 0.6 * rng.uniform(0.6, 1.4, len(codes))
    base = long("d", range(2000, 2001), truth[None, :], np.zeros((1, len(codes))), codes)
    surveys = truth + rng.normal(0, 1, (len(replicates), len(codes))) * error
    observed = long("d", replicates, surveys, np.tile(error, (len(replicates), 1)), codes)
    fw = framework(windows=[], normalise={"method": "robust_z", "clip": 3}, tree={"id": "index", "indicators": ["d"]})
    areas = areas_of(pd.DataFrame({"area_code": codes}))
    score = score_framework(fw, pd.concat([base, observed]), areas, KNOWN, draws=200, first_year=2001).score
    ranks = plain(score[score["node_id"] == "index"]).set_index("area_code")
    true = pd.Series(truth, codes).rank(ascending=False).reindex(ranks.index)
    inside = (ranks["rank_lower"] <= true) & (true <= ranks["rank_upper"])
    assert inside.mean() > 0.85
    assert inside[(true <= 6) | (true > 114)].mean() > 0.8


@pytest.mark.parametrize("draws", [20, 100])
@pytest.mark.parametrize("mean", ["arithmetic", "geometric", "harmonic"])
def test_every_interval_holds_its_score_and_its_rank(draws, mean):
    """Also where errors are wide, scores lie at the ends of the scale and means fall to their floor."""
    figures = with_errors(synthetic_figures(12, districts=60), 6.0)
    tree = FRAMEWORK["tree"] | {"aggregate": mean}
    fw = parse_framework(FRAMEWORK | {"gate": None, "normalise": {"method": "robust_z", "clip": 1}, "tree": tree})
    score = score_framework(fw, figures, areas_of(figures), SPECS, draws=draws, first_year=2014).score
    held = score.dropna(subset="score_lower")
    assert ((held["score_lower"] <= held["score"]) & (held["score"] <= held["score_upper"])).all()
    assert held["score"].isin([0, 100]).sum() > 50
    ranked = held.dropna(subset="rank")
    assert ((ranked["rank_lower"] <= ranked["rank"]) & (ranked["rank"] <= ranked["rank_upper"])).all()
    assert len(ranked) > 5000
    assert (ranked["rank_upper"] <= ranked["rank_count"]).all()


def test_those_that_tie_at_an_end_of_the_scale_may_each_be_last_of_the_tie():
    scores = np.array([100.0, 100, 60, 50, 40, 0, 0, 0])
    drawn = np.tile(scores.astype(np.float32), (100, 1))
    ranks = np.tile(rank_rows(scores).astype(np.int16)[:, None], 100)
    lower, upper = rank_interval(drawn, drawn, ranks, scores)
    assert lower.tolist() == [1, 1, 3, 4, 5, 6, 6, 6]
    assert upper.tolist() == [2, 2, 3, 4, 5, 8, 8, 8]


def test_an_end_that_no_draw_passes_stays_where_it_is():
    """The score lies at the floor that its exact parts leave; half of the draws do, and the others lie above it."""
    draws = np.maximum(np.linspace(-20, 60, 101), 16.25).astype(np.float32)
    lower, upper, _ = centred_interval(draws[None, :], np.array([16.25]))
    assert lower.tolist() == [16.25]
    assert upper.tolist() == pytest.approx([56.72 - (20 - 16.25)])


def test_noise_on_a_skewed_field_moves_the_typical_district_about_where_it_stands():
    """An area without an error of its own stays, on average, where it is: noise must not push it to one side."""
    rng = np.random.default_rng(3)
    position = np.append(rng.exponential(4, 200), 3.0)
    position -= np.median(position[:200])
    errors = np.append(np.full(200, 3.0), np.nan)
    everyone, districts = np.ones(201, dtype=bool), np.arange(201) < 200
    noise = normals(1, "d", 2000, 0, 400, 201) * np.nan_to_num(errors).astype(np.float32)
    pull = pull_of(position, errors, [everyone], districts)
    plain, posterior = np.split(plain_and_posterior(position, noise, pull, [everyone], districts), 2)
    assert plain[:, -1].mean() == pytest.approx(position[-1], abs=1e-4)
    assert plain[:, -1].std() > 0.1
    assert np.median(posterior[:, :200], axis=1) == pytest.approx(0, abs=1e-5)


@pytest.fixture(scope="module")
def runs():
    figures = synthetic_figures(2)
    fw = parse_framework(FRAMEWORK)
    areas = read_areas(areas_of(figures))
    cube, _ = read_cube(fw, figures, areas, SPECS)
    made = [run_flavour(fw, cube, "level"), *(run_flavour(fw, cube, "change", w) for w in fw.windows)]
    return made, areas.is_placed, cube.year_row(2015)


def same(a: Any, b: Any) -> bool:
    return a.keys() == b.keys() and all(
        np.array_equal(getattr(a[key], name), getattr(b[key], name), equal_nan=True)
        for key in a
        for name in ("lower", "upper", "rank_lower", "rank_upper", "top_fifth", "bottom_fifth", "above_middle")
    )


def test_the_number_of_threads_does_not_change_a_single_draw(runs):
    made, placed, row = runs
    one = simulate(made, placed, 150, 7, first_row=row, threads=1)
    three = simulate(made, placed, 150, 7, first_row=row, threads=3)
    assert all(same(a.summaries, b.summaries) for a, b in zip(one, three, strict=True))


def test_the_years_asked_for_do_not_change_the_draws_of_a_year(runs):
    made, placed, row = runs
    early = simulate(made, placed, 100, 7, first_row=row - 4, last_row=row + 1)
    late = simulate(made, placed, 100, 7, first_row=row + 1, last_row=row + 1)
    for one, other in zip(early, late, strict=True):
        assert same({key: value for key, value in one.summaries.items() if key[0] == row + 1}, other.summaries)


def test_another_seed_gives_other_draws(runs):
    made, placed, row = runs
    one = simulate(made[:1], placed, 100, 7, first_row=row)
    other = simulate(made[:1], placed, 100, 8, first_row=row)
    assert not same(one[0].summaries, other[0].summaries)


def test_draws_are_the_same_in_any_chunking():
    whole = normals(3, "pay", 2015, 0, 3 * BLOCK + 17, 11)
    cuts = [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 5, 3 * BLOCK + 17]
    parts = [normals(3, "pay", 2015, a, b, 11) for a, b in pairwise(cuts)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(whole, normals(3, "pay", 2016, 0, 3 * BLOCK + 17, 11))
    assert not np.array_equal(whole, normals(3, "income", 2015, 0, 3 * BLOCK + 17, 11))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_errors_over_time_have_their_size_and_only_the_new_share_of_their_variance_differs_by_year(runs, share):
    made, _, row = runs
    cube = replace(made[0].cube, series={})
    variant = Variant(cube.index("employment"), within_nation=False, is_raw=False)
    series = indicator_series(cube, variant.indicator, within_nation=False)
    level = np.full(series.position.shape, 2.0)
    cube.series[variant.indicator, False, False] = replace(
        series, errors=replace(series.errors, level=level, new_share=share)
    )
    drawn = Series(cube, [variant], 3000, 1, memory=3)
    with ThreadPoolExecutor(1) as pool:
        for year in range(row - 2, row + 1):
            drawn.advance(year, pool)
    first, _, last = (drawn.errors(variant, year).reshape(-1) for year in range(row - 2, row + 1))
    assert first.std() == pytest.approx(2, abs=0.02)
    assert np.corrcoef(first, last)[0, 1] == pytest.approx(1 - share, abs=0.02)


@pytest.mark.parametrize(("draws", "printed"), [(100, 0.13), (250, 0.08), (2000, 0.03)])
def test_ends_of_intervals_and_probabilities_are_settled_as_far_as_the_documents_say(draws, printed):
    """What another seed would change, in half-widths of the interval: see docs/methodology.md, section 6."""
    lower, _, _ = centred_interval(normals(1, "any", 2000, 0, 400 * draws, 1).reshape(400, draws), np.zeros(400))
    assert np.std(lower) / 1.645 == pytest.approx(printed, abs=0.012)


def test_quantiles_are_those_of_numpy():
    draws = np.random.default_rng(1).normal(size=(5, 333)).astype(np.float32)
    low, high = quantiles(np.sort(draws, axis=1), (0.05, 0.95))
    assert np.allclose(low, np.quantile(draws, 0.05, axis=1, method="weibull"), atol=1e-6)
    assert np.allclose(high, np.quantile(draws, 0.95, axis=1, method="weibull"), atol=1e-6)


def test_running_twice_gives_identical_bytes_in_every_table():
    figures = synthetic_figures(4)
    args = (parse_framework(FRAMEWORK), figures, areas_of(figures), SPECS)
    first, second = (score_framework(*args, draws=100, first_year=2012) for _ in range(2))
    for name in first.__dataclass_fields__:
        assert getattr(first, name).to_csv().encode() == getattr(second, name).to_csv().encode(), name


def with_errors(figures: pd.DataFrame, factor: float) -> pd.DataFrame:
    return figures.assign(standard_error=figures["standard_error"] * factor)


@pytest.fixture(scope="module")
def widths() -> dict[float, pd.DataFrame]:
    figures = synthetic_figures(5)
    fw = parse_framework(FRAMEWORK | {"gate": None, "missing": {"carry_forward_years": 0}})
    keys = ["flavour", "window_years", "year", "node_id", "area_code"]
    return {
        factor: score_framework(fw, with_errors(figures, factor), areas_of(figures), SPECS, draws=400, first_year=2015)
        .score.set_index(keys)
        for factor in (0.0, 1.0, 2.0)
    }  # fmt: skip


def test_standard_errors_of_zero_give_intervals_of_no_width(widths):
    exact = widths[0.0].dropna(subset=["score_lower"])
    exact = exact[exact.index.get_level_values("node_id").isin(["employment", "unemployment", "noisy", "pay"])]
    assert len(exact) > 300
    assert (exact["score_lower"] == exact["score"]).all()
    assert (exact["score_upper"] == exact["score"]).all()
    assert (exact["rank_lower"].dropna() == exact["rank"].dropna()).all()


def test_doubling_standard_errors_widens_intervals_of_a_level(widths):
    one, two = (widths[f].loc[["level"]] for f in (1.0, 2.0))
    narrow, wide = (t["score_upper"] - t["score_lower"] for t in (one, two))
    inside = (one["score_lower"] > 1) & (one["score_upper"] < 99) & (narrow > 0)
    assert inside.sum() > 500
    leaves = one.index.get_level_values("node_id").isin(["employment", "unemployment", "noisy"])
    ratio = (wide / narrow)[inside & leaves]
    assert (wide >= narrow)[inside & leaves].all()
    assert (wide >= 0.95 * narrow)[inside].all()  # a mean that is not arithmetic bends
    assert ratio.median() == pytest.approx(1.9, abs=0.1)  # posterior draws widen by less than plain ones


def test_a_score_resting_on_no_known_error_has_no_interval(widths):
    score = widths[1.0].reset_index().query("flavour == 'level'")
    assert score.query("node_id == 'productivity'")["score_lower"].isna().all()
    assert (score.query("node_id == 'productivity'")["weight_with_error"] == 0).all()
    wages = score.query("node_id == 'wages' and area_code != 'E002' and weight_present == 1")
    assert wages["score_lower"].notna().all()
    assert wages["weight_with_error"].to_numpy() == pytest.approx(0.75)


def test_a_figure_without_a_known_error_gets_no_interval_by_growing_old():
    figures = synthetic_figures(6)
    figures = figures[~((figures["indicator_id"] == "output") & (figures["year"] > 2018))]
    tables = score_framework(parse_framework(FRAMEWORK), figures, areas_of(figures), SPECS, draws=100, first_year=2018)
    old = tables.score.query("flavour == 'level' and node_id == 'output' and year == 2020")
    assert old["is_carried_forward"].all()
    assert old["score_lower"].isna().all()
    assert tables.score.query("weight_with_error == 0")["score_lower"].isna().all()


def test_no_label_where_the_error_of_growth_or_of_sharing_is_not_known():
    figures = synthetic_figures(8, districts=40)
    figures.loc[figures["indicator_id"] == "pay", "standard_error"] = float("nan")  # the only known error of growth
    fw = parse_framework(FRAMEWORK | {"gate": None})
    tables = score_framework(fw, figures, areas_of(figures), SPECS, draws=100, first_year=2018)
    assert tables.score.query("node_id == 'growth'")["score_lower"].isna().all()
    assert tables.score.query("node_id == 'sharing'")["score_lower"].notna().any()
    assert tables.label.empty


def test_a_figure_carried_forward_is_less_certain_than_when_it_was_new():
    figures = synthetic_figures(6)
    figures = figures[~((figures["indicator_id"] == "unemployment") & (figures["year"] > 2018))]
    score = score_framework(
        parse_framework(FRAMEWORK), figures, areas_of(figures), SPECS, draws=300, first_year=2018
    ).score
    mine = score.query("flavour == 'level' and node_id == 'unemployment'").set_index(["year", "area_code"])
    width = mine["score_upper"] - mine["score_lower"]
    fresh = mine.loc[2018].query("~is_carried_forward").index
    median = [width.loc[year].reindex(fresh).median() for year in (2018, 2019, 2020)]
    assert median[0] < median[1] < median[2]
    assert mine.loc[2019, "is_carried_forward"].all()


def test_labels_are_printed_only_when_probable_enough():
    figures = synthetic_figures(8, districts=40)
    fw = parse_framework(FRAMEWORK | {"gate": None})
    label = score_framework(fw, figures, areas_of(figures), SPECS, draws=300, first_year=2015).label
    label = plain(label)
    parts = label.filter(regex="^probability_")
    assert parts.sum(axis=1).to_numpy() == pytest.approx(1)
    assert label["probability"].to_numpy() == pytest.approx(parts.max(axis=1).to_numpy())
    assert (label["label"] == "not clear").equals(label["probability"] < 0.6)
    assert {"not clear", "neither", "growing and sharing"} <= set(label["label"])
    clear = label[label["label"] != "not clear"]
    assert (clear["label"] == clear["most_probable_label"]).all()


def test_probabilities_of_the_top_fifth_add_up_to_a_fifth_of_the_districts():
    figures = synthetic_figures(9, districts=40)
    score = score_framework(
        parse_framework(FRAMEWORK), figures, areas_of(figures), SPECS, draws=300, first_year=2018
    ).score
    held = score.query("node_id == 'employment' and flavour == 'level' and is_ranked")
    for _, year in held.groupby("year"):
        places = int(0.2 * year["rank_count"].iloc[0])
        known = year["probability_top_fifth"].fillna(0)
        assert known.sum() == pytest.approx(places, abs=1.01)  # one district has no known error
    assert (held["rank_lower"].dropna() <= held["rank_upper"].dropna()).all()
    band = (held["rank_upper"] - held["rank_lower"]) > held["rank_count"] / 3
    assert held["is_band"].dropna().equals(band[held["is_band"].notna()])


def test_a_table_without_errors_has_no_interval_columns_and_with_errors_has_all_four():
    values = pd.DataFrame({"area_code": list("abc") * 2, "indicator_id": ["x"] * 3 + ["y"] * 3, "value": range(6)})
    fw = parse_framework(
        {"id": "t", "normalise": {"method": "min_max"}, "tree": {"id": "index", "indicators": ["x", "y"]}}
    )
    assert list(score_table(values, fw)) == ["area_code", "node_id", "depth", "score", "rank"]
    with_se = score_table(values.assign(standard_error=[0.5, 0.5, 0.5, None, None, None]), fw, draws=200)
    assert list(with_se)[5:] == ["score_lower", "score_upper", "rank_lower", "rank_upper"]
    assert with_se.query("node_id == 'y'")["score_lower"].isna().all()
    assert (with_se.query("node_id == 'index'").eval("score_lower < score_upper")).all()
