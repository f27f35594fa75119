"""The Nomis API as WIRE_FORMATS section 1 describes it, over data sets filled with the real figures at hand.

What no real figure is known for is answered as Nomis answers it: no value, status Q, "These figures are missing."
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, product
from operator import itemgetter
from typing import Any, NamedTuple

from tests.standin import nomis_datasets
from tests.standin.exchange import Reply, Request, html_reply, json_reply
from tests.standin.figures import Cell, Figures
from tests.standin.nomis_datasets import MISSING, Dataset

PREFIX = "/api/v01"
GUEST_ROWS, KEY_ROWS = 25_000, 100_000

TYPES: Mapping[str, str] = {
    "TYPE424": "local authorities: district / unitary (as of April 2023)",
    "TYPE423": "local authorities: county / unitary (as of April 2023)",
    "TYPE432": "local authorities: district / unitary (as of April 2021)",
    "TYPE154": "2022 local authorities: districts",
    "TYPE442": "combined authorities",  # an older list, from before types of theirs named a day
    "TYPE419": "combined authorities (as of May 2025)",  # seen by this name; its code is the stand-in's own
    "TYPE480": "regions",
    "TYPE499": "countries",
}
OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "TYPE424": ("E06", "E07", "E08", "E09", "W06", "S12", "N09"),
    "TYPE423": ("E06", "E08", "E09", "E10", "W06", "S12"),
    "TYPE432": ("E06", "E07", "E08", "E09", "W06", "S12"),
    "TYPE154": ("E06", "E07", "E08", "E09", "W06"),
    "TYPE442": ("E47",),
    "TYPE419": ("E47",),
    "TYPE480": ("E12", "W92", "S92", "N92"),
    "TYPE499": ("K02", "K03", "K04", "E92", "W92", "S92", "N92"),
}
# Districts of April 2021 that went in April 2023; Nomis sends 0 for them at later dates.
ABOLISHED = {
    "E07000163": "Craven",
    "E07000026": "Allerdale",
    "E07000187": "Mendip",
    "E07000246": "Somerset West and Taunton",
}
SINCE_2021 = frozenset({"E06000063", "E06000064", "E06000065", "E06000066"})
SINCE_2020 = frozenset({"E47000012", "E47000013", "E47000014", "E47000015", "E47000016", "E47000017"})
NORTHERN_IRELAND = "N09"


class Place(NamedTuple):
    """An area under one geography type, with the number Nomis knows it by."""

    code: str
    name: str
    kind: str
    number: int


class NomisService:
    """Answers data, definitions and code lists of the data sets of ``nomis_datasets``."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._areas = {c: n for c, n in figures.table("claimant-count").names.items() if c[0] in "EKNSW"}

    def answer(self, request: Request, *, zero_ghosts: bool = False) -> Reply:
        """``zero_ghosts`` makes the current district type list abolished districts with zeros, as older types do."""
        path = request.path.removeprefix(PREFIX)
        if match := re.fullmatch(r"/dataset/(nm_\d+_\d+)\.data\.csv", path, re.IGNORECASE):
            return self._data(match[1].upper(), request, zero_ghosts)
        if match := re.fullmatch(r"/dataset/(nm_\d+_\d+)(?:/(.+?))?[./]def\.sdmx\.json", path, re.IGNORECASE):
            dataset = nomis_datasets.dataset(match[1].upper(), self._figures)
            if dataset is None:
                return json_reply({"structure": {"header": {"id": "none"}, "keyfamilies": None}})
            if match[2] is None:
                return json_reply(_definition(match[1].upper(), dataset))
            return self._code_list(dataset, match[2].lower(), zero_ghosts)
        if re.fullmatch(r"/dataset/nm_\d+_\d+\.jsonstat\.json", path, re.IGNORECASE):
            return json_reply({"error": "Query is incomplete"})
        return html_reply(200)

    def _code_list(self, dataset: Dataset, concept: str, zero_ghosts: bool) -> Reply:
        if concept == "geography/type":
            return json_reply(_codes(dict(TYPES.items())))
        if concept.startswith("geography/type"):
            kind = concept.removeprefix("geography/").upper()
            return json_reply(_areas(self._chosen_areas(kind, dataset, zero_ghosts) if kind in TYPES else []))
        if concept in ("time", "date"):
            return json_reply(_codes(dict(dataset.dates.items())))
        options = dataset.measures if concept == "measures" else dataset.dimensions.get(concept)
        return html_reply(200) if options is None else json_reply(_codes(options))

    def _data(self, dataset_id: str, request: Request, zero_ghosts: bool) -> Reply:
        query = {name.lower(): value for name, value in request.query}
        dataset = nomis_datasets.dataset(dataset_id, self._figures)
        if dataset is None:
            return _csv_reply(b"")
        try:
            geography = self._chosen_areas(query["geography"], dataset, zero_ghosts)
            dates = _chosen_dates(query.get("date") or query["time"], dataset)
            options = [_chosen(query.get(name), codes) for name, codes in dataset.dimensions.items()]
            measures = _chosen(query.get("measures"), dataset.measures)
        except KeyError:
            return _csv_reply(b"")  # a bad parameter and no match look the same: nothing
        total = len(geography) * len(dates) * len(measures)
        for codes in options:
            total *= len(codes)
        ceiling = KEY_ROWS if "uid" in query else GUEST_ROWS
        limit = min(int(query.get("recordlimit", ceiling)), ceiling)
        offset = int(query.get("recordoffset", 0))
        header, positions = _header(dataset, query.get("select"))
        lines = [",".join(f'"{name}"' for name in header)]
        pick = itemgetter(*positions, positions[-1])  # one more than needed, so that it always gives several
        rows: Iterator[Any] = product(enumerate(dates), geography, *(enumerate(codes) for codes in options), measures)
        for number, (date, area, *rest, measure) in enumerate(islice(rows, offset, offset + limit), offset):
            fields = _fields(dataset_id, dataset, date, area, rest, measure, number, total)
            lines.append(",".join(pick(fields)[:-1]))
        if len(lines) == 1 and not total:
            return _csv_reply(b"")
        return _csv_reply(("\n".join(lines) + "\n").encode())

    def _chosen_areas(self, text: str, dataset: Dataset, zero_ghosts: bool) -> list[Place]:
        """Every area asked for by type, by Nomis's own number or by GSS code; raises KeyError for one that is none."""
        chosen = []
        for part in text.split(","):
            if part in TYPES:
                chosen += self._of_type("TYPE432" if zero_ghosts and part == "TYPE424" else part, dataset)
            elif part.isdigit():
                by_number = {place.number: place for place in self._of_type(f"TYPE{int(part) >> 22}", dataset)}
                chosen.append(by_number[int(part)])
            else:
                kinds = {prefix: kind for kind in reversed(OF_TYPE) for prefix in OF_TYPE[kind]}
                kind = kinds[part[:3]]
                by_code = {place.code: place for place in self._of_type(kind, dataset)}
                chosen.append(by_code[part])
        return chosen

    def _of_type(self, kind: str, dataset: Dataset) -> list[Place]:
        """The areas of a type, with Nomis's own numbers. Raises KeyError for a type that is none."""
        listed = {code: name for code, name in self._areas.items() if code[:3] in OF_TYPE[kind]}
        if kind == "TYPE432":
            listed = {code: name for code, name in listed.items() if code not in SINCE_2021} | ABOLISHED
        if kind == "TYPE442":
            listed = {code: name for code, name in listed.items() if code not in SINCE_2020}
        if not dataset.lists_northern_ireland:
            listed = {code: name for code, name in listed.items() if not code.startswith(NORTHERN_IRELAND)}
        first = (int(kind.removeprefix("TYPE")) << 22) + 1
        return [Place(code, name, kind, first + n) for n, (code, name) in enumerate(sorted(listed.items()))]


