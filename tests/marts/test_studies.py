"""Every run ranks and audits; a usual one says that it left sensitivity out. `test_thorough_run` has the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.run.assemble import assemble
from pipeline.run.context import Run
from pipeline.run.rebuild import study
from pipeline.run.refresh import Outcome

STUDIES = ("mart_sensitivity", "mart_sensitivity_variant")  # that only a thorough run makes
Rows = Callable[..., list[tuple]]
FRAMEWORKS = [("jrf_monitor",), ("shared_growth",)]


def test_a_usual_run_ranks_and_audits_every_framework_and_says_that_it_leaves_sensitivity_out(rows: Rows) -> None:
    for table in ("mart_rank", "mart_audit"):
        assert rows(f"select distinct framework_id from {table} order by framework_id") == FRAMEWORKS
    assert [rows(f"select count(*) from {table}")[0][0] for table in STUDIES] == [0, 0]
    assert rows("select is_thorough, draw_count from meta_run") == [(False, 100)]


def test_rank_sets_hold_their_rank_and_those_right_at_once_are_wider(rows: Rows) -> None:
    assert rows(
        "select area_name from mart_rank where not rank between rank_lower and rank_upper "
        "or rank_lower_simultaneous > rank_lower or rank_upper_simultaneous < rank_upper",
    ) == []  # fmt: skip


def test_contributions_of_a_geometric_domain_sum_to_its_score(rows: Rows) -> None:
    [(largest,)] = rows(
        """
        with summed as (
            select framework_id, flavour, window_years, year, node_id, area_code, sum(contribution) as total
            from mart_contribution
            where aggregate = 'geometric'
            group by all
        )

        select max(abs(total - ln(greatest(score, 1) / 50)))
        from summed
        inner join mart_score using (framework_id, flavour, window_years, year, node_id, area_code)
        """,
    )
    assert largest < 1e-6


@pytest.mark.slow
def test_every_variant_proves_that_it_changed_what_it_says(offline_run: tuple[Run, Outcome]) -> None:
    """On all districts: of eight, some keep their places whatever is chosen."""
    context, outcome = offline_run
    inputs = context.inputs
    yearly = assemble(inputs, context.stores, outcome.results).yearly
    studies = study(inputs.catalogue.indicators, inputs.register, yearly, replace(context.scoring, is_thorough=True))
    variants = studies.sensitivity_variant
    assert variants is not None
    assert set(variants["framework_id"]) == {name for (name,) in FRAMEWORKS}
    assert variants.loc[~variants["is_proven"], ["factor", "option", "proof"]].to_dict("records") == []
