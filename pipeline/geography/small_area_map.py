"""Small areas: figures that stay on the map they were published for, and the district of today each area lies in.

A lower-layer super output area keeps its code from one census to the next, and a series of them is published for one
census's areas throughout. So there is nothing to re-express; what is left of that work is to account for every row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from pipeline.geography.encoding import as_text, encode
from pipeline.geography.errors import GeographyError
from pipeline.geography.reexpress import Ledger, Reexpressed
from pipeline.geography.register import Register

_GSS_CODE = re.compile(r"[A-Z][0-9]{8}")
_NUMBER_OF_AREA = re.compile(r" [0-9]{3,4}[A-Z]{1,2}$")  # "Oldham 001A" is the first area's first part in Oldham


def on_own_map(observations: pd.DataFrame, area_prefixes: Iterable[str]) -> Reexpressed:
    """The rows of small areas as they are, ``area_code`` categorical, with ``geography_rule`` and ``source_area_codes``.

    ``area_prefixes`` tell the codes of the small areas wanted; other areas' rows are out of scope, rows without a code
    of nine characters are set aside. The ledger of what became of every row is checked, as in ``reexpress``.
    """
    number, codes = encode(observations["area_code"])
    prefixes = tuple(area_prefixes)
    is_code = np.array([_GSS_CODE.fullmatch(code) is not None for code in codes] + [False], dtype=bool)
    is_wanted = np.array([code.startswith(prefixes) for code in codes] + [False], dtype=bool) & is_code
    kept, aside = is_wanted[number], ~is_code[number]
    columns = {
        "area_code": as_text(number[kept], codes, is_categorical=True),
        "geography_rule": as_text(np.zeros(int(kept.sum()), np.int8), ["as_published"], is_categorical=True),
    }
    out = observations if kept.all() else observations[kept].reset_index(drop=True)
    out = out.assign(**columns, source_area_codes=columns["area_code"])
    set_aside = observations[aside].reset_index(drop=True).assign(reason="the area has no code of nine characters")
    ledger = Ledger(len(observations), len(out), len(set_aside), 0, int((~kept & ~aside).sum()), len(out))
    ledger.check()
    return Reexpressed(out, set_aside, ledger)


def districts_today(area_names: Mapping[str, str], register: Register) -> dict[str, str]:
    """Today's district of each small area, by code, told from its name: "Allerdale 001A" lies in today's Cumberland.

    Small areas are named after the district of their census. An area is left out where its name holds no district, or
    that district's ground is in several of today's.
    """
    of_place: dict[str, str | None] = {}
    found = {}
    for code, name in area_names.items():
        place = _NUMBER_OF_AREA.sub("", name)
        if place not in of_place:
            of_place[place] = _district_named(place, register) if place != name else None
        district = of_place[place]
        if district is not None:
            found[code] = district
    return found


def _district_named(place: str, register: Register) -> str | None:
    try:
        now = register.current_codes(register.find(place, suggest=False).code)
    except GeographyError:
        return None
    return now[0] if len(now) == 1 and register.by_code[now[0]].level == "district" else None
