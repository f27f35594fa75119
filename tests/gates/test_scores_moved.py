"""How far scores and ranks may move in a night: not at all without news, up to a limit with it, and freely with the method."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.gates import Finding, GatePolicy, load_gate_policy, scores_moved
from pipeline.notify import Recipients
from pipeline.run.context import Run
from pipeline.run.nightly import Night, message_of
from pipeline.run.refresh import Outcome
from pipeline.settings import Settings

IN_THE_LATEST_YEAR = "is_latest_year and flavour = 'level' and level = 'district' and framework_id = 'shared_growth'"


@pytest.fixture(scope="module")
def policy() -> GatePolicy:
    return load_gate_policy(load_catalogue().indicators)


@pytest.fixture
def compared(offline_run: tuple[Run, Outcome], tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new file, free to change, with an equal live one attached."""
    live = offline_run[0].settings.database
    new = tmp_path / "new.duckdb"
    shutil.copy(live, new)
    new.chmod(0o644)
    with duckdb.connect(str(new)) as connection:
        connection.execute(f"attach '{live}' as live (read_only)")
        yield connection


def found(connection: duckdb.DuckDBPyConnection, policy: GatePolicy, *, is_same_method: bool = True) -> list[Finding]:
    return scores_moved(connection, policy, is_same_method=is_same_method)


def revise(connection: duckdb.DuckDBPyConnection, indicator: str) -> None:
    connection.execute(
        f"update fct_observation set value = 1.01 * value where indicator_id = '{indicator}' and year = 2023"
    )


def move(connection: duckdb.DuckDBPyConnection, node: str, by: float, share: float, members: str = "''") -> None:
    """Move the latest level scores of a share of districts at a node, and at those members of it that are named."""
    connection.execute(
        f"""
        update mart_score set score = score + if(score > 50, -1, 1) * {by}
        where {IN_THE_LATEST_YEAR} and node_id in ('{node}', {members}) and area_code in (
            select area_code from mart_score where {IN_THE_LATEST_YEAR} and node_id = '{node}'
            order by area_name limit (select ceil({share} * count(*)) from mart_score where {IN_THE_LATEST_YEAR} and node_id = '{node}')
        )
        """
    )


