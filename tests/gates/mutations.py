"""How many plausible mistakes the gates hold, and how many real editions: ``python -m tests.gates.mutations``.

Prints the two tables of docs/gates.md. Each mistake is tried on each scored series in two situations: the latest year was
held before (the right table is held, and the wrong one comes), and the latest year is new (held is all but it).
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.gates.plausibility import Breach, breaches
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
    "pov_2026-03-30": "The method changed: seven years went, and those left are lower for nearly every district.",
    "claimant_rate 2009": "The recession: the typical rate rose by three quarters within a year.",
    "claimant_rate 2018": "Universal Credit came at different times in different districts of one region.",
    "gdhi_per_head 2008": "Moray's figure rises by 27% in a year and stays there.",
    "pay_annual_p90 2025": "Four years after the year before it, for a dozen districts whose 90th percentile is published in both.",
    "unemployment_rate_modelled 2009": "The recession: the typical rate rose by a third within a year.",
}


@dataclass(frozen=True)
class Trial:
    """One mistake in one series, and whether the wrong table was held."""

    kind: str
    situation: str
    series: str
    is_held: bool
    by: str


def trials(names: Iterable[str], repeats: int, seed: int = 15) -> Iterator[Trial]:
    """Each mistake on each series, ``repeats`` times with other sizes and areas."""
    for name in names:
        table = shipped()[name]
        for mistake in (*mistakes.OF_ALL_YEARS, *mistakes.OF_THE_LATEST_YEAR, *mistakes.WITH_REGIONS):
            for repeat in range(repeats):
                draw = np.random.default_rng([seed, repeat, zlib.crc32(f"{name} {mistake.__name__}".encode())])
                extra = (facts().region,) if mistake in mistakes.WITH_REGIONS else ()
                wrong = mistake(table, draw, *extra)  # type: ignore[operator]
                if wrong is None or wrong.equals(table):
                    continue
                situations = {"held before": table, "new": table[table["year"] < table["year"].max()]}
                for situation, held in situations.items():
                    if len(held):
                        by = held_by(name, wrong, held, table)
                        yield Trial(mistake.__name__.replace("_", " "), situation, name, bool(by), by)


def held_by(name: str, wrong: pd.DataFrame, held: pd.DataFrame, right: pd.DataFrame) -> str:
    """By what a wrong table is kept out; '' where a wrong figure of it is published.

    A figure outside the indicator's bounds is set aside, by name, and is never published; where such a figure was held
    before, the whole answer is rejected (`pipeline.run.payload_checks`).
    """
    indicator_id = name.partition("--")[0]
    indicator = catalogue().indicators[indicator_id]
    is_inside = wrong["value"].between(indicator.bounds.min, indicator.bounds.max)
    inside = wrong[is_inside]
    key = ["area_code", "period"]
    if not is_inside.all() and len(wrong[~is_inside].merge(held[key], on=key)):
        return "a held figure is gone"
    if not is_inside.all() and len(inside.merge(right[[*key, "value"]], on=[*key, "value"])) == len(inside):
        return "set aside"
    latest = inside[inside["year"] == wrong["year"].max()]
    fewest = next(part for part in indicator.parts if part.id == (name.partition("--")[2] or "main")).districts.min
    if len(latest) < min(fewest, len(wrong[wrong["year"] == wrong["year"].max()]) * 0.9):
        return "too few districts"
    part = name.partition("--")[2] or None
    found = breaches(answer(indicator_id, inside, held, part=part), facts(), policy().answers(indicator_id))
    return found[0].gate_id if found else ""


def alarms(replays: Iterable[Replay], *, has_sisters: bool) -> Iterator[tuple[str, list[Breach]]]:
    """What the gates say of real editions and years, by label."""
    for replay in replays:
        asked = answer(replay.indicator_id, replay.new, replay.held, part=replay.part, has_sisters=has_sisters)
        yield replay.label, breaches(asked, facts(), policy().answers(replay.indicator_id))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=["mistakes", "real"])
    options = parser.parse_args()
    if options.only != "real":
        found = pd.DataFrame(trials(scored_series(), options.repeats))
        print(f"{len(found):,} wrong tables, {found['is_held'].mean():.1%} held\n")
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


if __name__ == "__main__":
    main()
