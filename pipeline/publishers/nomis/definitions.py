"""A Nomis data set's description of itself: last update, unit and notes, periods, and the names of its codes.

Formats: WIRE_FORMATS section 1.8 (SDMX definitions as JSON).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.http.bodies import inside, json_of, mappings, text
from pipeline.http.payload import Description, HostUnreachable, RequestRefused, SourceError, WrongContent
from pipeline.publishers.nomis.query import NomisCode, NomisQuery

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient

SOURCE_ID = "nomis"
NAMES_LISTED = 15  # in an error, so that readers can find the data set's own name for what they want
# Annotations with caveats; actual notes come as a title and a text with the same number.
_CODE = re.compile(r"[0-9]{1,18}")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
_NOTE_TEXT = re.compile(r"MetadataText(\d+)")
_CURRENT = ("", "current", "none")


def last_updated(query: NomisQuery, client: HttpClient) -> str | None:
    """When Nomis last updated the data set (``YYYY-MM-DD HH:MM:SS``), from its definition; None if it does not say.

    Raises RequestRefused or WrongContent if there is no definition, HostUnreachable.
    """
    return _annotations(_family(query, client)).get("LastUpdated") or None


def described(query: NomisQuery, client: HttpClient) -> tuple[str | None, Description | None]:
    """When the data set was last updated, and its unit and notes; nothing if the definition did not arrive.

    Complete figures are worth keeping without them. The payload then has no date, so the next run fetches the figures
    again. Raises HostUnreachable.
    """
    try:
        family = _family(query, client)
    except HostUnreachable:
        raise
    except SourceError:
        return None, None
    annotations = _annotations(family)
    if not annotations:
        return None, None
    unit = annotations.get("Units", "").strip() or None
    return annotations.get("LastUpdated") or None, Description(unit, tuple(_notes(family, annotations)))


def periods_wanted(query: NomisQuery, client: HttpClient) -> list[str]:
    """The periods of the data set that the query wants, in Nomis's spelling (``2025`` or ``2025-09``).

    Raises RequestRefused if there is none, and the errors of ``last_updated``.
    """
    listed = [code for code, _ in _code_list(query, "time", client)]
    wanted = [date for date in listed if _is_wanted(date, query)]
    if not wanted:
        raise RequestRefused(
            f"Nomis {query.dataset} lists no period from {query.dates.from_year} on"
            f"{f' ending in month {query.dates.months}' if query.dates.months else ''}; "
            f"it lists {len(listed)} periods, the last {listed[-1] if listed else 'none'}."
        )
    return wanted


def code_by_name(query: NomisQuery, dimension: str, wanted: NomisCode, client: HttpClient) -> int:
    """The code of the one option of a dimension that has the wanted name, from the data set's own definition.

    Raises RequestRefused, listing the names, if no option or several have it.
    """
    options = _code_list(query, dimension, client)
    found = [code for code, name in options if wanted.is_named(name)]
    if len(found) == 1 and _CODE.fullmatch(found[0]):
        return int(found[0])
    names = dict(options)
    code = "" if wanted.code is None else f" (its code {wanted.code} is named '{names.get(str(wanted.code))}')"
    listed = ", ".join(f"'{name.strip()}'" for name in list(names.values())[:NAMES_LISTED])
    raise RequestRefused(
        f"Nomis {query.dataset} has {'no' if not found else 'more than one'} {dimension} named "
        f"'{wanted.name}'{code}; it has {listed}{' …' if len(names) > NAMES_LISTED else ''}; correct indicators.yaml."
    )


@dataclass(frozen=True)
class WiderAreas:
    """A kind of wider area, identified by the start of its geography type's name and of its areas' GSS codes."""

    type_name: str
    gss: str


# The type that holds them changes with the map, and not every data set has one, so its own list is searched. The type
# of the counties also lists every district that is its own county; those come with the districts.
WIDER_AREAS: Mapping[str, WiderAreas] = {
    "counties": WiderAreas("local authorities: county / unitary", "E10"),
    "combined_authorities": WiderAreas("combined authorities", "E47"),
}


def places(query: NomisQuery, geography: str, client: HttpClient) -> str | None:
    """The value of ``geography`` in a request: a type's code unchanged; for a kind of wider area, Nomis's own numbers.

    None if the data set has no type of that kind, or its list did not arrive. Raises HostUnreachable.
    """
    if geography not in WIDER_AREAS:
        return geography
    return ",".join(_numbers(query, geography, client)) or None


def areas_listed(query: NomisQuery, geography: str, client: HttpClient) -> frozenset[str]:
    """The GSS codes of a geography type's areas in the data set's own list; empty if no list arrived.

    For a kind of wider area, those that ``places`` requests. Raises HostUnreachable.
    """
    if geography in WIDER_AREAS:
        return frozenset(_numbers(query, geography, client).values())
    return frozenset(_areas_of_type(query, geography, client).values())


def wider_type(query: NomisQuery, kind: str, client: HttpClient) -> str | None:
    """The newest of a data set's geography types for a kind of wider area; None if it has none.

    A type without a year in its name counts as older than any with one. Raises the errors of ``last_updated``.
    """
    begins = WIDER_AREAS[kind].type_name
    years = {
        code: year_of_map(name)
        for code, name in geography_types(query, client).items()
        if " ".join(name.split()).casefold().startswith(begins)
    }
    return max(years, key=lambda code: (years[code], code), default=None)


def year_of_map(type_name: str) -> int:
    """The year of the map in a geography type's name (``as of April 2023``); 0 if it has none."""
    return max((int(year) for year in re.findall(r"\b(?:19|20)[0-9]{2}\b", type_name)), default=0)


