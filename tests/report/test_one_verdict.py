"""A page grades a fact once: wherever it words the comparison of a score, it is the word of the file's verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest

from pipeline.settings import PROJECT_ROOT
from tests.report.conftest import Site
from tests.report.test_numbers_are_the_file_s import TAG, score_rows, worded

Rows = Callable[..., list[tuple]]

VERDICTS = """
select area_code::varchar, flavour::varchar, node_id::varchar, lower(node_title::varchar), verdict
from latest_score
where framework_id = 'shared_growth' and window_years in (0, 10) and node_kind <> 'indicator'
"""
FLAVOURS_OF_SIDES = {"above": "level", "below": "level", "gained on": "change", "fell behind": "change"}
GRADED = re.compile(r"\b(clearly|probably) (above|below|gained on|fell behind)\b")
CLAUSE = re.compile(r"[.;:](?=\s|$)")
OPEN = re.compile(
    r"[Ww]e cannot say whether (.*?) (is|has) (?:above or below|gained on or fallen behind)|on ([^;,]*), we cannot say"
)
UNKNOWN = re.compile(r"an error is known for (.*?)\.(?=\s|$)|on ([^;,]*), we do not know how sure this is")
# Ways in which pages once graded what the file does not, or denied what is published.
NEVER_SAID = (
    "told apart", "cannot be told", "to be told", "nobody publish", "no survey error is published", "surely", "without a published error",
    "no published error", "growing and sharing", "growing not sharing", "sharing not growing", "not sharing", "neither “",
    "as far as can be told", "No label", "most probable",
)  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(published_rows: Rows) -> dict[str, dict[tuple[str, str], str]]:
    """``verdicts[area][flavour, title in small letters]`` of every score above the indicators."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for code, flavour, _, title, verdict in published_rows(VERDICTS):
        found.setdefault(code, {})[flavour, title.replace("'", "’")] = verdict
    return found


@pytest.fixture(scope="module")
def pages(site: Site) -> dict[str, str]:
    """The pages of all areas, by code."""
    return {
        p.stem: p.read_text(encoding="utf-8")
        for p in sorted((site.folder / "areas").glob("*.html"))
        if p.stem != "index"
    }


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(TAG.sub(" ", html))).strip()


def said_of_scores(page: str) -> Iterator[tuple[str, str]]:
    """(flavour, text): paragraphs, cards and titles of charts of scores."""
    for lead in re.findall(r'<p class="lead">(.*?)</p>', page, re.DOTALL):
        level, _, change = plain(lead).partition("Over the ten years")
        yield "level", level
        yield "change", change
    for payload in map(json.loads, re.findall(r'class="payload">(.*?)</script>', page)):
        if payload["spec"] in ("quadrant", "ranges", "caterpillar", "contributions"):
            yield ("change" if "-change-" in payload["file"] else "level"), payload["title"]


def graded(text: str, flavour: str, held: dict[tuple[str, str], str]) -> Iterator[tuple[str, str, str]]:
    """(flavour, title, verdict) of every comparison that a text words, and of every one it leaves open."""
    for clause in CLAUSE.split(text):
        found = list(GRADED.finditer(clause))
        begin = 0
        for match in found:
            word, side = match.groups()
            of_side = FLAVOURS_OF_SIDES[side]
            # where a clause has two verdicts, each is of what is named since the one before
            named = named_in(clause[begin : match.end()] if len(found) > 1 else clause, of_side, held)
            begin = match.end()
            assert named, f"a verdict on nothing: {clause}"
            side_of_file = "above" if side in ("above", "gained on") else "below"
            yield from ((of_side, title, f"{word} {side_of_file}") for title in named)
    for pattern, verdict in ((OPEN, "cannot say"), (UNKNOWN, "not known")):
        for match in pattern.finditer(text):
            about = " ".join(part for part in match.groups() if part)
            yield from ((flavour, title, verdict) for title in named_in(about, flavour, held))


def named_in(text: str, flavour: str, held: dict[tuple[str, str], str]) -> list[str]:
    """The titles of an area's scores in one flavour that a text names."""
    return [title for of, title in held if of == flavour and title in text.lower()]


def test_every_sentence_card_and_cell_of_a_page_has_the_verdict_of_the_file(
    pages: dict[str, str], verdicts: dict[str, dict[tuple[str, str], str]]
) -> None:
    wrong, compared = [], 0
    for code, page in pages.items():
        held = verdicts.get(code, {})
        claims = [claim for flavour, text in said_of_scores(page) for claim in graded(text, flavour, held)]
        for flavour, title, verdict in claims:
            compared += 1
            if held.get((flavour, title)) != verdict:
                wrong.append((code, flavour, title, verdict, held.get((flavour, title))))
        for flavour, _, (title, _, _, verdict, *_) in score_rows(page):
            expected = held[flavour, re.sub(r" \((?:based on|not comparable).*", "", title).lower()]
            compared += 1
            if verdict != worded(expected, flavour):
                wrong.append((code, flavour, title, verdict, expected))
    assert wrong == []
    assert compared > 8_000


