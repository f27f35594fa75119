"""The limits of the gates, from ``gates.yaml``: for all indicators, and for single ones."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError, model_validator

from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.catalogue.model import Entry, Identifier
from pipeline.catalogue.yaml_entries import CatalogueError, problems, read_yaml

Limit = Annotated[float, Field(ge=0)]
_OF_MOVES = ("rank", "spread", "level", "group", "group_spread", "district", "districts", "swap")
_SERIES = ("", "interval_", "sister_", "wider_")
# Every gate of an answer: the gates of moves for each series (``pipeline.gates.measures``), then the others by name.
ANSWER_GATES = frozenset(
    [f"{series}{stage}_{gate}" for series in _SERIES for stage in ("new", "revised") for gate in _OF_MOVES]
    + [f"{series}new_alike" for series in _SERIES]
    + ["copied", "coarse", "exchanged", "off_centre", "sister_order", "wider_range", "names"]
)


class Gate(Entry):
    """Above ``warn_above`` a run warns; above ``refuse_above``, if given, it does not publish."""

    warn_above: Limit
    refuse_above: Limit | None = None

    @model_validator(mode="after")
    def ordered(self) -> Gate:
        if self.refuse_above is not None and self.refuse_above < self.warn_above:
            raise ValueError(f"refuse_above {self.refuse_above} is below warn_above {self.warn_above}")
        return self

    def severity(self, measured: float) -> str | None:
        """``refuse``, ``warn``, or None if the measure is within the limits."""
        if self.refuse_above is not None and measured > self.refuse_above:
            return "refuse"
        return "warn" if measured > self.warn_above else None


class MedianGate(Gate):
    """Limits in multiples of the indicator's largest move from year to year; see ``gates.yaml`` for the fallback."""

    usual_move: Annotated[float, Field(gt=0)]
    usual_move_points: Annotated[float, Field(gt=0)]
    fewest_years: int = Field(ge=2)


class NodeGates(Entry):
    """Limits by kind of node in a framework; a node between domain and pillar uses the domain's."""

    index: Gate
    domain: Gate
    pillar: Gate

    def of(self, kind: str) -> Gate:
        return self.index if kind == "index" else self.pillar if kind == "pillar" else self.domain


class MovedGates(Entry):
    """Limits in shares of districts, by flavour and kind of node; see ``gates.yaml``.

    ``level`` and ``change`` apply when both files have the same year, ``next_year`` when their latest years differ.
    """

    level: NodeGates
    change: NodeGates
    next_year: NodeGates

    def of(self, flavour: str, kind: str, *, is_next_year: bool) -> Gate:
        """The limits of one kind of node (``mart_score.node_kind``) in one flavour."""
        if is_next_year:
            return self.next_year.of(kind)
        return (self.level if flavour == "level" else self.change).of(kind)


class ScoresMoved(MovedGates):
    """Share of districts whose score moved by more than this many ``points``."""

    points: Annotated[float, Field(gt=0)]


class RanksMoved(MovedGates):
    """Share of published ranks that moved by more than this many ``places`` and left their former 90% interval."""

    places: int = Field(ge=0)


class Announced(Entry):
    """An announced change: limits for answers that bring a new period in the years ``first`` to ``last``.

    ``reason`` says what changes; ``citation_url`` is the publisher's announcement.
    """

    first: int
    last: int
    limits: Annotated[dict[Identifier, Limit], Field(min_length=1)]
    reason: str
    citation_url: Annotated[str, Field(pattern=r"^https://")]


class AnswerLimits(Entry):
    """How far a publisher's answer may differ from the held figures before it is held back; see ``gates.yaml``.

    ``limits`` gives, by gate, the allowed multiple of the largest move in the years held.
    """

    usual_share: Annotated[float, Field(gt=0)]
    between_releases: Annotated[float, Field(gt=0, le=1)]
    limits: dict[Identifier, Limit]
    announced: tuple[Announced, ...] = ()

    def allowed(self, gate_id: str, released: str) -> float | None:
        """The limit of a gate, None if it has none.

        ``released`` is the newest period that an answer brings, '' if it brings none; revisions then have stricter
        limits.
        """
        limit = self.limits.get(gate_id)
        if limit is None:
            return None
        if not released:
            return limit * self.between_releases if gate_id.startswith("revised_") else limit
        announced = [change.limits for change in self.announced if change.first <= int(released[:4]) <= change.last]
        return max([limit, *(limits[gate_id] for limits in announced if gate_id in limits)])


class OwnAnswerLimits(Entry):
    """Limits for one indicator's answers, each replacing the general one."""

    usual_share: Annotated[float, Field(gt=0)] | None = None
    between_releases: Annotated[float, Field(gt=0, le=1)] | None = None
    limits: dict[Identifier, Limit] = Field(default_factory=dict)
    announced: tuple[Announced, ...] = ()


