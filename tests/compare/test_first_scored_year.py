"""The first scored year is part of the method: an indicator's reliability, over those years, decides whether it counts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.run.results import Outcome
from pipeline.settings import Settings
from tests.compare.releasing import rows
from tests.shipped import edition, shipped, with_value, without_year

pytestmark = pytest.mark.usefixtures("in_small_world")
LEEDS = "E08000035"
KEY = "framework_id::varchar, flavour::varchar, window_years, node_id::varchar, area_code::varchar"


def published(folder: Path, baseline: Path, first_year: int, draws: int = 0) -> Outcome:
    settings = Settings(folder, baseline_dir=baseline, first_scored_year=first_year)
    return refresh(open_run(settings, offline=True, draws=draws))


@pytest.mark.parametrize("first_year", [2009, 2019, 2022])
def test_the_part_of_a_revision_is_what_the_revision_alone_does_whatever_the_first_scored_year(
    tmp_path: Path, first_year: int
) -> None:
    revise = with_value(LEEDS, "2025-04-30", 636.0)
    before = edition(tmp_path / "a", {"gdhi_per_head": without_year(2023)})
    revised = edition(tmp_path / "b", {"gdhi_per_head": without_year(2023), "pay_median_weekly": revise})
    after = edition(tmp_path / "c", {"pay_median_weekly": revise})
    publish = partial(published, first_year=first_year)
    publish(tmp_path / "data", before)
    publish(tmp_path / "data", after)
    publish(tmp_path / "alone", revised)
    alone = {
        tuple(key): score for *key, score in rows(tmp_path / "alone", f"select {KEY}, year, score from mart_score")
    }
    split = rows(
        tmp_path / "data", f"select {KEY}, old_year, old_score + score_by_method + score_by_revision from mart_movement"
    )
    assert len(split) > 20
    assert {tuple(key): score for *key, score in split} == pytest.approx(
        {tuple(key): alone[tuple(key)] for *key, _ in split}, abs=2e-6
    )


def test_another_first_scored_year_is_another_method_and_not_a_move_without_news(tmp_path: Path) -> None:
    published(tmp_path, shipped(), 2024)
    outcome = published(tmp_path, shipped(), 2009, draws=20)
    assert outcome.release is not None
    assert not [finding for finding in outcome.findings if finding.severity == "refuse"]
    assert rows(tmp_path, "select count(*) > 0 from mart_movement where score_by_method <> 0") == [(True,)]
    assert rows(
        tmp_path, "select count(*) from mart_movement where score_by_revision <> 0 or score_by_new_data <> 0"
    ) == [(0,)]
