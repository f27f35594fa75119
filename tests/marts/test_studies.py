"""Every run ranks and audits; a thorough run also studies what choices do to ranks, and a usual one says that it did not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.settings import Settings

STUDIES = ("mart_rank", "mart_audit", "mart_sensitivity", "mart_sensitivity_variant")
Rows = Callable[..., list[tuple]]


@pytest.fixture(scope="module")
def thorough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    context = open_run(Settings(tmp_path_factory.mktemp("thorough")), offline=True, draws=20, is_thorough=True)
    refresh(context)
    return context.settings.database


def ask(database: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


FRAMEWORKS = [("jrf_monitor",), ("shared_growth",)]


def test_a_usual_run_ranks_and_audits_every_framework_and_says_that_it_leaves_sensitivity_out(rows: Rows) -> None:
    for table in ("mart_rank", "mart_audit"):
        assert rows(f"select distinct framework_id from {table} order by framework_id") == FRAMEWORKS
    assert [rows(f"select count(*) from {table}")[0][0] for table in STUDIES[2:]] == [0, 0]
    assert rows("select is_thorough, draw_count from meta_run") == [(False, 100)]


def test_a_thorough_run_fills_every_study(thorough: Path) -> None:
    for table in STUDIES:
        assert ask(thorough, f"select distinct framework_id from {table} order by framework_id") == FRAMEWORKS
    assert ask(thorough, "select is_thorough from meta_run") == [(True,)]


def test_rank_sets_hold_their_rank_and_those_right_at_once_are_wider(thorough: Path) -> None:
    assert ask(
        thorough,
        "select area_name from mart_rank where not rank between rank_lower and rank_upper "
        "or rank_lower_simultaneous > rank_lower or rank_upper_simultaneous < rank_upper",
    ) == []  # fmt: skip


def test_every_variant_proves_that_it_changed_what_it_says(thorough: Path) -> None:
    assert ask(thorough, "select factor, option, proof from mart_sensitivity_variant where not is_proven") == []


def test_contributions_of_a_geometric_domain_sum_to_its_score(thorough: Path) -> None:
    [(largest,)] = ask(
        thorough,
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
