"""How far scores and ranks move with what publishers really send: ``python -m tests.gates.score_steps``.

Each edition of Explore Local Statistics after the one before it, and each year since the base year of each scored indicator
after those before it, all others held to the same year, and the newest year of each, all others whole, are scored twice with
today's code: before and after. Prints the moves that the limits ``scores_moved`` and ``ranks_moved`` of gates.yaml rest on, and what these make of them (docs/gates.md);
with ``--mistakes`` the same of plausible mistakes in the shipped figures.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, Flavour, Framework, load_framework
from pipeline.gates.moved_scores import FEWEST_DISTRICTS, STILL
from pipeline.geography import load_register, reexpress
from pipeline.run.assemble import assemble, scoring_input
from pipeline.run.context import Run, open_run
from pipeline.run.mart_inputs import area_rows
from pipeline.run.options import DEFAULT_DRAWS
from pipeline.run.rebuild import score
from pipeline.run.refresh import acquire_all
from pipeline.scoring import indicator_specs
from pipeline.scoring.flavour import run_flavour
from pipeline.scoring.frames import node_block
from pipeline.scoring.inputs import read_areas, read_cube
from pipeline.scoring.ranks import rank_rows
from tests.gates import mistakes
from tests.gates.editions import catalogue, edition_steps, policy

FIRST_YEAR = 2020  # of the years that come anew: after the frameworks' base year, which all scores hang on
KEY = ["framework_id", "flavour", "window_years", "node_id", "year", "area_code"]


@dataclass(frozen=True)
class Scored:
    """One real step of one indicator: the scores of districts before and after it. ``is_new_year``: no revision with it."""

    label: str
    is_new_year: bool
    before: pd.DataFrame
    after: pd.DataFrame


@cache
def context() -> Run:
    return open_run(offline=True, draws=0)


@cache
def shipped_yearly() -> pd.DataFrame:
    """The shipped figures as scoring takes them."""
    return assemble(context().inputs, context().stores, acquire_all(context())).yearly


@cache
def frameworks() -> tuple[Framework, ...]:
    return tuple(load_framework(name, known_indicators=catalogue().indicators) for name in DEFAULT_FRAMEWORKS)


def scores_of(yearly: pd.DataFrame, indicator_id: str) -> pd.DataFrame:
    """Scores and ranks of districts at every node above the indicators that ``indicator_id`` belongs to, all years."""
    areas = area_rows(context().inputs.register)[["area_code", "level", "nation_code", "is_scored"]]
    specs, register = indicator_specs(catalogue().indicators), read_areas(areas)
    tables = []
    for framework in frameworks():
        cube, _ = read_cube(framework, yearly, register, specs)
        for window in (None, *framework.windows):
            flavour: Flavour = "level" if window is None else "change"
            run = run_flavour(framework, cube, flavour, window, first_year=2009)
            block = node_block(run)
            wanted = _with_the_indicator(run, indicator_id)
            for n, kind in enumerate(block.kinds):
                if kind == "indicator" or block.ids[n] not in wanted:
                    continue
                scores = np.where(register.is_placed & register.is_district, block.scores[n], np.nan)
                ranks = np.full(scores.shape, np.nan)
                ranks[:, register.is_district] = rank_rows(scores[None, :, register.is_district])[0]
                year, area = np.nonzero(~np.isnan(scores))
                tables.append(
                    pd.DataFrame(
                        {
                            "framework_id": framework.id,
                            "flavour": flavour,
                            "window_years": 0 if window is None else window.years,
                            "node_id": block.ids[n],
                            "kind": kind,
                            "year": cube.years[year],
                            "area_code": np.array(run.cube.area_codes)[area],
                            "score": scores[year, area],
                            "rank": ranks[year, area],
                        }
                    )
                )
    return pd.concat(tables, ignore_index=True)


def _with_the_indicator(run, indicator_id: str) -> set[str]:  # type: ignore[no-untyped-def]
    """The branches that have the indicator below them."""
    found: set[str] = set()
    for branch in run.plan.branches:
        leaves = {run.plan.leaves[k].id for k in branch.leaves}
        if indicator_id in leaves or {run.plan.branches[b].id for b in branch.children} & found:
            found.add(branch.id)
    return found


def scored_indicators() -> list[str]:
    held = set(shipped_yearly()["indicator_id"])
    names: set[str] = set()
    for framework in frameworks():
        names |= set(framework.indicator_ids()) & held
    return sorted(names)


def steps() -> Iterator[Scored]:
    """Editions first, then each year of each scored indicator."""
    yearly = shipped_yearly()
    register = load_register()
    for replay in edition_steps():
        others = yearly[yearly["indicator_id"] != replay.indicator_id]
        two = []
        for table in (replay.held, replay.new):
            rows = table.assign(
                indicator_id=replay.indicator_id,
                standard_error=(table["upper"] - table["lower"]) / 3.92,
                status="ok",
                period_end=table["period_start"],
            )
            kind = {replay.indicator_id: catalogue().indicators[replay.indicator_id].combined_as}
            on_today = reexpress(rows, kind, register).observations
            two.append(scores_of(pd.concat([others, scoring_input(on_today)]), replay.indicator_id))
        yield Scored(replay.label, False, *two)
    for name in scored_indicators():
        own = yearly[yearly["indicator_id"] == name]
        for year in sorted(own["year"].unique())[1:]:
            if year < FIRST_YEAR:
                continue
            then = yearly[yearly["year"] <= year]
            before = then[(then["indicator_id"] != name) | (then["year"] < year)]
            yield Scored(f"{name} {year}", True, scores_of(before, name), scores_of(then, name))
        newest = own["year"].max()
        behind = yearly[(yearly["indicator_id"] != name) | (yearly["year"] < newest)]
        yield Scored(f"{name} {newest}, the last to come", True, scores_of(behind, name), scores_of(yearly, name))


@cache
def bands() -> pd.DataFrame:
    """How far the 90% interval of each published rank reaches to either side of it, in the latest year."""
    drawn, inputs = dataclasses.replace(context().scoring, draws=DEFAULT_DRAWS), context().inputs
    known = inputs.catalogue.indicators, inputs.register, shipped_yearly()
    table = pd.concat([score(name, *known, drawn).score for name in DEFAULT_FRAMEWORKS])
    table = table[table["weight_with_error"] >= 0.5]  # else no rank is published
    table = table[table["rank"].notna() & table["rank_lower"].notna() & (table["node_kind"] != "indicator")]
    table = table.sort_values("year").drop_duplicates([*KEY[:4], "area_code"], keep="last")
    table["window_years"] = table["window_years"].fillna(0).astype(int)
    out = table[[*KEY[:4], "area_code"]].copy()
    out["lower"] = (table["rank_lower"] - table["rank"]).astype(float)
    out["upper"] = (table["rank_upper"] - table["rank"]).astype(float)
    return out


def headlines(step: Scored) -> pd.DataFrame:
    """The scores of the latest year before beside those of the latest year after, where these are two years."""
    before, after = (_latest(table) for table in (step.before, step.after))
    both = before.merge(after, on=[key for key in KEY if key != "year"], suffixes=("_before", "_after"))
    both = both[both["year_before"] != both["year_after"]]
    return both.rename(columns={"year_after": "year"}).drop(columns="year_before")


def _latest(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the latest year in which a framework's index is scored."""
    roots = [(framework.id, framework.tree.id) for framework in frameworks()]
    is_index = pd.MultiIndex.from_frame(table[["framework_id", "node_id"]]).isin(roots)
    latest = table["year"].where(is_index).groupby([table[key] for key in KEY[:3]]).transform("max")
    return table[table["year"] == latest]


