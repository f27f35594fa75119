"""`python -m pipeline sensitivity`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb, write_csv

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.catalogue.frameworks import Framework
    from pipeline.scoring import SensitivityTables

ABOUT = """Show how much a framework's ranking depends on choices.

Its normalisation, weights, means, missing rule, errors and window are varied, alone and together, on the published
figures.

FRAMEWORK is the id of a shipped framework (shared_growth, jrf_monitor) or the path of your own file with a base_year.

  python -m pipeline sensitivity jrf_monitor
  python -m pipeline sensitivity my_framework.yaml --out choices.csv
"""
MOST_VARIANTS = 8


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "sensitivity", "show how much a framework's ranking depends on choices", ABOUT, run)
    parser.add_argument("framework", help="id of a shipped framework, or a framework file (YAML)")
    parser.add_argument(
        "--samples", type=int, default=64, metavar="N", help="number of sampled combinations, a power of 2 (default 64)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="CSV file to write, with every choice made alone and proof of its effect",
    )


def run(arguments: argparse.Namespace) -> int:

    if arguments.samples < 2 or arguments.samples & (arguments.samples - 1):
        raise VerbError(f"--samples must be a power of 2, such as 64 (given: {arguments.samples})")
    framework, tables = _studied(arguments.framework, arguments.samples)
    if arguments.out is not None:
        write_csv(tables.variant, arguments.out)
    print("\n".join(_lines(framework, tables)))
    return EXIT_OK


def _studied(name: str, samples: int) -> tuple[Framework, SensitivityTables]:
    from pipeline.scoring import sensitivity_tables
    from pipeline.verbs.published_figures import framework_and_figures

    framework, figures, areas, specs = framework_and_figures(name)
    return framework, sensitivity_tables(framework, figures, areas, specs, samples=samples)


def _lines(framework: Framework, tables: SensitivityTables) -> list[str]:
    """What was found, for a terminal: total effects first, then the choices that move ranks most."""
    lines = [framework.title or framework.id]
    for flavour, effects in tables.effect.groupby("flavour", sort=False):
        shift = effects["mean_rank_shift"].iloc[0]
        year = effects["year"].iloc[0]
        lines += ["", f"{flavour}, {year}: other choices shift a district by {shift:.1f} ranks on average"]
        lines.append("  share of that due to the choice of (total effect, give or take)")
        for row in effects.sort_values("total_effect", ascending=False).itertuples():
            lines.append(f"    {row.factor:<16}{row.total_effect:>5.2f}  {row.total_effect_half_width:.2f}")
        lines += ["  the choices that shift ranks most, made alone", *_most(tables.variant, str(flavour))]
    return lines


def _most(variants: pd.DataFrame, flavour: str) -> list[str]:
    mine = variants[(variants["flavour"] == flavour) & variants["mean_rank_shift"].notna()]
    largest = mine.sort_values("mean_rank_shift", ascending=False).head(MOST_VARIANTS)
    return [
        f"    {row.mean_rank_shift:>5.1f} on average, {row.largest_rank_shift:>3.0f} at most: {row.factor} {row.option}"
        for row in largest.itertuples()
    ]
