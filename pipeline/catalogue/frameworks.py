"""Scoring frameworks: what is scored, and how indicators make pillars, domains and an index (METHODOLOGY 5 and 10).

A framework is one YAML file. Users' own files are read by the same code as the two shipped here. A file that cannot be
scored fails on loading, with file, line, node and field.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.catalogue.model import Sentence
from pipeline.catalogue.yaml_entries import CatalogueError, Location, line_of, read_yaml

FRAMEWORKS_DIR = Path(__file__).resolve().parent / "frameworks"
DEFAULT_FRAMEWORKS = ("shared_growth", "jrf_monitor")
PAY_LESS_OUTPUT_IS_GONE = (
    "no longer a field, because pay less output is nearly output with its sign turned; take it out, with the indicators "
    "it named, and see both slopes side by side in the table mart_pass_through (docs/methodology.md, section 3)"
)

Flavour = Literal["level", "change"]
Method = Literal["robust_z", "z", "min_max", "goalposts", "rank", "percentile"]
Aggregate = Literal["arithmetic", "geometric", "harmonic"]
NodeId = Annotated[str, Field(min_length=1, max_length=120)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Year = Annotated[int, Field(ge=1900, le=2200)]
BOTH_FLAVOURS: tuple[Flavour, ...] = ("level", "change")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Normalise(_Part):
    """How a value becomes a score (METHODOLOGY section 4).

    ``clip`` is in (robust) standard deviations: a clipped z is mapped to the range, with 0 deviations at its middle.
    ``robust_z`` clips at 3 by default; ``z`` is a plain z-score unless ``clip`` is given. ``range`` is the lowest and
    highest score of min_max, goalposts, percentile and a clipped z; ``rank`` scores 1 (worst) to the number of areas
    (best) and has no range.
    """

    method: Method = "robust_z"
    clip: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    range: tuple[float, float] = (0.0, 100.0)

    @model_validator(mode="after")
    def range_is_ordered(self) -> Normalise:
        low, high = self.range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"range must be two finite numbers, the lower first (given: {low}, {high})")
        return self

    @property
    def is_unbounded(self) -> bool:
        """Whether scores can be negative, so that geometric and harmonic means do not exist."""
        return (self.method == "z" and self.clip is None) or (self.method != "rank" and self.range[0] < 0)


class Missing(_Part):
    """How much may be missing before a node is not scored, and how old a figure may be."""

    min_weight_in_pillar: Share = 0.5
    min_weight_in_domain: Share = 0.6
    carry_forward_years: Annotated[int, Field(ge=0, le=20)] = 2


class Gate(_Part):
    """The lowest reliability at which an indicator is scored; below it, the indicator is only displayed."""

    min_reliability: Annotated[float, Field(le=1)] = 0.5


class Window(_Part):
    """A window of the change flavour: ``years`` ending in the scored year, with at least ``min_points`` figures."""

    years: Annotated[int, Field(ge=3, le=40)]
    min_points: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def points_fit(self) -> Window:
        if self.min_points > self.years:
            raise ValueError(f"a window of {self.years} years has no {self.min_points} points")
        return self


class Labels(_Part):
    """The two nodes whose scores make the four labels, and the probability that a label needs to be shown."""

    growth: NodeId
    sharing: NodeId
    min_probability: Share = 0.6


class Awaited(_Part):
    """An indicator that the framework names before it is in the catalogue."""

    id: NodeId
    why: Sentence


class AuditNote(_Part):
    """Why two pillars, or a pillar and an indicator, may correlate above the audit's limit."""

    pair: tuple[NodeId, NodeId]
    why: Sentence


class Audit(_Part):
    """What the framework's author says to the audit (METHODOLOGY section 7)."""

    notes: tuple[AuditNote, ...] = ()


