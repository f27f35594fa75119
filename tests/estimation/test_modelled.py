"""Survey series with borrowed strength: what is published, what is refused, and that nothing travels as a NaN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.estimation.decision import decide
from pipeline.estimation.modelled import ModelTables, model_all
from pipeline.estimation.series import Covariate, SeriesSpec, read_series
from pipeline.estimation.series_benchmark import DONE
from pipeline.estimation.series_model import apply_window, fit_window, model_columns, predict_newest

RATE = SeriesSpec("rate", is_log=False, adjustment="difference", level_years=5, change_windows=(10, 5))
FIRST, LAST, DISTRICTS, REGIONS = 2010, 2023, 120, 6
ERROR, AREA_SD, STEP_SD, RHO = 2.5, 3.0, 1.5, 0.8
YEARS = np.arange(FIRST, LAST + 1)


def areas() -> pd.DataFrame:
    """Four regions of one nation, two nations without regions; every region of the same number of districts."""
    region = np.arange(DISTRICTS) % REGIONS
    return pd.DataFrame(
        {
            "area_code": [f"D{i:03}" for i in range(DISTRICTS)],
            "region_code": [f"R{r}" if r < 4 else f"N{r}" for r in region],
            "nation_code": ["N0" if r < 4 else f"N{r}" for r in region],
            "people": 50_000.0 + 1_000 * np.arange(DISTRICTS),
        }
    )


def world(seed: int = 1, indicator_id: str = "rate") -> tuple[pd.DataFrame, np.ndarray]:
    """Figures of districts, regions and nations as published, and the truth: [districts, years]."""
    rng = np.random.default_rng(seed)
    fading = np.empty((DISTRICTS, len(YEARS)))
    fading[:, 0] = rng.normal(0, STEP_SD / np.sqrt(1 - RHO**2), DISTRICTS)
    for t in range(1, len(YEARS)):
        fading[:, t] = RHO * fading[:, t - 1] + rng.normal(0, STEP_SD, DISTRICTS)
    truth = 70 + rng.normal(0, AREA_SD, DISTRICTS)[:, None] + fading
    errors = ERROR * rng.uniform(0.7, 1.3, truth.shape)
    where = areas()
    rows = pd.DataFrame(
        {
            "area_code": np.repeat(where["area_code"].to_numpy(), len(YEARS)),
            "indicator_id": indicator_id,
            "year": np.tile(YEARS, DISTRICTS),
            "value": (truth + rng.normal(0, errors)).ravel(),
            "standard_error": errors.ravel(),
        }
    )
    people = where["people"].to_numpy()[:, None]
    wider = []
    for column in ("region_code", "nation_code"):
        for code in sorted(set(where[column])):
            own = (where[column] == code).to_numpy()
            mean = (truth[own] * people[own]).sum(axis=0) / people[own].sum()
            table = pd.DataFrame({"area_code": code, "indicator_id": indicator_id, "year": YEARS, "value": mean + 0.3})
            wider.append(table.assign(standard_error=0.1))
    return pd.concat([rows, *wider]).drop_duplicates(["area_code", "year"]).reset_index(drop=True), truth


def of(tables: ModelTables, measure: str = "level") -> pd.Series:
    rows = tables.model[tables.model["measure"] == measure]
    assert len(rows) == 1
    return rows.iloc[0]


def only_numbers(tables: ModelTables) -> bool:
    return all(
        np.isfinite(
            table.drop(columns=["value", "standard_error", "benchmark_target"], errors="ignore")
            .select_dtypes("number")
            .to_numpy(dtype=float)
        ).all()
        for table in (tables.level, tables.change)
    )


def test_modelled_figures_are_surer_and_their_intervals_hold_the_truth() -> None:
    inside, narrowing, changes = [], [], []
    for seed in range(4):
        figures, truth = world(seed)
        tables = model_all([RATE], figures, areas())
        assert of(tables)["decision"] == "published"
        level = tables.level.assign(
            truth=truth[tables.level["area_code"].str[1:].astype(int), tables.level["year"].to_numpy(int) - FIRST] + 0.3
        )
        inside.append(level["truth"].between(level["modelled_lower"], level["modelled_upper"]).mean())
        narrowing.append(of(tables)["narrowing"])
        change = tables.change[tables.change["window_years"] == 10]
        moved = (truth[:, -1] - truth[:, -11])[change["area_code"].str[1:].astype(int)]
        changes.append(np.mean((moved > change["modelled_lower"]) & (moved < change["modelled_upper"])))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)
    assert np.mean(changes) == pytest.approx(0.95, abs=0.03)
    assert min(narrowing) > 0.25


def test_districts_add_up_to_their_region_and_nation_to_a_billionth() -> None:
    figures, _ = world()
    level = model_all([RATE], figures, areas()).level.merge(areas(), on="area_code")
    assert set(level["benchmark_status"]) == {DONE}
    published = figures.set_index(["area_code", "year"])["value"]
    for (nation, year), rows in level.groupby(["nation_code", "year"]):
        mean = np.average(rows["value_modelled"], weights=rows["benchmark_weight"])
        assert mean == pytest.approx(published[nation, year], abs=1e-9)
    moved = set()
    for (region, year), rows in level.groupby(["region_code", "year"]):
        mean = np.average(rows["value_modelled"], weights=rows["benchmark_weight"])
        assert mean == pytest.approx(rows["benchmark_target"].iloc[0], abs=1e-9)
        moved.add((year, rows["nation_code"].iloc[0], round(mean - published[region, year], 9)))
    assert len(moved) == len(YEARS) * 3, "the regions of a nation move by one number"


def test_money_is_modelled_in_logarithms_and_agrees_by_a_ratio() -> None:
    figures, _ = world()
    figures["value"] *= 7
    figures["standard_error"] *= 7
    money = replace(RATE, is_log=True, adjustment="ratio")
    tables = model_all([money], figures, areas())
    level = tables.level
    assert of(tables)["benchmark_gap"] < 1e-9 * 500
    assert np.allclose(level["value_modelled"] ** 2, level["modelled_lower"] * level["modelled_upper"])
    assert (tables.change["change"].abs() < 100).all(), "in per cent"


def test_the_level_of_a_year_never_rests_on_later_years() -> None:
    figures, _ = world()
    series = read_series(RATE, figures, areas())
    model = fit_window(series, model_columns(series, len(YEARS) - 1))
    place = len(YEARS) - 3
    before = predict_newest(apply_window(series, model, np.arange(place - 4, place + 1))).modelled
    series.estimates[:, place + 1 :] += 5
    after = predict_newest(apply_window(series, model, np.arange(place - 4, place + 1))).modelled
    assert np.array_equal(before, after)


def test_one_year_alone_is_modelled_by_fay_and_herriot() -> None:
    figures, _ = world()
    tables = model_all([RATE], figures[figures["year"] == LAST], areas())
    level = of(tables)
    assert (level["method"], level["decision"], level["years"]) == ("Fay-Herriot", "published", 1)
    assert level["weight_direct"] == pytest.approx(level["weight_survey"])
    assert of(tables, "change over 10 years")["decision"].startswith(
        "not published: change over 10 years needs figures"
    )


def test_a_survey_that_counts_for_less_than_three_tenths_is_held_back_with_its_weight() -> None:
    figures, truth = world()
    other = pd.DataFrame(
        {
            "area_code": np.repeat(areas()["area_code"].to_numpy(), len(YEARS)),
            "indicator_id": "copy",
            "year": np.tile(YEARS, DISTRICTS),
            "value": (truth + np.random.default_rng(2).normal(0, 0.05, truth.shape)).ravel(),
            "standard_error": np.nan,
        }
    )
    spec = replace(RATE, covariates=(Covariate("copy", is_log=False),))
    tables = model_all([spec], pd.concat([figures, other]), areas())
    assert of(tables)["decision"].startswith("not published: the survey's own weight is 0.0")
    assert tables.level.empty
    assert decide([0.31, 0.29]) == "not published: the survey's own weight is 0.29"
    assert decide([0.3, 0.9]) == "published"


def test_gaps_in_years_and_districts_without_an_error_are_predicted() -> None:
    figures, _ = world()
    figures = figures[figures["year"] != LAST - 2]
    figures.loc[(figures["area_code"] == "D005") & (figures["year"] < LAST), "value"] = np.nan
    figures.loc[figures["area_code"] == "D006", "standard_error"] = np.nan
    tables = model_all([RATE], figures, areas())
    level = tables.level.set_index(["area_code", "year"])
    assert only_numbers(tables)
    assert level.loc[("D006", LAST), "weight_direct"] == 0
    assert np.isfinite(level.loc[("D006", LAST), "value"])
    assert np.isnan(level.loc[("D005", LAST - 1), "value"])
    assert level.loc[("D005", LAST - 1), "mse"] > 0
    assert LAST - 2 not in set(tables.level["year"])


def test_the_only_district_of_its_region_keeps_its_own_figure() -> None:
    figures, _ = world()
    where = areas()
    where.loc[0, ["region_code", "nation_code"]] = "N9"
    alone = figures[figures["area_code"] == "N4"].assign(area_code="N9")
    tables = model_all([RATE], pd.concat([figures, alone]), where)
    own = tables.level[tables.level["area_code"] == "D000"]
    assert set(own["benchmark_status"]) == {
        "not benchmarked: it is the only district of its region, whose figure would replace its own"
    }
    assert own["benchmark_target"].isna().all()
    assert only_numbers(tables)


def test_a_region_without_a_published_figure_is_named() -> None:
    figures, _ = world()
    tables = model_all([RATE], figures[figures["area_code"] != "R1"], areas())
    status = tables.level.merge(areas(), on="area_code").groupby("region_code")["benchmark_status"].unique()
    assert status["R1"].tolist() == ["not benchmarked: its region has no published figure"]
    assert status["R0"].tolist() == ["agrees with its region"], "its nation is not whole"
    assert status["N4"].tolist() == [DONE]


def test_an_area_variance_at_its_edge_is_named() -> None:
    figures, _ = world()
    rng = np.random.default_rng(3)
    own = figures["area_code"].str.startswith("D")
    figures.loc[own, "value"] = 70 + rng.normal(0, 1, own.sum()) * figures.loc[own, "standard_error"]
    level = of(model_all([RATE], figures, areas()))
    assert "area variance" in level["edges"] or "innovation variance" in level["edges"]
    assert level["decision"].startswith("not published: the survey's own weight is 0.")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("few", "7 districts have a figure with an error; 30 are needed"),
        ("zero", "rate, D003, 2015: the published standard error is 0; a model needs one above 0"),
        ("missing", "0 districts have a figure with an error; 30 are needed"),
        ("suppressed", "only 60 of the 120 districts listed have a figure with an error"),
        ("none", "0 districts have a figure with an error"),
        ("constant", "covariate other is the same everywhere"),
        ("too many covariates", "areas"),
    ],
)
def test_what_cannot_be_modelled_is_a_row_that_says_why(spoil: str, reason: str) -> None:
    figures, _ = world()
    spec, where = RATE, areas()
    is_own = figures["area_code"].str.startswith("D")
    if spoil == "few":
        where = where.head(7)
    elif spoil == "zero":
        figures.loc[(figures["area_code"] == "D003") & (figures["year"] == 2015), "standard_error"] = 0.0
    elif spoil == "missing":
        figures["standard_error"] = np.nan
    elif spoil == "suppressed":
        figures.loc[is_own & (figures["area_code"] > "D059"), "standard_error"] = np.nan
    elif spoil == "none":
        figures = figures[figures["indicator_id"] == "another"]
    elif spoil == "constant":
        spec = replace(RATE, covariates=(Covariate("other", is_log=False),))
        figures = pd.concat([figures, figures[is_own].assign(indicator_id="other", value=5.0)])
    elif spoil == "too many covariates":
        names = [f"c{i}" for i in range(115)]
        spec = replace(RATE, covariates=tuple(Covariate(name, is_log=False) for name in names))
        rng = np.random.default_rng(4)
        extra = [figures[is_own].assign(indicator_id=name, value=rng.normal(size=is_own.sum())) for name in names]
        figures = pd.concat([figures, *extra])
    tables = model_all([spec, replace(RATE, indicator_id="second")], figures, where)
    first = tables.model[tables.model["indicator_id"] == "rate"]
    assert first["decision"].str.startswith("not published: ").all()
    assert reason in first["decision"].iloc[0]
    assert "second" in set(tables.model["indicator_id"]), "the next series is still looked at"
    assert tables.level.empty
    assert tables.change.empty
