"""Tables the gates' limits rest on: the shipped figures, year by year, and editions of Explore Local Statistics as they were.

The editions are in ``els-vintages`` of the read-only data beside the checkout, in three layouts of columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.gates.panels import AreaFacts
from pipeline.gates.plausibility import Answer, Sister
from pipeline.gates.policy import GatePolicy, load_gate_policy
from pipeline.geography import load_register
from pipeline.run.plausible import area_facts
from pipeline.settings import BASELINE_DIR, PROJECT_ROOT
from pipeline.tidy.observations import parse_period

EDITIONS = PROJECT_ROOT.parent / "shared" / "data" / "els-vintages"

# File prefix -> indicator, how its column "indicator" begins, and what is put behind a year to make it a period.
_SERIES = {
    "gdhi": ("gdhi_per_head", r"Gross disposable household income", "-01-01/P1Y"),
    "gva": ("gva_per_hour", r"Gross value added per hour worked", "-01-01/P1Y"),
    "pay": ("pay_median_weekly", r"Gross median weekly pay", "-04-30"),
    "pov": ("child_poverty_bhc", r"Children in (?:poverty|relative poverty before)", "-04-01/P1Y"),
    "mun": ("unemployment_rate_modelled", r"Modelled unemployment rate", "-01-01/P1Y"),
}
_HELD_AREAS = r"K0[234]|[EWSN]92|E12|E47|E10|E0[6-9]|W06|S12|N09"


@dataclass(frozen=True)
class Replay:
    """One real step of a series: what was held, and what came next."""

    label: str
    indicator_id: str
    part: str
    new: pd.DataFrame
    held: pd.DataFrame


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def policy() -> GatePolicy:
    return load_gate_policy(catalogue().indicators)


@cache
def facts() -> AreaFacts:
    return area_facts(load_register())


@cache
def shipped() -> dict[str, pd.DataFrame]:
    """The shipped figures by file: ``indicator`` or ``indicator--part``, with dates and each area's own name."""
    return {path.stem: _dated(pd.read_parquet(path)) for path in sorted(Path(BASELINE_DIR).glob("*.parquet"))}


def _dated(table: pd.DataFrame) -> pd.DataFrame:
    table = table[table["value"].notna()].drop_duplicates(["area_code", "period"])
    periods = {text: parse_period(text) for text in table["period"].unique()}
    return table.assign(
        area_name=table["area_code"].map(facts().name),
        period_start=table["period"].map({text: pd.Timestamp(period.start) for text, period in periods.items()}),
        year=table["period"].map({text: period.year for text, period in periods.items()}),
    ).reset_index(drop=True)


def read_edition(path: Path, pattern: str, suffix: str) -> pd.DataFrame:
    """One indicator of an edition; older layouts say ``Value`` or ``Observation``, and years, months or spans as periods."""
    table = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False).rename(columns=str.casefold)
    table = table.rename(
        columns={
            "value": "observation",
            "lower confidence interval (95%)": "lci_95",
            "upper confidence interval (95%)": "uci_95",
        }
    )
    is_wanted = table["indicator"].str.match(pattern) & table["areacd"].str.match(_HELD_AREAS)
    table = table[is_wanted]
    numbers = {
        name: pd.to_numeric(table[column].str.replace(",", ""), errors="coerce")
        for name, column in {"value": "observation", "lower": "lci_95", "upper": "uci_95"}.items()
    }
    return _dated(
        pd.DataFrame({"area_code": table["areacd"], "period": table["period"].str[:4] + suffix, **numbers})
    ).assign(area_name=lambda out: out["area_code"].map(dict(zip(table["areacd"], table["areanm"], strict=True))))


def edition_steps() -> Iterator[Replay]:
    """Each edition on disk after the one before it, and at last the shipped figures."""
    for prefix, (indicator, pattern, suffix) in _SERIES.items():
        paths = sorted(EDITIONS.glob(f"{prefix}_*.csv"))
        tables = [(re.sub(r"_[0-9a-f]{8}$", "", path.stem), read_edition(path, pattern, suffix)) for path in paths]
        tables.append((f"{prefix}_shipped", shipped()[indicator]))
        for (_, held), (label, new) in pairwise(tables):
            yield Replay(label, indicator, "main", new, held)


def new_years() -> Iterator[Replay]:
    """Each year of each shipped series after those before it."""
    for name, table in shipped().items():
        indicator, _, part = name.partition("--")
        years = sorted(table["year"].unique())
        for before, year in pairwise(years):
            yield Replay(
                f"{name} {year}",
                indicator,
                part or "main",
                table[table["year"] <= year],
                table[table["year"] <= before],
            )


# A sister of a later publication: in the year that is new, it is not out yet.
PUBLISHED_LATER = {("claimant_rate", "unemployment_rate_modelled")}


def beside(name: str, part: str, latest: int) -> pd.DataFrame | None:
    """The shipped figures of a sister's part, to a year."""
    table = shipped().get(name if part == "main" else f"{name}--{part}")
    return None if table is None else table[table["year"] <= latest]


def answer(
    indicator_id: str, new: pd.DataFrame, held: pd.DataFrame, part: str = "main", *, has_sisters: bool = True
) -> Answer:
    """What the gates are asked about a table, with the sister series as they are shipped, to its latest year."""
    indicator = catalogue().indicators[indicator_id]
    latest = new["year"].max()
    sisters = [
        Sister(
            catalogue().indicators[name].label,
            sister,
            order,
            shares_of,
            shares_level=policy().shares_level(indicator_id, name),
        )
        for name, order, shares_of in policy().sisters_of(indicator_id)
        if has_sisters
        and (sister := beside(name, part, latest - ((indicator_id, name) in PUBLISHED_LATER))) is not None
    ]
    return Answer(
        title=indicator.label,
        decimals=indicator.decimals,
        is_log=indicator.transform == "log_ratio",
        new=new,
        held=held,
        area_names=_names(new),
        sisters=lambda: sisters,
    )


def _names(table: pd.DataFrame) -> dict[str, str]:
    different = table[["area_code", "area_name"]].drop_duplicates("area_code")
    return dict(zip(different["area_code"], different["area_name"], strict=True))
