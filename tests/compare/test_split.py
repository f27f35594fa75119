"""A movement of a score is split into its causes exactly, and each part is what that cause alone would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compare.releasing import published, rows
from tests.shipped import edition, with_value, without_year

LEEDS = "E08000035"
pytestmark = pytest.mark.slow
DRAWS = 20
PAY = 636.0  # 610.7 as published, 583.2 to 638.2
KEY = "framework_id::varchar, flavour::varchar, window_years, node_id::varchar, area_code::varchar"


def test_a_movement_is_split_exactly_and_its_middle_is_what_a_real_refresh_gives(tmp_path: Path) -> None:
    """Revised and new figures arrive together. What is put down to the revision is what the revision alone does."""
    # Pay has a published error, so that ranks on it are given and move too.
    revise = with_value(LEEDS, "2025-04-30", PAY)
    before = edition(tmp_path / "a", {"gdhi_per_head": without_year(2023)})
    revised = edition(tmp_path / "b", {"gdhi_per_head": without_year(2023), "pay_median_weekly": revise})
    after = edition(tmp_path / "c", {"pay_median_weekly": revise})
    published(tmp_path / "data", before, draws=DRAWS)
    line = published(tmp_path / "data", after, draws=DRAWS)
    published(tmp_path / "alone", revised, draws=DRAWS)
    assert "1 new period (gdhi_per_head)" in line
    assert "1 figure revised (Leeds" in line
    assert "(revision and new data)" in line
    moved = rows(tmp_path / "data", "select 1 from mart_movement")
    assert len(moved) > 1000
    [(gap, rank_gap)] = rows(
        tmp_path / "data",
        "select max(abs(score_change - score_by_method - score_by_revision - score_by_new_data)), "
        "max(abs(rank_change - rank_by_method - rank_by_revision - rank_by_new_data)) from mart_movement",
    )
    assert (gap, rank_gap) == (pytest.approx(0, abs=1e-12), 0)
    alone = {
        tuple(key): (score, rank)
        for *key, score, rank in rows(tmp_path / "alone", f"select {KEY}, year, score, rank from mart_score")
    }
    middle = rows(
        tmp_path / "data",
        f"select {KEY}, old_year, old_score + score_by_method + score_by_revision, "
        "old_rank + rank_by_method + rank_by_revision from mart_movement",
    )
    for *key, score, rank in middle:
        assert alone[tuple(key)][0] == pytest.approx(score, abs=2e-6)
        assert rank in (None, alone[tuple(key)][1]), "where no rank is given before or after, it is not split either"
    assert sum(rank is not None for *_, rank in middle) > 300
