"""The tables of the study (docs/studies/errors.md), each made anew from figures and editions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from pipeline.catalogue import load_catalogue
from pipeline.estimation.error_process import LONGEST_DIFFERENCE, Floats, ProcessFit, fit_error_process
from pipeline.estimation.own_errors import gap_error
from pipeline.estimation.revisions import coverage_without_newest, cumulated_revisions
from pipeline.estimation.slopes import (
    fit_wandering,
    is_clear,
    slope_variance,
    slope_variance_of_process,
    slope_weights,
    wandering_slope_variance,
)
from pipeline.geography import load_register
from pipeline.publishers.deprivation.district_measures import FEWEST_SMALL_AREAS, england_2025
from pipeline.scoring.transform import MAD_TO_SD, relative_position
from tools.error_study.back_tests import back_tests, scatter_tests
from tools.error_study.simulations import (
    LEVEL,
    clear_without_drift,
    naive_clear_as_published,
    naive_slope_error,
    rank_coverage,
)
from tools.error_study.study_panels import Panel, shipped_panel
from tools.revisions.held_editions import SERIES, Editions, read_editions

SEED = 1
WINDOW = 10
PUBLISHED = ("pay_median_weekly", "employment_rate", "unemployment_rate_modelled")
GAP_DRAWS = 200
MEMORIES = (4, 5, 7, 10, 15, 99)  # years; the last is all of them
FITS = 0.5  # the R² from which a reading of the variances is taken for one
ONE_SIDED = 0.9  # the two-sided level at which one side has a probability of 0.95
INDEX_2025 = (
    "deprivation/imd2025_england_lsoa21.csv",
    "deprivation/File_6_IoD2025_Population_Denominators.xlsx",
    "geography/la_all_codes.csv",
)

Row = Sequence[str]


def markdown(heading: Row, rows: Iterator[Row] | Sequence[Row]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """The page with what stands between ``<!-- table: name -->`` and ``<!-- end -->`` replaced."""
    for name, table in tables.items():
        mark = re.compile(rf"(<!-- table: {name} -->\n)(?:(?!<!-- table: ).)*?(<!-- end -->)", re.DOTALL)
        page = mark.sub(lambda found, text=table: f"{found[1]}{text}\n{found[2]}", page)  # type: ignore[misc]
    return page


def process_tables() -> str:
    rows, lags = [], []
    for name in PUBLISHED:
        panel = shipped_panel(name)
        fit = fit_error_process(panel.position, panel.error)
        scale = 100 if name == "pay_median_weekly" else 1
        unit = "per cent" if scale == 100 else "points"
        rows.append(
            [
                name,
                f"{fit.process.new_share:.2f} ({fit.new_share_error:.2f})",
                f"{scale * fit.process.innovation_sd:.2f} ({scale * fit.innovation_sd_error:.2f}) {unit}",
                f"{fit.r_squared:.2f}",
                f"{_slope_reliability(panel, fit.process.new_share):.2f}",
                f"{robust_share(panel):.2f}",
            ]
        )
        square = scale**2
        lags += [
            [name, "seen", *(f"{square * v:.2f}" for v in fit.seen)],
            [name, "fitted", *(f"{square * v:.2f}" for v in fit.fitted)],
            [name, "correlation of errors", *(f"{v:.2f}" for v in fit.error_correlation)],
        ]
    heading = ["series", "new share (s.e.)", "signal a year (s.e.)", "R²", "reliability of ten-year slope"]
    first = markdown([*heading, "new share, robust"], rows)
    return first + "\n\n" + markdown(["series", "", *(f"{k}" for k in range(1, 9))], lags)


def _last_window(panel: Panel) -> tuple[Floats, Floats, Floats]:
    """Position and error over the last ten years of the districts with all of both, and the weights of their slopes."""
    position, error = panel.position[-WINDOW:], panel.error[-WINDOW:]
    held = ~np.isnan(position).any(axis=0) & ~np.isnan(error).any(axis=0)
    return position[:, held], error[:, held], slope_weights(np.ones((WINDOW, int(held.sum())), dtype=bool))


def _slope_reliability(panel: Panel, new_share: float) -> float:
    position, error, weights = _last_window(panel)
    slope = (weights * position).sum(axis=0)
    return float(1 - slope_variance_of_process(weights, error, new_share).mean() / slope.var())


def robust_share(panel: Panel) -> float:
    """The share that is new each year if variances are taken from median absolute deviations."""
    held = np.where(np.isnan(panel.error), np.nan, panel.position)
    years = np.arange(1, LONGEST_DIFFERENCE + 1)
    seen, twice = np.empty(len(years)), np.empty(len(years))
    for k in years:
        step = held[k:] - held[:-k]
        is_held = ~np.isnan(step)
        middle = np.median(step[is_held])
        seen[k - 1] = (MAD_TO_SD * np.median(np.abs(step[is_held] - middle))) ** 2
        twice[k - 1] = (panel.error[k:] ** 2 + panel.error[:-k] ** 2)[is_held].mean()
    return float(np.linalg.lstsq(np.column_stack([years, twice]) / seen[:, None], np.ones(len(years)))[0][1])


def fading_table() -> str:
    """The other reading of the same variances: the signal stands still, and the standing part of the error fades."""
    rows = []
    for name in PUBLISHED:
        panel = shipped_panel(name)
        fit = fit_error_process(panel.position, panel.error)
        share, memory, r_squared = fading_error(fit)
        if r_squared < FITS:
            rows.append([name, "-", "-", f"does not fit ({r_squared:.1f})", "-", "-"])
            continue
        position, error, weights = _last_window(panel)
        slope = (weights * position).sum(axis=0)
        apart = np.abs(np.subtract.outer(np.arange(WINDOW), np.arange(WINDOW)))
        correlation = (1 - share) * memory**apart + share * np.eye(WINDOW)
        variance = slope_variance(weights, error.T[:, :, None] * error.T[:, None, :] * correlation)
        walking = slope_variance_of_process(weights, error, fit.process.new_share)
        rows.append(
            [
                name,
                f"{share:.2f}",
                f"{memory:.2f}",
                f"{r_squared:.2f}",
                f"{1 - variance.mean() / slope.var():.2f}",
                f"{_clear(slope, np.sqrt(variance))} ({_clear(slope, np.sqrt(walking))}) of {len(slope)}",
            ]
        )
    heading = ["series", "new share", "kept each year", "R²", "reliability of ten-year slope", "clear (as walk)"]
    return markdown(heading, rows)


def fading_error(fit: ProcessFit) -> tuple[float, float, float]:
    """Share new each year, share of the rest kept from year to year, and R², if all of the signal's walk were error.

    ``V_k = 2 mean(sigma^2) (1 - (1 - pi) phi^k)``; for each phi the best pi is linear.
    """
    years = np.arange(1, len(fit.seen) + 1)
    weight = fit.pairs / fit.seen**2 * (2 * fit.error_variance) ** 2
    alike = 1 - fit.seen / (2 * fit.error_variance)
    best: tuple[float, float, float] = (1.0, 0.0, np.inf)
    for memory in np.arange(0.5, 1.0, 0.005):
        faded = memory**years
        kept = float(np.clip((weight * alike * faded).sum() / (weight * faded**2).sum(), 0, 1))
        misfit = float((weight * (alike - kept * faded) ** 2).sum())
        if misfit < best[2]:
            best = (1 - kept, float(memory), misfit)
    share, memory, _ = best
    fitted = 2 * fit.error_variance * (1 - (1 - share) * memory**years)
    r_squared = 1 - ((fit.seen - fitted) ** 2).sum() / ((fit.seen - fit.seen.mean()) ** 2).sum()
    return share, memory, float(r_squared)


def revision_tables(editions: Mapping[str, Editions]) -> str:
    rows, coverage = [], []
    for name, held in editions.items():
        for window in (None, 10, 5):
            what = "figure" if window is None else f"{window}-year slope"
            digits = 3 if window is None else 5
            each = [
                cumulated_revisions(held.values[[k, -1]], is_log=True, window=window).standard_error[0]
                for k in range(len(held.days) - 1)
            ]
            pooled = cumulated_revisions(held.values, is_log=True, window=window).standard_error
            rows.append(
                [name, what, *(f"{e:.{digits}f}" for e in each), *(f"{e:.{digits}f}" for e in pooled[[0, 1, 2, 4]])]
            )
            shares = coverage_without_newest(held.values, is_log=True, window=window)
            coverage.append(
                [
                    name,
                    what,
                    *(f"{100 * s:.0f}%" for s in shares[:, 0]),
                    *(f"{100 * s:.0f}%" for s in shares[-1, [2, 4, 6]]),
                ]
            )
    older = ["first to newest", "second to newest", "third to newest"]
    return (
        markdown(["series", "of", *older, "pooled, age 0", "1", "2", "4"], rows)
        + "\n\n"
        + markdown(["series", "of", "first", "second", "third", "third, age 2", "4", "6"], coverage)
    )


def smooth_table(editions: Mapping[str, Editions]) -> str:
    """How often ten-year slopes were revised beyond the 90% interval that their scatter gave them in an older edition."""
    rows = []
    for name, held in editions.items():
        cells = []
        for older in held.values[:-1]:
            last = int(np.flatnonzero((~np.isnan(older)).any(axis=1))[-1])
            window = slice(last - WINDOW + 1, last + 1)
            both = ~np.isnan(older[window]).any(axis=0) & ~np.isnan(held.values[-1][window]).any(axis=0)
            then, now = (
                relative_position(values[window][:, both], True, np.ones(int(both.sum()), dtype=bool))
                for values in (older, held.values[-1])
            )
            slope, error = naive_slope_error(then)
            revision = naive_slope_error(now)[0] - slope
            beyond = np.abs(revision) > stats.t.ppf((1 + LEVEL) / 2, WINDOW - 2) * error
            cells.append(f"{100 * beyond.mean():.0f}%")
        rows.append([name, *cells])
    return markdown(["series", "first", "second", "third"], rows)


def rank_table() -> str:
    rows = []
    for way, found in rank_coverage(SEED).items():
        shares = (found.everywhere, found.true_ends, found.printed_ends)
        sure = f"{100 * found.wrongly_sure:.1f}%", f"{found.called:.1f}"
        rows.append([way, *(f"{100 * s:.1f}%" for s in shares), f"{found.width:.0f}", *sure])
    heading = ["draws", "all", "true ends", "printed ends", "width", "clearly in the top fifth, and wrong", "called so"]
    return markdown(heading, rows)


def drift_table() -> str:
    clear = clear_without_drift(SEED)
    rows = [["scatter independent, today's rule (one side 0.95)", f"{100 * naive_clear_as_published(SEED):.0f}%"]]
    names = {
        "naive": "scatter independent, two-sided 95%",
        "Newey-West": "Newey and West, each area by itself, two-sided 95%",
        "pooled steps": "steps pooled over areas (`fit_wandering`), two-sided 95%",
    }
    rows += [[names[key], f"{100 * share:.1f}%"] for key, share in clear.items()]
    return markdown(["error of the slope", "smoothed walks without drift that read clear"], rows)


def clear_table(editions: Mapping[str, Editions]) -> str:
    rows = []
    for name in (*PUBLISHED, "gva_per_hour", "gdhi_per_head", "claimant_rate", "housing_affordability_ratio"):
        panel = shipped_panel(name)
        last = panel.position[-WINDOW:]
        held = ~np.isnan(last).any(axis=0)
        if name in PUBLISHED:
            held &= ~np.isnan(panel.error[-WINDOW:]).any(axis=0)
        weights = slope_weights(np.ones((WINDOW, int(held.sum())), dtype=bool))
        slope, naive = naive_slope_error(last[:, held])
        known = "-"
        if name in PUBLISHED:
            share = fit_error_process(panel.position, panel.error).process.new_share
            variance = slope_variance_of_process(weights, panel.error[-WINDOW:, held], share)
            known = _clear(slope, np.sqrt(variance))
        elif name in editions:
            spread = cumulated_revisions(editions[name].values, is_log=True, window=WINDOW).standard_error[0]
            known = _clear(slope, np.full(len(slope), spread))
        fit = fit_wandering(panel.position)
        of_all = slope_weights(np.ones(last.shape, dtype=bool))
        wander = np.sqrt(wandering_slope_variance(of_all, fit))[held]
        rows.append(
            [
                name,
                f"{held.sum()}",
                _clear(slope, naive, WINDOW - 2),
                known,
                _clear(slope, wander, fit.freedom),
            ]
        )
    return markdown(["series", "districts", "scatter independent", "known error", "more than a walk"], rows)


def _clear(slope: Floats, error: Floats, freedom: float = np.inf) -> str:
    return f"{int(is_clear(slope, error, freedom, ONE_SIDED).sum())}"


def candidate_table(shared: Path) -> str:
    """How often each candidate's interval, from the years before, holds the next figure."""
    rows = []
    for test in back_tests(shared):
        worst, best = int(np.argmin(test.coverage)), int(np.argmax(test.coverage))
        rows.append(
            [
                test.series,
                test.candidate,
                f"{test.years[0]} to {test.years[-1]}",
                f"{100 * test.coverage.mean():.0f}%",
                f"{100 * test.coverage[worst]:.0f}% ({test.years[worst]})",
                f"{100 * test.coverage[best]:.0f}% ({test.years[best]})",
                f"{test.error_last_year:.3f}",
            ]
        )
    return markdown(["series", "candidate", "years", "covered, mean", "worst", "best", "median error"], rows)


