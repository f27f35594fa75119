"""Build the site: read the published file, write every page beside the old site, then swap the two.

A folder is only replaced if it holds a site of this project, as its marker file shows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.errors import PipelineError
from pipeline.published import words
from pipeline.report.boundaries import FILE_NAME, Boundaries, CannotUse, read_boundaries
from pipeline.report.chart import plain_json
from pipeline.report.downloads import downloads
from pipeline.report.facts import Area, Facts
from pipeline.report.pages.areas import area_page, area_pages
from pipeline.report.pages.background import data_page, methodology_page, quality_page
from pipeline.report.pages.explorers import compare_page, map_page
from pipeline.report.pages.home import home_page
from pipeline.report.pages.indicators import indicator_list, indicator_pages
from pipeline.report.pages.page import Page, editions
from pipeline.report.read_facts import read_facts
from pipeline.report.shared_data import boundaries_script, scripts, shown_areas
from pipeline.report.specs import compiled_specs, engine

MARKER = ".inclusive-growth-report"
_HERE = Path(__file__).parent
_MENU = (
    ("home", "index.html", "Home"),
    ("map", "map.html", "Map"),
    ("compare", "compare.html", "Compare"),
    ("indicators", "indicators/index.html", "Indicators"),
    ("methodology", "methodology.html", "Methodology"),
    ("data", "data.html", "Data"),
    ("quality", "quality.html", "Quality"),
)
# In the order in which pages need them. The theme is set before the page is painted, so its script stands alone.
_ALWAYS = ("assets/core.js", "data/places.js", "assets/search.js")
_CHARTS = ("assets/specs.js", "assets/rows.js", "assets/pointing.js", "assets/behind.js", "assets/charts.js")
_OF_PAGE = {
    "home.html": ("assets/tabs.js", "assets/today.js"),
    "map.html": ("assets/map.js",),
    "compare.html": ("assets/compare.js",),
}
_WITHOUT_CHARTS = {"areas.html", "indicators.html", "methodology.html", "data.html", "quality.html"}
_LEVELS = (
    ("nation", "Nations"),
    ("country", "United Kingdom and its parts"),
    ("region", "English regions"),
    ("combined_authority", "Combined authorities"),
    ("group", "Named groups"),
    ("county", "Counties"),
)


class CannotWrite(PipelineError):
    """The site cannot be written where it was asked for. The message says why and what to do."""


@dataclass(frozen=True)
class Built:
    """What was built: the numbers of pages and files, their total size in bytes, and a note on anything not shown."""

    folder: Path
    pages: int
    files: int
    size: int
    note: str | None


def build_site(database: Path, out: Path, *, methodology: str) -> Built:
    """Build the whole site of ``database`` in ``out``. An existing site is replaced only once the new one is complete.

    ``methodology`` is the text of the project's methodology in Markdown. District boundaries are read from a file
    beside ``database`` (`boundaries.FILE_NAME`). Without it, or if it cannot be drawn, the map has tiles only. Raises
    CannotRead if the published file cannot be read, and CannotWrite if ``out`` holds anything but a report.
    """
    _refuse_foreign(out)
    facts = read_facts(database)
    boundaries, note = _boundaries(database.with_name(FILE_NAME), facts)
    building = out.with_name(f".{out.name}.{os.getpid()}.building")
    try:
        pages = _write_site(facts, building, methodology, boundaries, note)
        files = [path for path in building.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        _swap(building, out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Built(out, pages, len(files), size, note)


def _boundaries(path: Path, facts: Facts) -> tuple[Boundaries | None, str | None]:
    """The boundaries to draw, and why there are none if their file cannot be used."""
    if not path.exists():
        return None, None
    try:
        return read_boundaries(path, [area.code for area in facts.districts]), None
    except CannotUse as reason:
        return None, str(reason)


def build_briefing(database: Path, code: str, folder: Path) -> tuple[Path, str]:
    """The page of one area alone, for printing: (path of the page, name of the area).

    Raises CannotRead if the file cannot be read, and CannotWrite if the area has no page.
    """
    facts = read_facts(database)
    area = next((a for a in shown_areas(facts) if a.code == code), None)
    if area is None:
        raise CannotWrite(f"{code} has no page: nothing is published for it")
    page = area_page(area, facts, editions(facts))
    wider = [facts.areas[path.removeprefix("data/areas/").removesuffix(".js")] for path in page.scripts if path.startswith("data/areas/")]  # fmt: skip
    _write_shared(facts, folder, wider)
    _write_pages(facts, folder, [page])
    return folder / page.path, area.name


def _write_site(facts: Facts, folder: Path, methodology: str, boundaries: Boundaries | None, note: str | None) -> int:
    _write_shared(facts, folder, shown_areas(facts))
    if boundaries:
        _write(folder / "data" / "boundaries.js", boundaries_script(boundaries))
    files = list(downloads(facts))
    for file in files:
        _write(folder / file.path, file.text)
    pages = [
        home_page(facts),
        map_page(facts, boundaries, note),
        compare_page(facts),
        indicator_list(facts),
        methodology_page(facts, methodology),
        data_page(facts, files),
        quality_page(facts),
        _area_list(facts),
    ]
    written = _write_pages(facts, folder, _chained(pages, indicator_pages(facts), area_pages(facts)))
    _write(folder / MARKER, f"{facts.run.fingerprint}\n")
    return written


def _chained(*several: Iterable[Page]) -> Iterator[Page]:
    for pages in several:
        yield from pages


def _write_shared(facts: Facts, folder: Path, areas: Sequence[Area]) -> None:
    """Style sheet, scripts and data that pages share."""
    for asset in sorted((_HERE / "assets").iterdir()):
        if asset.is_file():
            _write(folder / "assets" / asset.name, asset.read_text(encoding="utf-8"))
    _write(folder / "assets" / "vega.js", engine())
    _write(folder / "assets" / "specs.js", f"IG.put('specs',{plain_json(compiled_specs())});\n")
    for path, text in scripts(facts, areas):
        _write(folder / path, text)


def _write_pages(facts: Facts, folder: Path, pages: Iterable[Page]) -> int:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made = words.day(facts.run.built_at.date())
    written = 0
    for page in pages:
        html = environment.get_template(page.template).render(
            page=page, root=page.root, menu=_MENU, made=made, scripts=_scripts_of(page), **page.content
        )
        _write(folder / page.path, html)
        written += 1
    return written


def _scripts_of(page: Page) -> list[str]:
    """The scripts of a page in load order: shared code, then the data it registers, then the page's own code."""
    if page.template in _WITHOUT_CHARTS:
        return list(_ALWAYS)
    first, *others = _ALWAYS
    return [first, *others, *page.scripts, *_CHARTS, *_OF_PAGE.get(page.template, ())]


