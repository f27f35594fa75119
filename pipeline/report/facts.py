"""The facts in the report: the rows of the published file that its pages show, as typed values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from pipeline.published import wording
from pipeline.published.fifths import Fifth
from pipeline.published.figures import UK, LatestFigure, Typical, YearFigure
from pipeline.published.residents_and_output import SideBySide
from pipeline.published.scores import Score

DOMAINS = ("growth", "sharing")
_DEPTHS = {"index": 0, "domain": 1, "pillar": 2}


@dataclass(frozen=True)
class Area:
    """A district, a wider area or a named group. Codes of the areas around it are None where there is none.

    ``name`` is unique and is what pages use. ``published_name`` is the file's name, where that differs.
    """

    code: str
    name: str
    level: str
    region_code: str | None = None
    region_name: str | None = None
    nation_code: str | None = None
    nation_name: str | None = None
    combined_authority_code: str | None = None
    combined_authority_name: str | None = None
    county_name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_scored: bool = False
    published_name: str | None = None

    @property
    def name_in_file(self) -> str:
        return self.published_name or self.name

    @property
    def is_district(self) -> bool:
        return self.level == "district"


@dataclass(frozen=True)
class Indicator:
    """One catalogue entry as the file holds it; ``last_year`` is None if there are no figures.

    ``series_breaks`` are the last years before a change of method: figures on either side do not compare.
    ``error_status`` says what is known of its margin of error (see ``wording.error_words``).
    """

    id: str
    title: str
    description: str
    theme: str
    unit: str
    decimals: int
    polarity: int
    nations: str
    intervals: str
    publisher: str
    caveats: str | None
    publisher_caveats: str | None
    citation_url: str
    licence: str
    is_computed: bool
    first_year: int | None
    last_year: int | None
    district_count: int
    series_breaks: tuple[int, ...] = ()
    error_status: str | None = None

    @property
    def has_figures(self) -> bool:
        return self.last_year is not None


@dataclass(frozen=True)
class Node:
    """A node of the default framework above the indicators: the index, a domain or a pillar."""

    id: str
    title: str
    parent: str | None
    depth: int
    note: str | None
    flavours: tuple[str, ...]


@dataclass(frozen=True)
class RankSet:
    """The confidence set of one district's rank on one indicator."""

    rank: int
    lower: int
    upper: int
    count: int
    year: int
    coverage: float


@dataclass(frozen=True)
class Source:
    """Where the figures of one part of an indicator came from in this run."""

    indicator_id: str
    part: str
    tier: str
    publisher: str
    edition: str
    publisher_updated: str | None
    retrieved_on: date | None
    age_days: int | None
    is_stale: bool
    why_not_live: str | None
    url: str
    rows: int
    quarantined: int
    last_year: int | None
    warnings: str | None


@dataclass(frozen=True)
class Run:
    """The run that built the file. ``built_at`` is in UTC."""

    built_at: datetime
    code_version: str
    fingerprint: str
    draw_count: int
    is_thorough: bool
    observation_count: int
    rows_read: int
    rows_set_aside: int


Row = tuple[object, ...]


