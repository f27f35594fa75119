"""The first thing a reader is told of a place: a few clauses, none of which says more than the draws of its errors bear out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.profile import NodeScore

SURELY: Final = 0.95  # the 90% interval then lies on one side
PROBABLY: Final = 0.6  # as for a label (METHODOLOGY section 6)
ENDS: Final = ("highest", "lowest")
MOST_CERTAIN: Final = 0.99  # draws never say that something is certain


def in_short(
    level: Sequence[NodeScore], change: Sequence[NodeScore], change_year: int | None, window_years: int
) -> str:
    """What stands out of one area's level and change scores, as a sentence or two; empty where it has no domain scores.

    A domain is said to be among the highest or lowest where it is in that fifth with a probability of 0.95, to be above or
    below the typical district where its 90% interval lies on that side, and else not to be told apart from it. Pillars are
    named where they are surely in a fifth, and where they surely gain or fall behind; a star marks a pillar whose own
    figures put it there but whose error nobody publishes.
    """
    stands = [_stands(node) for node in level if node.node_kind == "domain"]
    heads = [_heads(node) for node in change if node.node_kind == "domain"]
    heads += [
        _heads(node) for node in change if node.node_kind == "pillar" and _is_sure(node.probability_above_typical)
    ]
    sentences = []
    if stands:
        sentences.append(f"{'; '.join(stands)}.")
    if ends := [f"among the {end}: {', '.join(titles)}" for end, titles in _pillars_at_the_ends(level) if titles]:
        sentences.append(f"Pillars {'; '.join(ends)}.")
    if heads:
        sentences.append(
            f"In the {window_years} years to {change_year}, against the typical district: {'; '.join(heads)}."
        )
    return " ".join(sentences)


def certainty(probability: float) -> str:
    """A probability as two decimals, and never as a certainty: draws only count what happened in so many of them."""
    return f"{probability:.2f}" if probability <= MOST_CERTAIN else f"more than {MOST_CERTAIN}"


def _is_sure(probability: float | None) -> bool:
    return probability is not None and not 1 - SURELY < probability < SURELY


def _pillars_at_the_ends(level: Sequence[NodeScore]) -> Iterator[tuple[str, list[str]]]:
    pillars = [(node, _end(node)) for node in level if node.node_kind == "pillar"]
    for end in ENDS:
        yield end, [_small(node.title) + ("" if _has_error(node) else "*") for node, its in pillars if its == end]


def _end(node: NodeScore) -> str | None:
    """The fifth in which a district is with a probability of 0.95; of a score without errors, the fifth of its rank."""
    if _has_error(node):
        probabilities = (node.probability_top_fifth or 0, node.probability_bottom_fifth or 0)
        return next((end for end, p in zip(ENDS, probabilities, strict=True) if p >= SURELY), None)
    if node.rank is None or node.rank_count is None:
        return None
    fifth = node.rank_count / 5
    return ENDS[0] if node.rank <= fifth else ENDS[1] if node.rank > node.rank_count - fifth else None


def _has_error(node: NodeScore) -> bool:
    return node.score_lower is not None and node.probability_above_typical is not None


def _stands(node: NodeScore) -> str:
    title, above = _small(node.title), node.probability_above_typical
    if above is None or not _has_error(node):
        return f"{title} {node.score:.0f} of 100, its error not known"
    end = _end(node)
    if end is not None:
        words = f"among the {end}"
    elif _is_sure(above):
        words = f"{'above' if above >= SURELY else 'below'} the typical district"
    else:
        words = "not to be told apart from the typical district"
    return f"{title} {words}{_rank(node)}"


def _rank(node: NodeScore) -> str:
    if node.rank_lower is None or node.rank_upper is None:
        return ""
    return f", rank {node.rank_lower} to {node.rank_upper} of {node.rank_count}"


def _heads(node: NodeScore) -> str:
    title, above = _small(node.title), node.probability_above_typical
    if above is None or not _has_error(node):
        return f"{title} not to be told, its error not known"
    word, probability = ("gaining", above) if above >= 1 - above else ("falling behind", 1 - above)
    if probability < PROBABLY:
        return f"{title} not to be told"
    return f"{title} {'' if probability >= SURELY else 'probably '}{word} (probability {certainty(probability)})"


def _small(title: str) -> str:
    """A title within a sentence."""
    return title[:1].lower() + title[1:]
