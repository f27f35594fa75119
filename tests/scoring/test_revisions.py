"""What revisions between editions say about the error of figures published without one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.scoring.revisions import distinct_editions, revision_spread, with_revision_errors

CODES = [f"E{n:03d}" for n in range(400)]


def edition(last_year: int, by_age: dict[int, float], seed: int, first_year: int = 2015) -> pd.DataFrame:
    """Figures of 2015 to ``last_year`` around 100, each off by a factor whose spread depends on its age."""
    rng = np.random.default_rng(seed)
    years = np.repeat(np.arange(first_year, last_year + 1), len(CODES))
    spread = np.array([by_age.get(last_year - year, 0.0) for year in years])
    return pd.DataFrame(
        {
            "area_code": CODES * (last_year - first_year + 1),
            "year": years,
            "period": [f"{year}-01-01/P1Y" for year in years],
            "value": 100 * np.exp(rng.normal(size=len(years)) * spread),
            "standard_error": np.nan,
        }
    )


def test_the_spread_is_that_of_the_revisions_at_each_age() -> None:
    spread = revision_spread([edition(2020, {0: 0.05, 1: 0.02}, 1), edition(2021, {}, 2)], is_log=True)
    assert spread[:2] == pytest.approx([0.05, 0.02], rel=0.1)
    assert spread[2:] == pytest.approx(0)


def test_what_moves_every_area_alike_is_no_revision_of_a_position() -> None:
    before, after = edition(2020, {}, 1), edition(2021, {}, 2)
    assert revision_spread([before, after.assign(value=after["value"] * 1.1)], is_log=True).size == 0


def test_three_editions_pool_their_revisions() -> None:
    editions = [edition(2019, {0: 0.06}, 1), edition(2020, {0: 0.02}, 2), edition(2021, {}, 3)]
    assert revision_spread(editions, is_log=True)[0] == pytest.approx(np.sqrt((0.06**2 + 0.02**2) / 2), rel=0.15)


def test_a_correction_of_a_few_cells_is_no_edition_and_neither_is_a_repeat() -> None:
    first = edition(2020, {0: 0.05}, 1)
    corrected = first.assign(value=first["value"].where(first.index != 3, 99.0))
    assert len(distinct_editions([first, first])) == 1
    [kept] = distinct_editions([first, corrected])
    assert kept["value"].iloc[3] == 99.0
    assert len(distinct_editions([first, edition(2020, {0: 0.05}, 2)])) == 2
    assert len(distinct_editions([first, edition(2021, {}, 2)])) == 2


def test_one_edition_says_nothing_and_leaves_figures_as_they_are() -> None:
    only = edition(2021, {}, 1)
    spread = revision_spread([only], is_log=True)
    assert spread.size == 0
    pd.testing.assert_frame_equal(with_revision_errors(only, spread, is_log=True), only)


def test_errors_follow_the_age_and_size_of_a_figure_and_leave_published_ones_alone() -> None:
    newest = edition(2021, {}, 1, first_year=2018).assign(value=200.0)
    newest.loc[0, "standard_error"] = 7.0
    newest.loc[1, "value"] = np.nan
    found = with_revision_errors(newest, np.array([0.05, 0.01]), is_log=True).groupby("year")["standard_error"]
    assert found.median().to_dict() == pytest.approx({2018: 2.0, 2019: 2.0, 2020: 2.0, 2021: 10.0})
    assert found.get_group(2018).iloc[0] == 7.0
    assert np.isnan(found.get_group(2018).iloc[1])


def test_too_few_areas_at_an_age_take_the_spread_of_the_next() -> None:
    before, after = edition(2020, {0: 0.05, 1: 0.02}, 1), edition(2021, {}, 2)
    few = before[(before["year"] != 2019) | before["area_code"].isin(CODES[:10])]
    spread = revision_spread([few, after], is_log=True)
    assert spread[1] == spread[0]
