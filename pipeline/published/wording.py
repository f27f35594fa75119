"""How scores, ranks and verdicts are worded, for every reader: terminal, site, briefing and workbook.

Four words say how sure a comparison is: *clearly*, *probably*, *cannot say*, *not known*. The file defines them
(``meta_verdict``) and gives every score its verdict; nothing here grades anything again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.published import words
from pipeline.published.scores import CHANGE, LEVEL, Score

_ABOVE: Final = {LEVEL: "above", CHANGE: "gained on"}
_BELOW: Final = {LEVEL: "below", CHANGE: "fell behind"}


def against_typical(score: Score, flavour: str = LEVEL) -> str:
    """The verdict as part of a sentence: `clearly above the typical district`, `probably fell behind it`."""
    if score.side:
        verb = (_ABOVE if score.side == "above" else _BELOW)[flavour]
        return f"{score.sureness} {verb} the typical district"
    if score.sureness == "cannot say":
        sides = f"{_ABOVE[flavour]} or {_BELOW[flavour]}"
        return f"we cannot say whether it {'is' if flavour == LEVEL else 'has'} {sides} the typical district"
    return f"how sure this is, is not known ({known_share(score)})"


def known_share(score: Score) -> str:
    """How much of the score has a known error: `survey error known for 33% of its weight`."""
    if score.weight_with_error <= 0:
        return "no survey error known"
    return f"survey error known for {round(100 * score.weight_with_error)}% of its weight"


def interval(score: Score) -> str | None:
    """The 90% interval of the score: `38 to 42`; None where no error was carried through."""
    if score.lower is None or score.upper is None:
        return None
    return f"{words.number(score.lower)} to {words.number(score.upper)}"


def score_with_interval(score: Score) -> str:
    """`40 (90% interval 38 to 42)`; the bare score where no error was carried through."""
    between = interval(score)
    return f"{words.number(score.score)} (90% interval {between})" if between else words.number(score.score)


def rank(score: Score) -> str:
    """The rank as closely as it is known, for a table: `8 of 359 (4 to 14)`, `121 to 313 of 359`, `not known`."""
    if score.rank is None or score.rank_count is None or score.rank_lower is None or score.rank_upper is None:
        return "not known"
    ends = f"{score.rank_lower} to {score.rank_upper}"
    if score.is_band:
        return f"{ends} of {score.rank_count}"
    return f"{score.rank} of {score.rank_count}" + (f" ({ends})" if score.rank_lower != score.rank_upper else "")


def rank_sentence(score: Score) -> str:
    """The rank as part of a sentence: `ranked 8th of 359 districts (90% interval 4th to 14th)`."""
    if score.rank is None or score.rank_count is None or score.rank_lower is None or score.rank_upper is None:
        return f"no rank is given: {known_share(score)}"
    lower, upper = words.ordinal(score.rank_lower), words.ordinal(score.rank_upper)
    if score.is_band:
        return f"ranked between {lower} and {upper} of {score.rank_count} districts, too wide a band for one rank"
    between = f" (90% interval {lower} to {upper})" if lower != upper else ""
    return f"ranked {words.ordinal(score.rank)} of {score.rank_count} districts{between}"


def fifth(score: Score) -> str | None:
    """`In the highest fifth of districts (probability 97%)`; None where the file is sure of neither end."""
    ends = {"top": ("highest", score.probability_top_fifth), "bottom": ("lowest", score.probability_bottom_fifth)}
    end, p = ends.get(score.sure_fifth or "", ("", None))
    return None if p is None else f"In the {end} fifth of districts (probability {words.probability(p)})"


def not_comparable(score: Score) -> str | None:
    """Why the score does not compare with those of districts: `not comparable with districts: it lacks …`."""
    if score.missing_pillars is None:
        return None
    lacking = words.listing([words.small(title) for title in score.missing_pillars.split("; ")])
    return f"not comparable with most districts: it has no {lacking}"


def in_short(level: Sequence[Score], change: Sequence[Score], window_years: int) -> str:
    """What the scores of one area say, in a few short sentences; empty where it has no domain scores."""
    said = [*_domains(level, LEVEL), *_clear_pillars(level, LEVEL)]
    heads = [*_domains(change, CHANGE), *_clear_pillars(change, CHANGE)]
    if heads:
        start = f"Over the {words.counted(window_years, 'year')} to {change[0].year}"
        heads[0] = f"{start}, {words.small(heads[0])}"
    return " ".join([*said, *heads])


def _domains(scores: Sequence[Score], flavour: str) -> list[str]:
    """The domains: those with a verdict by it, those without by their score and how much of it has a known error."""
    domains = [score for score in scores if score.node_kind == "domain"]
    known = [f"{words.small(s.title)} ({words.number(s.score)}) {_clause(s, flavour)}" for s in domains if s.is_known]
    unknown = [s for s in domains if not s.is_known]
    found = [f"{words.capital(words.listing(known))}."] if known else []
    if unknown:
        points = words.listing([f"{words.small(s.title)} scores {words.number(s.score)}" for s in unknown])
        shares = words.listing([f"{round(100 * s.weight_with_error)}% of {words.small(s.title)}" for s in unknown])
        found.append(f"{words.capital(points)} (50 is the typical district).")
        found.append(f"How sure this is, is not known: survey error is known for only {shares}.")
    return found


def _clause(score: Score, flavour: str) -> str:
    if score.side is None:
        level = "may be above or below the typical district"
        return level if flavour == LEVEL else "may have gained on the typical district or fallen behind it"
    return f"{'is ' if flavour == LEVEL else ''}{against_typical(score, flavour)}"


def _clear_pillars(scores: Sequence[Score], flavour: str) -> list[str]:
    """The pillars that are clearly on one side of the typical district."""
    found = []
    for side in ("above", "below"):
        pillars = [s for s in scores if s.node_kind == "pillar" and s.sureness == "clearly" and s.side == side]
        if pillars:
            named = words.capital(words.listing([words.small(s.title) for s in pillars]))
            verb = "" if flavour == CHANGE else "is " if len(pillars) == 1 else "are "
            found.append(f"{named} {verb}{against_typical(pillars[0], flavour)}.")
    return found
