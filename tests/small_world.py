"""A world of eight districts for tests of plumbing: a whole refresh in it takes a second where the real one takes fifteen.

It is cut by code from the project's own files: the register's tables, the catalogue, the groups and the shipped figures,
all of them real but few. What is counted for 361 districts is asked of these instead.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.catalogue import Catalogue, Indicator, Query, frameworks
from pipeline.catalogue.load import CATALOGUE_DIR, load_catalogue
from pipeline.catalogue.model import Districts
from pipeline.gates.policy import load_gate_policy
from pipeline.geography import bridge_area_group
from pipeline.geography.groups import GROUPS_FILE, read_groups, resolve_groups
from pipeline.geography.register_tables import FACTS_DIR, TABLES, load_register
from pipeline.geography.wider_areas import group_membership
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.run import code_digest
from pipeline.run.release import method_fingerprint
from pipeline.settings import BASELINE_DIR, PROJECT_ROOT, Settings
from tests.kept import ROOMS, kept
from tests.standin import figures, server

# Of two regions of England, and one of each other nation; one was merged of others, and the code of one changed.
DISTRICTS = (
    "E06000063",  # Cumberland
    "E07000123",  # Preston
    "E08000003",  # Manchester
    "E08000035",  # Leeds
    "E08000038",  # Barnsley
    "N09000006",  # Fermanagh and Omagh
    "S12000049",  # Glasgow City
    "W06000015",  # Cardiff
)
# A ratio of two others among them, one of two parts, and those that other tests like to change.
INDICATORS = (
    "gva_per_hour",
    "gva_per_job",
    "gdhi_per_head",
    "pay_median_weekly",
    "employment_rate",
    "claimant_rate",
    "child_poverty_bhc",
    "housing_affordability_ratio",
    "pay_annual_p20",
    "pay_annual_median",
    "pay_p20_to_p50_annual",
)
COUNTRIES = ("K02000001", "K03000001", "K04000001")
_TOLD_PLACES: tuple[Any, ...] = (
    load_catalogue,
    load_register,
    read_groups,
    resolve_groups,
    group_membership,
    bridge_area_group,
    load_gate_policy,
    method_fingerprint,
    Settings.__init__,
)
_Cached = type(read_groups)  # what functools makes of a function whose results are kept
READ_ELSEWHERE = (PROJECT_ROOT / "docs" / "methodology.md",)  # by the report site
COUNTRIES_OF_NOMIS = "TYPE499"
WIDER = ("nation_code", "region_code", "county_code")


@dataclass(frozen=True)
class World:
    """A folder with the project's code, and files of its own in the place of the project's; nothing in it is changed."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """For processes started in its folder: they find the tests' own programs too, which are not copied."""
        return {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}

    def __getitem__(self, place: Path) -> Path:
        """Where a file or folder of the project is here."""
        return self.folder / place.relative_to(PROJECT_ROOT)


def small_world() -> World:
    """The world of this state of the code, made once; see `tests.kept`."""
    with kept("small_world") as cache:
        if not cache.is_complete:
            _build(World(cache.folder))
            cache.keep(None)
        return World(cache.folder)


def _build(world: World) -> None:
    without_caches = shutil.ignore_patterns("__pycache__")
    for room in ROOMS:
        shutil.copytree(PROJECT_ROOT / room, world[PROJECT_ROOT / room], ignore=without_caches)
    for file in READ_ELSEWHERE:
        world[file].parent.mkdir(exist_ok=True)
        shutil.copyfile(file, world[file])
    tables = {name: pd.read_csv(FACTS_DIR / f"{name}.csv", dtype=str, keep_default_na=False) for name in TABLES}
    codes = _codes(tables)
    for name, table in tables.items():
        is_here = table[[column for column in table if column.endswith("code")]].isin(codes | {""}).all(axis=1)
        table[is_here].to_csv(world[FACTS_DIR] / f"{name}.csv", index=False)
    _cut_groups(world, codes)
    _cut_catalogue(world)
    _cut_gates(world)
    _cut_baseline(world, codes)


def _codes(tables: dict[str, pd.DataFrame]) -> set[str]:
    """The districts, all that they were before, and the wider areas they lie in or lay in."""
    codes, changes = set(DISTRICTS), tables["changes"]
    while more := set(changes.loc[changes["to_code"].isin(codes), "from_code"]) - codes:
        codes |= more
    areas, members = tables["areas"].set_index("area_code"), tables["combined_authorities"]
    codes |= set(members.loc[members["area_code"].isin(codes), "combined_authority_code"])
    for column in WIDER:
        codes |= set(areas.loc[sorted(codes), column]) - {""}
    return codes | set(COUNTRIES)


def _cut_groups(world: World, codes: set[str]) -> None:
    groups = yaml.safe_load(GROUPS_FILE.read_text(encoding="utf-8"))
    for group in groups:
        group["members"] = {code: name for code, name in group["members"].items() if code in codes}
    # One of a single district would be that district under another name.
    _write_yaml(world[GROUPS_FILE], [group for group in groups if len(group["members"]) > 1])


def _cut_catalogue(world: World) -> None:
    """The entries of INDICATORS, which ask for no number of districts, and what of the frameworks is made of them."""
    indicators = whole_catalogue().indicators
    entries = [json.loads(indicators[name].model_dump_json(exclude_defaults=True)) for name in INDICATORS]
    _write_yaml(world[CATALOGUE_DIR] / "indicators.yaml", entries)
    shipped = yaml.safe_load((CATALOGUE_DIR / "baseline.yaml").read_text(encoding="utf-8"))
    _write_yaml(
        world[CATALOGUE_DIR] / "baseline.yaml", [entry for entry in shipped if entry["indicator"] in INDICATORS]
    )
    _cut_models(world)
    for path in world[frameworks.FRAMEWORKS_DIR].glob("*.yaml"):
        framework = yaml.safe_load(path.read_text(encoding="utf-8"))
        _cut_node(framework["tree"])
        framework.pop("awaited", None)
        framework.pop("audit", None)
        _write_yaml(path, framework)


