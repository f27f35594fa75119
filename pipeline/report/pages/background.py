"""Methodology, data and quality: how scores are calculated, figures to download, and how far to trust them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from pipeline.published import words
from pipeline.report.downloads import Download
from pipeline.report.facts import Facts, Source, Study
from pipeline.report.pages.page import Page, why_not_live

_HEADING = re.compile(r"<h([2-4])>(.*?)</h\1>")
_DOCUMENT_LINK = re.compile(r'<a href="(?![a-z]+:|#)[^"]*">(.*?)</a>', re.DOTALL)
_TIERS = {
    "live": "fetched on the day",
    "snapshot": "last good answer",
    "release": "from the latest release",
    "baseline": "shipped with the project",
    "none": "no figures",
}
_FLAVOURS = {"level": "where places stand", "change": "where they have been heading"}


def methodology_page(facts: Facts, document: str) -> Page:
    """The project's methodology, after a summary in plain words and a table of contents."""
    body, contents = rendered(document)
    return Page(
        path="methodology.html",
        template="methodology.html",
        title="Methodology",
        description="What each score means and how it is calculated.",
        active="methodology",
        content={
            "body": body,
            "contents": contents,
            "nodes": facts.nodes,
            "draws": words.number(facts.run.draw_count),
            "indicators": {n: [facts.indicators[i].title for i in held if i in facts.indicators] for n, held in facts.node_indicators.items()},
        },
    )  # fmt: skip


def rendered(document: str) -> tuple[Markup, list[tuple[str, str]]]:
    """A Markdown document as HTML one heading level down, and its sections as (anchor, title).

    Raw HTML in it is escaped. Links to project documents that are not on the site become plain text. Comments that mark
    generated answers are dropped.
    """
    text = re.sub(r"<!--.*?-->", "", document, flags=re.DOTALL)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    html = re.sub(r"<h1>.*?</h1>\n?", "", html, count=1)
    html = _DOCUMENT_LINK.sub(r"\1", html)
    number = itertools.count(1)  # regions of a page need different names
    html = re.sub(
        "<table>",
        lambda _: f'<div class="scroll" tabindex="0" role="region" aria-label="Table {next(number)}"><table>',
        html,
    )
    html = html.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
    contents: list[tuple[str, str]] = []

    def anchored(match: re.Match[str]) -> str:
        level, title = int(match.group(1)), match.group(2)
        anchor = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<.*?>", "", title).lower()).strip("-")
        if level == 2:
            contents.append((anchor, re.sub(r"<.*?>", "", title)))
        return f'<h{level} id="{anchor}">{title}</h{level}>'

    # Safe: markdown-it escapes its input, and nothing else enters this string.
    return Markup(_HEADING.sub(anchored, html)), contents  # noqa: S704


def data_page(facts: Facts, downloads: Sequence[Download]) -> Page:
    """The downloads, and the dictionary of the published file."""
    return Page(
        path="data.html",
        template="data.html",
        title="Data",
        description="Downloads, and what every table and column of the published file means.",
        active="data",
        content={
            "downloads": [
                {"path": d.path, "title": d.title, "about": d.about, "size": size(d.size)} for d in downloads
            ],
            "dictionary": facts.dictionary,
            "run": facts.run,
            "observations": words.number(facts.run.observation_count),
        },
    )


def size(number_of_bytes: int) -> str:
    """`812 kB`, `3.4 MB`."""
    if number_of_bytes < 1_000_000:
        return f"{max(1, round(number_of_bytes / 1000)):,} kB"
    return f"{number_of_bytes / 1_000_000:.1f} MB"


def quality_page(facts: Facts) -> Page:
    """Where each figure came from, how old it is, what was set aside, and the effect of the choices made in scoring."""
    studies = facts.studies
    return Page(
        path="quality.html",
        template="quality.html",
        title="Quality",
        description="Sources and their ages, what was revised and what was set aside, reliability, audit and sensitivity.",
        active="quality",
        content={
            "run": facts.run,
            "built": words.day(facts.run.built_at.date()),
            "draws": words.number(facts.run.draw_count),
            "rows_read": words.number(facts.run.rows_read),
            "rows_set_aside": words.number(facts.run.rows_set_aside),
            "sources": [_source(s, facts) for s in facts.sources if s.tier != "none"],
            "without": [facts.indicators[s.indicator_id].title for s in facts.sources if s.tier == "none" and s.indicator_id in facts.indicators],
            "release": _release(studies["release"]),
            "revisions": _named(studies["revisions"], facts),
            "quarantine": _named(studies["quarantine"], facts),
            "gates": _named(studies["gates"], facts),
            "importance": _named(studies["importance"], facts),
            "flags": _named(studies["flags"], facts),
            "correlations": _named(studies["correlations"], facts),
            "audited": _named(studies["audited"], facts),
            "pillar_weights": _named(studies["pillar_weights"], facts),
            "sensitivity": _named(studies["sensitivity"], facts),
            "variants": _named(studies["variants"], facts),
        },
    )  # fmt: skip


def _release(study: Study) -> dict[str, Any] | None:
    """This release of the data set and the one before it; None if the file has no record of releases."""
    if not study.rows:
        return None
    version, previous, _, kind = study.rows[0]
    return {"version": version, "previous": previous, "kind": kind}


def _source(source: Source, facts: Facts) -> dict[str, Any]:
    indicator = facts.indicators.get(source.indicator_id)
    return {
        "id": source.indicator_id,
        "title": indicator.title if indicator else source.indicator_id,
        "part": "" if source.part == "main" else source.part.replace("_", " ").title().replace("Iod", "IoD "),
        "publisher": source.publisher,
        "edition": source.edition,
        "tier": _TIERS[source.tier],
        "age": words.age(source.age_days) if source.age_days is not None else "not known",
        "last_year": source.last_year or "–",
        "rows": words.number(source.rows),
        "quarantined": words.number(source.quarantined),
        "why": why_not_live(source),
        "warnings": source.warnings or "",
        "url": source.url,
    }


def _named(study: Study, facts: Facts) -> list[dict[str, Any]]:
    """The rows of a study by column name, with titles for the identifiers of indicators and nodes."""
    titles = {i.id: i.title for i in facts.indicators.values()} | {n.id: n.title for n in facts.nodes}
    rows = []
    for row in study.rows:
        named: dict[str, Any] = dict(zip(study.columns, row, strict=True))
        if "indicator_id" in named:
            named["id"] = named["indicator_id"]
        for column in ("indicator_id", "member_id", "other_id", "node_id", "option"):
            if column in named:
                named[column] = titles.get(str(named[column]), str(named[column]).replace("_", " "))
        if "flavour" in named:
            named["flavour"] = _FLAVOURS[named["flavour"]]
        if "factor" in named:
            named["factor"] = str(named["factor"]).replace("_", " ")
        rows.append(named)
    return rows
