"""Nothing is compared across a break of a series: on either side scores are as if the other side were not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import ScoreTables, score_framework
from tests.scoring.conftest import FRAMEWORK, SPECS, areas_of, plain, synthetic_figures

Rows = Callable[..., list[tuple]]
KEYS = ["area_code", "flavour", "window_years", "year", "node_id"]


def scored(figures: pd.DataFrame, breaks: dict[str, tuple[int, ...]]) -> ScoreTables:
    """Scored without a gate, which looks at all years, and with the areas of all figures."""
    specs = {name: replace(spec, breaks=breaks.get(name, ())) for name, spec in SPECS.items()}
    areas = areas_of(synthetic_figures(1))
    return score_framework(parse_framework(FRAMEWORK | {"gate": None}), figures, areas, specs)


def on_another_basis(figures: pd.DataFrame, indicator: str, after: int) -> pd.DataFrame:
    """The figures, with those of one indicator turned about and on another scale after a year."""
    is_later = (figures["indicator_id"] == indicator) & (figures["year"] > after)
    other = 200 - 3 * figures["value"]
    return figures.assign(value=figures["value"].mask(is_later, other))


@pytest.mark.parametrize("after", [2011, 2016])  # before and after the base year of the framework
def test_scores_on_either_side_of_a_break_are_those_of_that_side_alone(after):
    figures = on_another_basis(synthetic_figures(1), "employment", after)
    is_other = figures["indicator_id"] != "employment"
    both = plain(scored(figures, {"employment": (after,)}).score)
    # alone, slopes before the break are carried on and may be frozen in those years, so there the level is compared
    for side, flavours in ((figures["year"] > after, ["level", "change"]), (figures["year"] <= after, ["level"])):
        alone = plain(scored(figures[is_other | side], {}).score)
        mine, theirs = (
            table[table["year"].isin(figures["year"][side]) & table["flavour"].isin(flavours)].sort_values(
                KEYS, ignore_index=True
            )[[*KEYS, "score", "rank"]]
            for table in (both, alone)
        )
        pd.testing.assert_frame_equal(mine, theirs, rtol=1e-12)
        assert (mine["node_id"] == "employment").sum() > 50


def test_no_slope_and_no_difference_reaches_over_a_break():
    figures = synthetic_figures(1)
    change = scored(figures, {"unemployment": (2014,)}).change
    mine = plain(change[change["indicator_id"] == "unemployment"])
    differences = mine[mine["measure"] == "difference"]
    first = differences["year"] - differences["window_years"]
    assert len(differences) > 200
    assert not ((first <= 2014) & (differences["year"] > 2014)).any()
    slopes = mine[(mine["measure"] == "slope") & (mine["year"] > 2014)]
    assert slopes["year"].groupby(slopes["window_years"]).min().to_dict() == {5: 2018, 10: 2019}  # 4 and 5 figures on


def test_a_figure_is_carried_until_its_nation_has_one_on_the_new_basis():
    """``gap`` is published in 2012, 2016 and 2020, compared within nations, and carried for five years."""
    figures = synthetic_figures(1)
    is_gap = figures["indicator_id"] == "gap"
    english = figures["area_code"].str.startswith("E")
    in_2016 = is_gap & (figures["year"] == 2016)
    figures = figures[~(in_2016 & ((figures["area_code"] == "E000") | ~english))]  # E000 and Wales have nothing new
    assert ((figures["area_code"] == "E000") & is_gap & (figures["year"] == 2012)).any()
    score = plain(scored(figures, {"gap": (2012,)}).score)
    years = {
        code: set(score["year"][(score["node_id"] == "gap") & (score["area_code"] == code)]) & set(range(2012, 2018))
        for code in ("E000", "W002")
    }
    assert years["E000"] == {2012, 2013, 2014, 2015}
    assert years["W002"] == {2012, 2013, 2014, 2015, 2016, 2017}


def test_the_indices_of_2019_and_2025_are_no_change_and_the_trend_begins_anew(rows: Rows):
    found = rows(
        """
        select area_name, indicator_id::varchar, first_year, year_count, slope, change_5_years, direction
        from mart_indicator_trend
        where area_name in ('Preston', 'Cardiff') and indicator_id in ('income_deprivation_gap', 'imd_average_score')
        order by all
        """
    )
    assert found == [
        ("Cardiff", "income_deprivation_gap", 2019, 1, None, None, "not clear"),
        ("Preston", "imd_average_score", 2025, 1, None, None, "not clear"),
        ("Preston", "income_deprivation_gap", 2025, 1, None, None, "not clear"),
    ]
    described = rows(
        "select indicator_id::varchar, series_breaks from dim_indicator where series_breaks is not null order by 1"
    )
    assert described == [
        ("imd_average_score", "2019"),
        ("income_deprivation_concentration", "2019"),
        ("income_deprivation_gap", "2019"),
        ("wimd_most_deprived_tenth", "2019"),
    ]


def test_scores_after_a_break_are_measured_by_the_spread_of_their_own_edition(rows: Rows):
    """The middle half of England's districts must not be squeezed or stretched by the spread of another edition."""
    [(spread,)] = rows(
        """
        select 1.4826 * mad(score) / (50 / 3)
        from mart_score
        inner join dim_area using (area_code)
        where
            nation_name = 'England'
            and dim_area.level = 'district'
            and framework_id = 'shared_growth'
            and flavour = 'level'
            and node_id = 'income_deprivation_gap'
            and year = 2025
        """
    )
    assert spread == pytest.approx(1, abs=0.01)
