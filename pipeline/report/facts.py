"""What the report knows: the rows of the published file that its pages show, as plain typed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

FRAMEWORK = "shared_growth"
WINDOW_YEARS = 10
LEVEL, CHANGE = "level", "change"
DOMAINS = ("growth", "sharing")
NOT_CLEAR = "not clear"
_WHOLE = 1 - 1e-9


@dataclass(frozen=True)
class Area:
    """A district, a wider area or a named group. Codes of what it lies in are None where there is none.

    ``name`` is what pages call it, no two areas alike; ``published_name`` is what the file calls it, where that differs.
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
    """One entry of the catalogue as the file holds it; ``last_year`` is None where no figure is held.

    ``series_breaks`` are the last years before a change of method: figures before and after one do not compare.
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
    series_breaks: tuple[int, ...] = ()  # `dim_indicator.series_breaks`, once the published file has the column

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
class Score:
    """A score in points with its 90% intervals; None where errors were not carried through, or the area is not ranked."""

    score: float
    lower: float | None
    upper: float | None
    rank: int | None
    rank_lower: int | None
    rank_upper: int | None
    rank_count: int | None
    probability_top_fifth: float | None
    probability_bottom_fifth: float | None
    probability_above_typical: float | None
    is_band: bool | None
    is_carried_forward: bool
    weight_with_error: float | None

    @property
    def chance_above_typical(self) -> float | None:
        """The probability that it lies above the typical district; None where no published error stands behind the score.

        An interval alone is no such error: that of a figure carried forward from an earlier year has its width from
        how the series moved.
        """
        return None if self.lower is None or self.weight_with_error == 0 else self.probability_above_typical

    @property
    def is_too_sure(self) -> bool:
        """Whether part of the score rests on figures without a published error, so that its interval is too narrow."""
        return self.lower is not None and self.weight_with_error is not None and self.weight_with_error < _WHOLE


@dataclass(frozen=True)
class Label:
    """What the file says of growing and sharing, with the probability of the most probable of the four."""

    label: str
    probability: float
    most_probable: str


@dataclass(frozen=True)
class Figure:
    """One published figure of a year in the indicator's unit, with its 95% interval where one is published."""

    year: int
    value: float | None
    lower: float | None
    upper: float | None
    status: str


@dataclass(frozen=True)
class Typical:
    """The scored districts of one year: median, 10th and 90th percentile, and how many have a figure."""

    year: int
    median: float
    low: float
    high: float
    districts: int


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
    """Where the figures of one part of an indicator came from in the run."""

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
    """The run that made the file. ``built_at`` is in UTC."""

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
    """A table of the quality page as it stands in the file: column names and rows; no rows where it was not made."""

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

    ``scores[flavour][node][area code]``; ``contributions[flavour][node][area code]`` holds (member, contribution),
    largest first; ``figures[indicator][area code]`` and ``typical[indicator]`` are in the order of the years;
    ``years[flavour]`` is the year of the scores. ``typical_in_nation[indicator, nation code]`` is held for the
    indicators whose nations share no year, and so do not compare. ``directions[indicator][area code]`` says whether the
    area improved or worsened over ten years against the typical district, with a probability of 0.95, or that it is not clear.
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
    labels: Mapping[str, Label]
    contributions: Mapping[str, Mapping[str, Mapping[str, Sequence[tuple[str, float]]]]]
    figures: Mapping[str, Mapping[str, Sequence[Figure]]]
    typical: Mapping[str, Mapping[int, Typical]]
    typical_in_nation: Mapping[tuple[str, str], Mapping[int, Typical]]
    directions: Mapping[str, Mapping[str, str]]
    rank_sets: Mapping[str, Mapping[str, RankSet]]
    sources: Sequence[Source]
    dictionary: Sequence[Dictionary]
    studies: Mapping[str, Study] = field(default_factory=dict)

    @property
    def districts(self) -> list[Area]:
        return [area for area in self.areas.values() if area.is_district]

    def score(self, flavour: str, node: str, code: str) -> Score | None:
        return self.scores.get(flavour, {}).get(node, {}).get(code)

    def latest(self, indicator: str, code: str) -> Figure | None:
        """The latest year's figure that has a value."""
        return next((f for f in reversed(self.figures.get(indicator, {}).get(code, ())) if f.value is not None), None)

    def typical_for(self, indicator: str, area: Area) -> Mapping[int, Typical]:
        """The districts an area's figure is set beside: its nation's where nations do not compare, else all."""
        own = self.typical_in_nation.get((indicator, area.nation_code or ""))
        return own if own is not None else self.typical.get(indicator, {})

    def nations_apart(self, indicator: str) -> list[str]:
        """The nations of an indicator whose nations do not compare, by code; none for any other indicator."""
        return sorted(nation for held, nation in self.typical_in_nation if held == indicator)

    def node_title(self, node: str) -> str:
        return next((n.title for n in self.nodes if n.id == node), node)

    def scored_indicators(self, flavour: str) -> list[str]:
        """Indicators of the default framework that have figures and scores, in the order of its tree."""
        found = self.scores.get(flavour, {})
        ordered = [i for node in self.nodes for i in self.node_indicators.get(node.id, ())]
        return [i for i in ordered if i in found and i in self.indicators and self.indicators[i].has_figures]
