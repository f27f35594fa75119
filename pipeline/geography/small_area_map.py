"""Small areas: figures stay on the map they were published for, with the current district of each area.

A lower-layer super output area often keeps its code between censuses, and a series is published for one census's areas
throughout. So nothing is re-expressed; the remaining work is to account for every row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from pipeline.geography.area_errors import GeographyError
from pipeline.geography.encoding import as_text, encode
from pipeline.geography.reexpressed import Ledger, Reexpressed
from pipeline.geography.register import Register

_GSS_CODE = re.compile(r"[A-Z][0-9]{8}")
_NUMBER_OF_AREA = re.compile(r" [0-9]{3,4}[A-Z]{1,2}$")  # "Oldham 001A" is the first area's first part in Oldham


def on_own_map(observations: pd.DataFrame, area_prefixes: Iterable[str]) -> Reexpressed:
    """The rows of small areas unchanged, ``area_code`` categorical, with ``geography_rule`` and ``source_area_codes``.

    ``area_prefixes`` identify the codes of the wanted small areas. Other areas' rows are out of scope; rows without a
    nine-character code are set aside. The ledger of every row is checked, as in ``reexpress``.
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
    """The current district of each small area, by code, from its name: "Allerdale 001A" is in today's Cumberland.

    Small areas are named after the district of their census. An area is left out if its name contains no district, or
    if that district's ground is now in several.
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