def moves(step: Scored) -> pd.DataFrame:
    """How far districts moved: a row a framework, flavour, window and node in each year that both have, and in the latest of each."""
    same_year = step.before.merge(step.after, on=KEY, suffixes=("_before", "_after"))
    both = pd.concat([same_year, headlines(step)], ignore_index=True)
    both = both.merge(bands(), how="left", on=[*KEY[:4], "area_code"])
    both = both.assign(
        move=(both["score_after"] - both["score_before"]).abs(),
        places=(both["rank_after"] - both["rank_before"]).abs(),
    )
    moved = both["rank_after"] - both["rank_before"]
    both["is_out"] = (both["places"] > policy().defaults.ranks_moved.places) & (
        (moved < both["lower"]) | (moved > both["upper"])
    )
    both["is_headline"] = both.index >= len(same_year)
    groups = both.groupby([*KEY[:-1], "kind_before", "is_headline"])
    found = groups.agg(
        districts=("move", "size"),
        moved_far=("move", lambda m: (m > policy().defaults.scores_moved.points).sum()),
        farthest=("move", "max"),
        ranks=("lower", "count"),
        ranks_out=("is_out", "sum"),
    ).reset_index()
    found["scores_moved"] = found["moved_far"] / found["districts"].clip(lower=FEWEST_DISTRICTS)
    found["ranks_moved"] = found["ranks_out"] / found["ranks"].clip(lower=FEWEST_DISTRICTS)
    return found[found["farthest"] > STILL].assign(label=step.label)


