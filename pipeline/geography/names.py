"""Find areas by code or name, as people type them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline.geography.area_errors import AmbiguousAreaError, UnknownAreaError
from pipeline.geography.register_area import Area
from pipeline.geography.table_rows import each

# Kinds of area that this project does not hold, by the first three characters of their code.
KINDS_NOT_HELD: Mapping[str, str] = {
    **dict.fromkeys(("E05", "W05", "S13", "N08"), "ward"),
    **dict.fromkeys(("E00", "W00", "S00", "N00"), "census output area"),
    **dict.fromkeys(("E01", "W01", "S01", "N20", "N21"), "small statistical area"),
    **dict.fromkeys(("E02", "W02", "S02"), "middle-layer statistical area"),
    **dict.fromkeys(("E04", "W04"), "parish or community"),
    **dict.fromkeys(("E14", "W07", "S14", "N05", "N06"), "parliamentary constituency"),
    **dict.fromkeys(("E99", "W99", "S99", "N99"), "placeholder for no area"),
}
# Geographies left out on purpose: they cut across districts, or are not places.
OUT_OF_SCOPE = re.compile(r"^(TL[A-Z][0-9A-Z]{0,2}|UK[A-Z][0-9A-Z]{0,2}|(E13|N34|W42|S48|K99)\d{6})$")
NO_CODE = "the area code is empty: give a nine-character code such as E06000062"
_SMALL_AREA_OF_NORTHERN_IRELAND = re.compile(r"^95[A-Z]{2}\d{2}[SW]\d$")
_LOOKS_LIKE_A_CODE = re.compile(r"^[A-Z]\d{6,10}$|^95[A-Z]{1,2}$")
_AREA_CODE = re.compile(r"[A-Z]\d{8}|95[A-Z]{2}")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`]")


def is_area_code(text: object) -> bool:
    """Whether a text has the form of a held code: nine characters, or four for Northern Ireland before 2015."""
    return isinstance(text, str) and _AREA_CODE.fullmatch(text) is not None


def tidy_code(text: object) -> str:
    """A code in capitals without blanks: `` e06 000065`` becomes ``E06000065``."""
    return "".join(str(text).split()).upper()


def tidy_name(text: str) -> str:
    """A name in a common form: lower case, ``and`` for ``&``, no accents, no punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    plain = _APOSTROPHES.sub("", plain).casefold().replace("&", " and ")
    return " ".join(re.sub(r"[^\w\s]", " ", plain).split())


class NameIndex:
    """Codes by tidied name; built once for a register."""

    def __init__(
        self,
        areas: Mapping[str, Area],
        other_names: pd.DataFrame,
        same_area: pd.DataFrame,
        changes: pd.DataFrame,
    ) -> None:
        self._areas = areas
        self._codes = {code: code for code in areas}
        self._codes.update(
            {
                code: same
                for code, same in zip(same_area["code"], same_area["same_as_code"], strict=True)
                if code not in areas
            }
        )
        self._successors = changes.groupby("from_code")["to_code"].agg(set).to_dict()
        self._named: dict[str, set[str]] = defaultdict(set)
        for code, area in areas.items():
            self._named[tidy_name(area.name)].add(code)
        for row in each(other_names):
            if row.kind == "code":
                self._codes[tidy_code(row.name)] = row.area_code
            else:
                self._named[tidy_name(row.name)].add(row.area_code)

    def code_of(self, text: str) -> str | None:
        """The held code that ``text`` is a form of, or None if there is none."""
        return self._codes.get(tidy_code(text))

    def find(self, text: str, *, suggest: bool = True) -> str:
        code = self.code_of(text)
        if code is not None:
            return code
        named = self._named.get(tidy_name(text), set())
        if not named:
            raise UnknownAreaError(self.unknown(text, suggest=suggest))
        current = {code for code in named if self._areas[code].is_current}
        left = current or {code for code in named if not self._successors.get(code, set()) & named} or named
        districts = {code for code in left if self._areas[code].level == "district"}
        if len(left) > 1 and not current and len(districts) == 1:
            left = districts
        if len(left) > 1:
            raise AmbiguousAreaError(f"'{text.strip()}' may be {self.choice(left)}")
        return left.pop()

    def choice(self, codes: Iterable[str]) -> str:
        """The end of a sentence about a name that several areas share."""
        return f"any of: {'; '.join(map(self._described, sorted(codes)))}: give the code of the one you mean"

    def namesakes(self, text: str) -> list[str]:
        """The codes with a name, sorted; none for a code."""
        return [] if self.code_of(text) else sorted(self._named.get(tidy_name(text), set()))

    def search(self, text: str, limit: int) -> list[str]:
        wanted = tidy_name(text)
        close = difflib.get_close_matches(wanted, self._named, n=limit, cutoff=0.75)
        ranked: dict[str, tuple[int, int, str]] = {}
        for name, codes in self._named.items():
            for code in codes:
                rank = 0 if name == wanted else 1 if wanted and wanted in name else 2 if name in close else 3
                if tidy_code(text) and code.startswith(tidy_code(text)):
                    rank = 0
                if rank < 3:
                    entry = (rank, 0 if self._areas[code].is_current else 1, code)
                    ranked[code] = min(ranked.get(code, entry), entry)
        return [code for _, _, code in sorted(ranked.values())][:limit]

    def unknown(self, text: str, *, suggest: bool = True) -> str:
        """One sentence on why ``text`` is not an area held here, and what to do."""
        code, shown = tidy_code(text), str(text).strip()
        if not shown:
            return NO_CODE
        kind = KINDS_NOT_HELD.get(code[:3]) if _LOOKS_LIKE_A_CODE.match(code) else None
        if _SMALL_AREA_OF_NORTHERN_IRELAND.match(code):
            kind = "small statistical area"
        if kind:
            return (
                f"'{shown}' is the code of a {kind}, which is not held here: give the code of the district it lies in"
            )
        if _LOOKS_LIKE_A_CODE.match(code):
            near = difflib.get_close_matches(code, self._codes, n=3, cutoff=0.88) if suggest else []
            hint = f"; near codes: {', '.join(self._described(self._codes[c]) for c in near)}" if near else ""
            return f"'{shown}' is a code the register does not know{hint}: check it, or add the area to the register"
        close = difflib.get_close_matches(tidy_name(shown), self._named, n=4, cutoff=0.6) if suggest else []
        codes = list(dict.fromkeys(min(self._named[name], key=self._newest_first) for name in close))
        hint = f"; did you mean {' or '.join(self._described(c) for c in codes)}?" if codes else ""
        return f"no area has the code or name '{shown}'{hint or ': check the spelling, or give the code'}"

    def _newest_first(self, code: str) -> tuple[bool, str]:
        return (not self._areas[code].is_current, code)

    def _described(self, code: str) -> str:
        area = self._areas[code]
        ended = "" if area.is_current else f", until {area.end_date:%Y-%m-%d}"
        return f"{area.name} ({area.code}, {area.level.replace('_', ' ')}{ended})"
