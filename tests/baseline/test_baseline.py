"""The figures shipped in data/raw/baseline: whole, small, equal to their sources, and rebuilt byte for byte."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalogue import BaselineEntry, Catalogue, load_catalogue
from pipeline.http.payload import SourceError
from pipeline.publishers.baseline.parse import parse
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.settings import BASELINE_DIR, PROJECT_ROOT
from tools.baseline.build_baseline import BaselineBuildError, build_baseline

DATA = PROJECT_ROOT.parent / "shared" / "data"
GOLDEN = Path(__file__).with_name("spot_figures.csv")
needs_source_files = pytest.mark.skipif(not DATA.exists(), reason="the publishers' files (../shared/data) are not here")

DISTRICT = r"(?:E0[6-9]|W06|S12|N09)\d{6}"


@cache
def figures(indicator_id: str, part_id: str = "main") -> pd.DataFrame:
    payload = Baseline(BASELINE_DIR).payload(indicator_id, part_id)
    assert payload is not None
    return parse(payload.content).figures


def test_every_shipped_file_is_the_one_its_manifest_names() -> None:
    assert Baseline(BASELINE_DIR).verify() == []


def test_the_baseline_is_small_and_rich_enough() -> None:
    on_disk = sum(path.stat().st_size for path in BASELINE_DIR.iterdir())
    entries = Baseline(BASELINE_DIR).entries
    assert on_disk <= 2_000_000
    assert sum(entry.row_count for entry in entries) >= 120_000
    assert len({entry.indicator for entry in entries}) >= 27


def test_every_entry_of_the_catalogue_is_shipped_with_its_provenance() -> None:
    shipped = {(entry.indicator, entry.part): entry for entry in Baseline(BASELINE_DIR).entries}
    catalogued = load_catalogue().baseline
    assert set(shipped) == {(entry.indicator, entry.part) for entry in catalogued}
    for wanted in catalogued:
        entry = shipped[wanted.indicator, wanted.part]
        assert (entry.publisher, entry.edition, entry.published) == (wanted.publisher, wanted.edition, wanted.published)
        assert (entry.licence, entry.source_url) == ("OGL-UK-3.0", str(wanted.source_url))
        assert set(entry.source_files) == set(wanted.files)


def test_every_shipped_row_reads_as_a_figure_and_no_source_row_was_set_aside() -> None:
    for entry in Baseline(BASELINE_DIR).entries:
        table = figures(entry.indicator, entry.part)
        assert len(table) == entry.row_count
        assert entry.rows_set_aside == 0
        assert (table["period"].min(), table["period"].max()) == (entry.first_period, entry.last_period)
        assert (
            table["value"]
            .isna()
            .eq(table["status"].isin(["not_available", "suppressed"]) | table["value"].isna())
            .all()
        )


def test_no_two_parts_of_an_indicator_have_the_same_area_and_period() -> None:
    entries = Baseline(BASELINE_DIR).entries
    for indicator in {entry.indicator for entry in entries}:
        parts = [figures(entry.indicator, entry.part) for entry in entries if entry.indicator == indicator]
        assert not pd.concat(parts).duplicated(["area_code", "period"]).any()


def test_districts_combined_authorities_regions_and_nations_are_there() -> None:
    gva = figures("gva_per_hour").query("period == '2023-01-01/P1Y'")["area_code"]
    assert gva.str.fullmatch(DISTRICT).sum() == 361
    assert gva.str.startswith("E47").sum() >= 10
    assert gva.str.startswith("E12").sum() == 9
    assert {"E92000001", "W92000004", "S92000003", "N92000002"} <= set(gva)


def test_spot_figures_are_those_of_the_publishers() -> None:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        for spot in csv.DictReader(file):
            table = figures(spot["indicator"], spot["part"]).set_index(["area_code", "period"])
            row = table.loc[(spot["area_code"], spot["period"])]
            assert row["status"] == spot["status"], spot
            if spot["value"]:
                assert row["value"] == pytest.approx(float(spot["value"]), rel=1e-12), spot
            else:
                assert pd.isna(row["value"]), spot


def test_a_payload_says_where_it_comes_from_and_how_old_it_is() -> None:
    payload = Baseline(BASELINE_DIR).payload("gdhi_per_head", "main")
    assert payload is not None
    assert payload.fetched_at.date().isoformat() == payload.publisher_updated == "2025-09-10"
    assert payload.row_count == len(figures("gdhi_per_head"))
    assert payload.edition
    assert payload.edition.startswith("Regional GDHI")


def test_what_is_not_shipped_is_none_rather_than_empty() -> None:
    assert Baseline(BASELINE_DIR).payload("jobs_density", "main") is None


def test_asking_what_is_shipped_loads_neither_pandas_nor_pyarrow() -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.publishers.baseline.shipped_figures import Baseline; "
        f"Baseline(Path({str(BASELINE_DIR)!r})).verify(); print({{'pandas', 'pyarrow', 'requests'}} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


# --- a damaged baseline -------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "baseline"
    shutil.copytree(BASELINE_DIR, folder)
    return folder


def test_a_changed_file_is_refused_with_both_hashes_and_the_way_back(copy: Path) -> None:
    path = copy / "gdhi_per_head.parquet"
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + b" ")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(SourceError) as raised:
        Baseline(copy).payload("gdhi_per_head", "main")
    for part in (str(path), expected, found, "git checkout -- data/raw/baseline"):
        assert part in str(raised.value)


def test_verify_names_what_is_gone_changed_or_strange(copy: Path) -> None:
    (copy / "gva_per_hour.parquet").unlink()
    (copy / "gva_per_job.parquet").write_bytes(b"")
    (copy / "mine.parquet").write_bytes(b"")
    found = Baseline(copy).verify()
    assert len(found) == 3
    assert all(any(name in line for line in found) for name in ("gva_per_hour", "gva_per_job", "mine"))


def test_a_missing_manifest_is_said_and_ships_nothing(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    assert Baseline(copy).entries == ()
    assert "no manifest.json" in Baseline(copy).verify()[0]


@pytest.mark.parametrize("text", ["", "[]", '{"files": [{"file": "x"}]}', '{"files": 3}'])
def test_a_manifest_that_does_not_read_is_an_error(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text)
    with pytest.raises(SourceError, match="cannot be read as a manifest"):
        _ = Baseline(copy).entries


# --- building -----------------------------------------------------------------------------------------------------

ELS_FILE = (
    "areacd,areanm,geography,indicator,period,observation,measure,unit,lci_95,uci_95,status,notes\n"
    "E09000030,Tower Hamlets,District,Pay,2025-04-30,700.5,Pounds,GBP,690,711,,\n"
    "E09000001,City of London,District,Pay,2025-04-30,,Pounds,GBP,,,u,\n"
    "E09000002,Barking and Dagenham,District,Pay,2025-04-30,lots,Pounds,GBP,,,,\n"
)


def entry(**changes: object) -> BaselineEntry:
    given: dict[str, object] = {
        "indicator": "pay_median_weekly",
        "reader": "els_source",
        "files": ("pay.csv",),
        "select": {"indicator": "Pay"},
        "publisher": "Office for National Statistics",
        "edition": "a test",
        "published": "2025-10-23",
        "source_url": "https://www.ons.gov.uk/",
    }
    return BaselineEntry.model_validate({**given, **changes})


def catalogue(*entries: BaselineEntry) -> Catalogue:
    return Catalogue(indicators={}, sources={}, baseline=entries)


def test_building_reports_rows_set_aside_and_writes_no_zero_for_them(tmp_path: Path) -> None:
    (tmp_path / "pay.csv").write_text(ELS_FILE)
    out = tmp_path / "out"
    report = build_baseline(tmp_path, out, catalogue(entry()))
    assert (report.row_count, len(report.set_aside)) == (2, 1)
    assert report.set_aside.loc[0, "source_row"] == 4
    payload = Baseline(out).payload("pay_median_weekly", "main")
    assert payload is not None
    shipped = parse(payload.content).figures.set_index("area_code")
    assert shipped["value"].to_dict() == {"E09000001": pytest.approx(float("nan"), nan_ok=True), "E09000030": 700.5}
    assert Baseline(out).verify() == []


def test_building_twice_gives_the_same_bytes_and_clears_what_no_entry_names(tmp_path: Path) -> None:
    (tmp_path / "pay.csv").write_text(ELS_FILE)
    out = tmp_path / "out"
    build_baseline(tmp_path, out, catalogue(entry()))
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "withdrawn.parquet").write_bytes(b"old")
    build_baseline(tmp_path, out, catalogue(entry()))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"files": ("absent.csv",)}, "absent.csv"),
        ({"select": {"indicator": "Wage"}}, "no rows of the indicator 'Wage'"),
        ({"select": {}}, "field 'select': 'indicator'"),
        ({"reader": "iod_average_score", "select": {"map": "atlantis_1999"}}, "atlantis_1999"),
        ({"reader": "ashe_table_8", "select": {"column": "Median"}}, "Annual pay - Gross"),
    ],
)
def test_a_failed_build_names_the_entry_and_replaces_nothing(tmp_path: Path, changes: dict, said: str) -> None:
    (tmp_path / "pay.csv").write_text(ELS_FILE)
    out = tmp_path / "out"
    build_baseline(tmp_path, out, catalogue(entry()))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(BaselineBuildError) as raised:
        build_baseline(tmp_path, out, catalogue(entry(), entry(part="other", **changes)))
    assert "entry 'pay_median_weekly', part 'other'" in str(raised.value)
    assert said in str(raised.value)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


# --- against the publishers' files --------------------------------------------------------------------------------


@needs_source_files
def test_the_shipped_figures_are_what_the_builder_makes_of_the_publishers_files(tmp_path: Path) -> None:
    build_baseline(DATA, tmp_path, load_catalogue())
    made, shipped = (json.loads((folder / "manifest.json").read_text()) for folder in (tmp_path, BASELINE_DIR))
    if made["written_by"] == shipped["written_by"]:
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
            p.name: p.read_bytes() for p in BASELINE_DIR.iterdir()
        }
    for file in made["files"]:  # another pyarrow may write other bytes, never other figures
        rebuilt = parse((tmp_path / file["file"]).read_bytes()).figures
        pd.testing.assert_frame_equal(rebuilt, figures(file["indicator"], file["part"]), check_exact=True)


@needs_source_files
@pytest.mark.parametrize(
    ("indicator_id", "name", "label", "period"),
    [
        ("gva_per_hour", "gross-value-added.csv", "Gross value added per hour worked", "2023-01-01/P1Y"),
        (
            "gdhi_per_head",
            "gross-disposable-household-income-per-head.csv",
            "Gross disposable household income",
            "2023-01-01/P1Y",
        ),
        ("pay_median_weekly", "gross-median-weekly-pay.csv", "Gross median weekly pay", "2025-04-30"),
    ],
)
def test_the_latest_year_equals_the_source_exactly_for_every_district(
    indicator_id: str, name: str, label: str, period: str
) -> None:
    with (DATA / "els" / name).open(encoding="utf-8-sig", newline="") as file:
        published = {
            line["areacd"]: line["observation"]
            for line in csv.DictReader(file)
            if line["indicator"] == label and line["period"] == period
        }
    table = figures(indicator_id)
    shipped = table[(table["period"] == period) & table["area_code"].str.fullmatch(DISTRICT)]
    shipped_value = shipped.set_index("area_code")["value"]
    districts = {code: text for code, text in published.items() if pd.Series([code]).str.fullmatch(DISTRICT)[0]}
    assert set(shipped_value.index) == set(districts)
    for code, text in districts.items():
        assert shipped_value[code] == float(text) if text else pd.isna(shipped_value[code])
