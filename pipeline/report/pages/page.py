"""What every page has: a template, a place in the site and values to fill in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.published import words
from pipeline.report.facts import Facts, Source


@dataclass(frozen=True)
class Page:
    """One page. ``scripts`` are data scripts it loads, from the root of the site; ``active`` marks its menu entry."""

    path: str
    template: str
    title: str
    description: str
    active: str
    content: Mapping[str, Any]
    scripts: Sequence[str] = field(default_factory=tuple)

    @property
    def root(self) -> str:
        """The relative path to the site's root, so that links work from disk and under any address."""
        return "../" * self.path.count("/")


def made_on(facts: Facts) -> str:
    """When the figures were compiled, for a caption."""
    return f"figures as of {words.day(facts.run.built_at.date())}"


def own_source(facts: Facts) -> str:
    """The source line of charts that show scores: not an official statistic."""
    return (
        "Our own calculations from open figures of the Office for National Statistics and others, "
        f"{made_on(facts)}. Scores and ranks are not official statistics."
    )


def publisher_source(facts: Facts, publisher: str, edition: str | None) -> str:
    """The source line of charts that show a publisher's figures."""
    said = f"{publisher}, {edition}" if edition else publisher
    return f"{said}; {made_on(facts)}. Open Government Licence v3.0."


def method_changes(breaks: Iterable[int], first: int, last: int) -> str:
    """A sentence for a caption, with a leading space, on breaks between two years; empty if there are none.

    A break is the last year before a change of method.
    """
    within = [str(year) for year in breaks if first <= year < last]
    if not within:
        return ""
    return f" The method changed after {words.listing(within)}; figures on either side of a change do not compare."


def editions(facts: Facts) -> dict[str, str]:
    """The edition of each indicator's figures: that of the part with the latest year."""
    found: dict[str, tuple[int, str]] = {}
    for source in facts.sources:
        if source.tier != "none" and source.edition:
            year = source.last_year or 0
            if year > found.get(source.indicator_id, (-1, ""))[0]:
                found[source.indicator_id] = (year, source.edition)
    return {indicator: edition for indicator, (_, edition) in found.items()}


def why_not_live(source: Source) -> str:
    """What happened to the live sources, without the indicator (and part) that begins each attempt."""
    return re.sub(rf"\b{re.escape(source.indicator_id)}(?: \([^)]*\))?: ", "", source.why_not_live or "")