def _area_list(facts: Facts) -> Page:
    shown = shown_areas(facts)
    sections = [
        {"title": f"Districts: {nation}", "areas": [a for a in shown if a.is_district and a.nation_name == nation]}
        for nation in dict.fromkeys(sorted(a.nation_name or "" for a in shown if a.is_district))
    ] + [{"title": title, "areas": [a for a in shown if a.level == level]} for level, title in _LEVELS]
    return Page(
        path="areas/index.html",
        template="areas.html",
        title="All places from A to Z",
        description="A page for every district, combined authority, region, nation and named group.",
        active="",
        content={
            "counts": f"{words.count(len(facts.districts), 'district')} and {words.count(len(shown) - len(facts.districts), 'wider area')}",
            "sections": [section for section in sections if section["areas"]],
        },
    )  # fmt: skip


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keeps the line endings that Python's csv writes.
    path.write_text(text, encoding="utf-8", newline="")


def _refuse_foreign(out: Path) -> None:
    """Raise CannotWrite unless ``out`` is absent, empty or a site of this project."""
    if not out.exists():
        return
    if not out.is_dir():
        raise CannotWrite(f"{out} is a file; give a folder for the report")
    if any(out.iterdir()) and not (out / MARKER).exists():
        raise CannotWrite(f"{out} holds files that are not a report; give an empty or a new folder")


def _swap(building: Path, out: Path) -> None:
    """Put the new site in place of the old. Readers always find a complete site; the old one is removed last."""
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    if out.exists():
        out.replace(old)
    try:
        building.replace(out)
    except OSError:
        if old.exists():
            old.replace(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