class Sisters(Entry):
    """Series that move together, district by district; ``is_ordered`` if each is at least as large as the one before.

    With ``shares_of`` the two are shares of one whole and move in opposite directions: the whole less one is at least
    as large as the other. If one falls as the other rises they are ``is_near: false``: their distance means nothing,
    but one predicts the other. ``is_independent`` means that each confirms a common move of the other.
    """

    series: Annotated[tuple[Identifier, ...], Field(min_length=2)]
    is_ordered: bool = False
    shares_of: Annotated[float, Field(gt=0)] | None = None
    is_near: bool = True
    is_independent: bool = False

    @model_validator(mode="after")
    def two_shares(self) -> Sisters:
        if self.shares_of is not None and (len(self.series) != 2 or self.is_ordered):
            raise ValueError("shares_of is for two series without an order of their own")
        return self


class SisterSeries(NamedTuple):
    """A series beside an indicator's: which of the two is larger, and the whole of which both are shares.

    ``order`` is 1 if the sister is larger, -1 if the indicator is, 0 for neither, None if their distance means nothing.
    """

    id: str
    order: int | None
    shares_of: float | None = None


class Gates(Entry):
    """The limits for all indicators."""

    districts_lost: Gate
    rows_down: Gate
    median_moved: MedianGate
    too_old: Gate
    went_back: Gate
    moved_without_news: Gate
    scores_moved: ScoresMoved
    ranks_moved: RanksMoved
    answers: AnswerLimits


class OwnGates(Entry):
    """The limits for one indicator, replacing the general ones."""

    districts_lost: Gate | None = None
    rows_down: Gate | None = None
    median_moved: MedianGate | None = None
    too_old: Gate | None = None
    went_back: Gate | None = None
    answers: OwnAnswerLimits | None = None


class GatePolicy(Entry):
    """The contents of ``gates.yaml``."""

    defaults: Gates
    indicators: dict[Identifier, OwnGates] = Field(default_factory=dict)
    sisters: tuple[Sisters, ...] = ()

    def districts_lost(self, indicator_id: str) -> Gate:
        return self._own(indicator_id).districts_lost or self.defaults.districts_lost

    def rows_down(self, indicator_id: str) -> Gate:
        return self._own(indicator_id).rows_down or self.defaults.rows_down

    def median_moved(self, indicator_id: str) -> MedianGate:
        return self._own(indicator_id).median_moved or self.defaults.median_moved

    def went_back(self, indicator_id: str) -> Gate:
        return self._own(indicator_id).went_back or self.defaults.went_back

    def too_old(self, indicator_id: str) -> Gate:
        return self._own(indicator_id).too_old or self.defaults.too_old

    def answers(self, indicator_id: str) -> AnswerLimits:
        own, general = self._own(indicator_id).answers or OwnAnswerLimits(), self.defaults.answers
        return AnswerLimits(
            usual_share=own.usual_share or general.usual_share,
            between_releases=own.between_releases or general.between_releases,
            limits={**general.limits, **own.limits},
            announced=own.announced,
        )

    def sisters_of(self, indicator_id: str) -> list[SisterSeries]:
        """The series beside an indicator's in each list of sister series."""
        found = []
        for sisters in self.sisters:
            series = sisters.series
            if indicator_id in series:
                here = series.index(indicator_id)
                for there in (here - 1, here + 1):
                    if 0 <= there < len(series):
                        order = 1 if sisters.shares_of else (there - here) * sisters.is_ordered
                        known = order if sisters.is_near else None
                        found.append(SisterSeries(series[there], known, sisters.shares_of))
        return found

    def shares_level(self, indicator_id: str, sister_id: str) -> bool:
        """Whether a sister series confirms a common move of an indicator's."""
        return any(s.is_independent and {indicator_id, sister_id} <= set(s.series) for s in self.sisters)

    def _own(self, indicator_id: str) -> OwnGates:
        return self.indicators.get(indicator_id, _NO_LIMITS_OF_ITS_OWN)


_NO_LIMITS_OF_ITS_OWN = OwnGates()


def load_gate_policy(
    known_indicators: Collection[str] | None = None, path: Path = CATALOGUE_DIR / "gates.yaml"
) -> GatePolicy:
    """Read the limits. With ``known_indicators``, also check the names in them, as the catalogue's check does.

    Raises CatalogueError naming file, line and field, or an indicator that is not in the catalogue.
    """
    content, node = read_yaml(path)
    try:
        policy = GatePolicy.model_validate(content if isinstance(content, dict) else _not_a_mapping(path))
    except ValidationError as error:
        raise CatalogueError("\n".join(problems(error, path, node, "gates"))) from error
    named = {"indicators": policy.indicators.keys(), "sisters": {name for s in policy.sisters for name in s.series}}
    for field, names in named.items():
        if known_indicators is not None and (unknown := sorted(names - set(known_indicators))):
            raise CatalogueError(f"{path.name}: '{field}' names {', '.join(unknown)}, not in the catalogue")
    limits = [
        policy.defaults.answers.limits,
        *(own.answers.limits for own in policy.indicators.values() if own.answers),
        *(change.limits for own in policy.indicators.values() if own.answers for change in own.answers.announced),
    ]
    if wrong := sorted({gate for some in limits for gate in some} - ANSWER_GATES):
        raise CatalogueError(f"{path.name}: 'limits' names {', '.join(wrong)}, not gates of publishers' answers")
    return policy


def _not_a_mapping(path: Path) -> Any:
    raise CatalogueError(f"{path.name}:1: expected the fields 'defaults' and 'indicators'")
