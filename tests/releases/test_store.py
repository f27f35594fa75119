"""Releases are kept whole, share what did not change, are deleted by rule, and come back as they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.releases import Release, ReleaseProblem, ReleaseStore, database_as_of
from pipeline.releases.manifest import MANIFEST
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import SettingsError, settings_from_environment

SHAPE = """
select 'column', table_name, column_name, data_type, is_nullable, comment
from duckdb_columns() where not internal
union all select 'table', table_name, null, null, null, comment from duckdb_tables() where not internal
union all select 'view', view_name, null, null, null, comment from duckdb_views() where not internal
union all select constraint_type, table_name, constraint_column_names::varchar, null, null, null
from duckdb_constraints() where constraint_type = 'PRIMARY KEY'
order by all
"""


@pytest.fixture(scope="module")
def kept(offline_run: tuple[Run, Outcome]) -> tuple[Path, Release]:
    """The published file and the release that was kept of it."""
    live = offline_run[0].settings.database
    [release] = ReleaseStore(live, 12).kept()
    return live, release


@pytest.fixture
def copied(kept: tuple[Path, Release], tmp_path: Path) -> tuple[Path, ReleaseStore]:
    """A copy of the published file and of its kept release, to be changed."""
    live, release = kept
    target = tmp_path / live.name
    shutil.copyfile(live, target)
    shutil.copytree(release.folder, tmp_path / "releases" / release.folder.name)
    return target, ReleaseStore(target, 12)


def renumbered(live: Path, version: str, *statements: str) -> None:
    """Give the live file another version and run, as another publication would, and change it."""
    with duckdb.connect(str(live)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute(
            "insert into meta_release by name select * replace (? as release_version, ? as run_id, "
            "released_at + interval 1 day as released_at) from meta_release order by released_at desc limit 1",
            [version, f"run of {version}"],
        )


def test_a_kept_release_is_rebuilt_with_every_row_key_view_and_comment(
    kept: tuple[Path, Release], tmp_path: Path
) -> None:
    live, release = kept
    rebuilt = tmp_path / "rebuilt.duckdb"
    ReleaseStore(live, 12).rebuild(release, rebuilt)
    with duckdb.connect() as connection:
        for name, path in (("was", live), ("back", rebuilt)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        shapes = []
        for name in ("was", "back"):
            connection.execute(f"use {name}")
            shapes.append(connection.execute(SHAPE).fetchall())
        assert shapes[0] == shapes[1]
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'was'"
        ).fetchall():
            left, right = f'was."{table}"', f'back."{table}"'
            gone = f"select count(*) from (from {left} except all from {right})"
            came = f"select count(*) from (from {right} except all from {left})"
            assert connection.execute(f"select ({gone}), ({came})").fetchall() == [(0, 0)], table
    assert [path.name for path in tmp_path.iterdir()] == ["rebuilt.duckdb"]


def test_a_release_is_less_than_half_the_size_of_the_file(kept: tuple[Path, Release]) -> None:
    assert kept[1].byte_count < kept[0].stat().st_size / 2


def test_keeping_what_is_kept_already_changes_nothing(copied: tuple[Path, ReleaseStore]) -> None:
    live, store = copied
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")}
    assert store.keep() == store.newest()
    assert {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")} == before
    assert json.loads((live.parent / MANIFEST).read_text())["version"] == "1.0.0"


def test_tables_that_did_not_change_share_their_files(copied: tuple[Path, ReleaseStore]) -> None:
    live, store = copied
    alone = store.bytes_on_disk()
    renumbered(live, "1.1.0", "update fct_observation set value = 1 where area_name = 'Leeds' and year = 2023")
    store.keep()
    files = [{path.name: path.stat().st_ino for path in release.folder.iterdir()} for release in store.kept()]
    changed = {name for name in files[0] if files[0][name] != files[1][name]}
    assert changed == {"fct_observation.parquet", "meta_release.parquet", "release.json", "schema.sql"}
    assert store.bytes_on_disk() < alone * 1.15


def test_the_newest_patch_of_the_newest_minor_versions_and_the_two_newest_releases_are_kept(
    copied: tuple[Path, ReleaseStore],
) -> None:
    live, _ = copied
    store = ReleaseStore(live, 2)
    for version in ("1.0.1", "1.1.0", "1.1.1", "1.2.0", "1.2.1", "1.2.2"):
        renumbered(live, version)
        store.keep()
    assert [str(release.version) for release in store.kept()] == ["1.1.1", "1.2.1", "1.2.2"]
    assert ReleaseStore(live, 1).prune()
    assert [str(release.version) for release in store.kept()] == ["1.2.1", "1.2.2"]


@pytest.mark.parametrize(
    ("as_of", "version"),
    [
        ("1.0.0", "1.0.0"),
        ("2026-11-01", "1.0.0"),
        ("2026-11-05", "1.1.0"),
        ("2026-11-09", "1.1.0"),
        ("1.1.0", "1.1.0"),
    ],
)
def test_a_version_or_a_day_names_the_release_that_was_live(
    copied: tuple[Path, ReleaseStore], as_of: str, version: str
) -> None:
    live, store = copied
    with duckdb.connect(str(live)) as connection:
        connection.execute("update meta_release set released_at = timestamp '2026-11-01 23:59:00'")
    shutil.rmtree(store.folder)
    store.keep()
    renumbered(live, "1.1.0")
    with duckdb.connect(str(live)) as connection:
        connection.execute(
            "update meta_release set released_at = timestamp '2026-11-05 06:00:00' where release_version = '1.1.0'"
        )
    store.keep()
    with database_as_of(store, live, as_of) as path:
        assert (path == live) == (version == "1.1.0")
        with duckdb.connect(str(path), read_only=True) as connection:
            newest = "select release_version from meta_release order by released_at desc limit 1"
            assert connection.execute(newest).fetchall() == [(version,)]
    assert path == live or not path.exists()


@pytest.mark.parametrize(
    ("as_of", "sentence"),
    [
        ("9.9.9", "there is no release 9.9.9; `python -m pipeline releases` lists those that are kept"),
        ("2001-05-01", "nothing was published by 2001-05-01; the first release is of 20"),
        ("soon", r"'soon' is neither a version \(1.3.0\) nor a day \(2026-11-01\)"),
    ],
)
def test_a_release_that_never_was_is_named(kept: tuple[Path, Release], as_of: str, sentence: str) -> None:
    with pytest.raises(ReleaseProblem, match=sentence), database_as_of(ReleaseStore(kept[0], 12), kept[0], as_of):
        pass


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "dim_area.parquet").write_bytes(b"PAR1"), "damaged: dim_area.parquet has been altered"),
        (lambda folder: (folder / "mart_score.parquet").unlink(), "incomplete: mart_score.parquet is missing"),
        (lambda folder: (folder / "schema.sql").write_text("drop table x"), "damaged: schema.sql has been altered"),
    ],
)  # fmt: skip
def test_a_damaged_release_is_not_rebuilt(
    copied: tuple[Path, ReleaseStore], tmp_path: Path, damage: object, sentence: str
) -> None:
    _, store = copied
    [release] = store.kept()
    damage(release.folder)  # type: ignore[operator]
    with pytest.raises(ReleaseProblem, match=f"release 1.0.0 is {sentence}"):
        store.rebuild(release, tmp_path / "back.duckdb")
    assert not (tmp_path / "back.duckdb").exists()


def test_a_release_without_its_description_is_told_and_kept_again(copied: tuple[Path, ReleaseStore]) -> None:
    _, store = copied
    (store.folder / "1.0.0" / MANIFEST).write_text("{")
    assert store.kept() == []
    assert "release 1.0.0 cannot be read: its release.json is missing or damaged" in store.problems()[0]
    store.keep()
    assert store.problems() == []
    assert [str(release.version) for release in store.kept()] == ["1.0.0"]


def test_a_damaged_file_is_not_shared_with_the_next_release(copied: tuple[Path, ReleaseStore], tmp_path: Path) -> None:
    live, store = copied
    (store.folder / "1.0.0" / "mart_change.parquet").write_bytes(b"rotten")
    renumbered(live, "1.1.0")
    store.keep()
    newest = store.newest()
    assert newest is not None
    store.rebuild(newest, tmp_path / "back.duckdb")


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_a_number_of_releases_must_be_one(number: str) -> None:
    with pytest.raises(SettingsError, match="IG_KEEP_RELEASES must be a whole number of 1 or more"):
        settings_from_environment({"IG_KEEP_RELEASES": number})
    assert settings_from_environment({"IG_KEEP_RELEASES": "3"}).keep_releases == 3