def _numbers(query: NomisQuery, kind: str, client: HttpClient) -> dict[str, str]:
    """Nomis's own numbers of the areas of a kind of wider area, each with its GSS code."""
    try:
        code = wider_type(query, kind, client)
    except HostUnreachable:
        raise
    except SourceError:  # complete district figures are worth keeping without them, as in ``described``
        return {}
    if code is None:
        return {}
    areas = _areas_of_type(query, code, client)
    return {number: gss for number, gss in areas.items() if gss.startswith(WIDER_AREAS[kind].gss)}


def _areas_of_type(query: NomisQuery, geography_type: str, client: HttpClient) -> dict[str, str]:
    """Nomis's own numbers of a type's areas, each with its GSS code; none if no list arrived. Raises HostUnreachable."""
    try:
        structure = _definition(f"dataset/{query.dataset}/geography/{geography_type}.def.sdmx.json", client)
    except HostUnreachable:
        raise
    except SourceError:  # complete figures are worth keeping without it, as in ``described``
        return {}
    listed = [
        (text(area.get("value")) or "", _titled(area.get("annotations")).get("GeogCode", "").strip())
        for area in _codes_in(structure)
    ]
    return {number: gss for number, gss in listed if gss}


def geography_types(query: NomisQuery, client: HttpClient) -> dict[str, str]:
    """The data set's current geography types (``TYPE424``), each with its name. Raises the errors of ``last_updated``."""
    structure = _definition(f"dataset/{query.dataset}/geography/TYPE.def.sdmx.json", client)
    return {code: name for code, name in _options(structure) if code.startswith("TYPE")}


def _family(query: NomisQuery, client: HttpClient) -> Mapping[str, Any]:
    """The definition itself (``keyfamily``) in ``dataset/{id}.def.sdmx.json``; empty if none is listed."""
    structure = _definition(f"dataset/{query.dataset}.def.sdmx.json", client)
    return next(iter(mappings(inside(structure, "keyfamilies", "keyfamily"))), {})


def _annotations(family: Mapping[str, Any]) -> dict[str, str]:
    """The annotations by title: Status, LastUpdated, Units …"""
    return _titled(family.get("annotations"))


def _titled(annotations: object) -> dict[str, str]:
    listed = mappings(inside(annotations, "annotation"))
    return {str(entry.get("annotationtitle")): text(entry.get("annotationtext")) or "" for entry in listed}


def _notes(family: Mapping[str, Any], annotations: Mapping[str, str]) -> Iterator[str]:
    """The publisher's caveats in its own words: what the data set is, its notes, and whether it is still updated."""
    texts = [text(inside(family, "description", "value")) or "", annotations.get("SubDescription", "")]
    for title, note in annotations.items():
        if match := _NOTE_TEXT.fullmatch(title):
            heading = annotations.get(f"MetadataTitle{match[1]}", "").strip()
            texts.append(f"{heading}: {note}" if heading and note.strip() else note)
    status = annotations.get("Status", "").strip()
    if status.casefold() not in _CURRENT:
        texts.append(f"Status: {status}.")
    for note in dict.fromkeys(" ".join(words.split()) for words in texts):
        if note and note.casefold() != "none":
            yield note


def _definition(path: str, client: HttpClient) -> dict[str, Any]:
    response = client.get_once(SOURCE_ID, path)
    if response.status != 200:
        raise RequestRefused(
            f"Nomis refused {response.url_without_secrets} with status {response.status}: {response.message}"
        )
    try:
        structure = inside(json_of(response.content), "structure")
    except ValueError:
        structure = None
    if not isinstance(structure, dict):
        raise WrongContent(
            f"Nomis sent no definition at {response.url_without_secrets}: expected SDMX as JSON, got {response.message}"
        )
    return structure


def _code_list(query: NomisQuery, dimension: str, client: HttpClient) -> list[tuple[str, str]]:
    """The options of one dimension of a data set: (code, name), in the order of the definition."""
    return _options(_definition(f"dataset/{query.dataset}/{dimension}.def.sdmx.json", client))


def _options(structure: Mapping[str, Any]) -> list[tuple[str, str]]:
    options = [
        (text(code.get("value")), text(inside(code, "description", "value")) or "") for code in _codes_in(structure)
    ]
    return [(code, name) for code, name in options if code is not None]


def _codes_in(structure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The codes of the first code list in a definition; none if it has no list, as after a search without a match."""
    lists = mappings(inside(structure, "codelists", "codelist"))
    return mappings(lists[0].get("code")) if lists else []


def _is_wanted(date: str, query: NomisQuery) -> bool:
    found = _DATE.fullmatch(date)
    last_year = query.dates.to_year or 9999
    if found is None or not query.dates.from_year <= int(found[1]) <= last_year:
        return False
    return query.dates.months is None or found[2] is None or int(found[2]) in query.dates.months