def _csv_reply(body: bytes) -> Reply:
    return Reply(200, body, {"content-type": "text/csv"})


def _chosen(text: str | None, options: Mapping[str, str]) -> list[tuple[str, str]]:
    """(code, name) of the options asked for: all if unpinned, a list, or ``1...9``; KeyError for an unknown one."""
    if text is None:
        return list(options.items())
    chosen = []
    for part in text.split(","):
        first, dots, last = part.partition("...")
        codes = [code for code in options if int(first) <= int(code) <= int(last)] if dots else [part]
        chosen += [(code, options[code]) for code in codes]
    return chosen


def _chosen_dates(text: str, dataset: Dataset) -> list[tuple[str, str]]:
    newest = list(dataset.dates)[-1]
    codes = [newest if part == "latest" else part for part in text.split(",")]
    return [(code, dataset.dates[code]) for code in codes]


# --- rows -------------------------------------------------------------------------------------------------------------


def _header(dataset: Dataset, select: str | None) -> tuple[list[str], list[int]]:
    blocks = ["DATE", "GEOGRAPHY", *(name.upper() for name in dataset.dimensions)]
    everything = []
    for block in blocks:
        order = ("", "_NAME", "_CODE", "_TYPE", "_TYPECODE", "_SORTORDER")
        everything += [block + suffix for suffix in order]
    everything += [
        "MEASURES",
        "MEASURES_NAME",
        "OBS_VALUE",
        "OBS_STATUS",
        "OBS_STATUS_NAME",
        "OBS_CONF",
        "OBS_CONF_NAME",
        "URN",
    ]
    everything += ["RECORD_OFFSET", "RECORD_COUNT"]
    chosen = everything if select is None else [name.strip().upper() for name in select.split(",")]
    chosen = [name for name in chosen if name in everything]
    return chosen, [everything.index(name) for name in chosen]