def _cut_models(world: World) -> None:
    """The models of INDICATORS, and of what they name that which is here."""
    models = yaml.safe_load((CATALOGUE_DIR / "models.yaml").read_text(encoding="utf-8"))
    for model in models:
        for field in ("covariates", "same_survey", "compared_with"):
            model[field] = [name for name in model.get(field, []) if name in INDICATORS]
    _write_yaml(world[CATALOGUE_DIR] / "models.yaml", [model for model in models if model["id"] in INDICATORS])


def whole_catalogue() -> Catalogue:
    """Every indicator of the project, asked of few districts: for tests that need a certain query of one."""
    catalogue = load_catalogue(CATALOGUE_DIR)
    return replace(catalogue, indicators={name: _of_few(entry) for name, entry in catalogue.indicators.items()})


def _of_few(indicator: Indicator) -> Indicator:
    counted = Districts(min=1, max=len(DISTRICTS))
    parts = [
        part.model_copy(update={"districts": counted, "live": tuple(map(_of_few_areas, part.live))})
        for part in indicator.parts
    ]
    return indicator.model_copy(update={"parts": tuple(parts)})


def _of_few_areas(query: Query) -> Query:
    """The nations that Nomis gives twice would be too large a share of so few areas."""
    if not isinstance(query, NomisQuery):
        return query
    return query.model_copy(update={"geography": tuple(t for t in query.geography if t != COUNTRIES_OF_NOMIS)})


def _cut_gates(world: World) -> None:
    """No limit on the share of districts whose scores and ranks move: one of eight is more than most of them allow."""
    path = world[CATALOGUE_DIR] / "gates.yaml"
    gates = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in ("scores_moved", "ranks_moved"):
        for limits in gates["defaults"][name].values():
            if isinstance(limits, dict):
                limits |= {kind: {"warn_above": 1, "refuse_above": 1} for kind in limits}
    _write_yaml(path, gates)


def _cut_node(node: dict[str, Any]) -> bool:
    """Leave in a node what INDICATORS score; whether anything is left."""
    if "children" in node:
        node["children"] = [child for child in node["children"] if _cut_node(child)]
        return bool(node["children"])
    for reference in node["indicators"]:
        if isinstance(reference, dict) and "first_of" in reference:
            reference["first_of"] = [name for name in reference["first_of"] if name in INDICATORS]
    node["indicators"] = [reference for reference in node["indicators"] if _is_scored(reference)]
    return bool(node["indicators"])


def _is_scored(reference: Any) -> bool:
    if isinstance(reference, str):
        return reference in INDICATORS
    return bool(reference.get("first_of")) or reference.get("id") in INDICATORS


def _cut_baseline(world: World, codes: set[str]) -> None:
    world[BASELINE_DIR].mkdir(parents=True)
    manifest = json.loads((BASELINE_DIR / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"] = [entry for entry in manifest["files"] if entry["indicator"] in INDICATORS]
    for entry in manifest["files"]:
        table = pq.read_table(BASELINE_DIR / entry["file"])
        table = table.filter(pc.is_in(table["area_code"], value_set=pc.cast(sorted(codes), "string")))
        pq.write_table(table, world[BASELINE_DIR] / entry["file"])
        content = (world[BASELINE_DIR] / entry["file"]).read_bytes()
        periods = sorted(table["period"].to_pylist())
        entry |= {
            "byte_count": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "row_count": len(table),
            "first_period": periods[0],
            "last_period": periods[-1],
        }
    (world[BASELINE_DIR] / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _write_yaml(path: Path, entries: Any) -> None:
    path.write_text(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True), encoding="utf-8")


@contextmanager
def inhabited(world: World) -> Iterator[None]:
    """Let all code of this process that is told no other place take the world's files for the project's own."""
    with pytest.MonkeyPatch.context() as patch:
        for function in map(inspect.unwrap, _TOLD_PLACES):
            here = tuple(_here(world, default) for default in function.__defaults__)
            patch.setattr(function, "__defaults__", here)
        patch.setattr(frameworks, "FRAMEWORKS_DIR", world[frameworks.FRAMEWORKS_DIR])
        patch.setattr(code_digest, "PROJECT_ROOT", world.folder)
        patch.setattr(figures, "BASELINE_DIR", world[BASELINE_DIR])
        patch.setattr(server, "SHARED_DATA", world.folder)  # where there are no publishers' files
        _forget()
        yield
    _forget()


def is_inhabited() -> bool:
    return bool(code_digest.PROJECT_ROOT != PROJECT_ROOT)


def _here(world: World, default: Any) -> Any:
    is_of_the_project = isinstance(default, Path) and default.is_relative_to(PROJECT_ROOT)
    return world[default] if is_of_the_project else default


def _forget() -> None:
    """All that was read and kept in memory of the other world."""
    rooms = [module for name, module in sys.modules.items() if name.split(".")[0] == "pipeline"]
    kept_in_memory = [value for room in rooms for value in vars(room).values() if isinstance(value, _Cached)]
    for function in (*kept_in_memory, figures._table_from_baseline, figures._baseline_cells):
        function.cache_clear()
