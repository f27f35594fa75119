"""What a comparison of two published files finds, one change at a time."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.compare import CannotCompare, compare
from pipeline.compare.one_line import explanation
from tests.compare.conftest import Changed

FIGURE = "indicator_id = 'gva_per_hour' and area_name = 'Preston' and year = 2023"
PAY = "indicator_id = 'pay_median_weekly' and area_name = 'Preston' and year = 2025"


def test_a_file_and_itself_differ_in_nothing(live: Path, changed: Changed) -> None:
    found = compare(live, changed())
    assert (found.kind, found.changes, found.scores_moved, found.revisions.num_rows) == ("patch", (), 0, 0)
    assert explanation(found) == "the same tables with the same rows, rebuilt"


@pytest.mark.parametrize(
    ("statements", "kind", "words"),
    [
        (["drop table mart_rank"], "major", "1 table gone (mart_rank)"),
        (["alter table mart_audit drop column note"], "major", "1 column gone (mart_audit.note)"),
        (["alter table mart_audit alter column districts type bigint"], "major", "of another type (mart_audit.districts)"),
        (
            ["create or replace table meta_gate as from meta_gate", "alter table meta_gate add primary key (finding_id, gate_id)"],
            "major",
            "1 key changed (meta_gate)",
        ),
        (["create table mart_new (area_code varchar)"], "minor", "1 table new (mart_new)"),
        (["alter table mart_audit add column remark varchar"], "minor", "1 column new (mart_audit.remark)"),
        (["update mart_gate set reason = 'because' where year = 2020"], "minor", "different rows in mart_gate"),
        (["update fct_observation set source_id = 'elsewhere', source_row = 1"], "patch", "rebuilt"),
        (["update meta_source set age_days = 1"], "patch", "rebuilt"),
    ],
)  # fmt: skip
def test_the_kind_of_a_release_follows_from_what_it_does_to_readers(
    live: Path, changed: Changed, statements: list[str], kind: str, words: str
) -> None:
    found = compare(live, changed(*statements))
    assert found.kind == kind
    assert words in explanation(found)


def test_the_order_of_rows_is_no_change(live: Path, changed: Changed) -> None:
    other = changed(
        "create temp table kept as from mart_gate", "delete from mart_gate",
        "insert into mart_gate from kept order by year desc, reason",
    )  # fmt: skip
    assert compare(live, other).kind == "patch"


@pytest.mark.parametrize(
    ("where", "statement", "kind", "cause"),
    [
        (FIGURE, "value = value * 1.1, payload_sha256 = 'other bytes'", "revised", "publisher"),
        (FIGURE, "value = value * 1.1", "revised", "method"),
        (FIGURE, "value = null, status = 'suppressed', payload_sha256 = 'other bytes'", "withdrawn", "publisher"),
        (FIGURE, "status = 'provisional', payload_sha256 = 'other bytes'", "status_changed", "publisher"),
        (PAY, "upper = upper + 1, payload_sha256 = 'other bytes'", "interval_revised", "publisher"),
    ],
)
def test_a_figure_that_is_otherwise_is_told_with_what_it_was_and_whose_doing_it_is(
    live: Path, changed: Changed, where: str, statement: str, kind: str, cause: str
) -> None:
    other = changed(f"update fct_observation set {statement} where {where}")
    [row] = compare(live, other).revisions.to_pylist()
    with duckdb.connect(str(live), read_only=True) as connection:
        [(old,)] = connection.execute(f"select value from fct_observation where {where}").fetchall()
    assert (row["area_name"], row["kind"], row["cause"], row["old_value"]) == ("Preston", kind, cause, old)
    if kind == "revised":
        assert row["difference"] == pytest.approx(0.1 * old)
        assert row["difference_percent"] == pytest.approx(10)


def test_a_missing_figure_that_is_given_now_is_filled(live: Path, changed: Changed) -> None:
    before = changed(
        f"update fct_observation set value = null, status = 'not_available', payload_sha256 = 'x' where {FIGURE}"
    )
    found = compare(before, live)
    assert [row["kind"] for row in found.revisions.to_pylist()] == ["filled"]
    assert "1 figure added where one was missing (Preston" in explanation(found)


def test_figures_made_here_are_counted_apart(live: Path, changed: Changed) -> None:
    computed = "indicator_id = 'pay_p20_to_p50_annual' and area_name = 'Leeds' and year = 2025"
    other = changed(f"update fct_observation set value = value + 0.01, payload_sha256 = 'x' where {computed}")
    found = compare(live, other)
    assert found.revised("revised") == 0
    assert "1 figure derived from others changed with them" in explanation(found)


def test_the_last_bits_of_a_sum_are_no_revision(live: Path, changed: Changed) -> None:
    other = changed(f"update fct_observation set value = value * (1 + 1e-15) where {FIGURE}")
    assert compare(live, other).revisions.num_rows == 0


def test_periods_indicators_and_areas_that_come_and_go_are_told_and_only_a_lost_period_is_withdrawn(
    live: Path, changed: Changed
) -> None:
    before = changed(
        "delete from fct_observation where indicator_id = 'gdhi_per_head' and year = 2023",
        "delete from fct_observation where indicator_id = 'claimant_rate'",
        "delete from fct_observation where area_name = 'Rutland'",
        "delete from dim_area where area_name = 'Rutland'",
    )
    forward, back = compare(before, live), compare(live, before)
    assert forward.revisions.num_rows == 0
    assert {(row["indicator_id"], row["year"], row["kind"]) for row in back.revisions.to_pylist()} == {
        ("gdhi_per_head", 2023, "withdrawn")
    }
    told = {(change.subject, change.change, change.subject_id) for change in forward.changes}
    assert {
        ("period", "appeared", "gdhi_per_head 2023-01-01/P1Y"),
        ("indicator", "appeared", "claimant_rate"),
        ("area", "appeared", "E06000017"),
    } <= told
    assert "1 area gone (E06000017); 1 indicator gone (claimant_rate); 1 period gone" in explanation(back)
    assert forward.new_figures > 400


def test_more_draws_look_like_more_draws_and_not_like_revisions(live: Path, changed: Changed) -> None:
    other = changed(
        "update mart_score set score_lower = score_lower - 0.01 where score_lower is not null",
        "update meta_run set draw_count = 2000, is_thorough = true",
    )
    found = compare(live, other)
    assert (found.kind, found.revisions.num_rows, found.scores_moved) == ("minor", 0, 0)
    assert "survey errors were drawn 2,000 times, 100 before" in explanation(found)
    assert "with the studies of a thorough run" in explanation(found)


def test_scores_that_move_with_the_same_figures_move_by_method(live: Path, changed: Changed) -> None:
    other = changed(
        "update mart_score set score = score / 2 where area_name = 'Leeds' and node_id = 'pay' and flavour = 'level' "
        "and framework_id = 'shared_growth' and year = (select max(year) from mart_score where flavour = 'level')"
    )
    [row] = compare(live, other).movements.to_pylist()
    assert row["score_by_method"] == row["score_change"] == -row["old_score"] / 2
    assert (row["score_by_revision"], row["score_by_new_data"], row["rank_change"]) == (0, 0, 0)


def test_several_causes_without_a_way_to_score_again_are_not_told_apart(live: Path, changed: Changed) -> None:
    other = changed(
        f"update fct_observation set value = value * 1.1, payload_sha256 = 'x' where {FIGURE}",
        f"update fct_observation set value = value * 1.1 where {PAY}",
        "update mart_score set score = score / 2 where area_name = 'Leeds'",
    )
    found = compare(live, other)
    assert not found.is_split
    assert {row["score_by_method"] for row in found.movements.to_pylist()} == {None}


def test_a_file_of_an_older_shape_is_compared_as_far_as_it_goes(live: Path, changed: Changed) -> None:
    older = changed(
        "create or replace table fct_observation as select * exclude (payload_sha256) from fct_observation",
        "create or replace table mart_score as select * exclude (node_kind) from mart_score",
        "drop table meta_release",
    )
    found = compare(older, live)
    assert found.kind == "minor"
    assert "figures could not be compared" in explanation(found)
    assert "scores could not be compared" in explanation(found)


def test_a_file_that_cannot_be_read_is_named(live: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    with pytest.raises(CannotCompare, match=r"broken\.duckdb is not there"):
        compare(live, broken)
    broken.write_bytes(b"no database")
    with pytest.raises(CannotCompare, match=r"broken\.duckdb cannot be opened"):
        compare(live, broken)
