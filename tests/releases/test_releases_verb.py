"""`releases` and `--as-of` as people use them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.cli import main
from pipeline.releases import ReleaseStore
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import Settings


@pytest.fixture
def data(small_run: tuple[Run, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two releases: in the older one every figure of Leeds is as published, in the live one 1."""
    settings = Settings(tmp_path)
    settings.marts_dir.mkdir()
    settings.database.write_bytes(small_run[0].settings.database.read_bytes())
    store = ReleaseStore(settings.database, 12)
    store.keep()
    with duckdb.connect(str(settings.database)) as connection:
        connection.execute("update fct_observation set value = 1 where area_name = 'Leeds' and value is not null")
        connection.execute(
            "insert into meta_release by name select * replace ('1.1.0' as release_version, 'another' as run_id, "
            "'made for a test' as explanation, released_at + interval 1 minute as released_at) from meta_release"
        )
    store.keep()
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    return tmp_path


def test_releases_are_listed_newest_first_with_size_and_what_changed(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["releases"]) == 0
    first, second, *_, total = capsys.readouterr().out.splitlines()
    assert first.startswith("1.1.0 ")
    assert first.endswith("made for a test")
    assert second.endswith("the first release; there is nothing to compare it with")
    assert " MB " in first
    assert "2 kept, " in total


def test_an_old_release_is_read_by_query_area_and_export(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "select distinct value from fct_observation where area_name = 'Leeds' and indicator_id = 'gva_per_hour' and year = 2023"
    for arguments, expected in ((["--as-of", "1.0.0"], "1"), ([], "1")):
        assert main(["query", sql, "--csv", *arguments]) == 0
        value = capsys.readouterr().out.split()[1]
        assert (float(value) == float(expected)) == (not arguments)
    assert main(["area", "Leeds", "--as-of", "1.0.0"]) == 0
    assert "Leeds (E08000035)" in capsys.readouterr().out
    assert (
        main(["export", "--format", "csv", "--tables", "meta_release", "--as-of", "1.0.0", "--out", str(data / "out")])
        == 0
    )
    assert len((data / "out" / "csv" / "meta_release.csv").read_text().splitlines()) == 2


def test_a_release_is_restored_as_a_file_and_never_over_another(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["releases", "restore", "1.0.0"]) == 0
    restored = data / "marts" / "inclusive_growth-1.0.0.duckdb"
    assert str(restored) in capsys.readouterr().out
    with duckdb.connect(str(restored), read_only=True) as connection:
        assert connection.execute("select count(*) from meta_release").fetchall() == [(1,)]
    assert main(["releases", "restore", "1.0.0"]) == 1
    assert "exists already; give another name with --out" in capsys.readouterr().err


def test_what_cannot_be_restored_is_a_sentence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "marts" / "releases" / "1.0.0" / "dim_node.parquet").unlink()
    for arguments, sentence in (
        (["releases", "restore"], "say which release to restore"),
        (["releases", "restore", "3.0.0"], "there is no release 3.0.0"),
        (["releases", "restore", "1.0.0"], "release 1.0.0 is incomplete: dim_node.parquet is missing"),
        (["query", "select 1", "--as-of", "1.0.0"], "release 1.0.0 is incomplete: dim_node.parquet is missing"),
    ):
        assert main(arguments) == 1
        assert sentence in capsys.readouterr().err


def test_where_nothing_is_kept_yet_the_list_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    assert main(["releases"]) == 0
    assert "No release is kept yet; `make refresh` makes the first." in capsys.readouterr().out