def test_every_card_has_the_verdict_of_the_file(
    pages: dict[str, str], verdicts: dict[str, dict[tuple[str, str], str]]
) -> None:
    cards = 0
    for code, page in pages.items():
        for title, said in re.findall(
            r"<h2>(Growth|Sharing), \d+</h2>\s*<p class=\"big\">.*?</p>\s*<p>(.*?)</p>", page
        ):
            assert card_verdict(said) == verdicts[code]["level", title.lower()], (code, title, said)
            cards += 1
        for title, said in re.findall(r"<p>(Growth|Sharing) \d+(?: \(90% interval [^)]+\))?: (.*?)</p>", page):
            assert card_verdict(said) == verdicts[code]["change", title.lower()], (code, title, said)
            cards += 1
    assert cards > 1_400


def card_verdict(said: str) -> str:
    match = GRADED.search(said[:1].lower() + said[1:])
    if match:
        return f"{match[1]} {'above' if match[2] in ('above', 'gained on') else 'below'}"
    return "cannot say" if "cannot say" in said else "not known" if "not know" in said else said


def test_no_rank_stands_on_a_page_where_the_file_has_none(pages: dict[str, str], published_rows: Rows) -> None:
    ranked = set(published_rows(
        "select area_code::varchar, flavour::varchar, node_id::varchar from latest_score "
        "where framework_id = 'shared_growth' and window_years in (0, 10) and rank is not null"
    ))  # fmt: skip
    districts = {code for (code,) in published_rows("select area_code from dim_area where level = 'district'")}
    for code, page in pages.items():
        if code in districts:
            for flavour, node, (_, _, _, _, rank, *_) in score_rows(page):
                assert (rank != "not known") == ((code, flavour, node) in ranked), (code, flavour, node, rank)
        else:
            assert '<th scope="col" class="number">Rank' not in page


def test_no_page_and_no_script_grades_in_other_words(site: Site) -> None:
    paths = [p for p in site.folder.rglob("*.html") if p.name not in ("methodology.html", "data.html")]
    paths += [site.folder / "assets" / f"{name}.js" for name in ("map", "compare", "rows", "charts", "pointing")]
    for path in paths:
        text = path.read_text(encoding="utf-8").lower()
        assert [words for words in NEVER_SAID if words.lower() in text] == [], path.name


def test_places_that_lack_a_pillar_are_not_set_among_those_that_have_it(
    site: Site, pages: dict[str, str], published_rows: Rows
) -> None:
    lacking = {row[:3]: row[3] for row in published_rows(
        "select area_code::varchar, flavour::varchar, node_id::varchar, missing_pillars from latest_score "
        "where framework_id = 'shared_growth' and window_years in (0, 10) and node_id in ('growth', 'sharing') "
        "and missing_pillars is not null"
    )}  # fmt: skip
    assert ("core_cities", "level", "sharing") in lacking
    for flavour in ("level", "change"):
        for row in site.rows(f"data/standings-{flavour}.js", f"standings-{flavour}"):
            assert not {(row["code"], flavour, node) for node in ("growth", "sharing")} & lacking.keys()
        for node in ("growth", "sharing"):
            for row in site.rows(f"data/measures/{flavour}-{node}.js", f"measure/{flavour}-{node}"):
                assert (row["code"], flavour, node) not in lacking
    for (code, flavour, _), titles in lacking.items():
        assert f"{code}-{flavour}-growth-and-sharing" not in pages[code]
        for title in titles.replace("'", "’").lower().split("; "):
            assert re.search(rf"not comparable with most districts: it has no [^.)]*{re.escape(title)}", plain(pages[code]).lower()), (code, title)  # fmt: skip
    # Preston has every pillar, the North West lacks concentration: its sharing is not set beside Preston's.
    sharing = next(
        cells for flavour, node, cells in score_rows(pages["E07000123"]) if (flavour, node) == ("level", "sharing")
    )
    assert "not comparable" in sharing[5:]


def test_the_report_asks_the_file_for_no_score_figure_or_verdict_past_the_one_room() -> None:
    asked = re.compile(r"\b(?:mart_score|latest_score|mart_label|fct_observation|mart_indicator_trend|latest_figure|mart_typical|mart_fifth|shared_growth)\b")  # fmt: skip
    found = {
        str(path.relative_to(PROJECT_ROOT)): names
        for path in (PROJECT_ROOT / "pipeline" / "report").rglob("*.*")
        if path.suffix in (".py", ".js", ".html") and (names := set(asked.findall(path.read_text(encoding="utf-8"))))
    }
    # What the home page tells its readers to ask themselves.
    assert found == {"pipeline/report/templates/home.html": {"mart_fifth"}}
