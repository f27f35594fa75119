"""The tables publishers send, each with real figures to start from, its parser, and how a person reads one of its lines."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import pyarrow.parquet as pq

from pipeline.catalogue import Indicator, load_catalogue
from pipeline.catalogue.model import Query
from pipeline.publishers.nomis import parse as nomis
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.publishers.ons_els import parse as els
from pipeline.publishers.ons_els import source_file as els_source
from pipeline.publishers.ons_els.query import ElsQuery
from pipeline.settings import BASELINE_DIR
from pipeline.tidy import ashe
from pipeline.tidy.observations import Parsed
from tests.fuzz.judging import Cells, Claim, Lines, Reader, number_or_none
from tests.fuzz.recorded import recorded
from tests.standin.figures import SHARED_DATA

LINES = 200  # of each table: enough for whole series of several areas, little enough to be read thousands of times
CATALOGUE = load_catalogue()
KEY = ("GEOGRAPHY_CODE", "DATE", "GEOGRAPHY_TYPE")


# The first indicator of each of three data sets: with an error, with percentiles asked for together, with counts.
_NOMIS = {
    query.dataset: (indicator.id, query)
    for indicator in reversed(CATALOGUE.collected)
    for part in indicator.parts
    for query in part.live
    if isinstance(query, NomisQuery)
}
NOMIS = dict(list(_NOMIS.values())[-3:])


@dataclass(frozen=True)
class Table:
    """One form of table: a payload to start from, its parser, the indicator whose bounds hold, and a plain reader."""

    name: str
    content: bytes
    parse: Callable[[bytes], Parsed]
    indicator: Indicator
    read: Reader | None  # None where a line alone does not say what it is
    changes: int = 40  # in one payload; fewer where one changed cell may rightly refuse all of it
    share: float = 0.37  # of all mutations


def tables() -> Iterator[Table]:
    """Every form of CSV there is a parser for."""
    indicators = CATALOGUE.indicators
    employment = indicators["employment_rate"]
    yield Table("ELS", _head(ElsQuery(source="ons_els", slug="employment-rate")), els.parse, employment, read_els)
    for name, query in NOMIS.items():
        yield Table(
            f"Nomis {query.dataset}",
            _head(_short(query)),
            partial(nomis.parse, query=query),
            indicators[name],
            partial(read_nomis, query),
            changes=4,
            share=0.06,
        )
    pay = indicators["pay_annual_median"]
    yield Table("ASHE table 8 as CSV", _ashe_table(), _ashe_median, pay, None)
    source = _els_source_file()
    yield Table(
        "ELS source file", source, partial(els_source.parse, indicator="Rate"), employment, read_els_source, 4, 0.08
    )


# The stand-in's first year of which each data set has figures: nothing can be misread where all are missing.
_FROM_YEAR = {"NM_30_1": 2025}


def _short(query: NomisQuery) -> NomisQuery:
    from_year = _FROM_YEAR.get(query.dataset, 2023)
    return query.model_copy(update={"dates": query.dates.model_copy(update={"from_year": from_year})})


def _head(query: Query) -> bytes:
    """The first lines of what the stand-in sends for a query, which are real figures in the publisher's form."""
    return b"".join(islice(recorded(query).payload.open(), LINES))


# --- how a person reads a line ----------------------------------------------------------------------------------------


def read_els(cells: Cells, lines: Lines) -> Claim:
    value = number_or_none(cells["value"])
    bounds = None
    if cells.get("lci_95", "").strip():
        bounds = (float(cells["lci_95"]), float(cells["uci_95"]))
    return Claim(cells["areacd"].strip(), cells["period"], value, bounds)


def read_els_source(cells: Cells, lines: Lines) -> Claim:
    if cells["indicator"] != "Rate":
        raise ValueError("another indicator")
    bounds = (float(cells["lci_95"]), float(cells["uci_95"])) if cells["lci_95"].strip() else None
    return Claim(cells["areacd"], cells["period"], number_or_none(cells["observation"]), bounds)


