"""The contents of the workbook's sheets: headings with units, and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.export import selection as facts
from pipeline.export.selection import Choice
from pipeline.published import wording
from pipeline.published.figures import latest_figures
from pipeline.published.scores import CHANGE, CHANGE_WINDOW_YEARS, LEVEL, Score, latest_scores

_NARROW, _MIDDLE, _WIDE, _TEXT = 11, 16, 30, 70


@dataclass(frozen=True)
class Heading:
    """One column of a sheet. ``decimals`` None: each row sets its own. A plain number (a year) has no separators."""

    text: str
    width: float = _NARROW
    decimals: int | None = None
    is_bold: bool = False
    is_wrapped: bool = False
    is_plain_number: bool = False


@dataclass(frozen=True)
class Decimals:
    """Accompanies a row's cells and gives the decimals of its figures."""

    decimals: int


@dataclass(frozen=True)
class Sheet:
    """One sheet. Rows have a cell for each heading (text, number or None) and perhaps one Decimals."""

    name: str
    headings: Sequence[Heading]
    rows: Iterable[Sequence[Any]]
    has_header: bool = True
    frozen_columns: int = 1
    header_height: float = 32


def all_sheets(connection: duckdb.DuckDBPyConnection, choice: Choice) -> Iterator[Sheet]:
    """Start here, Profile, Scores, for one place Compared, Figures, and Notes on every indicator."""
    yield _start(choice)
    yield _profile(connection, choice)
    yield _scores(connection, choice)
    if choice.place is not None:
        yield _compared(connection, choice)
    yield _figures(connection, choice)
    yield _notes(connection)


def _start(choice: Choice) -> Sheet:
    whom = choice.place.name if choice.place else "all local authority districts of the United Kingdom"
    years = "every year held" if choice.place else "the latest year of each; a workbook for one area has every year"
    scale = (
        "50 is the typical district of the year; 0 and 100 are three robust standard deviations away. A score says where "
        "a place stands among districts, not whether that is good."
    )
    ranks = (
        "1 is best of the districts ranked. Read a rank with its interval; where that spans more than a third of the "
        "districts, only the interval is given."
    )
    missing = "An empty cell is a figure that is not published or is withheld; the status says why. It is never zero."
    compared = [
        ("Compared", "The latest figure of each district beside that of its region, nation and combined authority.")
    ]
    lines = [
        ("What this is", f"{facts.TITLE}: {whom}. {facts.DESCRIPTION}"),
        ("Release", f"{choice.version}, made on {choice.released_at:%d %B %Y}"),
        ("Profile", "One row a place: its scores and its latest figure of every indicator, the unit in the heading."),
        ("Scores", f"Where places stand and where they have been heading, with 90% intervals. {scale}"),
        ("Ranks", ranks),
        *(compared if choice.place else []),
        ("Figures", f"Figures with their 95% confidence intervals where these are published: {years}."),
        ("Missing figures", missing),
        ("Notes", "What each indicator measures, who publishes it, and what to bear in mind."),
        ("Licence", f"{facts.ATTRIBUTION} {facts.LICENCE_URL}"),
        ("Official or not", "Scores and ranks are made by this project and are not official statistics."),
    ]
    headings = (Heading("", 20, is_bold=True), Heading("", 110, is_wrapped=True))
    return Sheet("Start here", headings, lines, has_header=False)


def _places(choice: Choice, alias: str) -> str:
    """A condition on the areas to show: districts and, for one place, that place itself."""
    if choice.place is None:
        return f"{alias}.level = 'district'"
    codes = ", ".join("'" + code.replace("'", "''") + "'" for code in choice.place.codes)
    return f"{alias}.area_code::varchar in ({codes})"


_SHOWN = """
select indicator_id, title, unit, decimals
from dim_indicator
where district_count > 0
order by theme, title, indicator_id
"""


