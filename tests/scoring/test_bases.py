"""What the scale of a leaf is fitted on: one year or several, one nation or what nations have in common."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.frameworks import parse_framework
from pipeline.errors import PipelineError
from pipeline.scoring import IndicatorSpec, ScoreTables, score_framework

SPECS = {"output": IndicatorSpec(1, "difference"), "gap": IndicatorSpec(-1, "difference")}
FRAMEWORK = {
    "id": "tried",
    "base_year": 2015,
    "windows": [{"years": 3, "min_points": 3}],
    "tree": {"id": "index", "indicators": ["output"]},
}
NATIONS = {"E": 200, "S": 32, "W": 22, "N": 11, "J": 40}  # a fifth nation, as editions make a fifth base in life


def areas(counts: dict[str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        [(f"{nation}{k:03}", "district", nation, True) for nation, count in counts.items() for k in range(count)],
        columns=["area_code", "level", "nation_code", "is_scored"],
    )


def scored(
    framework: dict[str, object], values: dict[int, np.ndarray], where: pd.DataFrame, indicator: str = "output"
) -> ScoreTables:
    rows = [
        {"indicator_id": indicator, "area_code": code, "year": year, "value": value}
        for year, column in values.items()
        for code, value in zip(where["area_code"], column, strict=True)
    ]
    figures = pd.DataFrame(rows).assign(standard_error=np.nan)
    return score_framework(parse_framework(framework), figures, where, SPECS, first_year=2000)


@pytest.fixture(scope="module")
def one_calm_year() -> tuple[dict[int, np.ndarray], pd.DataFrame]:
    """Output of 60 districts whose slopes differ by 1 a year, but hardly in the window that ends in the base year."""
    rng, where = np.random.default_rng(3), areas({"E": 60})
    values = {year: rng.normal(0, 1, 60) for year in range(2008, 2021)}
    values[2015] = values[2013] + 0.02 * (values[2015] - values[2013])
    return values, where


def base_of(tables: ScoreTables) -> pd.Series:
    return tables.base[tables.base["flavour"] == "change"].iloc[0]


def test_slopes_of_several_years_set_the_scale_of_change_and_a_calm_year_does_not(one_calm_year) -> None:
    values, where = one_calm_year
    alone = base_of(scored(FRAMEWORK, values, where))
    pooled = base_of(scored(FRAMEWORK | {"change_base_years": [2011, 2018]}, values, where))
    assert (alone["base_year_used"], alone["last_base_year_used"]) == (2015, 2015)
    assert (pooled["base_year_used"], pooled["last_base_year_used"]) == (2011, 2018)
    assert (alone["districts"], pooled["districts"]) == (60, 60)
    assert alone["spread"] < 0.05 * pooled["spread"]
    middle = {year: column - np.median(column) for year, column in values.items()}
    slopes = np.concatenate([(middle[year] - middle[year - 2]) / 2 for year in range(2011, 2019)])
    assert pooled["mad"] == pytest.approx(np.median(np.abs(slopes - np.median(slopes))), abs=1e-12)


def test_levels_keep_the_base_year_alone(one_calm_year) -> None:
    values, where = one_calm_year
    tables = scored(FRAMEWORK | {"change_base_years": [2011, 2018]}, values, where)
    level = tables.base[tables.base["flavour"] == "level"].iloc[0]
    assert (level["base_year_used"], level["last_base_year_used"]) == (2015, 2015)


def test_where_no_pooled_year_has_figures_the_usual_rule_finds_a_year(one_calm_year) -> None:
    values, where = one_calm_year
    base = base_of(scored(FRAMEWORK | {"change_base_years": [1990, 1995]}, values, where))
    assert (base["base_year_used"], base["last_base_year_used"]) == (2015, 2015)


def test_years_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(PipelineError, match="give the first year, then the last"):
        parse_framework(FRAMEWORK | {"change_base_years": [2018, 2011]})


def gaps(spreads: dict[str, float], counts: dict[str, int]) -> tuple[dict[int, np.ndarray], pd.DataFrame]:
    """Evenly spread gaps of each nation, so that the spread of a nation is exactly what is asked for."""
    columns = []
    for nation, count in counts.items():
        even = np.linspace(-1, 1, count)
        columns.append(spreads[nation] * even / (1.4826 * np.median(np.abs(even - np.median(even)))))
    return {2015: np.concatenate(columns)}, areas(counts)


def spread_by_nation(spreads: dict[str, float], counts: dict[str, int] = NATIONS) -> dict[str, float]:
    tree = {"id": "index", "indicators": [{"id": "gap", "standardise_within": "nation"}]}
    tables = scored(FRAMEWORK | {"tree": tree}, *gaps(spreads, counts), "gap")
    return tables.base[tables.base["flavour"] == "level"].set_index("nation_code")["spread"].to_dict()


def test_eleven_places_are_measured_with_more_than_their_own_narrow_spread() -> None:
    shrunk = spread_by_nation({"E": 7.0, "S": 6.9, "W": 5.8, "N": 1.3, "J": 7.2})
    assert 1.3 < shrunk["N"] < 3
    assert shrunk["E"] == pytest.approx(7.0, rel=0.01), "a nation of hundreds keeps its own"


def test_where_nations_hardly_differ_the_few_take_the_spread_of_all() -> None:
    shrunk = spread_by_nation({"E": 7.0, "S": 6.9, "W": 6.8, "N": 5.0, "J": 7.2})
    assert shrunk["N"] == pytest.approx(7.0, rel=0.05)


def test_fewer_than_five_bases_keep_their_spreads() -> None:
    own = {"E": 7.0, "S": 6.9, "W": 5.8, "N": 1.3}
    counts = {nation: NATIONS[nation] for nation in own}
    assert spread_by_nation(own, counts) == pytest.approx(own)
