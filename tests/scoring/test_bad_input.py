"""Every kind of bad figure has a defined outcome: a sentence that names it, or a node displayed and not scored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import IndicatorSpec, ScoringInputError, score_framework, score_table, why_not_scored
from tests.scoring.conftest import FRAMEWORK, SPECS, areas_of, synthetic_figures


def pair(method: str = "robust_z", **weights: float) -> Any:
    refs = [{"id": n, "weight": weights.get(n, 1), "goalposts": [0, 10]} for n in ("x", "y")]
    return parse_framework({"id": "t", "normalise": {"method": method}, "tree": {"id": "index", "indicators": refs}})


def table(x: list[Any], y: list[Any]) -> pd.DataFrame:
    codes = [f"A{n}" for n in range(len(x))]
    return pd.DataFrame({"area_code": codes * 2, "indicator_id": ["x"] * len(x) + ["y"] * len(y), "value": [*x, *y]})


GOOD = table([1.0, 2.0, 3.0, 5.0], [2.0, 9.0, 4.0, 1.0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (GOOD.assign(value=[np.inf, *GOOD["value"][1:]]), "area_code A0, indicator_id x: value is infinite"),
        (GOOD.assign(value=[-np.inf, *GOOD["value"][1:]]), "area_code A0, indicator_id x: value is infinite"),
        (pd.concat([GOOD, GOOD.head(1)]), "area_code A0, indicator_id x is given twice"),
        (GOOD.assign(value="many"), "not a number"),
        (GOOD.drop(columns="value"), "no column value"),
        (GOOD.assign(standard_error=-1.0), "the standard error is negative"),
        (GOOD.assign(area_code=[None, *GOOD["area_code"][1:]]), "area_code is empty"),
        (GOOD[GOOD["indicator_id"] == "x"], "indicator 'y' has no row in values"),
    ],
)
def test_a_table_that_cannot_be_scored_is_refused_with_the_row_at_fault(values, message):
    with pytest.raises(ScoringInputError, match=message):
        score_table(values, pair())


@pytest.mark.parametrize("method", ["robust_z", "z", "min_max", "rank", "percentile"])
def test_a_constant_column_is_displayed_not_scored_and_says_why(method):
    values = table([7.0] * 4, [2.0, 9.0, 4.0, 1.0])
    found = score_table(values, pair(method))
    assert found.query("node_id == 'x'")["score"].isna().all()
    assert found.query("node_id in ('y', 'index')")["score"].notna().all()
    reasons = why_not_scored(values, pair(method))
    assert reasons["reason"].str.contains("x: displayed, not scored: no spread").sum() == 4


def test_more_than_half_alike_have_no_robust_spread_either():
    found = score_table(table([7.0, 7.0, 7.0, 1.0], [2.0, 9.0, 4.0, 1.0]), pair())
    assert found.query("node_id == 'x'")["score"].isna().all()


def test_rounding_is_not_spread():
    found = score_table(table([0.1 + 0.2, 0.3, 0.3, 0.3000000000000001], [2.0, 9.0, 4.0, 1.0]), pair("min_max"))
    assert found.query("node_id == 'x'")["score"].isna().all()


def test_a_constant_column_still_has_its_place_between_goalposts():
    assert score_table(table([7.0] * 4, [1.0] * 4), pair("goalposts")).query("node_id == 'x'")["score"].eq(70).all()


@pytest.mark.parametrize("method", ["robust_z", "min_max", "rank", "percentile", "z"])
def test_a_single_area_cannot_be_compared(method):
    found = score_table(table([1.0], [2.0]), pair(method))
    assert found["score"].isna().all()
    assert found["rank"].isna().all()


def test_a_single_area_between_goalposts_ranks_first():
    found = score_table(table([1.0], [3.0]), pair("goalposts")).query("node_id == 'index'")
    assert found["score"].item() == 20
    assert found["rank"].item() == 1


def test_all_missing_scores_nobody_and_lists_everybody():
    values = table([np.nan] * 3, [np.nan] * 3)
    assert score_table(values, pair())["score"].isna().all()
    assert set(why_not_scored(values, pair())["area_code"]) == {"A0", "A1", "A2"}


def test_a_missing_value_leaves_the_area_unscored_only_below_the_weight_needed():
    values = table([np.nan, 2.0, 3.0, 5.0], [2.0, 9.0, 4.0, 1.0])
    half = score_table(values, pair("min_max")).query("node_id == 'index' and area_code == 'A0'")
    assert half["score"].item() == pytest.approx(12.5)
    less = score_table(values, pair("min_max", x=1.1)).query("node_id == 'index' and area_code == 'A0'")
    assert np.isnan(less["score"].item())
    reasons = why_not_scored(values, pair("min_max", x=1.1)).set_index(["area_code", "node_id"])["reason"]
    assert reasons["A0", "index"] == "index: 1 of 2 members present, weight 0.48, below the 0.50 needed"


def test_huge_and_tiny_weights_neither_overflow_nor_vanish():
    huge = score_table(GOOD, pair("min_max", x=1e300, y=1e300)).query("node_id == 'index'")["score"]
    plain = score_table(GOOD, pair("min_max")).query("node_id == 'index'")["score"]
    assert huge.to_numpy() == pytest.approx(plain.to_numpy())
    lopsided = score_table(GOOD, pair("min_max", x=1e300, y=1e-300)).query("node_id == 'index'")["score"]
    x = score_table(GOOD, pair("min_max")).query("node_id == 'x'")["score"]
    assert lopsided.to_numpy() == pytest.approx(x.to_numpy())


def changed(figures: pd.DataFrame, **fields: Any) -> pd.DataFrame:
    out = figures.copy()
    row = out.index[out["indicator_id"] == "output"][0]
    for name, value in fields.items():
        out.loc[row, name] = value
    return out


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: changed(f, value=np.inf), "value is infinite"),
        (lambda f: changed(f, value=-3.0), "has no logarithm; it must be above 0"),
        (lambda f: changed(f, value=0.0), "has no logarithm; it must be above 0"),
        (lambda f: changed(f, standard_error=-1.0), "the standard error is negative"),
        (lambda f: pd.concat([f, f.head(1)]), "is given twice"),
        (lambda f: f.drop(columns="year"), "no column year"),
    ],
)
def test_figures_that_cannot_be_scored_are_refused_naming_area_indicator_and_year(spoil, message):
    figures = synthetic_figures(1, districts=6, years=(2014, 2016))
    with pytest.raises(ScoringInputError, match=message):
        score_framework(parse_framework(FRAMEWORK), spoil(figures), areas_of(figures), SPECS)


def test_an_area_given_twice_in_the_register_is_refused():
    figures = synthetic_figures(1, districts=6, years=(2014, 2016))
    areas = areas_of(figures)
    with pytest.raises(ScoringInputError, match="is given twice"):
        score_framework(parse_framework(FRAMEWORK), figures, pd.concat([areas, areas.head(1)]), SPECS)


def test_figures_of_an_area_nobody_registered_are_listed_not_lost():
    figures = synthetic_figures(1, districts=6, years=(2014, 2016))
    areas = areas_of(figures)
    tables = score_framework(parse_framework(FRAMEWORK), figures, areas[areas["area_code"] != "E001"], SPECS)
    row = tables.not_scored[tables.not_scored["area_code"] == "E001"]
    assert row["reason"].tolist() == ["it has figures but is not in the register of areas"]


def test_no_figures_at_all_scores_nobody_and_lists_every_district():
    figures = synthetic_figures(1, districts=6, years=(2014, 2016))
    tables = score_framework(parse_framework(FRAMEWORK), figures.head(0), areas_of(figures), SPECS, draws=50)
    assert tables.score.empty
    districts = {code for code in areas_of(figures)["area_code"] if code[0] in "EW"}
    assert districts <= set(tables.not_scored.query("node_id == 'index'")["area_code"])


def test_a_framework_whose_indicators_are_all_too_unreliable_scores_nobody():
    figures = synthetic_figures(1, districts=12)
    fw = parse_framework(
        {"id": "t", "base_year": 2015, "gate": {"min_reliability": 1}, "tree": {"id": "i", "indicators": ["noisy"]}}
    )
    tables = score_framework(fw, figures, areas_of(figures), SPECS, draws=50)
    assert tables.score.empty
    assert tables.label.empty
    assert tables.not_scored["reason"].str.contains("reliability").any()
    assert not tables.gate["is_scored"].any()


def test_a_framework_without_a_base_year_cannot_be_scored_over_years():
    figures = synthetic_figures(1, districts=6, years=(2014, 2016))
    fw = parse_framework({"id": "t", "tree": {"id": "i", "indicators": ["pay"]}})
    with pytest.raises(ScoringInputError, match="no base_year"):
        score_framework(fw, figures, areas_of(figures), SPECS)


def test_indicators_with_a_polarity_of_zero_in_the_catalogue_count_as_more_is_better_when_a_framework_names_them():
    figures = synthetic_figures(1, districts=6, years=(2014, 2016))
    fw = parse_framework({"id": "t", "base_year": 2015, "windows": [], "tree": {"id": "i", "indicators": ["pay"]}})
    up, context = (
        score_framework(fw, figures, areas_of(figures), {"pay": IndicatorSpec(p, "log_ratio")}).score for p in (1, 0)
    )
    pd.testing.assert_frame_equal(up, context)