def _profile(connection: duckdb.DuckDBPyConnection, choice: Choice) -> Sheet:
    """One row a place: names, the two headline scores, and for each indicator the latest figure and its year."""
    indicators = connection.execute(_SHOWN).fetchall()
    latest = {(f.area_code, f.indicator_id): (f.value, f.year) for f in latest_figures(connection)}
    scores = {(s.area_code, s.node_id): s for s in latest_scores(connection, LEVEL)}
    headings = [
        Heading("Place", _WIDE, is_bold=True),
        Heading("Code", _NARROW),
        Heading("Kind of area", _MIDDLE),
        Heading("Region or nation", _MIDDLE + 6),
        Heading("Combined authority", _WIDE),
        Heading("Growth score (0 to 100)", decimals=0),
        Heading("Growth against the typical district", _MIDDLE),
        Heading("Sharing score (0 to 100)", decimals=0),
        Heading("Sharing against the typical district", _MIDDLE),
    ]
    for _, title, unit, decimals in indicators:
        headings.append(Heading(f"{title} ({unit})", _MIDDLE, decimals=decimals))
        headings.append(Heading(f"{title}: year", 8, is_plain_number=True))

    def rows() -> Iterator[list[Any]]:
        areas = connection.execute(
            f"""
            select area_code::varchar, area_name, level, coalesce(region_name, nation_name), combined_authority_name
            from dim_area as area
            where {_places(choice, "area")}
            order by level <> 'district' desc, area_name, area_code
            """
        ).fetchall()
        for code, name, level, region, authority in areas:
            row = [name, code, level.replace("_", " "), region, authority]
            for node in ("growth", "sharing"):
                score = scores.get((code, node))
                row += [score.score, score.verdict] if score else [None, None]
            for indicator, *_ in indicators:
                row += latest.get((code, indicator), (None, None))
            yield row

    return Sheet("Profile", headings, rows(), header_height=92)


_NAMES = "select area_code::varchar, area_name, level from dim_area as area where {places} order by level <> 'district' desc, 2, 1"


def _scores(connection: duckdb.DuckDBPyConnection, choice: Choice) -> Sheet:
    headings = (
        Heading("Place", _WIDE, is_bold=True),
        Heading("Code"),
        Heading("What is scored", 44),
        Heading("Where it stands, or is heading", 24),
        Heading("Year", 8, is_plain_number=True),
        Heading("Score (0 to 100)", decimals=0),
        Heading("90% interval, from", decimals=0),
        Heading("to", decimals=0),
        Heading("Against the typical district", _MIDDLE),
        Heading("Rank (1 is best)", decimals=0),
        Heading("90% interval, from", decimals=0),
        Heading("to", decimals=0),
        Heading("of", decimals=0),
        Heading("How to read it", 60),
        Heading("Based on an earlier year", 14),
    )

    def rows() -> Iterator[list[Any]]:
        areas = connection.execute(_NAMES.format(places=_places(choice, "area"))).fetchall()
        scores: dict[str, list[tuple[str, Score]]] = {code: [] for code, _, _ in areas}
        for flavour, said in ((LEVEL, "where it stands"), (CHANGE, f"change over {CHANGE_WINDOW_YEARS} years")):
            for score in latest_scores(connection, flavour):
                if score.area_code in scores:
                    scores[score.area_code].append((said, score))
        for code, name, level in areas:
            for said, score in scores[code]:
                yield [name, code, *_score_cells(said, score, is_district=level == "district")]

    return Sheet("Scores", headings, rows(), header_height=48)


def _score_cells(flavour: str, score: Score, *, is_district: bool) -> list[Any]:
    has_rank = score.rank is not None and not score.is_band
    return [
        score.title,
        flavour,
        score.year,
        score.score,
        score.lower,
        score.upper,
        score.verdict,
        score.rank if has_rank else None,
        score.rank_lower,
        score.rank_upper,
        score.rank_count if score.rank is not None else None,
        _how_to_read(score, is_district=is_district),
        "yes" if score.is_carried_forward else "no",
    ]


def _how_to_read(score: Score, *, is_district: bool) -> str:
    """Caveats on one score, as short clauses."""
    clauses = [wording.not_comparable(score)]
    if not is_district:
        clauses.append("only districts are ranked")
    elif score.rank is None:
        clauses.append(f"no rank: {wording.known_share(score)}")
    elif score.is_band:
        clauses.append("a band instead of a rank: the interval spans more than a third of the districts")
    if score.has_partial_error:
        clauses.append("the true interval is wider: part of the weight has no known error")
    return "; ".join(clause for clause in clauses if clause)


_COMPARED = """
select
    compared.area_name,
    compared.area_code::varchar,
    compared.indicator_title::varchar,
    compared.unit::varchar,
    compared.year,
    compared.value,
    compared.comparator_name,
    replace(compared.comparator_kind, '_', ' '),
    compared.comparator_value,
    compared.difference,
    compared.verdict,
    indicator.decimals
from mart_compare as compared
inner join dim_indicator as indicator on indicator.indicator_id = compared.indicator_id::varchar
where {places}
order by
    compared.area_name, compared.area_code::varchar, indicator.theme, indicator.title, compared.indicator_id::varchar,
    compared.comparator_kind, compared.comparator_name
"""