def read_nomis(query: NomisQuery, cells: Cells, lines: Lines) -> Claim:
    """A value row, with the bounds that the one error row beside it gives."""
    if cells["MEASURES"].strip() != str(query.value_measure):
        raise ValueError("a row of another measure")
    for dimension, option in query.dimensions.items():
        name = cells.get(f"{dimension.upper()}_NAME")
        if (
            cells[dimension.upper()].strip() != str(option.code)
            if name is None
            else _plain(name) != _plain(option.name)
        ):
            raise ValueError(f"another {dimension}")
    value = number_or_none(cells["OBS_VALUE"])
    key = {
        name: cells[name].strip() for name in (*KEY, *(f"{d.upper()}_NAME" for d in query.dimensions)) if name in cells
    }
    measures = (query.error_measure, query.numerator_measure, query.denominator_measure)
    others = [lines.where(MEASURES=str(measure), **key) for measure in measures if measure is not None]
    beside = tuple("" if other is None else f"{other['OBS_VALUE']} {other['OBS_STATUS']}" for other in others)
    bounds = None
    error = others[0] if query.error_measure is not None else None
    if value is not None and error is not None and error["OBS_STATUS"].strip() == "A" and error["OBS_VALUE"].strip():
        width = float(error["OBS_VALUE"])
        half_width = width if query.error_form == "half_width" else value * 1.96 * width / 100
        bounds = (value - half_width, value + half_width)
    return Claim(cells["GEOGRAPHY_CODE"].strip(), _nomis_period(cells), value, bounds, beside)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _nomis_period(cells: Cells) -> str:
    date, name = cells["DATE"].strip(), cells.get("DATE_NAME", "").strip()
    year, _, month = date.partition("-")
    if not month:
        return f"{int(year):04d}-01-01/P1Y"
    span = re.fullmatch(r"([A-Z][a-z]{2}) (\d{4})-([A-Z][a-z]{2}) (\d{4})", name, re.IGNORECASE)
    if span is None:
        return f"{date}-01/P1M"
    months = [text.lower() for text in calendar.month_abbr]
    start = months.index(span[1].lower())
    length = (int(span[4]) - int(span[2])) * 12 + int(month) - start + 1
    return f"{span[2]}-{start:02d}-01/" + (f"P{length // 12}Y" if length % 12 == 0 else f"P{length}M")


# --- tables that no service sends ---------------------------------------------------------------------------------------

ASHE_HEADING = "Description,Code,(thousand),Median,change,Mean,change,10,20,25,30,40,60,70,75,80,90"


def _ashe_table() -> bytes:
    """The publisher's own CSV export where it is here, else one in its form with the shipped figures of one year."""
    path = SHARED_DATA / "ashe" / "ashe_table_8_7a_annual_gross_2025_provisional.csv"
    if path.is_file():
        return path.read_bytes().replace(b"\r\n", b"\n")
    rows = [
        row for row in pq.read_table(BASELINE_DIR / "pay_annual_median.parquet").to_pylist() if "2025" in row["period"]
    ]
    title = '"Table 8.7a   Annual pay - Gross (£) - For all employee jobsa: United Kingdom, 2025"'
    lines = [title, "", "", "", ASHE_HEADING]
    for row in rows:
        cell = "x" if row["value"] is None else f'"{row["value"]:,.0f}"'
        lines.append(f"A place,{row['area_code']},12,{cell},1.0,{cell},1.0" + ",x" * 10)
    return "\n".join(lines).encode("latin-1")


def _ashe_median(content: bytes) -> Parsed:
    return ashe.figures(ashe.read_table(content), "Median", is_provisional=True)


def _els_source_file() -> bytes:
    """A file in the form of ONS's own, with shipped figures."""
    header = "areacd,areanm,geography,indicator,period,observation,measure,unit,lci_95,uci_95,status,notes"
    lines = [header]
    rows = pq.read_table(BASELINE_DIR / "employment_rate--great_britain.parquet").slice(0, LINES).to_pylist()
    for row in rows:
        mark = {"ok": "", "unreliable": "u", "suppressed": "c"}.get(row["status"], "x")
        numbers = ["" if row[name] is None else repr(row[name]) for name in ("value", "lower", "upper")]
        lines.append(
            f"{row['area_code']},A place,ltla,Rate,{row['period']},{numbers[0]},value,%,{numbers[1]},{numbers[2]},{mark},"
        )
        lines.append(f"{row['area_code']},A place,ltla,Another,{row['period']},1,value,%,,,,")
    return "\n".join(lines).encode()