class IndicatorReference(_Part):
    """One indicator (or the first of several that has figures) in a node.

    ``polarity`` overrides the catalogue's. ``carry_forward_years`` overrides the framework's, for series published
    every few years. ``standardise_within: nation`` compares districts only with those of their own nation, for measures
    that the national publishers define differently.
    """

    id: NodeId | None = None
    first_of: tuple[NodeId, ...] = ()
    weight: Weight = 1.0
    polarity: Literal[1, -1] | None = None
    goalposts: tuple[float, float] | None = None
    carry_forward_years: Annotated[int, Field(ge=0, le=20)] | None = None
    standardise_within: Literal["nation"] | None = None
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def plain_name(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def names_something(self) -> IndicatorReference:
        if (self.id is None) == (not self.first_of):
            raise ValueError("give either id or first_of")
        if self.goalposts is not None and not self.goalposts[0] < self.goalposts[1]:
            raise ValueError(f"goalposts must be low then high (given: {list(self.goalposts)})")
        return self

    @property
    def candidates(self) -> tuple[str, ...]:
        return self.first_of if self.id is None else (self.id,)


class Node(_Part):
    """A node of the tree: an index, domain or pillar. It may hold children, indicators, or both."""

    id: NodeId
    title: str = ""
    note: str = ""
    aggregate: Aggregate = "arithmetic"
    weight: Weight = 1.0
    optional: bool = False
    flavours: Annotated[tuple[Flavour, ...], Field(min_length=1)] = BOTH_FLAVOURS
    children: tuple[Node, ...] = ()
    indicators: tuple[IndicatorReference, ...] = ()


class Framework(_Part):
    """A complete framework. ``not_covered`` lists, in sentences, what the framework needs and open data lack.

    ``base_year``: the year whose positions fix the scale of levels, and of slopes unless ``change_base_years`` (first
    and last) names years whose slopes are pooled.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
    title: str = ""
    description: str = ""
    sources: tuple[str, ...] = ()
    not_covered: tuple[Sentence, ...] = ()
    base_year: Year | None = None
    change_base_years: tuple[Year, Year] | None = None
    normalise: Normalise = Normalise()
    missing: Missing = Missing()
    gate: Gate | None = None
    windows: tuple[Window, ...] = (Window(years=10, min_points=5), Window(years=5, min_points=4))
    labels: Labels | None = None
    awaited: tuple[Awaited, ...] = ()
    audit: Audit = Audit()
    tree: Node

    @field_validator("change_base_years")
    @classmethod
    def years_in_order(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError(f"give the first year, then the last (given: {list(value)})")
        return value

    def nodes(self) -> Iterator[tuple[Node, int, Location]]:
        """Every node, parents first, with its depth (root 0) and its position in the file."""

        def walk(node: Node, depth: int, place: Location) -> Iterator[tuple[Node, int, Location]]:
            yield node, depth, place
            for position, child in enumerate(node.children):
                yield from walk(child, depth + 1, (*place, "children", position))

        yield from walk(self.tree, 0, ("tree",))

    def indicator_ids(self) -> tuple[str, ...]:
        """Every collected indicator that the framework can use, in file order, each once."""
        named = (name for node, _, _ in self.nodes() for ref in node.indicators for name in ref.candidates)
        return tuple(dict.fromkeys(named))


def load_framework(path_or_id: str | Path, known_indicators: Collection[str] | None = None) -> Framework:
    """Read a framework from a file, or one of the shipped ones by its id (``shared_growth``, ``jrf_monitor``).

    With ``known_indicators`` every indicator must be one of them, or be listed under ``awaited``. Raises CatalogueError
    listing every fault, each with file, line, node and field.
    """
    path = _path_of(path_or_id)
    content, root = read_yaml(path)
    return _parse(content, root, path.name, known_indicators)


def parse_framework(content: Mapping[str, Any], known_indicators: Collection[str] | None = None) -> Framework:
    """A framework from a mapping in memory. Raises CatalogueError as ``load_framework`` does, without lines."""
    return _parse(content, None, "framework", known_indicators)


def _path_of(path_or_id: str | Path) -> Path:
    if str(path_or_id) in DEFAULT_FRAMEWORKS:
        return FRAMEWORKS_DIR / f"{path_or_id}.yaml"
    path = Path(path_or_id)
    if not path.is_file():
        shipped = ", ".join(DEFAULT_FRAMEWORKS)
        raise CatalogueError(f"there is no framework file '{path_or_id}'; give a path, or one of: {shipped}")
    return path


def _parse(content: Any, root: yaml.Node | None, name: str, known: Collection[str] | None) -> Framework:
    if not isinstance(content, Mapping) or "tree" not in content:
        raise CatalogueError(f"{name}:1: expected a framework: a list of fields with at least 'id' and 'tree'")
    if "pass_through" in content:
        raise CatalogueError(_sentence(name, root, content, ("pass_through",), PAY_LESS_OUTPUT_IS_GONE))
    cycle = _cycle(content["tree"], ("tree",), ())
    if cycle is not None:
        raise CatalogueError(_sentence(name, root, content, cycle, "the node is its own ancestor (a cycle)"))
    try:
        framework = Framework.model_validate(content)
    except ValidationError as error:
        lines = []
        for detail in error.errors():
            message = detail["msg"].removeprefix("Value error, ")
            given = "" if detail["type"] in ("missing", "value_error") else f" (given: {detail.get('input')!r:.60})"
            lines.append(_sentence(name, root, content, detail["loc"], message + given))
        raise CatalogueError("\n".join(lines)) from error
    found = [_sentence(name, root, content, place, message) for place, message in _contradictions(framework, known)]
    if found:
        raise CatalogueError("\n".join(found))
    return framework


def _cycle(node: Any, place: Location, above: tuple[Any, ...]) -> Location | None:
    """The position of a node that is its own descendant (a YAML alias to an ancestor, or an ancestor's id), if any."""
    if not isinstance(node, Mapping):
        return None
    if any(node is other or (node.get("id") is not None and node.get("id") == other.get("id")) for other in above):
        return place
    children = node.get("children") or ()
    if isinstance(children, (list, tuple)):
        for position, child in enumerate(children):
            found = _cycle(child, (*place, "children", position), (*above, node))
            if found is not None:
                return found
    return None


def _contradictions(framework: Framework, known: Collection[str] | None) -> Iterator[tuple[Location, str]]:
    """Faults across fields: repeated names, empty nodes, unknown indicators, means that do not exist."""
    yield from _node_problems(framework)
    yield from _reference_problems(framework)
    yield from _note_problems(framework)
    if known is not None:
        yield from _unknown_indicators(framework, {*known, *(item.id for item in framework.awaited)})
    node_ids = {node.id for node, _, _ in framework.nodes()}
    if framework.labels is not None:
        for field in ("growth", "sharing"):
            if getattr(framework.labels, field) not in node_ids:
                yield ("labels", field), f"there is no node '{getattr(framework.labels, field)}'"


def _node_problems(framework: Framework) -> Iterator[tuple[Location, str]]:
    seen: set[str] = set()
    for node, _, place in framework.nodes():
        if node.id in seen:
            yield (*place, "id"), f"the id '{node.id}' is used by another node too"
        seen.add(node.id)
        if not node.children and not node.indicators:
            yield place, "the node is empty: give it children or indicators"
        if node.aggregate != "arithmetic" and framework.normalise.is_unbounded:
            why = "needs scores that are never negative; give normalise a clip or a range from 0, or use arithmetic"
            yield (*place, "aggregate"), f"a {node.aggregate} mean {why}"


def _reference_problems(framework: Framework) -> Iterator[tuple[Location, str]]:
    node_ids = {node.id for node, _, _ in framework.nodes()}
    used: set[str] = set()
    for node, _, place in framework.nodes():
        for position, reference in enumerate(node.indicators):
            here: Location = (*place, "indicators", position)
            if framework.normalise.method == "goalposts" and reference.goalposts is None:
                yield (
                    here,
                    f"indicator '{reference.candidates[0]}' needs goalposts: [low, high] for the goalposts method",
                )
            for name in reference.candidates:
                if name in used:
                    yield here, f"indicator '{name}' is used twice"
                if name in node_ids:
                    yield here, f"indicator '{name}' has the id of a node; give the node another id"
                used.add(name)


def _note_problems(framework: Framework) -> Iterator[tuple[Location, str]]:
    names = {node.id for node, _, _ in framework.nodes()} | set(framework.indicator_ids())
    seen: set[frozenset[str]] = set()
    for position, note in enumerate(framework.audit.notes):
        here: Location = ("audit", "notes", position, "pair")
        for name in note.pair:
            if name not in names:
                yield here, f"there is no node or indicator '{name}' in the framework"
        pair = frozenset(note.pair)
        if len(pair) == 1:
            yield here, f"a pair needs two names (given: '{note.pair[0]}' twice)"
        if pair in seen:
            yield here, f"the pair '{note.pair[0]}' and '{note.pair[1]}' has another note too"
        seen.add(pair)


def _unknown_indicators(framework: Framework, known: Collection[str]) -> Iterator[tuple[Location, str]]:
    for node, _, place in framework.nodes():
        for position, reference in enumerate(node.indicators):
            for name in reference.candidates:
                if name not in known:
                    yield (*place, "indicators", position), f"unknown indicator '{name}'"


def _sentence(name: str, root: yaml.Node | None, content: Any, place: Location, message: str) -> str:
    """``file:line: node 'x', field 'y': message``, with the nearest node above the field."""
    node_id, inside, field = "", content, []
    for step in place:
        try:
            inside = inside[step]
        except (KeyError, IndexError, TypeError):
            field.append(str(step))
            continue
        field.append(str(step))
        in_tree = isinstance(inside, Mapping) and "id" in inside and "indicators" not in field
        if in_tree:
            node_id, field = str(inside["id"]), []
    line = f":{line_of(root, place)}" if root is not None else ""
    node = f"node '{node_id}', " if node_id else ""
    named = f"field '{'.'.join(field)}'" if field else "(whole node)"
    return f"{name}{line}: {node}{named}: {message}"
