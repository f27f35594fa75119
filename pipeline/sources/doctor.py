"""One small question to each publisher: who answers, what has moved, what has changed its shape.

For the day the network is there: every question is a real, small query of the kind a refresh makes, put through the
same adapter and checks, so that what fails here would fail there, with the same sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from pipeline.catalogue.model import ElsQuery, NomisQuery, OnsDatasetQuery
from pipeline.sources import nomis, ons_dataset, ons_els, open_geography, published_files
from pipeline.sources.base import HostUnreachable, Incomplete, RequestRefused, SourceError, WrongContent

if TYPE_CHECKING:
    from pipeline.catalogue.model import Query
    from pipeline.sources.http import HttpClient

Verdict = Literal["answers", "unreachable", "moved or refused", "changed shape", "incomplete"]
VERDICT_OF_FAILURE: dict[type[SourceError], Verdict] = {
    HostUnreachable: "unreachable",
    RequestRefused: "moved or refused",
    WrongContent: "changed shape",
    Incomplete: "incomplete",
}


@dataclass(frozen=True)
class Finding:
    """What one question brought. ``detail`` is a sentence: what came, or what is wrong and what to do."""

    source_id: str
    question: str
    verdict: Verdict
    detail: str
    seconds: float

    @property
    def is_good(self) -> bool:
        return self.verdict == "answers"


Ask = Callable[["HttpClient"], str]


def examine(queries: Sequence[Query], client: HttpClient) -> Iterator[Finding]:
    """Ask every source its questions, one after the other, and yield each finding as it comes.

    ``queries`` are the catalogue's live queries. Never raises a SourceError: that is the finding.
    """
    for source_id, question, ask in _questions(queries):
        started = time.monotonic()
        verdict: Verdict = "answers"
        try:
            detail = ask(client)
        except SourceError as error:
            detail, verdict = str(error), VERDICT_OF_FAILURE[type(error)]
        yield Finding(source_id, question, verdict, detail, time.monotonic() - started)


def _questions(queries: Sequence[Query]) -> Iterator[tuple[str, str, Ask]]:
    els_queries = [query for query in queries if isinstance(query, ElsQuery)]
    if els_queries:
        yield "ons_els", f"figures of {els_queries[0].slug}", partial(_els_figures, els_queries[0])
        yield "ons_els", f"descriptions of {len(els_queries)} indicators", partial(_els_descriptions, els_queries)
    types: dict[str, set[str]] = {}
    for query in queries:
        if isinstance(query, NomisQuery):
            types.setdefault(query.dataset, set()).update(query.geography)
    # The same slice may serve several indicators or geographies; one question each will do.
    slices = {(query.dataset, repr(query.options)): query for query in queries if isinstance(query, NomisQuery)}
    for query in slices.values():
        options = ", ".join(" | ".join(option.name for option in options) for options in query.options.values())
        yield "nomis", f"{query.dataset}: {options}", partial(_nomis_slice, query)
    for query in {query.dataset: query for query in slices.values()}.values():
        yield "nomis", f"{query.dataset}: geography types", partial(_nomis_types, query, sorted(types[query.dataset]))
    versions = {query.dataset: query for query in queries if isinstance(query, OnsDatasetQuery)}
    for version in versions.values():
        yield "ons_dataset", f"latest version of {version.dataset}", partial(_ons_version, version)
    for table_id, table in open_geography.TABLES.items():
        if not table.has_geometry:
            yield "open_geography", table_id.replace("_", " "), partial(_portal_table, table_id)
    for file_id, file in published_files.FILES.items():
        # The small areas of England are tens of megabytes, so of them only whether they are still where they were.
        yield file.source_id, file.edition, partial(_whereabouts if file.form == "csv" else _file, file_id)


def _els_figures(query: ElsQuery, client: HttpClient) -> str:
    payload = ons_els.fetch(query, client)
    generation = "A (data.csv?indicator=)" if "indicator" in payload.parameters else "B (data/{slug}.csv)"
    return f"{payload.row_count:,} rows by generation {generation}, updated {payload.publisher_updated}"


def _els_descriptions(queries: Sequence[ElsQuery], client: HttpClient) -> str:
    """Every slug is still known; raises RequestRefused naming those that are not."""
    unknown = []
    for query in queries:
        try:
            ons_els.metadata(query, client)
        except RequestRefused:
            unknown.append(query.slug)
    if unknown:
        raise RequestRefused(
            f"ELS no longer knows {', '.join(unknown)}: look for their new slugs and change the catalogue."
        )
    return "every slug is known"


def _nomis_slice(query: NomisQuery, client: HttpClient) -> str:
    """The regions' figures of the newest period: a dozen areas prove codes, names, measures, columns and statuses."""
    newest = nomis.periods_wanted(query, client)[-1]
    dates = query.dates.model_copy(update={"from_year": int(newest[:4])})
    payload = nomis.fetch(query.model_copy(update={"geography": ("TYPE480",), "dates": dates}), client)
    detail = f"{payload.row_count} rows for regions, newest {newest}, updated {payload.publisher_updated}"
    for dimension, option in query.dimensions.items():
        codes = payload.parameters[dimension]
        if len(query.options[dimension]) == 1 and codes != str(option.code):
            detail += f"; {dimension} '{option.name}' has code {codes}"
            detail += "" if option.code is None else f", not {option.code}"
    return detail


def _nomis_types(query: NomisQuery, wanted: Sequence[str], client: HttpClient) -> str:
    """The types asked for are still there; names newer maps of districts. Raises RequestRefused naming those that went."""
    there = nomis.geography_types(query, client)
    types = [word for word in wanted if word.startswith("TYPE")]
    if gone := [code for code in types if code not in there]:
        raise RequestRefused(
            f"Nomis {query.dataset} no longer has {', '.join(gone)}; it has "
            f"{', '.join(f'{code} ({name})' for code, name in there.items()) or 'none'}. Change geography in indicators.yaml."
        )
    latest = max((nomis.year_of_map(there[code]) for code in types), default=0)
    newer = [
        f"{code} ({name})"
        for code, name in there.items()
        if "district" in name and nomis.year_of_map(name) > latest > 0
    ]
    wider = []
    for kind in (word for word in wanted if word not in types):
        code = nomis.wider_type(query, kind, client)
        words = kind.replace("_", " ")
        wider.append(
            f"no type for {words}, which are not asked for" if code is None else f"{words} are {code} ({there[code]})"
        )
    return "; ".join(
        [
            f"{', '.join(types)} are there",
            *wider,
            *([f"newer: {', '.join(newer)}, not asked for yet"] if newer else []),
        ]
    )


def _ons_version(query: OnsDatasetQuery, client: HttpClient) -> str:
    return f"released {ons_dataset.last_updated(query, client)}"


def _portal_table(table_id: str, client: HttpClient) -> str:
    payload = open_geography.fetch(table_id, client)
    newest = open_geography.TABLES[table_id].services[0]
    return f"{payload.row_count} rows from {payload.edition}" + (
        "" if payload.edition == newest else f"; the newest name, {newest}, does not answer"
    )


def _whereabouts(file_id: str, client: HttpClient) -> str:
    return published_files.whereabouts(file_id, client)


def _file(file_id: str, client: HttpClient) -> str:
    payload = published_files.fetch(file_id, client)
    return "unchanged" if payload is None else f"{payload.byte_count:,} bytes from {payload.url}"
