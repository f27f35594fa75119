"""`estimate` as people call it: a CSV out, variances and coefficients on the screen, a sentence for what cannot be done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.estimation import EstimationError, estimate_table

YEARS = (2018, 2019, 2021, 2022)


def direct_estimates(seed: int = 1, areas: int = 12, years: tuple[int, ...] = YEARS) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        [(f"E{area:03d}", year) for area in range(areas) for year in years], columns=["area_code", "year"]
    )
    rows["claimants"] = rng.normal(4, 1, len(rows)).round(3)
    rows["income"] = rng.normal(2e4, 3e3, len(rows)).round(0)
    effect = np.repeat(rng.normal(0, 2, areas), len(years)) + rng.normal(0, 1, len(rows))
    rows["standard_error"] = rng.uniform(0.5, 2, len(rows)).round(3)
    rows["estimate"] = 80 - 2 * rows["claimants"] + effect + rng.normal(size=len(rows)) * rows["standard_error"]
    return rows


def one_year(seed: int = 1) -> pd.DataFrame:
    return direct_estimates(seed, years=(2022,)).drop(columns="year")


def estimate(folder: Path, table: pd.DataFrame | str, *more: str) -> tuple[int, Path]:
    given, out = folder / "direct.csv", folder / "out.csv"
    given.write_text(table if isinstance(table, str) else table.to_csv(index=False), encoding="utf-8")
    return main(["estimate", "--direct", str(given), "--out", str(out), *more]), out


def test_one_year_is_modelled_row_by_row_and_the_fit_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = one_year()
    code, out = estimate(tmp_path, table, "--covariates", "claimants,income")
    modelled = pd.read_csv(out)
    assert code == 0
    assert list(modelled) == ["area_code", "estimate_modelled", "mse", "weight_direct"]
    assert modelled["area_code"].tolist() == table["area_code"].tolist()
    assert modelled.notna().all(axis=None)
    said = capsys.readouterr().out
    assert "Fay-Herriot model, REML: 12 direct estimates, 12 areas" in said
    for name in ("area variance", "intercept", "claimants", "income"):
        assert f"  {name}" in said
    assert "innovation" not in said


def test_several_years_also_give_the_change_from_the_first_to_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = direct_estimates().sample(frac=1, random_state=1)
    code, out = estimate(
        tmp_path, table, "--covariates", "claimants", "--time", "year", "--error-correlation", "0.5", "--method", "ml"
    )
    modelled = pd.read_csv(out)
    assert code == 0
    assert list(modelled) == ["area_code", "year", "estimate_modelled", "mse", "weight_direct", "change", "change_mse"]
    assert modelled[["area_code", "year"]].to_numpy().tolist() == table[["area_code", "year"]].to_numpy().tolist()
    assert (modelled["change"].notna() == (modelled["year"] == 2022)).all()
    assert (modelled["change_mse"].notna() == (modelled["year"] == 2022)).all()
    wide = modelled.pivot_table(index="area_code", columns="year", values="estimate_modelled")
    change = modelled[modelled["year"] == 2022].set_index("area_code")["change"]
    pd.testing.assert_series_equal(change.sort_index(), wide[2022] - wide[2018], check_names=False)
    said = capsys.readouterr().out
    assert "Rao-Yu model, ML: 48 direct estimates, 12 areas in 4 years, 2018 to 2022" in said
    assert "innovation variance" in said
    assert "rho" in said


def test_the_numbers_of_sae_and_sae2_come_out_of_the_command(
    validation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    milk = pd.read_csv(validation / "fay_herriot_milk.csv")
    _, out = estimate(tmp_path, milk, "--covariates", "major_area_2,major_area_3,major_area_4")
    np.testing.assert_allclose(pd.read_csv(out)["estimate_modelled"], milk["expected_eblup_reml"], atol=1e-6)
    assert "area variance        0.0185503" in capsys.readouterr().out
    panel = pd.read_csv(validation / "rao_yu_60x6.csv").rename(
        columns={"area": "area_code", "time": "year", "Y": "estimate", "se": "standard_error"}
    )
    _, out = estimate(tmp_path, panel, "--covariates", "X", "--time", "year", "--error-correlation", "0.5")
    found = pd.read_csv(out)
    for ours, theirs in (
        ("estimate_modelled", "eblup"),
        ("mse", "mse"),
        ("change", "change"),
        ("change_mse", "change_mse"),
    ):
        is_held = panel[f"expected_{theirs}"].notna()
        np.testing.assert_allclose(found.loc[is_held, ours], panel.loc[is_held, f"expected_{theirs}"], atol=1e-7)
    said = capsys.readouterr().out
    assert "area variance        0.68072818" in said
    assert "innovation variance  0.28580563" in said
    assert "rho                  0.50763072" in said


def test_rows_without_an_estimate_are_filled_and_areas_without_an_end_have_no_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = direct_estimates()
    table.loc[[0, 5], ["estimate", "standard_error"]] = np.nan
    table = table.drop(index=7)  # the last year of the second area
    code, out = estimate(tmp_path, table, "--covariates", "claimants", "--time", "year")
    modelled = pd.read_csv(out)
    assert code == 0
    assert modelled["estimate_modelled"].notna().all()
    assert modelled["mse"].notna().all()
    assert modelled["weight_direct"][0] == 0
    assert modelled["change"].notna().sum() == 11
    assert "Areas without a row for 2018 or 2022, and so without a change: 1." in capsys.readouterr().out


def test_variances_at_their_edge_are_told_and_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exact = one_year().assign(standard_error=3.0)
    exact["estimate"] = 80 - 2 * exact["claimants"] + exact["income"] / 1e4
    code, out = estimate(tmp_path, exact, "--covariates", "claimants")
    assert code == 0
    assert "The area variance is at its edge, 0" in capsys.readouterr().out
    assert (pd.read_csv(out)["weight_direct"] == 0).all()
    flat = direct_estimates().assign(standard_error=3.0)
    flat["estimate"] = 80 - 2 * flat["claimants"] + flat["income"] / 1e4
    code, out = estimate(tmp_path, flat, "--covariates", "claimants", "--time", "year")
    said = capsys.readouterr().out
    assert code == 0
    assert "The innovation variance is at its edge" in said
    assert "rho                  none" in said
    assert pd.read_csv(out)[["estimate_modelled", "mse", "weight_direct"]].notna().all(axis=None)


def test_a_column_of_years_that_holds_one_year_is_modelled_as_one_year(tmp_path: Path) -> None:
    plain = pd.read_csv(estimate(tmp_path, one_year(), "--covariates", "claimants")[1])
    dated = pd.read_csv(
        estimate(tmp_path, one_year().assign(year=2022), "--covariates", "claimants", "--time", "year")[1]
    )
    pd.testing.assert_frame_equal(dated.drop(columns="year"), plain)


def test_without_an_intercept_a_covariate_of_ones_stands_for_it(tmp_path: Path) -> None:
    plain = pd.read_csv(estimate(tmp_path, one_year(), "--covariates", "claimants")[1])
    ones = one_year().assign(one=1.0)
    own = pd.read_csv(estimate(tmp_path, ones, "--covariates", "one,claimants", "--no-intercept")[1])
    pd.testing.assert_frame_equal(own, plain)


def changed(row: int, column: str, value: object) -> pd.DataFrame:
    table = direct_estimates().astype({column: object})
    table.loc[row, column] = value
    return table


SEVERAL = ("--covariates", "claimants", "--time", "year")


@pytest.mark.parametrize(
    ("table", "more", "message"),
    [
        (one_year().head(3), ("--covariates", "claimants,income"), "3 coefficients but only 3 areas"),
        (one_year().assign(claimants=4.0), ("--covariates", "claimants"), "covariate claimants is constant, and so is the intercept"),
        (one_year().assign(claimants=0.0), ("--covariates", "claimants"), "covariate claimants is 0 in every row"),
        (one_year().eval("twice = 2 * claimants - 1"), ("--covariates", "claimants,twice"), "covariate twice is a combination of others (claimants)"),
        (one_year(), ("--no-intercept",), "neither an intercept nor a covariate"),
        (one_year(), ("--covariates", "claimants,claimants"), "covariate claimants is named twice"),
        (one_year(), ("--covariates", "estimate"), "estimate cannot be a covariate"),
        (one_year(), ("--covariates", "rent"), "no column rent"),
        (one_year(), ("--time", "year"), "no column year"),
        (one_year(), ("--time", "estimate"), "estimate cannot be the column of years"),
        (direct_estimates().assign(mse=1), ("--time", "mse"), "mse cannot be the column of years"),
        (one_year(), ("--error-correlation", "0.5"), "needs several years"),
        (direct_estimates(), (*SEVERAL, "--error-correlation", "1"), "must be between -1 and 1"),
        (direct_estimates(), ("--covariates", "claimants"), "area_code E000 is given twice; keep one, or name the column of years"),
        (direct_estimates(years=(2021, 2022)), SEVERAL, "cannot tell an effect that lasts from one that fades"),
        (changed(5, "standard_error", 0), SEVERAL, "area_code E001, year 2019: an estimate needs a standard_error above 0 (given: 0)"),
        (changed(5, "standard_error", -1), SEVERAL, "area_code E001, year 2019: an estimate needs a standard_error above 0 (given: -1)"),
        (changed(5, "standard_error", 1e-200), SEVERAL, "an estimate needs a standard_error above 0 (given: 1e-200)"),
        (changed(5, "standard_error", ""), SEVERAL, "needs a standard_error above 0 (none is given)"),
        (changed(5, "standard_error", "x"), SEVERAL, "line 7, column standard_error: 'x' is not a number"),
        (changed(5, "estimate", "c"), SEVERAL, "line 7, column estimate: 'c' is not a number"),
        (changed(5, "estimate", "inf"), SEVERAL, "area_code E001, year 2019: estimate is no finite number"),
        (changed(5, "claimants", ""), SEVERAL, "area_code E001, year 2019: covariate claimants is missing"),
        (changed(5, "claimants", "many"), SEVERAL, "line 7, column claimants: 'many' is not a number"),
        (changed(5, "year", "2019.5"), SEVERAL, "year 2019.5: year is no year"),
        (changed(5, "year", "spring"), SEVERAL, "year is no finite number (given: spring)"),
        (changed(5, "year", ""), SEVERAL, "row 7: year is empty"),
        (changed(5, "year", "2018.0"), SEVERAL, "area_code E001, year 2018.0 is given twice"),
        (changed(5, "area_code", ""), SEVERAL, "row 7: area_code is empty"),
        (one_year().assign(estimate=1e300), ("--covariates", "claimants"), "too far apart in size"),
        (one_year().assign(standard_error=1e150), ("--covariates", "claimants"), "too far apart in size"),
        (one_year().assign(year=2022), (*SEVERAL, "--error-correlation", "2"), "must be between -1 and 1"),
        (direct_estimates().assign(estimate=""), SEVERAL, "no row has an estimate"),
        (direct_estimates().head(0), SEVERAL, "the table has no rows"),
        ("", SEVERAL, "cannot be read as a CSV"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_modelled_ends_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: pd.DataFrame | str, more: tuple[str, ...], message: str
) -> None:
    code, out = estimate(tmp_path, table, *more)
    assert code == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_given_is_refused_by_name_or_modelled_without_a_gap(seed: int) -> None:
    """Tables with everything awkward in them at once: sizes, gaps, ties, exact fits, units, missing rows."""
    rng = np.random.default_rng(seed)
    years = tuple(sorted(rng.choice(np.arange(2005, 2020), int(rng.integers(1, 7)), replace=False).tolist()))
    table = direct_estimates(seed, areas=int(rng.integers(2, 25)), years=years)
    table["estimate"] *= rng.choice([1.0, 1e-9, 1e9])
    table["standard_error"] *= rng.choice([1.0, 1e-6, 1e6])
    if rng.random() < 0.2:
        table["estimate"] = 5.0
    if rng.random() < 0.2:
        table["claimants"] = 1e6 + rng.choice([0.0, 1e-3, 1.0], len(table))
    table.loc[rng.random(len(table)) < rng.choice([0, 0.3, 0.8]), ["estimate", "standard_error"]] = np.nan
    table = table[rng.random(len(table)) > rng.choice([0, 0.3])]
    covariates = [[], ["claimants"], ["claimants", "income"]][int(rng.integers(3))]
    try:
        found = estimate_table(
            table,
            covariates,
            time="year",
            error_correlation=float(rng.choice([0, 0.5, 0.95])),
            method="reml" if seed % 2 else "ml",
        )
    except EstimationError:
        return  # what each refusal says is tested above
    figures = found.table[["estimate_modelled", "mse", "weight_direct"]]
    assert np.isfinite(figures).all(axis=None)
    assert (found.table["mse"] >= 0).all()
    assert np.isfinite(found.coefficients).all()
    assert np.isfinite(found.coefficient_errors).all()
    if len(found.years) > 1:
        is_last = table["year"].to_numpy() == max(found.years)
        has_first = table["area_code"].isin(table.loc[table["year"] == min(found.years), "area_code"]).to_numpy()
        assert (found.table["change"].notna().to_numpy() == (is_last & has_first)).all()
        assert (found.table["change_mse"].dropna() >= 0).all()
