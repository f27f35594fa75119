"""`python -m pipeline estimate`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_OK
from pipeline.verbs.common import Verbs, add_verb, read_csv, write_csv

if TYPE_CHECKING:
    from pipeline.estimation import Estimates

ABOUT = """Make survey figures of areas steadier with a small-area model: each area borrows strength from covariates,
and from its own other years.

DIRECT is a CSV with the columns area_code, estimate and standard_error, and a column for each covariate; with --time
also a column of years. A row without an estimate gets the model's figure. The result has a row for every row given:
area_code, the year, estimate_modelled, mse (mean squared error), weight_direct (weight on the row's own
estimate) and, with several years, change and change_mse on the row of the last year: the modelled figure of the last year in
the file less that of the first.

One year: the model of Fay and Herriot (1979). Several years: that of Rao and Yu (1994), as R's package sae2 fits it.
docs/methodology.md has the formulae.

  python -m pipeline estimate --direct direct.csv --covariates claimant_rate --out modelled.csv
  python -m pipeline estimate --direct direct.csv --covariates claimant_rate,income --time year \\
      --error-correlation 0.5 --method reml --out modelled.csv
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "estimate", "model survey figures of small areas (Fay-Herriot, Rao-Yu)", ABOUT, run)
    parser.add_argument("--direct", type=Path, required=True, metavar="FILE", help="CSV of direct estimates")
    parser.add_argument("--covariates", default="", metavar="A,B", help="columns that say something of every area")
    parser.add_argument("--no-intercept", action="store_true", help="fit without an intercept")
    parser.add_argument("--time", metavar="COLUMN", help="column of years, for several years at once")
    parser.add_argument(
        "--error-correlation",
        type=float,
        default=0.0,
        metavar="R",
        help="correlation of an area's survey errors one year apart, R squared two years apart and so on (default 0)",
    )
    parser.add_argument(
        "--method", choices=("reml", "ml"), default="reml", help="how variances are fitted (default reml)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV to write")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.estimation import estimate_table

    covariates = [name.strip() for name in arguments.covariates.split(",") if name.strip()]
    numbers = dict.fromkeys(("estimate", "standard_error", *covariates))
    direct = read_csv(arguments.direct, numbers=tuple(numbers))
    estimates = estimate_table(
        direct,
        covariates,
        intercept=not arguments.no_intercept,
        time=arguments.time,
        error_correlation=arguments.error_correlation,
        method=arguments.method,
    )
    write_csv(estimates.table, arguments.out)
    print("\n".join(report(estimates)))
    print(f"{len(estimates.table):,} rows written to {arguments.out}")
    return EXIT_OK


def report(estimates: Estimates) -> list[str]:
    """What was fitted, as lines for a person: variances, coefficients, how much weight the survey keeps."""
    has_years = estimates.innovation_variance is not None
    model = "Rao-Yu" if has_years else "Fay-Herriot"
    span = f" in {len(estimates.years)} years, {estimates.years[0]} to {estimates.years[-1]}" if has_years else ""
    size = f"{estimates.direct:,} direct estimates, {estimates.areas:,} areas{span}"
    lines = [f"{model} model, {estimates.method.upper()}: {size}", ""]
    lines += _numbers({"area variance": estimates.area_variance})
    if estimates.innovation_variance is not None:
        lines += _numbers({"innovation variance": estimates.innovation_variance, "rho": estimates.rho})
    width = max(len(name) for name in (*estimates.names, "coefficient"))
    lines += ["", f"  {'coefficient':{width}}  {'value':>16}  {'standard error':>16}"]
    for name, value, error in zip(estimates.names, estimates.coefficients, estimates.coefficient_errors, strict=True):
        lines.append(f"  {name:{width}}  {value:>16.10g}  {error:>16.10g}")
    weight = estimates.table["weight_direct"].mean()
    lines += ["", f"Mean weight on the row's own direct estimate: {weight:.2f}."]
    if has_years:
        lines.append(f"Mean weight on the area's direct estimates of all years: {estimates.weight_all_years:.2f}.")
    wider = "smaller" if estimates.narrowing >= 0 else "larger"
    lines.append(f"Modelled standard errors are {abs(estimates.narrowing):.0%} {wider} than direct ones (median).")
    lines += [_edge_sentence(edge, has_years=has_years) for edge in estimates.edges]
    if estimates.without_change:
        ends = f"{estimates.years[0]} or {estimates.years[-1]}"
        lines.append(f"Areas without a row for {ends}, and so without a change: {estimates.without_change:,}.")
    return lines


def _numbers(values: dict[str, float | None]) -> list[str]:
    return [f"  {name:19}  {'none' if value is None else format(value, '.10g')}" for name, value in values.items()]


def _edge_sentence(edge: str, *, has_years: bool) -> str:
    if edge == "innovation variance":
        return "The innovation variance is at its edge, 0: the data show no effects that fade, so there is no rho."
    if edge == "rho":
        return "Rho is at an edge of its range, 0 to 0.98: the data do not settle it."
    if has_years:
        return "The area variance is at its edge, next to 0: the data show no area effects that last."
    return (
        "The area variance is at its edge, 0: the data show no area effects, so every figure is the covariates' alone."
    )
