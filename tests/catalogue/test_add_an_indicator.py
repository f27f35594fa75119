"""The page on adding an indicator is true: its entry, and nothing else, brings a new indicator into the file."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import duckdb

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.settings import PROJECT_ROOT
from tests.quick import quick
from tests.standin.server import StandIn


def entry_of_the_page() -> str:
    page = (PROJECT_ROOT / "docs" / "add-an-indicator.md").read_text(encoding="utf-8")
    return textwrap.dedent(page.split("```yaml\n")[1].split("   ```")[0])


def test_one_yaml_entry_and_no_code_adds_an_indicator(tmp_path: Path, publishers_files: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(CATALOGUE_DIR, folder)
    with (folder / "indicators.yaml").open("a", encoding="utf-8") as stream:
        stream.write("\n" + entry_of_the_page())
    catalogue = load_catalogue(folder)
    with StandIn() as standin:
        settings = quick(data_dir=tmp_path / "data", base_urls={"ons_els": standin.base_urls["ons_els"]})
        outcome = refresh(open_run(settings, catalogue=catalogue, throttle=False, backoff_seconds=0.01, draws=0))
    assert {r.indicator_id: r.tier for r in outcome.results}["business_birth_rate"] == "live"
    with duckdb.connect(str(settings.database), read_only=True) as connection:
        [(districts, years)] = connection.execute(
            "select count(distinct area_code), count(distinct year) from fct_observation "
            "where indicator_id = 'business_birth_rate' and level = 'district' and value is not null"
        ).fetchall()
        column = connection.execute("select count(business_birth_rate_percent) from mart_area_profile").fetchone()
    assert (districts, years) == (361, 6)
    assert column == (361,)
