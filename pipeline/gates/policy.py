"""The limits of the gates, from ``gates.yaml``: for all indicators, and for single ones."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.catalogue.model import Entry, Identifier
from pipeline.catalogue.yaml_entries import CatalogueError, problems, read_yaml

Limit = Annotated[float, Field(ge=0)]


class Gate(Entry):
    """Above ``warn_above`` a run says so; above ``refuse_above``, where it is given, it does not publish."""

    warn_above: Limit
    refuse_above: Limit | None = None

    @model_validator(mode="after")
    def ordered(self) -> Gate:
        if self.refuse_above is not None and self.refuse_above < self.warn_above:
            raise ValueError(f"refuse_above {self.refuse_above} is below warn_above {self.warn_above}")
        return self

    def severity(self, measured: float) -> str | None:
        """``refuse``, ``warn``, or None where the limits allow what was measured."""
        if self.refuse_above is not None and measured > self.refuse_above:
            return "refuse"
        return "warn" if measured > self.warn_above else None


class MedianGate(Gate):
    """Limits in multiples of the indicator's largest move from year to year; see ``gates.yaml`` for the fallback."""

    usual_move: Annotated[float, Field(gt=0)]
    usual_move_points: Annotated[float, Field(gt=0)]
    fewest_years: int = Field(ge=2)


class Gates(Entry):
    """The limits for all indicators."""

    districts_lost: Gate
    rows_down: Gate
    median_moved: MedianGate
    too_old: Gate


class OwnGates(Entry):
    """The limits of one indicator, in the place of the general ones."""

    districts_lost: Gate | None = None
    rows_down: Gate | None = None
    median_moved: MedianGate | None = None
    too_old: Gate | None = None


class GatePolicy(Entry):
    """The whole of ``gates.yaml``."""

    defaults: Gates
    indicators: dict[Identifier, OwnGates] = Field(default_factory=dict)

    def districts_lost(self, indicator_id: str) -> Gate:
        return self._own(indicator_id).districts_lost or self.defaults.districts_lost

    def rows_down(self, indicator_id: str) -> Gate:
        return self._own(indicator_id).rows_down or self.defaults.rows_down

    def median_moved(self, indicator_id: str) -> MedianGate:
        return self._own(indicator_id).median_moved or self.defaults.median_moved

    def too_old(self, indicator_id: str) -> Gate:
        return self._own(indicator_id).too_old or self.defaults.too_old

    def _own(self, indicator_id: str) -> OwnGates:
        return self.indicators.get(indicator_id, _NO_LIMITS_OF_ITS_OWN)


_NO_LIMITS_OF_ITS_OWN = OwnGates()


def load_gate_policy(known_indicators: Collection[str], path: Path = CATALOGUE_DIR / "gates.yaml") -> GatePolicy:
    """Read the limits. Raises CatalogueError naming file, line and field, or an indicator that the catalogue lacks."""
    content, node = read_yaml(path)
    try:
        policy = GatePolicy.model_validate(content if isinstance(content, dict) else _not_a_mapping(path))
    except ValidationError as error:
        raise CatalogueError("\n".join(problems(error, path, node, "gates"))) from error
    unknown = sorted(policy.indicators.keys() - set(known_indicators))
    if unknown:
        raise CatalogueError(f"{path.name}: 'indicators' names {', '.join(unknown)}, which the catalogue does not have")
    return policy


def _not_a_mapping(path: Path) -> Any:
    raise CatalogueError(f"{path.name}:1: expected the fields 'defaults' and 'indicators'")
