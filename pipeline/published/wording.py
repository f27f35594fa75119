"""The wording of scores, ranks, figures and verdicts for every reader: terminal, site, briefing and workbook.

Four words say how sure a comparison is: *clearly*, *probably*, *cannot say*, *not known*. The file defines them in
``meta_verdict`` and gives every score and figure its verdict. Nothing is graded again here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pipeline.published import verdicts, words
from pipeline.published.figures import LatestFigure
from pipeline.published.scores import CHANGE, LEVEL, Score

_ABOVE: Final = {LEVEL: "above", CHANGE: "gained on"}
_BELOW: Final = {LEVEL: "below", CHANGE: "fell behind"}
_SCALE: Final = {LEVEL: "50 is the typical district", CHANGE: "50 kept pace with the typical district"}
UNKNOWN: Final = "we do not know how sure this is"
TOO_NARROW: Final = "based in part on figures without a known error: the true interval is wider"
# What we know about an indicator's margin of error, by ``error_status`` of dim_indicator.
_ERRORS: Final = {
    "published": "published and used",
    "from_vintages": "none held; scores use how far earlier editions were revised",
    "modelled": "none held; scores use one that is modelled here",
    "published_not_held": "published but not held here",
    "not_published": "not published by anyone",
}
_NO_ERROR: Final = "no margin of error is held here"


def verdict(score: Score, flavour: str) -> str:
    """The verdict for a cell: `clearly above`, `probably fell behind`, `cannot say`, `not known`."""
    if score.side is None:
        return score.verdict
    return f"{score.sureness} {_side(score.side, flavour)}"


def against_typical(score: Score, flavour: str = LEVEL) -> str:
    """The verdict as part of a sentence: `clearly above the typical district`, `probably fell behind it`."""
    if score.side:
        return f"{verdict(score, flavour)} the typical district"
    if score.verdict == verdicts.CANNOT_SAY:
        return f"we cannot say whether it {_either_side(flavour)} the typical district"
    return f"{UNKNOWN} ({known_share(score)})"


def _side(side: str, flavour: str) -> str:
    return (_ABOVE if side == verdicts.ABOVE else _BELOW)[flavour]


def _either_side(flavour: str) -> str:
    return f"{'is' if flavour == LEVEL else 'has'} {_ABOVE[flavour]} or {_BELOW[flavour].replace('fell', 'fallen')}"


def known_share(score: Score) -> str:
    """How much of the score has a known error: `error known for 33% of its weight`."""
    if score.weight_with_error <= 0:
        return "no error known"
    return f"error known for {round(100 * score.weight_with_error)}% of its weight"


def interval(score: Score) -> str | None:
    """The 90% interval of the score: `38 to 42`; None if it has no known error."""
    if score.lower is None or score.upper is None:
        return None
    return f"{words.number(score.lower)} to {words.number(score.upper)}"


def score_with_interval(score: Score) -> str:
    """`40 (90% interval 38 to 42)`; the score alone if it has no known error."""
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
    """`In the highest fifth of districts (probability 97%)`; None if the file is sure of neither end."""
    ends = {"top": ("highest", score.probability_top_fifth), "bottom": ("lowest", score.probability_bottom_fifth)}
    end, p = ends.get(score.sure_fifth or "", ("", None))
    return None if p is None else f"In the {end} fifth of districts (probability {words.probability(p)})"


def not_comparable(score: Score) -> str | None:
    """Why the score does not compare with districts' scores: `not comparable with most districts: it has no …`."""
    if score.missing_pillars is None:
        return None
    return f"not comparable with most districts: it has no {lacking(score)}"


def lacking(score: Score) -> str:
    """The pillars that the score lacks: `productivity or spread of pay`; empty where it lacks none."""
    titles = score.missing_pillars.split("; ") if score.missing_pillars else []
    return words.listing([words.small(title) for title in titles], "or")


def in_short(level: Sequence[Score], change: Sequence[Score], window_years: int) -> str:
    """The scores of one area in a few short sentences; empty if it has no domain scores."""
    said = [*_domains(level, LEVEL), *_clear_pillars(level, LEVEL)]
    heads = [*_domains(change, CHANGE), *_clear_pillars(change, CHANGE)]
    if heads:
        start = f"Over the {words.counted(window_years, 'year')} to {change[0].year}"
        heads[0] = f"{start}, {words.small(heads[0])}"
    return " ".join([*said, *heads])


def _domains(scores: Sequence[Score], flavour: str) -> list[str]:
    """The domains: those with a verdict by verdict, the others by score and how much of each has a known error."""
    domains = [score for score in scores if score.node_kind == "domain"]
    sided = [
        f"{_scored(s)} {'is ' if flavour == LEVEL else ''}{against_typical(s, flavour)}" for s in domains if s.side
    ]
    open_ = [_scored(s) for s in domains if s.verdict == verdicts.CANNOT_SAY]
    unknown = [s for s in domains if not s.is_known]
    found = [f"{words.capital(words.listing(sided))}."] if sided else []
    if open_:
        either = _either_side(flavour)
        found.append(f"We cannot say whether {words.listing(open_, 'or')} {either} the typical district.")
    if unknown:
        points = words.listing([f"{words.small(s.title)} scores {words.number(s.score)}" for s in unknown])
        found.append(f"{words.capital(points)} ({_SCALE[flavour]}).")
        found.append(f"{words.capital(UNKNOWN)}: an error is known for {_shares(unknown)}.")
    return found


