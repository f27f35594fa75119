"""Exports: valid by the tools of each format, the same bytes each time, and true to the file."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import csvw
import duckdb
import frictionless
import pytest

from pipeline.cli import main
from pipeline.export import ExportProblem, choose, export
from pipeline.marts.declaration import declared_tables
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow

OGL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
# Validators read a row at a time in Python, so the large tables are looked at for one area.
ALL_FORMATS = ("parquet", "csv", "datapackage", "excel")


@pytest.fixture(scope="module")
def preston(offline_run: tuple[Run, Outcome], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything of Preston in all formats."""
    context, folder = offline_run[0], tmp_path_factory.mktemp("preston")
    with duckdb.connect(str(context.settings.database), read_only=True) as connection:
        export(connection, choose(connection, context.inputs.tables, place="Preston"), ALL_FORMATS, folder)
    return folder


@pytest.fixture(scope="module")
def everything(offline_run: tuple[Run, Outcome], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, in all formats, as `python -m pipeline export` writes it."""
    context, folder = offline_run[0], tmp_path_factory.mktemp("everything")
    with duckdb.connect(str(context.settings.database), read_only=True) as connection:
        export(connection, choose(connection, context.inputs.tables), ALL_FORMATS, folder)
    return folder


def tables_of(context: Run) -> set[str]:
    return {name for name, table in context.inputs.tables.items() if not table.is_view}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_table_is_there_in_each_form(offline_run: tuple[Run, Outcome], everything: Path) -> None:
    names = tables_of(offline_run[0])
    assert {path.stem for path in (everything / "parquet").iterdir()} == names
    assert {path.stem for path in (everything / "csv").glob("*.csv")} == names
    assert [path.name for path in (everything / "excel").iterdir()] == ["inclusive_growth_all_districts.xlsx"]


def test_parquet_and_csv_hold_the_rows_of_the_file(offline_run: tuple[Run, Outcome], everything: Path) -> None:
    context = offline_run[0]
    with duckdb.connect(str(context.settings.database), read_only=True) as connection:
        for name in sorted(tables_of(context)):
            parquet, text = everything / "parquet" / f"{name}.parquet", everything / "csv" / f"{name}.csv"
            kinds = ", ".join(
                f"'{column}': '{'VARCHAR' if kind.startswith('ENUM') else kind}'"
                for column, kind in connection.execute(
                    "select column_name, data_type from duckdb_columns() where table_name = ?", [name]
                ).fetchall()
            )
            whole = (
                "* replace ("
                + ", ".join(
                    f"date_trunc('second', {column}) as {column}"
                    for (column,) in connection.execute(
                        "select column_name from duckdb_columns() where table_name = ? and data_type = 'TIMESTAMP'",
                        [name],
                    ).fetchall()
                )
                + ")"
            )
            whole = "*" if whole == "* replace ()" else whole
            [(same,)] = connection.execute(
                f"select (select count(*) from (from {name} except all from '{parquet}')) = 0 "
                f"and (select count(*) from {name}) = (select count(*) from '{parquet}')"
            ).fetchall()
            assert same, name
            [(same,)] = connection.execute(
                f"select (select count(*) from (select {whole} from {name} except all "
                f"select * from read_csv('{text}', columns = {{{kinds}}}, header = true, nullstr = '', allow_quoted_nulls = false))) = 0"
            ).fetchall()
            assert same, name


def test_parquet_files_say_what_they_hold(everything: Path) -> None:
    with duckdb.connect() as connection:
        path = everything / "parquet" / "mart_score.parquet"
        found = dict(
            connection.execute(f"select decode(key), decode(value) from parquet_kv_metadata('{path}')").fetchall()
        )
    assert found["licence"] == OGL
    assert found["version"] == "1.0.0"
    columns = {column["name"]: column for column in json.loads(found["columns"])}
    assert columns["score"]["unit"] == "points, 0 to 100"


def test_the_csvw_metadata_is_valid_and_every_cell_keeps_its_declared_type(preston: Path) -> None:
    group = csvw.TableGroup.from_file(preston / "csv" / "csv-metadata.json")
    assert len(group.tables) == len(list((preston / "csv").glob("*.csv")))
    for table in group.tables:
        list(table.iterdicts(strict=True))  # raises for a cell that breaks its declaration
        assert table.check_primary_key(), table.url
    assert group.check_referential_integrity()
    described = json.loads((preston / "csv" / "csv-metadata.json").read_text(encoding="utf-8"))
    assert described["dc:license"] == {"@id": OGL}
    assert any("Office for National Statistics" in source["dc:publisher"] for source in described["dc:source"])


def test_the_csvw_validator_finds_a_cell_that_breaks_the_declaration(preston: Path, tmp_path: Path) -> None:
    for name in ("dim_area.csv", "csv-metadata.json"):
        (tmp_path / name).write_bytes((preston / "csv" / name).read_bytes())
    text = (tmp_path / "dim_area.csv").read_text(encoding="utf-8")
    (tmp_path / "dim_area.csv").write_text(text.replace(",district,", ",village,"), encoding="utf-8")
    group = csvw.TableGroup.from_file(tmp_path / "csv-metadata.json")
    [table] = [table for table in group.tables if str(table.url) == "dim_area.csv"]
    with pytest.raises(ValueError, match="village"):
        list(table.iterdicts(strict=True))


def test_the_data_package_is_valid(preston: Path) -> None:
    report = frictionless.validate(str(preston / "csv" / "datapackage.json"))
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "message"])[:5]
    package = json.loads((preston / "csv" / "datapackage.json").read_text(encoding="utf-8"))
    assert [licence["path"] for licence in package["licenses"]] == [OGL]
    assert package["version"] == "1.0.0"


def test_the_whole_data_package_has_the_size_and_bytes_it_names(everything: Path) -> None:
    package = json.loads((everything / "csv" / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        content = (everything / "csv" / resource["path"]).read_bytes()
        assert (resource["bytes"], resource["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")


@pytest.mark.parametrize("kind", ["csvw", "frictionless"])
def test_meanings_units_and_keys_come_from_the_one_declaration(
    offline_run: tuple[Run, Outcome], everything: Path, kind: str
) -> None:
    declared = declared_tables(offline_run[0].inputs.catalogue.indicators)
    if kind == "csvw":
        group = json.loads((everything / "csv" / "csv-metadata.json").read_text(encoding="utf-8"))
        found = {
            table["url"].removesuffix(".csv"): (
                [(c["name"], c["dc:description"], c.get("schema:unitText")) for c in table["tableSchema"]["columns"]],
                table["tableSchema"]["primaryKey"],
            )
            for table in group["tables"]
        }
    else:
        package = json.loads((everything / "csv" / "datapackage.json").read_text(encoding="utf-8"))
        found = {
            resource["name"]: (
                [(f["name"], f["description"], f.get("unit")) for f in resource["schema"]["fields"]],
                resource["schema"]["primaryKey"],
            )
            for resource in package["resources"]
        }
    assert found == {
        name: ([(c.name, c.about, c.unit) for c in table.columns], list(table.key))
        for name, table in declared.items()
        if not table.is_view
    }


def test_foreign_keys_are_the_declared_ones_and_lead_only_to_tables_that_are_whole(
    offline_run: tuple[Run, Outcome], everything: Path, preston: Path
) -> None:
    declared = declared_tables(offline_run[0].inputs.catalogue.indicators)
    plain = {name: table for name, table in declared.items() if not table.is_view}
    expected = {
        (name, *reference.columns, reference.table, *reference.key)
        for name, table in plain.items()
        for reference in table.references(plain)
        if (name, reference.columns[-1])
        not in {("dim_node", "parent_node_id"), ("mart_audit", "member_id"), ("mart_audit", "other_id")}
    }
    assert ("mart_score", "framework_id", "node_id", "dim_node", "framework_id", "node_id") in expected
    for folder, keys in ((everything, expected), (preston, {key for key in expected if "dim_area" not in key})):
        group = json.loads((folder / "csv" / "csv-metadata.json").read_text(encoding="utf-8"))
        assert keys == {
            (
                table["url"].removesuffix(".csv"),
                *key["columnReference"],
                key["reference"]["resource"].removesuffix(".csv"),
                *key["reference"]["columnReference"],
            )
            for table in group["tables"]
            for key in table["tableSchema"].get("foreignKeys", [])
        }
        package = json.loads((folder / "csv" / "datapackage.json").read_text(encoding="utf-8"))
        assert keys == {
            (
                resource["name"],
                *key["fields"],
                key["reference"]["resource"] or resource["name"],
                *key["reference"]["fields"],
            )
            for resource in package["resources"]
            for key in resource["schema"].get("foreignKeys", [])
        }


def test_the_same_file_gives_the_same_bytes_here_and_in_another_process(
    offline_run: tuple[Run, Outcome], everything: Path, tmp_path: Path
) -> None:
    context = offline_run[0]
    with duckdb.connect(str(context.settings.database), read_only=True) as connection:
        export(connection, choose(connection, context.inputs.tables), ALL_FORMATS, tmp_path / "again")
    command = [sys.executable, "-m", "pipeline", "export", "--out", str(tmp_path / "other")]
    environment = {"IG_DATA_DIR": str(context.settings.data_dir), "PATH": ""}
    subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=True, capture_output=True)
    assert digests(everything) == digests(tmp_path / "again") == digests(tmp_path / "other")


def test_one_area_is_exported_with_its_districts(
    offline_run: tuple[Run, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(offline_run[0].settings.data_dir))
    name = "South Yorkshire combined authority"
    assert (
        main(["export", "--format", "csv", "--tables", "fct_observation", "--area", name, "--out", str(tmp_path)]) == 0
    )
    with (tmp_path / "csv" / "fct_observation.csv").open(encoding="utf-8") as stream:
        names = {row["area_name"] for row in csv.DictReader(stream)}
    assert names == {"South Yorkshire", "Barnsley", "Doncaster", "Rotherham", "Sheffield"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--tables", "mart_nothing"], "there is no table mart_nothing; there are bridge_area_group"),
        (["--area", "Atlantis"], "no area is called 'Atlantis'"),
        (["--area", "West Midlands"], 'say "West Midlands region" (E12000005) or "West Midlands combined authority"'),
        (["--out", "/dev/null/folder"], "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_a_sentence(
    offline_run: tuple[Run, Outcome],
    options: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(offline_run[0].settings.data_dir))
    where = [] if "--out" in options else ["--out", str(tmp_path)]
    assert main(["export", "--format", "csv", *options, *where]) == 1
    assert sentence in capsys.readouterr().err


def test_a_table_of_another_time_is_described_by_its_comments(
    offline_run: tuple[Run, Outcome], rows: Callable[..., list[tuple]]
) -> None:
    database = offline_run[0].settings.database
    with duckdb.connect(str(database), read_only=True) as connection:
        chosen = choose(connection, {}, names=["mart_rank"])
        with pytest.raises(ExportProblem):
            choose(connection, {}, names=["mart_score", "mart_of_old"])
    comments = dict(rows("select column_name, comment from duckdb_columns() where table_name = 'mart_rank'"))
    assert {column.name: column.about for column in chosen.tables["mart_rank"].columns} == comments
