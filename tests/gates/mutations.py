"""How many plausible mistakes the gates hold, and how many real editions: ``python -m tests.gates.mutations``.

Prints the tables of docs/gates.md. Each mistake is tried on each scored series in two situations: the latest year was
held before (the right table is held, and the wrong one comes), and the latest year is new (held is all but it).
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.gates.plausibility import Breach, breaches, measured_of
from tests.gates import mistakes
from tests.gates.editions import Replay, answer, catalogue, edition_steps, facts, new_years, policy, shipped

# The scored indicators of both frameworks with figures shipped; of those computed from two others, the two.
SCORED = (
    "gva_per_hour",
    "gva_per_job",
    "gdhi_per_head",
    "pay_median_weekly",
    "pay_annual_p20",
    "pay_annual_median",
    "pay_annual_p25",
    "pay_annual_p75",
    "employment_rate",
    "economic_inactivity_rate",
    "unemployment_rate_modelled",
    "claimant_rate",
    "child_poverty_bhc",
    "housing_affordability_ratio",
    "level3_qualifications_rate",
    "no_qualifications_rate",
    "income_deprivation_gap",
    "income_deprivation_concentration",
)
# True breaks in the series, where a person is to look: held, and rightly.
EXPLAINED = {
    "gdhi_2024-01-26": "2021 is on a new basis and the years before are not: Camden rises by 42%; later editions raise its past by a fifth.",
    "gva_2024-07-15": "The whole series came rounded to one decimal, and no edition before or after it did.",
    "claimant_rate 2009": "The recession: the typical rate rose by three quarters within a year, before any other series of the year was out.",
}


@dataclass(frozen=True)
class Trial:
    """One mistake in one series, and whether the wrong table was held.

    ``size`` is of exchanges in the latest year only: the least that one of the areas moved by it, in multiples of that
    area's usual move from year to year.
    """

    kind: str
    situation: str
    series: str
    is_held: bool
    by: str
    size: float = float("nan")


SEED_OF_LIMITS, SEED_OF_REPORT = 15, 2026  # the limits were set on the draws of one, docs/gates.md reports the other


ALL = (*mistakes.OF_ALL_YEARS, *mistakes.OF_THE_LATEST_YEAR, *mistakes.WITH_REGIONS)


def trials(
    names: Iterable[str], repeats: int, seed: int = SEED_OF_REPORT, kinds: Sequence[Callable[..., Any]] = ALL
) -> Iterator[Trial]:
    """Each mistake on each series, ``repeats`` times with other sizes and areas."""
    for name in names:
        table = shipped()[name]
        for mistake in kinds:
            for repeat in range(repeats):
                draw = np.random.default_rng([seed, repeat, zlib.crc32(f"{name} {mistake.__name__}".encode())])
                extra = (facts().region,) if mistake in mistakes.WITH_REGIONS else ()
                wrong = mistake(table, draw, *extra)
                if wrong is None or wrong.equals(table):
                    continue
                size = least_move(name, wrong, table) if mistake in mistakes.EXCHANGES else float("nan")
                situations = {"held before": table, "new": table[table["year"] < table["year"].max()]}
                for situation, held in situations.items():
                    if len(held):
                        by = held_by(name, wrong, held, table)
                        yield Trial(mistake.__name__.replace("_", " "), situation, name, bool(by), by, size)


def least_move(name: str, wrong: pd.DataFrame, right: pd.DataFrame) -> float:
    """The least that a district's latest figure is moved by an exchange, in multiples of its usual move.

    Its usual move is the root mean square of its moves from year to year about the median district's, in the years before
    the latest; of fewer than three moves, of all districts' together; without any, the standard error of a difference of
    two years by the published intervals, or a quarter of the spread of districts.
    """
    is_log = catalogue().indicators[name.partition("--")[0]].transform == "log_ratio"
    scale = np.log if is_log else np.sqrt
    districts = right[right["area_code"].isin(facts().districts)]
    figures = scale(districts.pivot(index="area_code", columns="year", values="value").clip(lower=1e-9))
    moves = figures.diff(axis=1).iloc[:, 1:-1]
    moves = moves - moves.median()
    usual = np.sqrt((moves**2).mean(axis=1)).where(moves.count(axis=1) >= 3, np.sqrt((moves**2).stack().mean()))
    if not moves.size:
        bounds = [scale(districts.set_index("area_code")[bound].clip(lower=1e-9)) for bound in ("lower", "upper")]
        error = ((bounds[1] - bounds[0]) / 3.92 * np.sqrt(2)).groupby("area_code").mean()
        usual = error.fillna(error.median() if error.notna().any() else figures.iloc[:, -1].std() / 4)
    latest = right["year"].max()
    came, was = (t[t["year"] == latest].set_index("area_code")["value"] for t in (wrong, right))
    changed = came.index[(came - was.reindex(came.index)).abs() > 0]
    sizes = (scale(came[changed]) - scale(was[changed])).abs() / usual.reindex(changed)
    return float(sizes.min())


def held_by(name: str, wrong: pd.DataFrame, held: pd.DataFrame, right: pd.DataFrame) -> str:
    """By what a wrong table is kept out; '' where a wrong figure of it is published.

    A figure outside the indicator's bounds is set aside, by name, and is never published; where such a figure was held
    before, the whole answer is rejected (`pipeline.run.payload_checks`).
    """
    indicator_id, part = name.partition("--")[0], name.partition("--")[2] or "main"
    indicator = catalogue().indicators[indicator_id]
    is_inside = wrong["value"].between(indicator.bounds.min, indicator.bounds.max)
    inside = wrong[is_inside]
    key = ["area_code", "period"]
    if not is_inside.all() and len(wrong[~is_inside].merge(held[key], on=key)):
        return "a held figure is gone"
    if not is_inside.all() and len(inside.merge(right[[*key, "value"]], on=[*key, "value"])) == len(inside):
        return "set aside"
    latest = inside[inside["year"] == wrong["year"].max()]
    fewest = next(of for of in indicator.parts if of.id == part).districts.min
    if len(latest) < min(fewest, len(wrong[wrong["year"] == wrong["year"].max()]) * 0.9):
        return "too few districts"
    found = breaches(answer(indicator_id, inside, held, part), facts(), policy().answers(indicator_id))
    return found[0].gate_id if found else ""


def alarms(replays: Iterable[Replay], *, has_sisters: bool) -> Iterator[tuple[str, list[Breach]]]:
    """What the gates say of real editions and years, by label."""
    for replay in replays:
        asked = answer(replay.indicator_id, replay.new, replay.held, replay.part, has_sisters=has_sisters)
        yield replay.label, breaches(asked, facts(), policy().answers(replay.indicator_id))


def left_out() -> dict[str, list[str]]:
    """The new years held, by label with gates, where a series has no say in the limits it is tried on.

    Each general limit of a new period keeps its distance to the largest measure of all series, and that is taken from the
    other series only. Limits of an indicator's own stay.
    """
    general = policy().defaults.answers.limits
    seen: dict[tuple[str, str], dict[str, float]] = {}
    for replay in new_years():
        if replay.label not in EXPLAINED:
            seen[replay.label, replay.label.rpartition(" ")[0]] = _general_measures(replay, general)
    gates = {gate for found in seen.values() for gate in found}
    held: dict[str, list[str]] = {}
    for gate in gates:
        largest = max(found.get(gate, 0.0) for found in seen.values())
        for (label, series), found in seen.items():
            others = max(
                (rest.get(gate, 0.0) for (_, other), rest in seen.items() if other != series),
                default=0.0,
            )
            if found.get(gate, 0.0) > max(1.0, general[gate] * others / max(largest, 1e-9)):
                held.setdefault(label, []).append(gate)
    return held


def _general_measures(replay: Replay, general: dict[str, float]) -> dict[str, float]:
    """The largest measure of each gate of new periods for which an indicator has no limit of its own."""
    limits = policy().answers(replay.indicator_id)
    asked = answer(replay.indicator_id, replay.new, replay.held, replay.part)
    released, measured = measured_of(asked, replay.new, replay.held, facts(), limits.usual_share)
    found: dict[str, float] = {}
    for measure in measured:
        gate = measure.gate_id
        if "new_" in gate and gate in general and limits.allowed(gate, released) == general[gate]:
            found[gate] = max(found.get(gate, 0.0), measure.measured)
    return found


def scored_series() -> list[str]:
    """The shipped files of scored indicators with at least two dozen districts (a smaller one has no pattern to hold)."""
    return [name for name in shipped() if name.partition("--")[0] in SCORED]


def _share_table(found: pd.DataFrame, by: str) -> str:
    table = found.pivot_table(index=by, columns="situation", values="is_held", aggfunc=["mean", "count"])
    lines = [f"| {by} | latest year held before | latest year new |", "|---|---:|---:|"]
    for label, row in table.iterrows():
        cells = []
        for situation in ("held before", "new"):
            count = row.get(("count", situation), np.nan)
            cells.append("–" if not count > 0 else f"{row['mean', situation]:.0%} of {count:.0f}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


SIZES = {"any": 0.0, "above the usual move": 1.0, "above twice the usual move": 2.0}


def _exchange_table(found: pd.DataFrame, by: str) -> str:
    """Exchanges in a new year by the least that one of the areas is moved, in multiples of its usual yearly move."""
    lines = [f"| {' | '.join([by, *SIZES])} |", "|---|" + "---:|" * len(SIZES)]
    for label, rows in found[(found["situation"] == "new") & found["size"].notna()].groupby(by):
        shares = [rows.loc[rows["size"] > least, "is_held"] for least in SIZES.values()]
        cells = [f"{held.mean():.0%} of {len(held)}" if len(held) else "–" for held in shares]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=SEED_OF_REPORT)
    parser.add_argument("--only", choices=["mistakes", "real", "exchanges"])
    options = parser.parse_args()
    if options.only == "exchanges":
        found = pd.DataFrame(trials(scored_series(), options.repeats, options.seed, mistakes.EXCHANGES))
        print(_exchange_table(found, "kind"), "\n")
        print(_exchange_table(found, "series"))
        return
    if options.only != "real":
        found = pd.DataFrame(trials(scored_series(), options.repeats, options.seed))
        is_within = found["size"] <= SIZES["above twice the usual move"]
        print(f"{len(found):,} wrong tables, {found['is_held'].mean():.1%} held")
        print(
            f"{(~is_within).sum():,} without exchanges within twice the usual move, {found[~is_within]['is_held'].mean():.1%}"
        )
        for situation, rows in found.groupby("situation"):
            print(f"latest year {situation}: {rows['is_held'].mean():.1%} of {len(rows):,}")
        print()
        print(_exchange_table(found, "kind"), "\n")
        print(_share_table(found, "kind"), "\n")
        print(_share_table(found, "series"), "\n")
        missed = found[~found["is_held"]].groupby(["kind", "situation", "series"]).size()
        print("Published:\n", missed.to_string() if len(missed) else "none", "\n")
    if options.only != "mistakes":
        real = [*alarms(edition_steps(), has_sisters=False), *alarms(new_years(), has_sisters=True)]
        held = [(label, found) for label, found in real if found]
        print(f"{len(real)} real editions and new years, {len(held)} held:")
        for label, breached in held:
            print(f"* {label}: {', '.join(f'{b.gate_id} {b.measured:.1f} > {b.allowed:g}' for b in breached[:6])}")
            print(f"  {EXPLAINED.get(label, 'not explained')}")
        without = left_out()
        print(f"{len(without)} new years held where a series has no say in its limits:")
        for label, gates in sorted(without.items()):
            print(f"* {label}: {', '.join(sorted(gates))}")


if __name__ == "__main__":
    main()