def test_equal_files_have_nothing_to_find_whoever_made_them(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    assert found(compared, policy) == []
    assert found(compared, policy, is_same_method=False) == []


def test_a_score_that_moved_though_nothing_came_for_it_is_refused_however_little_it_moved(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    revise(compared, "claimant_rate")
    move(compared, "productivity", 0.01, 0.02)
    [finding] = found(compared, policy)
    assert (finding.gate_id, finding.severity) == ("moved_without_news", "refuse")
    assert finding.subject == "shared_growth productivity level 2025"
    assert (
        "8 of 359 districts moved, by less than 0.1 points at most, although none of its indicators' figures differs: "
        in (finding.sentence)
    )


def test_noise_of_the_last_decimal_is_no_move(compared: duckdb.DuckDBPyConnection, policy: GatePolicy) -> None:
    move(compared, "productivity", 0.000001, 1.0)
    assert found(compared, policy) == []


@pytest.mark.parametrize(
    ("node", "share", "severity"),
    [
        ("growth", 0.05, None),
        ("growth", 0.1, "warn"),
        ("growth", 0.5, "refuse"),
        ("productivity", 0.3, None),
        ("productivity", 0.5, "warn"),
        ("productivity", 0.95, "refuse"),
        ("index", 0.005, None),
        ("index", 0.02, "warn"),
        ("index", 0.05, "refuse"),
    ],
)
def test_moves_with_news_warn_and_are_refused_by_the_share_of_districts(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy, node: str, share: float, severity: str | None
) -> None:
    revise(compared, "gva_per_hour")
    move(compared, node, 12, share)
    findings = found(compared, policy)
    assert [finding.severity for finding in findings] == ([] if severity is None else [severity])
    assert all(finding.subject == f"shared_growth {node} level 2025" for finding in findings)


def test_the_sentence_names_what_carried_the_move_and_the_three_that_moved_farthest(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    revise(compared, "gva_per_hour")
    move(compared, "growth", 15, 0.5, members="'gva_per_hour'")
    compared.execute(
        f"update mart_score set score = 99 where {IN_THE_LATEST_YEAR} and node_id = 'growth' and area_name = 'Blackpool'"
    )
    [(before,)] = compared.execute(
        f"select score from live.mart_score where {IN_THE_LATEST_YEAR} and node_id = 'growth' and area_name = 'Blackpool'"
    ).fetchall()
    [finding] = found(compared, policy)
    assert finding.sentence.startswith(
        "shared_growth, Growth (level 2025): 180 of 359 districts moved by more than 10 points (50%)"
    )
    assert (
        f"; mainly because of Gross value added per hour worked (100%); largest moves: Blackpool {before:.1f} to 99.0; "
        in (finding.sentence)
    )
    assert finding.sentence.count(" to ") == 3


def test_a_new_year_is_held_against_the_latest_of_the_file_before(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    revise(compared, "gva_per_hour")
    compared.execute(
        "update mart_score set is_latest_year = false where framework_id = 'shared_growth' and flavour = 'level'"
    )
    compared.execute(
        "insert into mart_score by name select * replace (2026 as year, true as is_latest_year, 100 - score as score) "
        "from mart_score where framework_id = 'shared_growth' and flavour = 'level' and year = 2025"
    )
    [finding] = [finding for finding in found(compared, policy) if finding.gate_id == "scores_moved"]
    assert finding.severity == "refuse"
    assert "(level 2025 to 2026)" in finding.sentence


def test_what_was_moved_by_the_method_is_told_of_and_never_refused(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy
) -> None:
    move(compared, "growth", 30, 1.0)
    move(compared, "productivity", 0.5, 1.0)
    [finding] = found(compared, policy, is_same_method=False)
    assert (finding.gate_id, finding.severity) == ("scores_moved", "warn")
    assert "the method has changed since the live file, so this is not refused" in finding.sentence


def test_a_file_of_a_method_with_other_columns_is_not_compared(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy, tmp_path: Path
) -> None:
    old = tmp_path / "old.duckdb"
    compared.execute(f"attach '{old}' as older")
    compared.execute("create table older.mart_score as select * exclude (rank_lower) from live.mart_score limit 10")
    compared.execute("detach live")
    compared.execute("detach older")
    compared.execute(f"attach '{old}' as live (read_only)")
    assert found(compared, policy, is_same_method=False) == []


@pytest.mark.parametrize(("count", "severity"), [(20, None), (60, "warn"), (250, "refuse")])
def test_published_ranks_that_left_their_interval_warn_and_are_refused(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy, count: int, severity: str | None
) -> None:
    revise(compared, "claimant_rate")
    compared.execute(
        f"""
        update mart_score set rank = if(rank_upper < 300, 359, 1)
        where {IN_THE_LATEST_YEAR} and node_id = 'sharing' and area_code in (
            select area_code from mart_score where {IN_THE_LATEST_YEAR} and node_id = 'sharing'
                and rank is not null and (rank_upper < 300 or rank_lower > 60) order by area_name limit {count}
        )
        """
    )
    findings = found(compared, policy)
    assert [(finding.gate_id, finding.severity) for finding in findings] == (
        [] if severity is None else [("ranks_moved", severity)]
    )
    for finding in findings:
        assert (
            f"{count} of 359 published ranks left their former 90% interval by more than 36 places" in finding.sentence
        )
        assert " rank " in finding.sentence


def test_a_night_on_which_much_moved_is_told_by_default(
    compared: duckdb.DuckDBPyConnection, policy: GatePolicy, tmp_path: Path
) -> None:
    revise(compared, "gva_per_hour")
    move(compared, "growth", 12, 0.1)
    gates: list[dict[str, Any]] = [vars(finding) for finding in found(compared, policy)]
    report = {"status": "published", "release": {"version": "1.2.0"}, "gates": gates, "parts": [1]}
    told = message_of(Night(0), report, Settings(data_dir=tmp_path), datetime.now(UTC))
    assert Recipients().want(told)
    assert (
        "warn: shared_growth, Growth (level 2025): 36 of 359 districts moved by more than 10 points (10%)" in told.text
    )


def test_two_files_are_compared_in_less_than_a_second(compared: duckdb.DuckDBPyConnection, policy: GatePolicy) -> None:
    """In processor time, the middle of three tries; 0.4 s on a busy machine (docs/gates.md)."""
    took = []
    for _ in range(3):
        began = time.process_time()
        found(compared, policy)
        took.append(time.process_time() - began)
    assert sorted(took)[1] < 1.0