def _scored(score: Score) -> str:
    return f"{words.small(score.title)} ({words.number(score.score)})"


def _shares(scores: Sequence[Score]) -> str:
    """`only 33% of growth and 17% of sharing`, `none of growth and 25% of sharing`."""
    held = [(round(100 * s.weight_with_error), words.small(s.title)) for s in scores]
    only = "only " if all(share for share, _ in held) else ""
    return only + words.listing([f"{f'{share}%' if share else 'none'} of {title}" for share, title in held])


def _clear_pillars(scores: Sequence[Score], flavour: str) -> list[str]:
    """The pillars that are clearly on one side of the typical district."""
    clear = [s for s in scores if s.node_kind == "pillar" and s.sureness == verdicts.CLEARLY]
    return [f"{words.capital(said)}." for said in _grouped(clear, flavour)]


def _grouped(scores: Sequence[Score], flavour: str) -> list[str]:
    """A clause for each verdict with a side: `pay and participation in work are probably below the typical district`."""
    found = []
    for said in dict.fromkeys(s.verdict for s in sorted(scores, key=_by_sureness) if s.side):
        held = [s for s in scores if s.verdict == said]
        verb = "" if flavour == CHANGE else "is " if len(held) == 1 else "are "
        found.append(f"{words.listing([words.small(s.title) for s in held])} {verb}{against_typical(held[0], flavour)}")
    return found


def _by_sureness(score: Score) -> tuple[bool, bool]:
    return score.sureness != verdicts.CLEARLY, score.side != verdicts.ABOVE


def drivers(domain: Score, pillars: Sequence[Score]) -> str | None:
    """The pillars that add most to a domain and take most off it: `household income takes most off growth (6 points).`"""
    held = [s for s in pillars if s.points_added is not None and round(s.points_added)]
    most = max(held, key=_points, default=None)
    least = min(held, key=_points, default=None)
    clauses = []
    if most and _points(most) > 0:
        clauses.append(f"{words.small(most.title)} adds most to {words.small(domain.title)} ({_counted_points(most)})")
    if least and _points(least) < 0:
        off = "it" if clauses else words.small(domain.title)
        clauses.append(f"{words.small(least.title)} takes most off {off} ({_counted_points(least)})")
    return f"{words.capital(' and '.join(clauses))}." if clauses else None


def _points(score: Score) -> float:
    return score.points_added or 0.0


def _counted_points(score: Score) -> str:
    return words.count(abs(round(_points(score))), "point")


def domains_finding(name: str, scores: Sequence[Score], flavour: str, when: str) -> str:
    """The title of a chart of growth and sharing: a verdict on each, no joint one.

    ``name`` is as it appears in a sentence; ``when`` is such as `in 2025` or `over the ten years to 2025`.
    """
    sided = [s for s in scores if s.side]
    unsided = [s for s in scores if not s.side]
    if all(not s.is_known for s in scores):
        points = words.listing([f"{words.number(s.score)} on {words.small(s.title)}" for s in scores])
        return words.capital(f"{when}, {name} scores {points} ({_SCALE[flavour]}); {UNKNOWN}")
    clauses: list[str] = []
    for said in dict.fromkeys(s.verdict for s in sided):
        held = [s for s in sided if s.verdict == said]
        on = words.listing([_scored(s) for s in held])
        verb = "is " if flavour == LEVEL else ""
        clauses.append(f"{'' if clauses else name + ' '}{verb}{against_typical(held[0], flavour)} on {on}")
    for said in dict.fromkeys(s.verdict for s in unsided):
        on = words.listing([_scored(s) for s in unsided if s.verdict == said])
        clauses.append(f"on {on}, {'we cannot say' if said == verdicts.CANNOT_SAY else UNKNOWN}")
    return words.capital(f"{when}, {'' if sided else name + ': '}{'; '.join(clauses)}")


def pillars_finding(name: str, pillars: Sequence[Score], flavour: str) -> str:
    """The title of a chart of an area's pillars: each pillar's verdict, and how many pillars have none."""
    clauses = _grouped(pillars, flavour)
    open_ = [words.small(s.title) for s in pillars if s.verdict == verdicts.CANNOT_SAY]
    if open_:
        clauses.append(f"for {words.listing(open_)} we cannot say")
    unknown = sum(not s.is_known for s in pillars)
    if unknown == len(pillars):
        return f"{words.capital(name)}: we do not know how sure the scores of the pillars are"
    if unknown:
        clauses.append(f"for {unknown} of {words.count(len(pillars), 'pillar')} {UNKNOWN}")
    return words.capital(f"{name}: {'; '.join(clauses)}")


