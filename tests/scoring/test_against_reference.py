"""The arrays and a slow independent implementation agree to 1e-10 on every score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import ScoreTables, score_framework
from tests.scoring.conftest import FRAMEWORK, SPECS, areas_of, synthetic_figures
from tests.scoring.reference import Figures, Reference

FIRST_YEAR = 2009
RUNS = [("level", None), *(("change", window) for window in FRAMEWORK["windows"])]


def nested(figures: pd.DataFrame, column: str) -> Figures:
    out: Figures = {}
    for row in figures.dropna(subset=[column]).itertuples():
        out.setdefault(row.indicator_id, {}).setdefault(row.area_code, {})[row.year] = getattr(row, column)
    return out


def reference(figures: pd.DataFrame, areas: pd.DataFrame) -> Reference:
    specs = {name: (spec.polarity, spec.transform == "log_ratio") for name, spec in SPECS.items()}
    nations = dict(zip(areas["area_code"], areas["nation_code"], strict=True))
    scored = set(areas["area_code"][areas["is_scored"]])
    values, errors = nested(figures, "value"), nested(figures, "standard_error")
    return Reference(FRAMEWORK, values, errors, specs, scored, nations)


@pytest.fixture(scope="module", params=[1, 2])
def case(request: pytest.FixtureRequest) -> tuple[ScoreTables, Reference]:
    figures = synthetic_figures(request.param)
    areas = areas_of(figures)
    tables = score_framework(parse_framework(FRAMEWORK), figures, areas, SPECS, first_year=FIRST_YEAR)
    return tables, reference(figures, areas)


@pytest.mark.parametrize(("flavour", "window"), RUNS)
def test_every_score_equals_the_slow_reference(case, flavour, window):
    tables, slow = case
    expected, _ = slow.run(flavour, window, FIRST_YEAR)
    expected = {key: value for key, value in expected.items() if key[2] >= FIRST_YEAR}
    score = tables.score[tables.score["flavour"] == flavour]
    if window:
        score = score[score["window_years"] == window["years"]]
    keys = list(zip(score["area_code"], score["node_id"], score["year"], strict=True))
    assert len(keys) == len(set(keys)) > 1000
    assert set(keys) == set(expected)
    worst = max(abs(value - expected[key]) for key, value in zip(keys, score["score"], strict=True))
    assert worst < 1e-10


@pytest.mark.parametrize(("flavour", "window"), RUNS)
def test_every_gate_decides_on_the_reference_reliability(case, flavour, window):
    tables, slow = case
    _, expected = slow.run(flavour, window, FIRST_YEAR)
    gate = tables.gate[tables.gate["flavour"] == flavour]
    if window:
        gate = gate[gate["window_years"] == window["years"]]
    decided = gate.drop_duplicates("indicator_id").set_index("indicator_id")["reliability_deciding"].dropna()
    assert set(decided.index) == set(expected)
    for name, value in decided.items():
        assert value == pytest.approx(expected[name], abs=1e-10)


def test_the_cases_meet_what_they_are_there_for(case):
    tables, _ = case
    gate = tables.gate.drop_duplicates(["flavour", "window_years", "indicator_id"])
    level = gate[gate["flavour"] == "level"].set_index("indicator_id")
    assert not level.loc["noisy", "is_scored"]
    assert level.loc["employment", "is_scored"]
    assert tables.score["is_carried_forward"].any()
    assert tables.base.set_index("indicator_id").loc[["gap"], "base_year_used"].eq(2016).all()
    assert not tables.not_scored.empty


def test_ranks_are_places_among_scored_districts_and_ties_share_the_better(case):
    tables, _ = case
    score = tables.score
    assert not score.loc[score["area_code"].str.startswith(("R", "N")), "is_ranked"].any()
    ranked = score[score["is_ranked"]]
    keys = ["flavour", "window_years", "year", "node_id"]
    expected = ranked.groupby(keys, dropna=False)["score"].rank(method="min", ascending=False)
    assert (ranked["rank"].to_numpy(dtype=float) == expected.to_numpy()).all()
    counts = ranked.groupby(keys, dropna=False)["score"].transform("size")
    assert (ranked["rank_count"].to_numpy(dtype=float) == counts.to_numpy()).all()


def test_scored_and_not_scored_together_account_for_every_area_and_node():
    figures = synthetic_figures(3)
    areas = areas_of(figures, extra=("E999",))
    tables = score_framework(parse_framework(FRAMEWORK), figures, areas, SPECS, first_year=FIRST_YEAR)
    keys = ["flavour", "window_years", "year", "area_code", "node_id"]
    both = pd.concat([tables.score[keys], tables.not_scored[keys]])
    assert not both.duplicated().any()
    roots = both[both["node_id"] == "index"]
    seen = roots.groupby(["flavour", "window_years", "year"], dropna=False)["area_code"].nunique()
    assert (seen == len(areas)).all()
    absent = tables.not_scored[tables.not_scored["area_code"] == "E999"]
    assert {"index", "growth", "sharing", "output"} <= set(absent["node_id"])
    assert np.all(absent["reason"].str.len() > 10)


def test_a_missing_pillar_is_explained_in_numbers():
    figures = synthetic_figures(1)
    keep = ~((figures["area_code"] == "E005") & figures["indicator_id"].isin(["employment", "unemployment"]))
    figures = figures[keep]
    tables = score_framework(parse_framework(FRAMEWORK), figures, areas_of(figures), SPECS, first_year=FIRST_YEAR)
    row = tables.not_scored.query("area_code == 'E005' and node_id == 'work' and flavour == 'level' and year == 2015")
    assert row["reason"].item() == "work: 0 of 2 indicators present, weight 0.00, below the 0.50 needed"


def test_an_optional_pillar_published_by_one_nation_only_asks_nothing_of_the_others():
    figures = synthetic_figures(1)
    is_welsh_gap = (figures["indicator_id"] == "gap") & figures["area_code"].str.startswith("W")
    partly, none = figures[~is_welsh_gap], figures[figures["indicator_id"] != "gap"]
    fw = parse_framework(FRAMEWORK)
    with_some, without = (
        score_framework(fw, f, areas_of(figures), SPECS, first_year=2015)
        .score.query("flavour == 'level' and node_id == 'sharing' and area_code.str.startswith('W')")
        .set_index(["area_code", "year"])["score"]
        for f in (partly, none)
    )
    pd.testing.assert_series_equal(with_some, without)
    slow = reference(partly, areas_of(figures))
    expected, _ = slow.run("level", None, 2015)
    assert all(abs(expected[area, "sharing", year] - value) < 1e-10 for (area, year), value in with_some.items())
