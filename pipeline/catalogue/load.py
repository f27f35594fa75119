"""Load the whole catalogue, and check what no entry shows on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.catalogue.model import BaselineEntry, Indicator, Source
from pipeline.catalogue.small_area_models import SmallAreaModel, model_faults
from pipeline.catalogue.yaml_entries import CatalogueError, load_entries

CATALOGUE_DIR = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Catalogue:
    """Indicators, sources, baseline entries and models, in the order of their files."""

    indicators: Mapping[str, Indicator]
    sources: Mapping[str, Source]
    baseline: tuple[BaselineEntry, ...]
    models: tuple[SmallAreaModel, ...] = ()

    @property
    def collected(self) -> list[Indicator]:
        """Indicators whose figures are published (those with parts)."""
        return [indicator for indicator in self.indicators.values() if indicator.parts]

    @property
    def computed(self) -> list[Indicator]:
        """Indicators that are a ratio of two others."""
        return [indicator for indicator in self.indicators.values() if indicator.ratio_of]


def load_catalogue(folder: Path = CATALOGUE_DIR) -> Catalogue:
    """Read ``indicators.yaml``, ``sources.yaml``, ``baseline.yaml`` and, if there is one, ``models.yaml`` of ``folder``.

    Raises CatalogueError naming file, line, entry and field of every fault.
    """
    indicators = {entry.id: entry for entry in load_entries(folder / "indicators.yaml", Indicator)}
    sources = {entry.id: entry for entry in load_entries(folder / "sources.yaml", Source)}
    baseline = tuple(load_entries(folder / "baseline.yaml", BaselineEntry, key="indicator"))
    declared = folder / "models.yaml"
    models = tuple(load_entries(declared, SmallAreaModel)) if declared.exists() else ()
    found = [
        *_unknown_references(indicators, sources),
        *_baseline_mismatches(indicators, baseline),
        *model_faults(models, indicators),
    ]
    if found:
        raise CatalogueError("\n".join(found))
    return Catalogue(indicators, sources, baseline, models)


def _unknown_references(indicators: Mapping[str, Indicator], sources: Mapping[str, Source]) -> list[str]:
    found = []
    for indicator in indicators.values():
        where = f"indicators.yaml: entry '{indicator.id}'"
        for part in indicator.parts:
            found += [
                f"{where}, field 'parts.{part.id}.live': no source '{query.source}' in sources.yaml"
                for query in part.live
                if query.source not in sources
            ]
        if indicator.ratio_of is None:
            continue
        for role in ("numerator", "denominator"):
            name = getattr(indicator.ratio_of, role)
            if name not in indicators:
                found.append(f"{where}, field 'ratio_of.{role}': no indicator '{name}'")
            elif not indicators[name].parts:
                found.append(f"{where}, field 'ratio_of.{role}': '{name}' is itself computed")
    return found


def _baseline_mismatches(indicators: Mapping[str, Indicator], baseline: tuple[BaselineEntry, ...]) -> list[str]:
    """A baseline entry belongs to a known part, once; a part without one needs a live query."""
    parts = {(indicator.id, part.id): part for indicator in indicators.values() for part in indicator.parts}
    given = [(entry.indicator, entry.part) for entry in baseline]
    found = []
    for indicator_id, part_id in sorted(set(given)):
        where = f"baseline.yaml: entry '{indicator_id}', part '{part_id}'"
        if given.count((indicator_id, part_id)) > 1:
            found.append(f"{where}: given twice")
        if (indicator_id, part_id) not in parts:
            found.append(f"{where}: no such part in indicators.yaml")
    for (indicator_id, part_id), part in parts.items():
        if not part.live and (indicator_id, part_id) not in given:
            found.append(f"indicators.yaml: entry '{indicator_id}', part '{part_id}': no live query and no baseline")
    return found
