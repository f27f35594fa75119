"""Nomis as a publisher of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pipeline.publishers.nomis.query import NomisQuery
from pipeline.publishers.protocol import Columns, Districts, Publisher, Question

if TYPE_CHECKING:  # see pipeline.publishers.ons_els.publisher
    from pipeline.http.client import HttpClient
    from pipeline.http.payload import Payload
    from pipeline.tidy.observations import Parsed


class Nomis(Publisher[NomisQuery]):
    source_ids = ("nomis",)
    columns: ClassVar = {
        "nomis": Columns(names=("DATE", "GEOGRAPHY_CODE", "MEASURES", "OBS_VALUE", "OBS_STATUS", "RECORD_COUNT"))
    }

    def fetch(self, query: NomisQuery, client: HttpClient) -> Payload:
        from pipeline.publishers.nomis import fetch

        return fetch.fetch(query, client)

    def parse(self, query: NomisQuery, payload: Payload, districts: Districts) -> Parsed:
        from pipeline.publishers.nomis import parse

        body = payload.body
        return parse.parse(body if isinstance(body, bytes) else body.path, query)

    def last_updated(self, query: NomisQuery, client: HttpClient) -> str | None:
        from pipeline.publishers.nomis import fetch

        return fetch.last_updated(query, client)

    def questions(self, queries: Sequence[NomisQuery]) -> Iterator[Question]:
        types: dict[str, set[str]] = {}
        for query in queries:
            types.setdefault(query.dataset, set()).update(query.geography)
        # The same slice may serve several indicators or geographies; one question for each is enough.
        slices = {(query.dataset, repr(query.options)): query for query in queries}
        for query in slices.values():
            options = ", ".join(" | ".join(option.name for option in options) for options in query.options.values())
            yield Question("nomis", f"{query.dataset}: {options}", partial(_slice, query))
        for query in {query.dataset: query for query in slices.values()}.values():
            wanted = sorted(types[query.dataset])
            yield Question("nomis", f"{query.dataset}: geography types", partial(_types, query, wanted))


def _slice(query: NomisQuery, client: HttpClient) -> str:
    """The regions' figures of the newest period: a dozen areas prove codes, names, measures, columns and statuses."""
    from pipeline.publishers.nomis import fetch as nomis

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


def _types(query: NomisQuery, wanted: Sequence[str], client: HttpClient) -> str:
    """Check that the requested types exist, and name newer maps of districts. Raises RequestRefused naming those gone."""
    from pipeline.http.payload import RequestRefused
    from pipeline.publishers.nomis import fetch as nomis

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
            f"no type for {words}, which are not requested" if code is None else f"{words} are {code} ({there[code]})"
        )
    return "; ".join(
        [
            f"found {', '.join(types)}",
            *wider,
            *([f"newer: {', '.join(newer)}, not requested yet"] if newer else []),
        ]
    )


PUBLISHER = Nomis()
