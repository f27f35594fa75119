"""The built site: whole, small, the same for the same file, honest where something is missing."""

from __future__ import annotations

import json
import math
import re
import shutil
import threading
import urllib.request
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from urllib.parse import unquote, urldefrag

import duckdb
import pytest

from pipeline.cli import main
from pipeline.reading import CannotRead
from pipeline.report.pages.background import quality_page
from pipeline.report.read_facts import read_facts
from pipeline.report.serving import local_server
from pipeline.report.site import MARKER, CannotWrite, build_site
from tests.report.conftest import EVIL_NAME, METHODOLOGY, Site, built

pytestmark = pytest.mark.slow

MOST_SECONDS = 60
MOST_BYTES = 80_000_000
MOST_BYTES_A_PAGE = 1_500_000

Rows = Callable[..., list[tuple]]


class Seen(HTMLParser):
    """Everything of a page that a link, a script or a reader could meet."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.resources: list[str] = []
        self.ids: set[str] = set()
        self.payloads: list[str] = []
        self.titles: list[str] = []
        self.text: list[str] = []
        self._in: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        if "id" in held:
            assert held["id"] not in self.ids, f"two elements are called {held['id']}"
            self.ids.add(held["id"])
        if tag == "a" and "href" in held:
            self.links.append(held["href"])
        if tag in ("script", "img") and "src" in held:
            self.resources.append(held["src"])
        if tag == "link":
            self.resources.append(held["href"])
        if tag == "script":
            self._in.append("payload" if held.get("class") == "payload" else "script")
        elif held.get("class") == "finding":
            self._in.append("finding")

    def handle_endtag(self, tag: str) -> None:
        if self._in and (tag == "script" or (self._in[-1] == "finding" and tag in ("h2", "h3"))):
            self._in.pop()

    def handle_data(self, data: str) -> None:
        if not self._in:
            self.text.append(data)
        elif self._in[-1] == "payload":
            self.payloads.append(data)
        elif self._in[-1] == "finding":
            self.titles.append(data)
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def seen(path: Path) -> Seen:
    page = Seen()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture(scope="module")
def pages(site: Site) -> dict[str, Seen]:
    return {str(p.relative_to(site.folder)): seen(p) for p in sorted(site.folder.rglob("*.html"))}


def test_every_district_and_combined_authority_has_a_page(site: Site, rows: Rows) -> None:
    codes = [
        code for (code,) in rows("select area_code from dim_area where level in ('district', 'combined_authority')")
    ]
    assert len(codes) == 376
    assert not [code for code in codes if not (site.folder / "areas" / f"{code}.html").exists()]


def test_every_indicator_has_a_page(site: Site, rows: Rows) -> None:
    ids = [i for (i,) in rows("select indicator_id from dim_indicator")]
    assert not [i for i in ids if not (site.folder / "indicators" / f"{i}.html").exists()]


def test_it_is_built_in_a_minute_and_small_enough_to_host(site: Site) -> None:
    assert site.seconds < MOST_SECONDS
    assert site.built.size < MOST_BYTES
    assert site.built.pages > 400


def test_no_page_weighs_more_than_a_megabyte_and_a_half_with_all_it_loads(site: Site, pages: dict[str, Seen]) -> None:
    for path, page in pages.items():
        own = site.folder / path
        loaded = [own, *((own.parent / resource).resolve() for resource in page.resources)]
        if page.payloads:
            loaded.append(site.folder / "assets" / "vega.js")  # loaded by charts.js when there is something to draw
        assert sum(p.stat().st_size for p in loaded) < MOST_BYTES_A_PAGE, path


def test_every_link_and_resource_is_there_and_none_is_loaded_from_elsewhere(site: Site, pages: dict[str, Seen]) -> None:
    for path, page in pages.items():
        for resource in page.resources:
            assert not re.match(r"[a-z]+:|//", resource), f"{path} loads {resource}"
            assert (site.folder / path).parent.joinpath(resource).exists(), f"{path} loads {resource}"
        for link in page.links:
            address, anchor = urldefrag(link)
            if re.match(r"https?:", address):
                continue
            target = (site.folder / path).parent.joinpath(unquote(address)).resolve() if address else site.folder / path
            assert target.is_file(), f"{path} leads to {link}"
            if anchor and target.suffix == ".html" and "=" not in anchor:
                assert anchor in pages[str(target.relative_to(site.folder.resolve()))].ids, f"{path} leads to {link}"


def test_the_same_file_gives_the_same_site_to_the_byte(site: Site, published_file: Path, tmp_path: Path) -> None:
    again = built(published_file, tmp_path / "again")
    files = [
        {str(p.relative_to(s.folder)): p.read_bytes() for p in s.folder.rglob("*") if p.is_file()}
        for s in (site, again)
    ]
    assert files[0].keys() == files[1].keys()
    assert [path for path in files[0] if files[0][path] != files[1][path]] == []


def test_every_chart_has_a_finding_a_source_a_table_and_figures(pages: dict[str, Seen]) -> None:
    charts = 0
    for path, page in pages.items():
        assert len(page.titles) == len(page.payloads), path
        for payload in map(json.loads, page.payloads):
            charts += 1
            assert payload["title"] in page.titles, path
            assert payload["source"], path
            assert payload["columns"], path
    assert charts > 5_000


def test_a_newcomer_reads_where_a_place_stands_and_how_sure_that_is(pages: dict[str, Seen], rows: Rows) -> None:
    [(score, lower, upper, verdict)] = rows(
        "select round(score), round(score_lower), round(score_upper), verdict from latest_score "
        "where area_name = 'Preston' and framework_id = 'shared_growth' and flavour = 'level' and node_id = 'sharing'"
    )
    assert verdict == "clearly below"
    text = pages["areas/E07000123.html"].words
    assert f"{score:.0f} 90% interval {lower:.0f} to {upper:.0f}" in text
    assert re.search(
        rf"{score:.0f} 90% interval {lower:.0f} to {upper:.0f}[^.]*Clearly below the typical district", text
    )


def test_no_page_lists_districts_by_their_rank(pages: dict[str, Seen]) -> None:
    assert "no list of places from best to worst" in pages["index.html"].words
    for path, page in pages.items():
        assert "league" not in page.words.lower(), path


def test_only_the_interval_of_a_rank_is_given_where_it_is_wide(site: Site, rows: Rows) -> None:
    [(code, lower, upper, count)] = rows(
        "select area_code, rank_lower, rank_upper, rank_count from latest_score where framework_id = 'shared_growth' "
        "and flavour = 'level' and node_id = 'pay' and is_band order by area_code limit 1"
    )
    assert f'<td class="number">{lower} to {upper} of {count}</td>' in site.text(f"areas/{code}.html")


@pytest.mark.parametrize("code", ["E09000001", "E06000053"])
def test_places_too_small_to_score_are_shown_with_the_reason(pages: dict[str, Seen], code: str) -> None:
    page = pages[f"areas/{code}.html"]
    assert "too few people live here" in page.words
    assert not {json.loads(p)["spec"] for p in page.payloads} & {"quadrant", "ranges", "contributions", "caterpillar"}


def test_caveats_stand_beside_the_charts_of_an_indicator(pages: dict[str, Seen], rows: Rows) -> None:
    [(caveats,)] = rows("select caveats from dim_indicator where indicator_id = 'employment_rate'")
    assert caveats.replace("'", "’") in pages["indicators/employment_rate.html"].words


def test_change_of_a_place_is_told_from_change_of_its_people_on_every_page(pages: dict[str, Seen]) -> None:
    for path, page in pages.items():
        assert "change in its people" in page.words, path


def test_an_indicator_without_figures_says_so_and_draws_nothing(pages: dict[str, Seen]) -> None:
    page = pages["indicators/pay_hourly_p10.html"]
    assert "There are no figures in this edition" in page.words
    assert page.payloads == []


def test_studies_that_were_not_made_are_said_in_words(pages: dict[str, Seen], rows: Rows) -> None:
    made = rows("select count(*) from mart_sensitivity")[0][0]
    text = pages["quality.html"].words
    assert ("This edition has no sensitivity analysis" in text) == (made == 0)


def test_the_map_has_a_hexagon_for_every_district_and_neighbours_are_near(site: Site, rows: Rows) -> None:
    cells = {row["code"]: (row["x"], row["y"]) for row in site.rows("data/cells.js", "cells")}
    assert len(cells) == 361
    assert min(math.dist(a, b) for a, b in combinations(cells.values(), 2)) > 0.99
    located = {
        c: (la, lo)
        for c, la, lo in rows("select area_code, latitude, longitude from dim_area where level = 'district'")
    }
    near = []
    for code, (latitude, longitude) in located.items():
        [closest] = sorted(
            (c for c in located if c != code),
            key=lambda c: math.hypot(located[c][0] - latitude, 0.6 * (located[c][1] - longitude)),
        )[:1]
        near.append(math.dist(cells[code], cells[closest]))
    assert sorted(near)[len(near) // 2] < 1.1
    assert sum(distance < 3.1 for distance in near) > 0.95 * len(near)


def test_northern_ireland_and_the_islands_are_apart_and_london_is_whole(site: Site) -> None:
    cells = {row["code"]: (row["x"], row["y"]) for row in site.rows("data/cells.js", "cells")}
    ireland = {c for c in cells if c.startswith("N")}
    islands = {"S12000013", "S12000023", "S12000027", "E06000053"}
    for alone in ({c} for c in islands):
        assert min(math.dist(cells[a], cells[b]) for a in alone for b in cells.keys() - alone) > 1.6
    assert min(math.dist(cells[a], cells[b]) for a in ireland for b in cells.keys() - ireland) > 1.6
    for together in (ireland, {c for c in cells if c.startswith("E09")}):
        assert len(_reached(cells, together)) == len(together)


def _reached(cells: dict[str, tuple[float, float]], among: set[str]) -> set[str]:
    """The cells of ``among`` that can be walked to from one of them without leaving it."""
    found: set[str] = set()
    waiting = [min(among)]
    while waiting:
        here = waiting.pop()
        found.add(here)
        waiting += [c for c in among - found if math.dist(cells[here], cells[c]) < 1.05]
    return found


def test_a_name_full_of_traps_is_text_everywhere(odd_site: Site) -> None:
    for path in odd_site.folder.rglob("*.html"):
        assert "<script>alert" not in path.read_text(encoding="utf-8"), path
    for path in odd_site.folder.rglob("data/**/*.js"):
        assert "</script" not in path.read_text(encoding="utf-8"), path
    page = seen(odd_site.folder / "areas" / "E07000123.html")
    assert EVIL_NAME in page.words
    assert any(place["name"] == EVIL_NAME for place in odd_site.rows("data/places.js", "places"))


def test_an_indicator_whose_figures_are_all_missing_says_so(odd_site: Site) -> None:
    page = seen(odd_site.folder / "indicators" / "employment_rate.html")
    assert "There are no figures in this edition" in page.words
    assert page.payloads == []


def test_a_district_of_which_nothing_is_known_has_a_page_that_says_so(odd_site: Site) -> None:
    page = seen(odd_site.folder / "areas" / "E07000223.html")
    assert "No figure is published for Adur" in page.words
    assert page.payloads == []


def test_an_edition_without_studies_says_what_is_missing(odd_site: Site) -> None:
    text = seen(odd_site.folder / "quality.html").words
    assert "This edition has no audit" in text
    assert "This edition has no sensitivity analysis" in text
    assert "Nothing was set aside" in text


def test_a_missing_file_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--file", str(tmp_path / "none.duckdb"), "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert "make refresh" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_corrupt_file_is_a_sentence_and_the_old_site_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"this is no database" * 1000)
    old = tmp_path / "out"
    old.mkdir()
    (old / MARKER).write_text("old")
    (old / "index.html").write_text("old")
    assert main(["report", "--file", str(broken), "--out", str(old)]) == 1
    error = capsys.readouterr().err
    assert "broken.duckdb" in error
    assert error.count("\n") == 1
    assert (old / "index.html").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if "building" in p.name] == []


def test_a_file_of_an_older_version_is_a_sentence(tmp_path: Path, published_file: Path) -> None:
    with duckdb.connect(str(tmp_path / "old.duckdb")) as connection:
        connection.execute("create table meta_run (run_id varchar)")
    with pytest.raises(CannotRead, match="another version of this project"):
        build_site(tmp_path / "old.duckdb", tmp_path / "out", methodology=METHODOLOGY)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, published_file: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(CannotWrite, match="holds files that are not a report"):
        build_site(published_file, tmp_path, methodology=METHODOLOGY)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with local_server(site.folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_serve_shows_the_site_on_this_machine(address: str) -> None:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 loopback
        assert "Is our economy growing" in answer.read().decode()


def test_serve_without_a_report_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--dir", str(tmp_path)]) == 1
    assert "make report" in capsys.readouterr().err


def test_a_briefing_without_chromium_says_what_to_install(
    published_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("IG_CHROMIUM", raising=False)
    assert main(["briefing", "Preston", "--file", str(published_file), "--out", str(tmp_path / "p.pdf")]) == 1
    assert "apt-get install chromium" in capsys.readouterr().err


def test_a_briefing_on_an_unknown_place_says_so(published_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["briefing", "Atlantis", "--file", str(published_file)]) == 1
    assert "Atlantis" in capsys.readouterr().err


def test_the_home_page_says_who_is_surely_at_either_end_and_how_few(
    site: Site, published: duckdb.DuckDBPyConnection
) -> None:
    known, sure, names = published.execute(
        "select known_count, sure_count, sure_area_names from mart_fifth where framework_id = 'shared_growth' "
        "and flavour = 'level' and node_id = 'pay' and fifth = 'bottom' and basis = 'draws'"
    ).fetchone() or (0, 0, "")
    line = re.search(
        r"<tr><th scope=\"row\">Residents’ pay, where it stands</th><td>lowest fifth.*?</tr>", site.text("index.html")
    )
    assert line is not None
    assert f">{known}</td>" in line[0]
    assert f">{sure}</td>" in line[0]
    assert 0 < sure < known
    assert names.split("; ")[0] in line[0]


def test_the_home_page_names_no_fifth_of_a_score_whose_error_is_not_known(site: Site, rows: Rows) -> None:
    unknown = [title for (title,) in rows(
        "select distinct node_title from mart_fifth where framework_id = 'shared_growth' and flavour = 'level' "
        "and basis = 'draws' and known_count = 0"
    )]  # fmt: skip
    text = site.text("index.html")
    assert not [title for title in unknown if f"{title}, where it stands</th>" in text]
    assert unknown == [], "every score of the framework's level has a known error"
    assert "Concentration of deprivation within the place, where it stands</th>" in text


def test_an_indicator_whose_nations_do_not_compare_shows_each_by_itself(pages: dict[str, Seen]) -> None:
    page = pages["indicators/income_deprivation_gap.html"]
    specs = [json.loads(p)["spec"] for p in page.payloads]
    assert specs.count("beeswarm") == 4
    assert "lines" not in specs
    assert "England 2019 and 2025" in page.words
    assert "districts of Northern Ireland lay between" in page.words
    assert "Each nation’s latest figures cover" in page.words


def test_the_quality_page_says_what_was_revised_or_that_nothing_was(
    site: Site, published_file: Path, tmp_path: Path
) -> None:
    assert "This is the first release of the data set" in seen(site.folder / "quality.html").words
    later = tmp_path / "later.duckdb"
    shutil.copy(published_file, later)
    with duckdb.connect(str(later)) as connection:
        connection.execute("update meta_release set kind = 'minor', previous_version = '0.9.0'")
        connection.execute(
            "insert into mart_revision by name select release_version, 'E07000123' as area_code, 'Preston' as area_name, "
            "'district' as level, 'gdhi_per_head' as indicator_id, 'Income' as indicator_title, 'GBP' as unit, "
            "'2023' as period, 2023 as year, 'revised' as kind, 'publisher' as cause, false as is_derived, "
            "100.0 as old_value, 104.0 as new_value, 4.0 as difference, 4.0 as difference_percent from meta_release"
        )
    page = quality_page(read_facts(later)).content
    assert page["release"] == {"version": "1.0.0", "previous": "0.9.0", "kind": "minor"}
    [revision] = page["revisions"]
    assert (revision["kind"], revision["figures"], revision["largest_percent"]) == ("revised", 1, 4.0)


def test_an_area_s_figures_say_where_each_has_been_heading(pages: dict[str, Seen], rows: Rows) -> None:
    said = {d for (d,) in rows("select distinct direction_verdict from latest_figure where area_name = 'Preston' and direction_verdict is not null")}  # fmt: skip
    words_shown = pages["areas/E07000123.html"].words
    assert len(said) > 2
    assert all(direction in words_shown for direction in said)


def test_areas_of_one_name_are_told_apart_wherever_they_meet(pages: dict[str, Seen], site: Site, rows: Rows) -> None:
    names = [place["name"] for place in site.rows("data/places.js", "places")]
    assert len(names) == len(set(names))
    [(code, region)] = rows(
        "select area_code, region_code from dim_area where area_name = 'West Midlands' and level = 'combined_authority'"
    )
    page = pages[f"areas/{code}.html"]
    payloads = [json.loads(p) for p in page.payloads]
    trends = [p for p in payloads if p["spec"] == "trend" and p["rows"]["points"]["wider"] == region]
    assert trends
    assert {(p["text"]["a"], p["text"]["c"]) for p in trends} == {
        ("West Midlands combined authority", "West Midlands region")
    }
    [pillars] = [p for p in payloads if p["file"].endswith("level-pillars")]
    drawn = [(point["name"], point["series"]) for point in pillars["rows"]["points"]]
    assert len(drawn) == len(set(drawn))
    scores = (site.folder / "downloads" / "scores.csv").read_text(encoding="utf-8-sig").splitlines()
    assert any(line.startswith(f"{code},West Midlands,") for line in scores), "files keep the published name"


def test_the_home_page_names_no_place_without_a_clear_verdict_and_shows_how_wide_intervals_are(
    pages: dict[str, Seen], site: Site
) -> None:
    pictures = [p for p in map(json.loads, pages["index.html"].payloads) if p["spec"] == "quadrant"]
    assert len(pictures) == 2
    for payload in pictures:
        flavour = payload["rows"]["points"]["flavour"]
        classes = {
            row["code"]: row["class"] for row in site.rows(f"data/standings-{flavour}.js", f"standings-{flavour}")
        }
        clear = {name for name in classes.values() if "lear" in name and not name.startswith("Not ")}
        assert {classes[code] for code in payload["signals"]["named"]} == clear
        [cross] = payload["rows"]["middling"]
        assert cross["x_lower"] < cross["x"] < cross["x_upper"]
        assert cross["y_lower"] < cross["y"] < cross["y_upper"]


def test_every_measure_says_its_source_with_a_date_and_what_time_it_is_of(site: Site) -> None:
    text = site.text("data/measures.js")
    for measure in json.loads(text[text.index(",") + 1 : text.rindex(")")]):
        assert "figures as of" in measure["source"], measure["id"]
        if measure["id"].startswith("change-"):
            assert measure["when"].startswith("change over the ten years to")


def test_every_table_has_a_caption(site: Site) -> None:
    for path in site.folder.rglob("*.html"):
        if path.name != "methodology.html":
            text = path.read_text(encoding="utf-8")
            assert text.count("<table") == text.count("<caption"), path
