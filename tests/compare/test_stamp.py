"""A new file is numbered after the one it replaces, carries its history, and is never held up by it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.compare import Stamp, Version, stamp
from tests.compare.conftest import Changed

METHOD = "a fingerprint"


def stamped(candidate: Path, before: Path | None, **known: object) -> Stamp:
    return stamp(candidate, before, method_fingerprint=METHOD, **known)  # type: ignore[arg-type]


def rows(path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


REVISE = "update fct_observation set value = 44.4, payload_sha256 = 'x' where indicator_id = 'gva_per_hour' and area_name = 'Preston' and year = 2023"


def test_history_is_carried_from_release_to_release(live: Path, changed: Changed) -> None:
    second = changed(REVISE, name="second.duckdb")
    assert stamped(second, live).line.startswith("minor 1.0.0 → 1.1.0: 1 figure revised (Preston, ")
    third = changed(REVISE, "alter table mart_audit drop column note", name="third.duckdb")
    assert stamped(third, second).line.startswith("major 1.1.0 → 2.0.0: 1 column gone")
    assert rows(third, "select release_version, kind from meta_release order by released_at, release_version") == [
        ("1.0.0", "first"), ("1.1.0", "minor"), ("2.0.0", "major"),
    ]  # fmt: skip
    assert rows(third, "select release_version, area_name, new_value from mart_revision") == [
        ("1.1.0", "Preston", 44.4)
    ]
    assert rows(third, "select distinct release_version from meta_release_change order by 1") == [
        ("1.1.0",),
        ("2.0.0",),
    ]


def test_a_file_can_be_stamped_again(live: Path, changed: Changed) -> None:
    candidate = changed(REVISE)
    assert stamped(candidate, live) == stamped(candidate, live)
    assert rows(candidate, "select count(*) from meta_release") == [(2,)]


def test_equal_rows_have_equal_content_hashes(live: Path, changed: Changed) -> None:
    same, other = changed(name="same.duckdb"), changed(REVISE, name="other.duckdb")
    stamped(same, live)
    stamped(other, live)
    newest = "select content_hash from meta_release order by release_version desc limit 1"
    assert rows(same, newest) == rows(live, newest) != rows(other, newest)


def test_the_first_file_has_nothing_to_be_compared_with_and_says_so(changed: Changed) -> None:
    found = stamped(changed(), None)
    assert found.line == "1.0.0: the first release; there is nothing to compare it with"


def test_a_file_before_without_numbers_is_compared_and_the_numbers_begin(live: Path, changed: Changed) -> None:
    older = changed(
        "drop table meta_release", "drop table meta_release_change", "drop table mart_revision", "drop table mart_movement",
        name="older.duckdb",
    )  # fmt: skip
    candidate = changed(REVISE)
    found = stamped(candidate, older)
    assert found.version == Version(1, 0, 0)
    assert "the first release with a number, compared with the file before it" in found.line
    assert rows(candidate, "select count(*) from mart_revision") == [(1,)]


def test_a_damaged_file_before_never_stops_a_release(tmp_path: Path, changed: Changed) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"no database")
    found = stamped(changed(), broken, last_version=Version(1, 4, 2))
    assert found.version == Version(1, 5, 0)
    assert "it could not be compared with the file before it" in found.line


def test_a_restored_file_does_not_bring_old_numbers_back(live: Path, changed: Changed) -> None:
    """The live file is 1.0.0 again, and 1.3.0 was given already."""
    assert stamped(changed(REVISE), live, last_version=Version(1, 3, 0)).version == Version(1, 4, 0)


def test_revisions_of_old_releases_are_let_go_whole_when_they_are_many(live: Path, changed: Changed) -> None:
    many = changed(
        "insert into mart_revision by name select '0.9.' || i as release_version, area_code, area_name, level, "
        "'x' as indicator_id, 'x' as indicator_title, 'x' as unit, '2020' as period, 2020 as year, 'revised' as kind, "
        "'publisher' as cause, false as is_derived from dim_area, range(60) as numbers(i) where level = 'district'",
        name="many.duckdb",
    )
    candidate = changed(REVISE)
    stamped(candidate, many)
    kept = rows(candidate, "select release_version, count(*) from mart_revision group by 1 order by 1")
    assert kept[0] == ("0.9.10", 361)
    assert 19_000 < sum(count for _, count in kept) <= 20_001
    assert {count for version, count in kept if version.startswith("0.9")} == {361}


def test_history_outlives_a_comparison_that_fails(
    live: Path, changed: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise duckdb.IOException("a block of the old file is damaged")

    candidate = changed(REVISE)
    monkeypatch.setattr("pipeline.compare.stamping.compare_attached", fails)
    found = stamped(candidate, live)
    assert "it could not be compared with the file before it (a block of the old file is damaged)" in found.line
    assert rows(candidate, "select release_version from meta_release order by 1") == [("1.0.0",), ("1.1.0",)]
