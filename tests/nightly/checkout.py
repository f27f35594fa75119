"""A checkout of the project for the nights of a simulation: real code and files, a catalogue cut to what is scored.

What changes in the life of a deployment are files: a row in the register when the map changes, a line in the catalogue
when a column goes. So both are changed here as a person would change them, and the code that runs finds them by itself.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.catalogue import Catalogue, Indicator, Query, load_catalogue
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, load_framework
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.settings import BASELINE_DIR, PROJECT_ROOT

# Asked over HTTP; the other publishers' files need the stand-in's own, which a fresh clone does not have.
ASKED = ("ons_els", "nomis")
MONTHLY = "claimant_rate_monthly"
FROM_YEAR, MONTHS_FROM = 2019, 2025  # of Nomis, whose answers are long
SECONDS_OF_SILENCE = 8  # after which a publisher that sends nothing is given up, at night 60 to 120


@dataclass(frozen=True)
class Merger:
    """Districts that become one: ``parts`` by code, all in ``region`` and ``county``."""

    code: str
    name: str
    parts: tuple[str, ...]
    region: str
    county: str
    on: str


class Checkout:
    """A folder with the project's code, catalogue and shipped figures, in which files can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        without_caches = shutil.ignore_patterns("__pycache__")
        for name in ("pipeline", "schemas"):
            shutil.copytree(PROJECT_ROOT / name, folder / name, ignore=without_caches)
        shutil.copytree(BASELINE_DIR, folder / BASELINE_DIR.relative_to(PROJECT_ROOT))
        self.catalogue = scored_catalogue()
        self._write_catalogue()

    def merge_districts(self, merger: Merger) -> None:
        """Add the rows to the register that a reorganisation is."""
        facts = self.folder / "pipeline" / "geography" / "facts"
        with (facts / "areas.csv").open("a", encoding="utf-8") as areas:
            areas.write(
                f"{merger.code},{merger.name},district,{merger.on},,E92000001,{merger.region},{merger.county},,,\n"
            )
        with (facts / "changes.csv").open("a", encoding="utf-8") as changes:
            changes.writelines(
                f"{part},{merger.code},{merger.on},merge,1,,,An invented Order\n" for part in merger.parts
            )

    def take_out_of_profile(self, indicator_id: str) -> None:
        """Take an indicator's columns out of the wide table, as one line of the catalogue does."""
        indicators = dict(self.catalogue.indicators)
        indicators[indicator_id] = indicators[indicator_id].model_copy(update={"in_profile": False})
        self.catalogue = Catalogue(indicators, self.catalogue.sources, self.catalogue.baseline)
        self._write_catalogue()

    def _write_catalogue(self) -> None:
        folder = self.folder / "pipeline" / "catalogue"
        entries = [json.loads(i.model_dump_json(exclude_defaults=True)) for i in self.catalogue.indicators.values()]
        _write_yaml(folder / "indicators.yaml", entries)
        shipped = [json.loads(entry.model_dump_json(exclude_defaults=True)) for entry in self.catalogue.baseline]
        _write_yaml(folder / "baseline.yaml", shipped)
        sources = (folder / "sources.yaml").read_text(encoding="utf-8")
        patience = f"read_timeout_seconds: {SECONDS_OF_SILENCE}"
        (folder / "sources.yaml").write_text(re.sub(r"read_timeout_seconds: \d+", patience, sources), encoding="utf-8")


def scored_catalogue(others: Mapping[str, Indicator] | None = None) -> Catalogue:
    """The indicators that the shipped frameworks score, with what those are made of, asked of ``ASKED`` only.

    ``others`` are taken as they are, in addition or in the place of those.
    """
    whole, others = load_catalogue(), others or {}
    names = _scored(whole) | {MONTHLY, *others}
    indicators = {name: others.get(name) or _asked(entry) for name, entry in whole.indicators.items() if name in names}
    shipped = tuple(entry for entry in whole.baseline if entry.indicator in names)
    return Catalogue(indicators, whole.sources, shipped)


def _scored(catalogue: Catalogue) -> set[str]:
    names: set[str] = set()
    for framework in (load_framework(name) for name in DEFAULT_FRAMEWORKS):
        awaited = {item.id for item in framework.awaited}
        for node, _, _ in framework.nodes():
            names |= {name for reference in node.indicators for name in reference.candidates} - awaited
    names &= set(catalogue.indicators)
    for ratio in [catalogue.indicators[name].ratio_of for name in names]:
        names |= set() if ratio is None else {ratio.numerator, ratio.denominator}
    return names


def _asked(indicator: Indicator) -> Indicator:
    """The same without queries of other publishers, and without the long past of Nomis."""
    from_year = MONTHS_FROM if indicator.id == MONTHLY else FROM_YEAR
    parts = []
    for part in indicator.parts:
        live = tuple(_short(query, from_year) for query in part.live if query.source in ASKED)
        parts.append(part.model_copy(update={"live": live}))
    return indicator.model_copy(update={"parts": tuple(parts)})


def _short(query: Query, from_year: int) -> Query:
    if not isinstance(query, NomisQuery):
        return query
    dates = query.dates.model_copy(update={"from_year": max(from_year, query.dates.from_year)})
    return query.model_copy(update={"dates": dates})


def _write_yaml(path: Path, entries: list[dict[str, Any]]) -> None:
    path.write_text(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True), encoding="utf-8")
