"""The table that sets pay and income beside output, and the sharing scores without them, on the shipped figures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Rows = Callable[..., list[tuple]]

_SHARING_AND_OUTPUT = """
with held as (
    select score, change, ntile(5) over (order by change, area_code) as fifth
    from mart_score
    inner join mart_change using (area_code, window_years, year, level)
    where
        framework_id = 'shared_growth' and node_id = 'sharing' and flavour = 'change' and measure = 'slope'
        and indicator_id = 'gva_per_hour' and window_years = 10 and level = 'district' and year = ?
),

ranked as (
    select *, rank() over (order by score) as score_rank, rank() over (order by change) as change_rank
    from held
)

"""


@pytest.mark.parametrize(("year", "expected"), [(2023, 0.03), (2025, 0.00)])
def test_ten_year_sharing_hardly_moves_with_output(rows: Rows, year: int, expected: float) -> None:
    [(correlation,)] = rows(f"{_SHARING_AND_OUTPUT} select corr(score_rank, change_rank) from ranked", year)
    assert correlation == pytest.approx(expected, abs=0.006)
    above = rows(
        f"{_SHARING_AND_OUTPUT} select avg((score > 50)::integer) from ranked group by fifth order by fifth", year
    )
    assert len(above) == 5
    assert all(0.35 < share < 0.65 for (share,) in above)
    assert abs(above[0][0] - above[-1][0]) < 0.1


def test_errors_are_those_of_the_table_of_changes_where_the_years_are_the_same(rows: Rows) -> None:
    [(compared, apart)] = rows(
        """
        select
            count(*),
            max(abs(ln(1 + outcome_growth_upper / 100) - ln(1 + outcome_growth_lower / 100)
                - 2 * 1.6448536 * change_standard_error))
        from mart_pass_through as beside
        inner join mart_change as change
            on beside.area_code = change.area_code
            and beside.outcome_id = change.indicator_id::varchar
            and beside.window_years = change.window_years
            and beside.last_year = change.year
        where measure = 'slope' and year_count = beside.window_years and outcome_growth_lower is not null
        """
    )
    assert compared > 600
    assert apart < 1e-5


def test_every_scored_district_with_both_figures_is_there(rows: Rows) -> None:
    assert rows("select outcome_id, count(*) from mart_pass_through where window_years = 10 and level = 'district' group by 1 order by 1") == [
        ("gdhi_per_head", 359), ("pay_median_weekly", 353),
    ]  # fmt: skip
    assert rows(
        "select distinct outcome_id, output_error_kind, outcome_error_kind from mart_pass_through "
        "where level = 'district' order by all"
    ) == [
        ("gdhi_per_head", "from_vintages", "from_vintages"),
        ("pay_median_weekly", "from_vintages", "modelled"),
        ("pay_median_weekly", "from_vintages", "published"),
    ]
    assert rows("select distinct output_error_kind from mart_pass_through where level <> 'district'") == [("none",)]