@dataclass(frozen=True)
class Study:
    """A table of the quality page as stored in the file: column names and rows; no rows if it was not made."""

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Dictionary:
    """One published table with its comment and its columns as (name, type, comment)."""

    table: str
    comment: str
    columns: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Facts:
    """Everything the pages show.

    ``scores[flavour][node][area code]`` and ``latest_figures[indicator][area code]`` are for the latest year.
    ``figures[indicator][area code]`` and ``typical[indicator, nation]`` are in year order; the nation is ``UK`` unless
    the nations measure the indicator differently. ``years[flavour]`` is the year of the scores.
    ``pass_through[area code]`` sets growth of pay and income beside that of output.
    """

    run: Run
    areas: Mapping[str, Area]
    members: Mapping[str, Sequence[str]]
    group_codes: Sequence[str]
    indicators: Mapping[str, Indicator]
    nodes: Sequence[Node]
    node_indicators: Mapping[str, Sequence[str]]
    years: Mapping[str, int]
    scores: Mapping[str, Mapping[str, Mapping[str, Score]]]
    not_scored: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]]
    fifths: Sequence[Fifth]
    figures: Mapping[str, Mapping[str, Sequence[YearFigure]]]
    latest_figures: Mapping[str, Mapping[str, LatestFigure]]
    typical: Mapping[tuple[str, str], Mapping[int, Typical]]
    rank_sets: Mapping[str, Mapping[str, RankSet]]
    pass_through: Mapping[str, Sequence[SideBySide]]
    sources: Sequence[Source]
    dictionary: Sequence[Dictionary]
    studies: Mapping[str, Study] = field(default_factory=dict)

    @property
    def districts(self) -> list[Area]:
        return [area for area in self.areas.values() if area.is_district]

    def score(self, flavour: str, node: str, code: str) -> Score | None:
        return self.scores.get(flavour, {}).get(node, {}).get(code)

    def nodes_of(self, kind: str) -> list[str]:
        """The identifiers of the nodes of a kind (index, domain or pillar), in tree order."""
        return [node.id for node in self.nodes if node.depth == _DEPTHS[kind]]

    def pillars(self, flavour: str, code: str, domain: str | None = None) -> list[Score]:
        """The scores of an area's pillars in one domain or both, in tree order."""
        held = [s for node in self.nodes_of("pillar") if (s := self.score(flavour, node, code))]
        return [s for s in held if domain is None or s.parent_node_id == domain]

    def domains(self, flavour: str, code: str) -> list[Score]:
        """The growth and sharing scores that an area has."""
        return [s for domain in DOMAINS if (s := self.score(flavour, domain, code))]

    def standing(self, flavour: str, code: str) -> tuple[Score, Score] | None:
        """Growth and sharing of an area, if both compare with districts' scores; else None."""
        scores = self.domains(flavour, code)
        return (scores[0], scores[1]) if len(scores) == 2 and all(s.is_comparable for s in scores) else None

    def class_counts(self, flavour: str) -> Mapping[str, int]:
        """How many scored districts are in each class of the chart of growth and sharing."""
        return self._pictures.get(flavour, (Counter[str](), 0))[0]

    def left_out_count(self, flavour: str) -> int:
        """How many districts have both scores but are left out of the chart, because the scores do not compare."""
        return self._pictures.get(flavour, (Counter[str](), 0))[1]

    @cached_property
    def _pictures(self) -> Mapping[str, tuple[Counter[str], int]]:
        found = {}
        for flavour in self.years:
            codes = [
                a.code for a in self.districts if a.is_scored and len(self.domains(flavour, a.code)) == len(DOMAINS)
            ]
            pairs = [pair for code in codes if (pair := self.standing(flavour, code))]
            counts = Counter(wording.class_of(growth, sharing, flavour) for growth, sharing in pairs)
            found[flavour] = (counts, len(codes) - len(pairs))
        return found

    @cached_property
    def bands(self) -> Mapping[tuple[str, str, str], tuple[float, float]]:
        """The middle 80% of the scored districts' scores at every node, by flavour, node and title of the scored parts."""
        held: dict[tuple[str, str, str], list[float]] = {}
        for flavour, nodes in self.scores.items():
            for node, codes in nodes.items():
                for area in self.districts:
                    if area.is_scored and (score := codes.get(area.code)) and score.is_comparable:
                        held.setdefault((flavour, node, score.title), []).append(score.score)
        ends = {key: sorted(scores) for key, scores in held.items()}
        return {key: (_at(scores, 0.1), _at(scores, 0.9)) for key, scores in ends.items()}

    def latest(self, indicator: str, code: str) -> LatestFigure | None:
        return self.latest_figures.get(indicator, {}).get(code)

    def typical_key(self, indicator: str, area: Area) -> tuple[str, str]:
        """The districts to compare an area's figure with: its nation's if the nations do not compare, else all."""
        own = (indicator, area.nation_code or UK)
        return own if own in self.typical else (indicator, UK)

    def nations_apart(self, indicator: str) -> list[str]:
        """The nations of an indicator that the nations measure differently, by code; none for any other indicator."""
        return sorted(nation for held, nation in self.typical if held == indicator and nation != UK)

    def usual_title(self, flavour: str, node: str) -> str:
        """The title of most districts' scores at a node, which depends on their parts; without scores, the node's own."""
        held = self.scores.get(flavour, {}).get(node, {})
        titles = Counter(held[a.code].title for a in self.districts if a.code in held)
        return titles.most_common(1)[0][0] if titles else self.node_title(node)

    def node_title(self, node: str) -> str:
        return next((n.title for n in self.nodes if n.id == node), node)

    def scored_indicators(self, flavour: str) -> list[str]:
        """Indicators of the default framework with figures and scores, in tree order."""
        found = self.scores.get(flavour, {})
        ordered = [i for node in self.nodes for i in self.node_indicators.get(node.id, ())]
        return [i for i in ordered if i in found and i in self.indicators and self.indicators[i].has_figures]


def _at(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of the ordered values lies."""
    return ordered[round(share * (len(ordered) - 1))]
