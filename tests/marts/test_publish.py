"""Publishing: checked, swapped in one step, and never at the cost of what is live."""

from __future__ import annotations

import subprocess
from pathlib import Path

import duckdb
import pytest

from pipeline.marts.build import build
from pipeline.publish import CandidateRefused, check_candidate, live_fingerprint, remove_leftovers, swap
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from schemas import marts


def make(path: Path, mark: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table meta_run as select ? as input_fingerprint", [mark])
    return path


def test_a_swap_replaces_the_file_in_one_step(tmp_path: Path) -> None:
    live = make(tmp_path / "live.duckdb", "old")
    swap(make(tmp_path / "candidate.duckdb", "new"), live)
    assert live_fingerprint(live) == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live.duckdb", "live.duckdb.sha256"]


def test_a_reader_that_holds_the_old_file_keeps_it_whole_through_a_swap(tmp_path: Path) -> None:
    live = make(tmp_path / "live.duckdb", "old")
    with duckdb.connect(str(live), read_only=True) as reader:
        swap(make(tmp_path / "candidate.duckdb", "new"), live)
        assert reader.execute("select input_fingerprint from meta_run").fetchone() == ("old",)
    assert live_fingerprint(live) == "new"


def test_a_write_ahead_log_left_beside_the_live_file_is_moved_aside(tmp_path: Path) -> None:
    live = make(tmp_path / "live.duckdb", "old")
    log = tmp_path / "live.duckdb.wal"
    log.write_bytes(b"left by another program")
    swap(make(tmp_path / "candidate.duckdb", "new"), live)
    assert live_fingerprint(live) == "new"
    assert (tmp_path / "live.duckdb.wal.set-aside").read_bytes() == b"left by another program"


def test_a_live_file_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    live = tmp_path / "live.duckdb"
    assert live_fingerprint(live) is None
    live.write_bytes(b"not a database")
    assert live_fingerprint(live) is None


def test_leftovers_of_a_dead_run_are_removed_and_those_of_a_running_one_kept(tmp_path: Path) -> None:
    live = tmp_path / "live.duckdb"
    dead = tmp_path / ".live.999999999.building.duckdb"
    running = tmp_path / f".live.{subprocess.os.getppid()}.building.duckdb"  # type: ignore[attr-defined]
    dead.write_bytes(b"")
    running.write_bytes(b"")
    assert remove_leftovers(live) == [dead.name]
    assert running.exists()


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("delete from dim_area where area_name = 'Rutland'", "districts on todays map: 1 rows are wrong"),
        ("update mart_score set score = 170 where rowid = 5", "mart_score.score: is above 100"),
        ("update mart_score set rank = rank_count + 1 where rowid = (select min(rowid) from mart_score where rank is not null)",
         "ranks are within the field"),
        ("update mart_score set score_upper = score - 0.01 where rowid = (select min(rowid) from mart_score where score_upper > 1)",
         "intervals hold what they bound: 1 rows are wrong"),
        ("update mart_rank set rank_lower = rank + 1 where rowid = 3", "intervals hold what they bound: 1 rows are wrong"),
        ("delete from mart_score where node_id = 'index' and area_name = 'Leeds'", "nobody is silently gone"),
        ("update fct_observation set payload_sha256 = 'unknown' where rowid = 9", "sources account for observations"),
        ("alter table dim_indicator drop column caveats", "dim_indicator"),
        ("delete from dim_node where node_id = 'pay_spread' and framework_id = 'shared_growth'",
         r"mart_score.node_id: 1 refer to no row of dim_node, for example \('shared_growth', 'pay_spread'\)"),
    ],
)  # fmt: skip
def test_a_candidate_with_wrong_rows_is_refused_by_name(
    offline_run: tuple[Run, Outcome], tmp_path: Path, damage: str, expected: str
) -> None:
    context = offline_run[0]
    candidate = tmp_path / "candidate.duckdb"
    candidate.write_bytes(context.settings.database.read_bytes())
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(damage)
    with pytest.raises(CandidateRefused, match=expected):
        check_candidate(candidate, context.inputs.tables, marts)


def test_a_build_never_writes_into_an_existing_file(tmp_path: Path) -> None:
    path = make(tmp_path / "there.duckdb", "x")
    with pytest.raises(FileExistsError, match="never writes into an existing file"):
        build(path, {}, {})
