"""What the figures say of a place, in words that claim no more than the figures' own uncertainty allows.

Three grades of sureness are used throughout: *clearly* from a probability of 0.95, *probably* from 0.6 (the framework's
own threshold for a label), and below that the sentence says that it cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.published import words
from pipeline.report.facts import (
    CHANGE,
    DOMAINS,
    LEVEL,
    NOT_CLEAR,
    WINDOW_YEARS,
    Area,
    Facts,
    Figure,
    Indicator,
    Score,
    Typical,
)

CLEARLY: Final = 0.95  # then, and only then, a 90% interval lies wholly on one side
PROBABLY: Final = 0.6
_NEAR: Final = 0.005  # a contribution smaller than this is not worth a sentence
_MOST_NAMED: Final = 2

MEANINGS: Final = {
    "growth": "how prosperous the place is",
    "sharing": "how far prosperity reaches the people who live there",
}
DIRECTIONS: Final = {
    "growing and sharing": "grew more than the typical district and shared more",
    "growing not sharing": "grew more than the typical district but shared less",
    "sharing not growing": "grew less than the typical district but shared more",
    "neither": "grew less than the typical district and shared less",
}


def about(area: Area, facts: Facts) -> str:
    """What and where the area is: `Preston is a district in Lancashire, North West, England.`"""
    if area.level == "group":
        return f"{words.capital(area.name_in_file)} is a named group of {words.count(len(facts.members.get(area.code, ())), 'district')}."
    wider = [area.combined_authority_name, area.county_name, area.region_name, area.nation_name]
    places = [place for place in dict.fromkeys(wider) if place and place != area.name_in_file]
    kind = words.kind(area.level)
    inside = f" in {', '.join(map(words.spoken, places))}" if places else ""
    held = len(facts.members.get(area.code, ()))
    size = f" of {words.count(held, 'district')}" if held and not area.is_district else ""
    return f"{words.capital(words.spoken(area.name_in_file))} is {words.article(kind)} {kind}{size}{inside}."


def standing(score: Score) -> str:
    """How the score compares with the typical district’s 50: `clearly above the typical district`."""
    p = score.chance_above_typical
    side = "above" if score.score >= 50 else "below"
    if p is None:
        return f"{side} the typical district, as far as figures without a published error can say"
    if p >= CLEARLY or p <= 1 - CLEARLY:
        return f"clearly {'above' if p >= CLEARLY else 'below'} the typical district"
    if p >= PROBABLY or p <= 1 - PROBABLY:
        return f"probably {'above' if p >= PROBABLY else 'below'} the typical district"
    return "not to be told apart from the typical district"


def heading(score: Score) -> str:
    """The same for a score of change: `clearly gaining on the typical district`."""
    p = score.chance_above_typical
    if p is None:
        side = "gaining on" if score.score >= 50 else "falling behind"
        return f"{side} the typical district, as far as figures without a published error can say"
    if p >= CLEARLY or p <= 1 - CLEARLY:
        return f"clearly {'gaining on' if p >= CLEARLY else 'falling behind'} the typical district"
    if p >= PROBABLY or p <= 1 - PROBABLY:
        return f"probably {'gaining on' if p >= PROBABLY else 'falling behind'} the typical district"
    return "moving much as the typical district did, as far as can be told"


def both_halves(name: str, scores: Mapping[str, Score]) -> str:
    """Where a place clearly stands on growth and on sharing, and what of the two cannot be told; the finding of a chart."""
    sides: dict[str, str] = {}
    untold, unknown = [], []
    for domain, score in scores.items():
        p = score.chance_above_typical
        if p is None:
            unknown.append(f"on {domain}")
        elif p >= CLEARLY or p <= 1 - CLEARLY:
            sides[domain] = "above" if p >= CLEARLY else "below"
        else:
            untold.append(f"on {domain}")
    said = []
    if len(set(sides.values())) == 1:
        on = words.listing(list(sides))
        said.append(
            f"{name} is clearly {next(iter(sides.values()))} the typical district on {'both ' if len(sides) > 1 else ''}{on}"
        )
    elif sides:
        (first, side), (second, other) = sides.items()
        said.append(f"{name} is clearly {side} the typical district on {first} and clearly {other} it on {second}")
    if untold:
        where = words.listing(untold, "or")
        said.append(
            f"{where} it cannot be told apart"
            if said
            else f"{name} cannot be told apart from the typical district {where}"
        )
    if unknown:
        where = words.listing(unknown, "or")
        said.append(
            f"{where} no survey error is published to tell by"
            if said
            else f"No survey error is published to tell {name} from the typical district {where}"
        )
    return words.capital("; ".join(said))


def score_with_interval(score: Score) -> str:
    """`40 (90% interval 38 to 42)`; the bare score where no error is known."""
    if score.lower is None or score.upper is None:
        return words.number(score.score)
    return f"{words.number(score.score)} (90% interval {words.number(score.lower)} to {words.number(score.upper)})"


def rank_words(score: Score) -> str:
    """The rank as closely as it is known: a band where the interval is wide, an ordinal with its interval where not."""
    if score.rank is None or score.rank_count is None:
        return "not ranked"
    if score.rank_lower is None or score.rank_upper is None:
        return "no rank is given, because no survey error is published"
    if score.is_band:
        return (
            f"somewhere between {words.ordinal(score.rank_lower)} and {words.ordinal(score.rank_upper)} "
            f"of {score.rank_count}, too wide a band for a single rank"
        )
    if score.rank_lower == score.rank_upper:
        return f"{words.ordinal(score.rank)} of {score.rank_count}"
    return (
        f"{words.ordinal(score.rank)} of {score.rank_count} "
        f"(90% interval {words.ordinal(score.rank_lower)} to {words.ordinal(score.rank_upper)})"
    )


def fifth(score: Score) -> str | None:
    """That a district is surely in the best or worst fifth, with the probability; None where it is not sure."""
    is_known = score.chance_above_typical is not None
    for side, p in (("best", score.probability_top_fifth), ("worst", score.probability_bottom_fifth)):
        if is_known and p is not None and p >= CLEARLY:
            return f"In the {side} fifth with a probability of {words.probability(p)}"
    return None


def rank_short(score: Score | None) -> str:
    """The rank for a table: `253 to 297 of 359`, `band 121 to 313 of 359`, `not given`."""
    if score is None or score.rank is None or score.rank_lower is None or score.rank_upper is None:
        return "not given"
    ends = f"{score.rank_lower} to {score.rank_upper}" if score.rank_lower != score.rank_upper else f"{score.rank}"
    return f"{'band ' if score.is_band else ''}{ends} of {score.rank_count}"


def paragraph(area: Area, facts: Facts) -> list[str]:
    """The place in words, a sentence or two an item: where it stands, why, where it has been heading, how sure that is."""
    found = [about(area, facts)]
    if area.is_district and not area.is_scored:
        found.append(f"It is shown but not scored: {_why_not_scored(area, facts)}.")
        return found
    found += [text for domain in DOMAINS if (text := _domain_words(area, facts, domain))]
    if direction := _direction(area, facts):
        found.append(direction)
    if doubt := _doubt(area, facts):
        found.append(doubt)
    if len(found) == 1:
        found.append("It has no scores in this file; what is missing stands below.")
    return found


def _why_not_scored(area: Area, facts: Facts) -> str:
    reasons = [reason for _, reason in facts.not_scored.get(LEVEL, {}).get(area.code, ())]
    return (
        reasons[0].split(": ", 1)[-1].rstrip(".")
        if reasons
        else "too few people live here to compare it with districts"
    )


def _domain_words(area: Area, facts: Facts, domain: str) -> str | None:
    score = facts.score(LEVEL, domain, area.code)
    if score is None:
        return None
    scale = f" in {facts.years[LEVEL]}, where 50 is the typical district" if domain == DOMAINS[0] else ""
    text = f"On {domain}, {MEANINGS[domain]}, it scored {score_with_interval(score)}{scale}: {standing(score)}."
    parts = facts.contributions.get(LEVEL, {}).get(domain, {}).get(area.code, ())
    lifts = [words.small(facts.node_title(m)) for m, v in parts if v > _NEAR][:_MOST_NAMED]
    drags = [words.small(facts.node_title(m)) for m, v in reversed(parts) if v < -_NEAR][:_MOST_NAMED]
    clauses = [
        f"{verb} {words.listing(names)}"
        for verb, names in (
            ("lifted most by where it stands on", lifts),
            ("held back most by where it stands on", drags),
        )
        if names
    ]
    return f"{text} It is {' and '.join(clauses)}." if clauses else text


def _direction(area: Area, facts: Facts) -> str | None:
    label = facts.labels.get(area.code)
    if CHANGE not in facts.years:
        return None
    window = f"In the {words.counted(WINDOW_YEARS, 'year')} to {facts.years[CHANGE]}"
    if label is None:
        scores = {domain: facts.score(CHANGE, domain, area.code) for domain in DOMAINS}
        clauses = [f"on {domain} it was {heading(score)}" for domain, score in scores.items() if score]
        return f"{window}, {words.listing(clauses)}." if clauses else None
    if label.label == NOT_CLEAR:
        return (
            f"{window}, it is not clear where it was heading: the most probable answer, “{label.most_probable}”, "
            f"has a probability of only {words.probability(label.probability)}."
        )
    return f"{window}, it {DIRECTIONS[label.label]} (probability {words.probability(label.probability)})."


def _doubt(area: Area, facts: Facts) -> str | None:
    known = [
        (domain, score.weight_with_error)
        for domain in DOMAINS
        if (score := facts.score(LEVEL, domain, area.code))
        and score.is_too_sure
        and score.weight_with_error is not None
    ]
    if not known:
        return None
    shares = words.listing([f"{f'{round(100 * share)}%' if share else 'none'} of {domain}" for domain, share in known])
    return (
        f"These intervals are narrower than the truth, since only {shares} {'rests' if len(known) == 1 else 'rest'} "
        "on figures whose survey error is published."
    ).replace("only none", "none")


def against_typical(
    figure: Figure, typical: Typical | None, indicator: Indicator, name: str, nation: str | None = None
) -> str:
    """The finding of a trend chart: the latest figure beside the typical district’s, as surely as its interval allows.

    ``nation`` names the nation whose districts alone the typical one is of.
    """
    said = words.amount(figure.value, indicator.unit, indicator.decimals)
    start = f"{indicator.title}: {said} in {words.spoken(name)} in {figure.year}"
    if typical is None or figure.value is None:
        return start
    whose = f"that of the typical district in {nation}," if nation else "the typical district’s"
    middle = f"{whose} {words.bare_amount(typical.median, indicator.unit, indicator.decimals)}"
    if figure.lower is not None and figure.upper is not None:
        between = words.interval(figure.lower, figure.upper, indicator.unit, indicator.decimals)
        if figure.lower <= typical.median <= figure.upper:
            return f"{start} (95% interval {between}), not clearly different from {middle}"
        side = "above" if figure.value > typical.median else "below"
        return f"{start} (95% interval {between}), clearly {side} {middle}"
    if round(figure.value, indicator.decimals) == round(typical.median, indicator.decimals):
        return f"{start}, the same as {whose.rstrip(',')}"
    side = "above" if figure.value > typical.median else "below"
    return f"{start}, {side} {middle}"


def sure_counts(scores: Sequence[Score]) -> tuple[int, int, int]:
    """How many scores are clearly above, clearly below, and neither of the two, against the typical district."""
    known = [p for s in scores if (p := s.chance_above_typical) is not None]
    above = sum(p >= CLEARLY for p in known)
    below = sum(p <= 1 - CLEARLY for p in known)
    return above, below, len(scores) - above - below