_OF_A_FIGURE = (
    Heading("Place", _WIDE, is_bold=True),
    Heading("Code"),
    Heading("Indicator", 56),
    Heading("Unit", _MIDDLE + 4),
    Heading("Year", 8, is_plain_number=True),
)


def _compared(connection: duckdb.DuckDBPyConnection, choice: Choice) -> Sheet:
    headings = (
        *_OF_A_FIGURE,
        Heading("Figure (in the unit)", _MIDDLE),
        Heading("Compared with", _WIDE),
        Heading("which is a", _MIDDLE + 4),
        Heading("Its figure (in the unit)", _MIDDLE),
        Heading("Difference (in the unit)", _MIDDLE),
        Heading("Which is", _MIDDLE + 4),
    )

    def rows() -> Iterator[list[Any]]:
        held = connection.execute("select 1 from duckdb_tables() where table_name = 'mart_compare'").fetchall()
        if not held:  # a release made before comparisons existed
            return
        for *cells, decimals in connection.execute(_COMPARED.format(places=_places(choice, "compared"))).fetchall():
            yield [*cells, Decimals(decimals)]

    return Sheet("Compared", headings, rows(), header_height=32)


_FIGURES = """
select
    area_name,
    area_code::varchar,
    indicator.title,
    indicator.unit,
    observation.year,
    observation.period,
    observation.value,
    observation.lower,
    observation.upper,
    observation.status,
    indicator.decimals
from fct_observation as observation
inner join dim_indicator as indicator on indicator.indicator_id = observation.indicator_id::varchar
where {places}
{which}
order by observation.level <> 'district' desc, area_name, area_code::varchar, indicator.theme, indicator.title, period_end, period
"""
_ONLY_LATEST = """
qualify row_number() over (
    partition by observation.area_code, observation.indicator_id
    order by observation.value is null, period_end desc, period_start desc
) = 1
"""


def _figures(connection: duckdb.DuckDBPyConnection, choice: Choice) -> Sheet:
    """Every figure of one place and its districts; for all districts, the latest of each indicator."""
    headings = (
        *_OF_A_FIGURE,
        Heading("Period (first day and length)", _MIDDLE + 4),
        Heading("Figure (in the unit)", _MIDDLE),
        Heading("95% interval, from"),
        Heading("to"),
        Heading("Status", _MIDDLE),
    )

    def rows() -> Iterator[list[Any]]:
        sql = _FIGURES.format(places=_places(choice, "observation"), which="" if choice.place else _ONLY_LATEST)
        for *cells, decimals in connection.execute(sql).fetchall():
            yield [*cells, Decimals(decimals)]

    return Sheet("Figures", headings, rows(), header_height=32)


_NOTES = """
select
    title, unit, description,
    case polarity when 1 then 'more is better' when -1 then 'less is better' else 'context, not scored' end,
    publisher, first_year, last_year, district_count, error_status, caveats, licence, citation_url
from dim_indicator
where district_count > 0
order by theme, title, indicator_id
"""


_ERROR_STATUS = 8  # its place in the columns of _NOTES


def _notes(connection: duckdb.DuckDBPyConnection) -> Sheet:
    headings = (
        Heading("Indicator", 40, is_bold=True, is_wrapped=True),
        Heading("Unit", _MIDDLE + 4, is_wrapped=True),
        Heading("What it measures", _TEXT, is_wrapped=True),
        Heading("Which way is better", _MIDDLE, is_wrapped=True),
        Heading("Publisher", _WIDE, is_wrapped=True),
        Heading("First year", 8, is_plain_number=True),
        Heading("Last year", 8, is_plain_number=True),
        Heading("Districts in the last year", _NARROW, decimals=0),
        Heading("Margin of error", _MIDDLE, is_wrapped=True),
        Heading("Bear in mind", _TEXT, is_wrapped=True),
        Heading("Licence", _MIDDLE),
        Heading("Publisher's page", _TEXT),
    )
    rows = [
        [*row[:_ERROR_STATUS], wording.error_words(row[_ERROR_STATUS]), *row[_ERROR_STATUS + 1 :]]
        for row in connection.execute(_NOTES).fetchall()
    ]
    return Sheet("Notes", headings, rows, header_height=32)