_CORNERS: Final = (  # sides of (growth, sharing), in the order of the classes
    (verdicts.ABOVE, verdicts.ABOVE),
    (verdicts.ABOVE, verdicts.BELOW),
    (verdicts.BELOW, verdicts.ABOVE),
    (verdicts.BELOW, verdicts.BELOW),
)
_BOTH: Final = {
    LEVEL: (
        "Clearly above on both",
        "Growth clearly above, sharing clearly below",
        "Sharing clearly above, growth clearly below",
        "Clearly below on both",
    ),
    CHANGE: (
        "Clearly gained on both",
        "Growth clearly gained, sharing clearly fell behind",
        "Sharing clearly gained, growth clearly fell behind",
        "Clearly fell behind on both",
    ),
}
NOT_CLEAR: Final = "Not clear on one or both"
NOT_KNOWN: Final = "Not known on one or both"


def classes(flavour: str) -> tuple[str, ...]:
    """The classes in a chart of growth and sharing, in the order in which charts colour them."""
    return (*_BOTH[flavour], NOT_CLEAR, NOT_KNOWN)


def class_of(growth: Score, sharing: Score, flavour: str) -> str:
    """The class of an area in a chart of growth and sharing, from the two verdicts."""
    if not (growth.is_known and sharing.is_known):
        return NOT_KNOWN
    if {growth.sureness, sharing.sureness} != {verdicts.CLEARLY}:
        return NOT_CLEAR
    return _BOTH[flavour][_CORNERS.index((growth.side, sharing.side))]


def classes_finding(counts: Mapping[str, int], flavour: str) -> str:
    """The title of the chart of all districts: how many are in each class, or one plain sentence if none is known."""
    total = sum(counts.values())
    unknown = counts.get(NOT_KNOWN, 0)
    if unknown == total:
        return (
            f"For all {words.count(total, 'district')} shown, we do not know how sure the picture is: "
            "an error is known for less than half of growth or sharing"
        )
    named = [
        f"{words.number(counts[name])} {words.small(name)}"
        for name in (*_BOTH[flavour], NOT_CLEAR, NOT_KNOWN)
        if counts.get(name, 0)
    ]
    return f"Of {words.count(total, 'district')}: {'; '.join(named)}"


def counted_verdicts(held: Iterable[str], flavour: str = LEVEL) -> str:
    """Counts of verdicts, worded as by `verdict`: `30 are clearly above the typical district and 45 clearly below it; …`."""
    counts = Counter(held)
    named = counted_words(flavour)
    above, below = counts[named["above"]], counts[named["below"]]
    verb = "" if flavour == CHANGE else "is " if above == 1 else "are "
    said = (
        f"{words.number(above) if above else 'none'} {verb}{named['above']} the typical district "
        f"and {words.number(below) if below else 'none'} {named['below']} it"
    )
    unknown = counts[verdicts.NOT_KNOWN]
    return f"{said}; for {words.number(unknown)} {UNKNOWN}" if unknown else said


def counted_words(flavour: str) -> dict[str, str]:
    """The verdicts that are counted for any set of places: the two clear ones, and *not known*."""
    return {
        "above": f"{verdicts.CLEARLY} {_ABOVE[flavour]}",
        "below": f"{verdicts.CLEARLY} {_BELOW[flavour]}",
        "unknown": verdicts.NOT_KNOWN,
    }


def figure_finding(figure: LatestFigure, name: str, nation: str | None = None) -> str:
    """The latest figure of an area beside the typical district's, with the file's verdict.

    ``nation`` is set where the typical district is of that nation alone.
    """
    unit, decimals = figure.unit, figure.decimals
    said = f"{figure.title}: {words.amount(figure.value, unit, decimals)} in {words.spoken(name)} in {figure.year}"
    if between := figure_interval(figure):
        said += f" (95% interval {between})"
    if figure.typical_value is None:
        return said
    typical = words.bare_amount(figure.typical_value, unit, decimals)
    whose = f"the typical district of {nation}" if nation else "the typical district"
    word, side = verdicts.sureness(figure.verdict), verdicts.side(figure.verdict)
    if side:
        return f"{said}, {word} {side} {whose} ({typical})"
    if word == verdicts.CANNOT_SAY:
        return f"{said}; we cannot say whether it is above or below {whose} ({typical})"
    return f"{said}; {whose} has {typical}"


def figure_interval(figure: LatestFigure) -> str | None:
    """The 95% interval of a figure: `72.3% to 88.5%`; None where none is held."""
    if figure.lower is None or figure.upper is None:
        return None
    return words.interval(figure.lower, figure.upper, figure.unit, figure.decimals)


def error_words(error_status: str | None) -> str:
    """What we know about an indicator's margin of error: `published and used`, `published but not held here`, …"""
    return _ERRORS.get(error_status or "", _NO_ERROR)


def no_interval_words(error_status: str | None) -> str:
    """Why a figure has no interval: the indicator's error status, or that this one figure has no published error."""
    return "none for this figure" if error_status == "published" else error_words(error_status)


def no_interval_sentence(error_status: str | None) -> str:
    """The same as a sentence: `Margin of error: published but not held here.`"""
    said = no_interval_words(error_status)
    return f"{words.capital(said)}." if said == _NO_ERROR else f"Margin of error: {said}."
