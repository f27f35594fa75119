"""Choices are really varied, and the audit says what the textbook formulas say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import audit, audit_table, rank_set_table, sensitivity_tables
from pipeline.scoring.effects import prove, rank_shift, variants
from pipeline.scoring.inputs import read_areas, read_cube
from pipeline.scoring.sensitivity import Choices, Study
from tests.scoring.conftest import FRAMEWORK, SPECS, areas_of, synthetic_figures


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    return synthetic_figures(11, districts=40)


@pytest.fixture(scope="module", params=[False, True], ids=["level", "change"])
def study(request, figures) -> Study:
    fw = parse_framework(FRAMEWORK)
    cube, _ = read_cube(fw, figures, read_areas(areas_of(figures)), SPECS)
    return Study(fw, cube, request.param, cube.year_row(2017), seed=1, first_year=2009)


def test_every_variant_proves_that_it_changed_what_it_says(study):
    results = variants(study)
    assert all(item.is_proven for item in results), [item for item in results if not item.is_proven]
    factors = {item.factor for item in results}
    expected = {"normalisation", "weights", "aggregation", "left_out", "missing", "survey_error"}
    assert factors == expected | ({"window"} if study.is_change else set())
    left_out = [item.option for item in results if item.factor == "left_out"]
    assert sorted(left_out) == sorted(study.leaves)


def test_a_variant_that_changes_nothing_is_found_out(study):
    own = study.outcome(Choices())
    for factor in study.factors:
        _, is_proven = prove(factor, Choices(), own, study.outcome(Choices()))
        assert not is_proven, factor


def test_the_study_under_the_frameworks_own_choices_is_the_ordinary_run(study):
    run = study.run(0)
    expected = np.where(study.cube.is_district, run.branch_scores[-1, study.row], np.nan)
    assert np.allclose(study.outcome(Choices()).scores, expected, equal_nan=True, atol=1e-10)


def test_varying_weights_never_changes_who_is_scored(study):
    own = np.isnan(study.outcome(Choices()).scores)
    for choices in study.factors["weights"][::7]:
        assert np.array_equal(np.isnan(study.outcome(choices).scores), own)


def test_dirichlet_weights_scatter_around_the_frameworks_own(study):
    drawn = [
        study.outcome(choices).weights["productivity"]
        for choices in study.factors["weights"]
        if choices.weights == "dirichlet"
    ]
    assert len(set(drawn)) == len(drawn)
    assert np.mean(drawn) == pytest.approx(1, abs=0.3)


def test_rank_shift_compares_only_areas_scored_in_both():
    mean, largest, compared = rank_shift(np.array([1.0, 2.0, np.nan, 4.0]), np.array([4.0, 2.0, 9.0, 1.0]))
    assert (mean, largest, compared) == (pytest.approx(4 / 3), 2, 3)


def test_sensitivity_tables_hold_effects_areas_and_variants(figures):
    args = (parse_framework(FRAMEWORK), figures, areas_of(figures), SPECS)
    first, second = (sensitivity_tables(*args, samples=8) for _ in range(2))
    for name in ("effect", "area_effect", "variant"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    effect = first.effect.set_index(["flavour", "factor"])
    assert len(effect.loc["level"]) == 6
    assert len(effect.loc["change"]) == 7
    assert (effect["evaluations"] == 8 * (effect.groupby("flavour")["total_effect"].transform("size") + 2)).all()
    assert effect["mean_rank_shift"].gt(0).all()
    assert set(first.area_effect["area_code"]) <= set(figures["area_code"])


def test_sobol_effects_of_an_area_find_the_factor_that_moves_it():
    from pipeline.scoring.effects import _area_effects

    rng = np.random.default_rng(1)
    a, b = rng.random((2, 512, 2))
    mixed = np.stack([np.column_stack([b[:, 0], a[:, 1]]), np.column_stack([a[:, 0], b[:, 1]])])
    rows = np.concatenate([a[:, None], mixed.transpose(1, 0, 2), b[:, None]], axis=1).reshape(-1, 2)
    # area 0 moves with the first factor only; the others stand at fixed scores
    scores = np.column_stack([rows[:, 0], *(np.full(len(rows), c) for c in np.linspace(0.05, 0.95, 19))])
    first, total = _area_effects(scores, 2)
    assert first[0, 0] == pytest.approx(1, abs=0.1)
    assert total[1, 0] == pytest.approx(0, abs=0.02)


def test_shape_is_the_textbook_skew_and_kurtosis():
    values = np.random.default_rng(2).lognormal(size=200)
    found = audit.shape(np.append(values, np.nan))
    assert found.count == 200
    assert found.coverage == pytest.approx(200 / 201)
    assert found.skew == pytest.approx(stats.skew(values, bias=False))
    assert found.kurtosis == pytest.approx(stats.kurtosis(values, bias=False))
    assert found.needs_treatment
    assert np.isnan(audit.shape(np.full(10, 3.0)).skew)


def test_correlations_and_components_are_those_of_numpy():
    values = np.random.default_rng(3).normal(size=(60, 4)) @ np.random.default_rng(4).normal(size=(4, 4))
    correlation = audit.correlations(values)
    assert correlation == pytest.approx(np.corrcoef(values.T))
    assert audit.eigenvalues(correlation) == pytest.approx(np.sort(np.linalg.eigvalsh(np.corrcoef(values.T)))[::-1])
    assert audit.first_component(correlation).sum() == pytest.approx(1)
    assert np.isnan(audit.correlations(np.column_stack([values[:, 0], np.ones(60)]))[0, 1])


def test_alpha_is_one_for_copies_and_nought_for_strangers():
    assert audit.cronbach_alpha(np.ones((3, 3))) == 1
    assert audit.cronbach_alpha(np.eye(3)) == 0
    assert np.isnan(audit.cronbach_alpha(np.ones((1, 1))))


def test_the_correlation_ratio_sees_curved_relations_that_correlation_misses():
    x = np.random.default_rng(5).normal(size=400)
    assert audit.correlation_ratio(x, x**2) > 0.8
    assert audit.correlation_ratio(x, np.random.default_rng(6).normal(size=400)) < 0.1
    ratios, shares = audit.importance_shares(np.column_stack([x, np.random.default_rng(7).normal(size=400)]), x)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] > audit.DOMINANCE_LIMIT > ratios[1]


def test_the_audit_table_covers_every_flavour_and_its_nominal_weights_sum_to_one(figures):
    table = audit_table(parse_framework(FRAMEWORK), figures, areas_of(figures), SPECS)
    nominal = (
        table[table["statistic"] == "nominal_weight"].groupby(["flavour", "window_years"], dropna=False)["value"].sum()
    )
    assert len(nominal) == 3
    assert nominal.to_numpy() == pytest.approx(1)
    assert {"coverage", "skew", "kurtosis", "correlation", "eigenvalue_1", "cronbach_alpha", "importance_share"} <= set(
        table["statistic"]
    )
    assert (table.loc[table["is_flagged"], "note"] != "").all()


def test_rank_sets_of_every_indicator_with_errors_are_among_its_districts(figures):
    table = rank_set_table([parse_framework(FRAMEWORK)], figures, areas_of(figures), SPECS)
    assert set(table["indicator_id"]) == {"pay", "employment", "noisy", "unemployment"}
    assert (table["rank_lower_simultaneous"] <= table["rank_lower"]).all()
    assert ((table["rank_lower"] <= table["rank"]) & (table["rank"] <= table["rank_upper"])).all()
    assert (table["rank_upper_simultaneous"] <= table["rank_count"]).all()
    best = table[table["indicator_id"] == "unemployment"].sort_values("rank")["area_code"].iloc[0]
    year = table[table["indicator_id"] == "unemployment"]["year"].iloc[0]
    rates = figures[(figures["indicator_id"] == "unemployment") & (figures["year"] == year)].dropna()
    rates = rates[rates["area_code"].str[0].isin(["E", "W"])]
    assert best == rates.sort_values("value")["area_code"].iloc[0]


def test_two_frameworks_give_the_same_rank_sets_of_an_indicator_they_share(figures):
    first = parse_framework(FRAMEWORK)
    second = parse_framework({"id": "other", "base_year": 2015, "tree": {"id": "i", "indicators": ["unemployment"]}})
    table = rank_set_table([first, second], figures, areas_of(figures), SPECS, draws=200)
    shared = {name: rows.drop(columns="framework_id") for name, rows in table.groupby("framework_id")}
    mine = shared[first.id].query("indicator_id == 'unemployment'").reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, shared["other"].reset_index(drop=True))