def judged(found: pd.DataFrame) -> pd.DataFrame:
    """One row a step: whether the limits warn of it or refuse it, and whether they refuse it."""
    limits = policy().defaults
    gates = {"scores_moved": limits.scores_moved, "ranks_moved": limits.ranks_moved}
    table = found[["label"]].assign(is_told=False, is_refused=False)
    for name, gate in gates.items():
        severity = [
            gate.of(flavour, kind, is_next_year=is_next_year).severity(measured)
            for flavour, kind, is_next_year, measured in zip(
                found["flavour"], found["kind_before"], found["is_headline"], found[name], strict=True
            )
        ]
        table["is_told"] |= np.array([said is not None for said in severity])
        table["is_refused"] |= np.array([said == "refuse" for said in severity])
    return table.groupby("label").any()


WRONG = (
    mistakes.codes_permuted_in_the_latest_year,
    mistakes.codes_permuted_in_all_years,
    mistakes.latest_year_shifted_by_a_row,
    mistakes.latest_year_sorted_by_size,
    mistakes.latest_year_mirrored_about_its_median,
    mistakes.latest_year_revised_at_random,
    mistakes.two_areas_swapped,
)


def wrong_steps() -> Iterator[Scored]:
    """The shipped figures before, and after a plausible mistake in one indicator."""
    yearly = shipped_yearly()
    for name in scored_indicators():
        right = yearly[yearly["indicator_id"] == name].reset_index(drop=True)
        table = right.assign(lower=np.nan, upper=np.nan)
        for mistake in WRONG:
            wrong = mistake(table, np.random.default_rng(5))
            others = yearly[yearly["indicator_id"] != name]
            after = pd.concat([others, wrong[list(yearly.columns)]])
            label = f"{mistake.__name__.replace('_', ' ')} {name}"
            yield Scored(label, False, scores_of(yearly, name), scores_of(after, name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="write the moves, one row a node and year, as CSV")
    parser.add_argument("--mistakes", action="store_true", help="plausible mistakes in the place of real steps")
    options = parser.parse_args()
    found = pd.concat([moves(step) for step in (wrong_steps() if options.mistakes else steps())], ignore_index=True)
    if options.out:
        found.to_csv(options.out, index=False)
    most = found.groupby(["label", "is_headline", "flavour", "kind_before"])[["scores_moved", "ranks_moved"]].max()
    table = most.groupby(["is_headline", "flavour", "kind_before"]).quantile([0.5, 0.9, 1.0]).unstack()
    print((100 * table).round(1).to_string(), "\n")
    verdicts = judged(found)
    refused, told = verdicts["is_refused"].sum(), verdicts["is_told"].sum()
    print(f"{len(verdicts)} steps that move a score: {refused} refused, {told} told of")
    if options.mistakes:
        print(verdicts.groupby(lambda label: label.rpartition(" ")[0]).agg(["sum", "size"]).to_string())
    else:
        print("told of:", ", ".join(verdicts.index[verdicts["is_told"]]))


if __name__ == "__main__":
    main()