def _fields(
    dataset_id: str,
    dataset: Dataset,
    date: tuple[int, tuple[str, str]],
    area: Place,
    options: Sequence[tuple[int, tuple[str, str]]],
    measure: tuple[str, str],
    number: int,
    total: int,
) -> list[str]:
    """All columns of one row, strings quoted and numbers bare, in the order of ``_header`` without select."""
    code, name, kind, area_id = area
    kind_code = kind.removeprefix("TYPE")
    fields = [
        *_block(date[1][0], date[1][1], date[1][0], "date", "0", "0"),
        *_block(str(area_id), name, code, TYPES[kind], kind_code, "0"),
    ]
    for (position, (option, option_name)), dimension in zip(options, dataset.dimensions, strict=True):
        fields += _block(option, option_name, option, dimension, "0", str(position))
    is_given = dataset.gives_northern_ireland or not code.startswith(NORTHERN_IRELAND)
    cell = dataset.cell(code, date[1][0], [option for _, (option, _) in options]) if is_given else MISSING
    value = _value(cell, measure[0], dataset)
    if code in ABOLISHED and date[1][0] >= "2023-04":
        value = 0.0  # the trap of WIRE_FORMATS 1.5: a zero where there is no district any more
    chosen = "d".join(option for _, (option, _) in options)
    urn = f'"Nm-{dataset_id[3:].replace("_", "d")}d{area_id}d{chosen}d{measure[0]}"'
    number_text = "" if value is None else repr(value).removesuffix(".0")
    fields += [*_quoted(*measure), number_text, *(MISSING_TAIL if value is None else NORMAL_TAIL), urn]
    return [*fields, str(number), str(total)]


@lru_cache(maxsize=100_000)
def _block(value: str, name: str, code: str, kind: str, kind_code: str, order: str) -> tuple[str, ...]:
    return (*_quoted(value, name, code, kind), kind_code, order)


@lru_cache(maxsize=1_000)
def _quoted(*texts: str) -> tuple[str, ...]:
    return tuple(_text(text) for text in texts)


def _text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


NORMAL_TAIL = tuple(map(_text, ("A", "Normal Value", "F", "Free (free for publication)")))
MISSING_TAIL = tuple(map(_text, ("Q", "These figures are missing.", "F", "Free (free for publication)")))


def _value(cell: Cell, measure: str, dataset: Dataset) -> float | None:
    if measure == dataset.error_measure:
        if cell.value is None or cell.upper is None or cell.lower is None:
            return None
        half = (cell.upper - cell.lower) / 2
        return round(half / 1.96 / cell.value * 100, 1) if dataset.error_is_cv else round(half, 4)
    if measure in ("21001", "21002") and cell.value is not None:  # not the publisher's: of 100,000 people in each area
        return cell.value * 1000 if measure == "21001" else 100_000.0
    return cell.value if measure in ("20100", "20301", "20599") else None


# --- definitions ------------------------------------------------------------------------------------------------------


def _definition(dataset_id: str, dataset: Dataset) -> dict[str, Any]:
    return {
        "structure": {
            "header": {"id": "none", "prepared": "2026-10-02T00:00:00Z", "sender": {"id": "NOMIS"}},
            "keyfamilies": {
                "keyfamily": [
                    {
                        "id": dataset_id,
                        "name": {"value": dataset.name, "lang": "en"},
                        "description": {"value": f"The stand-in's {dataset.name}.", "lang": "en"},
                        "uri": f"Nm-{dataset_id[3:].replace('_', 'd')}",
                        "annotations": {
                            "annotation": [
                                {"annotationtitle": "Status", "annotationtext": "Current"},
                                {"annotationtitle": "LastUpdated", "annotationtext": dataset.last_updated},
                                {"annotationtitle": "Units", "annotationtext": dataset.unit},
                                {"annotationtitle": "SubDescription", "annotationtext": dataset.note},
                            ]
                        },
                        "components": {
                            "dimension": [
                                {"conceptref": name.upper(), "codelist": f"CL_{name.upper()}"}
                                for name in ("geography", *dataset.dimensions, "measures", "freq")
                            ],
                            "timedimension": {"conceptref": "TIME"},
                        },
                    }
                ]
            },
        }
    }


def _areas(areas: Sequence[Place]) -> dict[str, Any]:
    """Areas as their code list has them: Nomis's own number, and the GSS code among the annotations (section 1.8)."""
    code = [
        {
            "value": area.number,
            "description": {"value": area.name, "lang": "en"},
            "annotations": {
                "annotation": [
                    {"annotationtitle": "TypeName", "annotationtext": TYPES[area.kind]},
                    {"annotationtitle": "TypeCode", "annotationtext": int(area.kind.removeprefix("TYPE"))},
                    {"annotationtitle": "GeogCode", "annotationtext": area.code},
                ]
            },
        }
        for area in areas
    ]
    return {"structure": {"codelists": {"codelist": [{"id": "CL", **({"code": code} if code else {})}]}}}


def _codes(options: Mapping[str, str]) -> dict[str, Any]:
    """Time codes of yearly data sets are integers, everything else is text (section 1.8)."""
    code = [
        {"value": int(value) if value.isdigit() else value, "description": {"value": name, "lang": "en"}}
        for value, name in options.items()
    ]
    return {"structure": {"codelists": {"codelist": [{"id": "CL", "code": code}]}}}