def memory_table(shared: Path) -> str:
    """Mean coverage of scatter about a local trend, by how many years before it is taken from."""
    tests = {memory: list(scatter_tests(shared, memory)) for memory in MEMORIES}
    rows = []
    for memory, found in tests.items():
        label = "all" if memory == MEMORIES[-1] else f"{memory}"
        rows.append([label, *(f"{100 * t.coverage.mean():.0f}% (worst {100 * t.coverage.min():.0f}%)" for t in found)])
    return markdown(["years", *(test.series for test in tests[MEMORIES[0]])], rows)


def gap_table(shared: Path) -> str:
    """The deprivation gap of England's districts, 2025: its own error beside its spread."""
    areas = england_2025(*((shared / name).read_bytes() for name in INDEX_2025)).table
    rng = np.random.default_rng(SEED)
    gaps, counted, resampled = [], [], []
    for _, group in areas.groupby("area_code"):
        if len(group) >= FEWEST_SMALL_AREAS:
            rates = group["income_rate"].to_numpy()
            gaps.append(np.subtract(*np.quantile(rates, (0.9, 0.1))))
            counted.append(gap_error(rng, rates, group["population"].to_numpy()))
            high, low = np.quantile(rng.choice(rates, (GAP_DRAWS, len(rates))), (0.9, 0.1), axis=1)
            resampled.append(float((high - low).std(ddof=1)))
    spread = float(np.std(gaps))
    rows = [
        [what, f"{np.median(errors):.2f}", f"{1 - np.mean(np.square(errors)) / spread**2:.3f}"]
        for what, errors in (("count of each small area", counted), ("small areas taken as a sample", resampled))
    ]
    return (
        markdown(["candidate", "median error, points", "reliability"], rows)
        + f"\n\nSpread (standard deviation) of the gap over {len(gaps)} districts: {spread:.1f} points."
    )


def study(shared: Path) -> dict[str, str]:
    """Every table by the heading it stands under in the written study. Raises EditionsError, or OSError for a file."""
    catalogue, register = load_catalogue(), load_register()
    editions = {
        SERIES[prefix][0]: read_editions(shared / "els-vintages", prefix, catalogue, register) for prefix in SERIES
    }
    return {
        "process": process_tables(),
        "fading": fading_table(),
        "revisions": revision_tables(editions),
        "smooth": smooth_table(editions),
        "draws": rank_table(),
        "drift": drift_table(),
        "directions": clear_table(editions),
        "candidates": candidate_table(shared),
        "memory": memory_table(shared),
        "gap": gap_table(shared),
    }
