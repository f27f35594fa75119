"""What a run does with the figures it has: put them together, model, score, build, compare and publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from pipeline import publish, stopping
from pipeline.catalogue import Indicator
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, load_framework
from pipeline.compare import Stamp
from pipeline.geography import Register
from pipeline.run.assemble import assemble
from pipeline.run.candidate import new_candidate
from pipeline.run.code_digest import code_fingerprint
from pipeline.run.context import Run
from pipeline.run.estimate import estimate
from pipeline.run.freshness import asked_at
from pipeline.run.gate_check import refuse_what_gates_forbid
from pipeline.run.input_fingerprint import fingerprint
from pipeline.run.inputs import Inputs
from pipeline.run.mart_inputs import Making, Studies, area_rows
from pipeline.run.options import THOROUGH_DRAWS, ScoreOptions
from pipeline.run.release import keep_release, kept_as, live_was_changed, number_release, rescorer
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.row_counts import counts_of, with_what_it_holds
from pipeline.run.run_state import KnownPart, RunState, forget, sha256_of, write_run_state
from pipeline.run.runner import Runner
from pipeline.run.stores import Stores
from pipeline.run.write_tables import write_estimates, write_figures, write_scores, write_studies
from pipeline.scoring import (
    ScoreTables,
    error_tables,
    indicator_specs,
    pass_through_table,
    rank_set_table,
    score_framework,
    sensitivity_tables,
)
from pipeline.scoring.pieces import Simulate
from pipeline.scoring.simulate import simulate
from pipeline.settings import Settings
from schemas import marts

# Draws behind the critical values of rank confidence sets; 250 settle them to about one in a hundred.
RANK_SET_DRAWS = 250


def rebuild(run: Run, results: Sequence[PartResult], timings: Timings, runs: Runner, *, force: bool = False) -> Outcome:
    """Make and publish a new file of a run's results, unless the live one already holds just these (or ``force``).

    Raises CandidateRefused and OSError as `pipeline.run.refresh.refresh`.
    """
    inputs, stores, live = run.inputs, run.stores, run.settings.database
    making = Making(run.started_at, run.scoring, fingerprint(inputs.catalogue, stores, run.scoring, results))

    def remembered(outcome: Outcome) -> Outcome:
        before = stores.run_state.looked_at if stores.run_state else {}
        looked_at = asked_at(inputs.parts, outcome.results, run.started_at, before)
        return remember(stores, outcome, making.fingerprint, looked_at)

    if not force and is_published(live, making.fingerprint, stores.run_state):
        return remembered(still_published(run.settings, results, timings))
    counted = counts_of(live)
    with timings.step("re-express on today's map"):
        assembled = runs.run(assemble, inputs, stores, results)
    # Tables are written while the next are made: DuckDB leaves Python alone while it writes.
    with new_candidate(live, inputs.tables) as candidate:
        figures = runs.start(write_figures, candidate, inputs, stores.baseline, results, assembled, making)
        with timings.step("estimate"):
            estimates = runs.run(
                estimate,
                inputs.catalogue.models,
                inputs.catalogue.indicators,
                inputs.register,
                assembled.observations,
            )
        estimated = runs.start(write_estimates, candidate, estimates)
        with timings.step("score"):
            known = inputs.catalogue.indicators, inputs.register, assembled.yearly, run.scoring
            scores = [runs.run(score, framework_id, *known) for framework_id in DEFAULT_FRAMEWORKS]
        scored = runs.start(write_scores, candidate, scores)
        with timings.step("study the frameworks"):
            studies = runs.run(study, *known)
        with timings.step("build the marts"):
            figures()
            estimated()
            scored()
            counts = runs.run(write_studies, candidate, studies)
        with timings.step("compare and publish"):
            release = runs.run(check_and_publish, inputs, stores, candidate.path, results, run.started_at.date())
    with timings.step("keep the release"):
        problem = runs.run(keep_release, run.settings)
    return remembered(
        Outcome(True, tuple(results), counts, timings, release, problem, assembled.account, counts_before=counted)
    )


def is_published(live: Path, digest: str, state: RunState | None) -> bool:
    """Whether the live file already holds the figures of this fingerprint, and is as the last run left it."""
    return publish.live_fingerprint(live) == digest and not live_was_changed(state, live)


def still_published(settings: Settings, results: Sequence[PartResult], timings: Timings) -> Outcome:
    """The outcome of a run that read everything and found that the live file already holds it."""
    problem, counts = keep_release(settings), counts_of(settings.database)
    return Outcome(False, tuple(results), {}, timings, keeping_problem=problem, counts_before=counts)


def remember(stores: Stores, outcome: Outcome, digest: str, looked_at: Mapping[str, Mapping[str, datetime]]) -> Outcome:
    """Note what the file now live is made of, so that the next run need not read it all to know; count its rows.

    ``digest`` is the fingerprint of the run's inputs; ``looked_at`` is when each table was last asked about. A note that
    cannot be written costs the next run that time, and is reported.
    """
    settings = stores.settings
    live = settings.database
    counted = with_what_it_holds(outcome, live)
    if not outcome.is_new:
        counted = replace(counted, findings=())  # they were reported when it was published
    if outcome.keeping_problem is not None:
        return counted  # without a note the next run does all its work, and keeps the release that could not be kept
    state = RunState(
        code=code_fingerprint(),
        inputs=digest,
        database_sha256=sha256_of(live) or "",
        parts=tuple(KnownPart(r.indicator_id, r.part_id, r.tier, r.source_id, r.account) for r in outcome.results),
        counts=counted.counts,
        account=outcome.account,
        set_aside=counted.set_aside,
        kept=kept_as(settings),
        looked_at=looked_at,
        digests=stores.raw.digests,
    )
    try:
        write_run_state(settings.marts_dir, state)
    except OSError as error:
        problem = f"of what the file is made could not be noted, so the next run reads everything: {error}"
        return replace(counted, keeping_problem=problem)
    return counted


def score(
    framework_id: str,
    indicators: Mapping[str, Indicator],
    register: Register,
    yearly: pd.DataFrame,
    scoring: ScoreOptions,
    simulate_runs: Simulate = simulate,
) -> ScoreTables:
    """Score one of the catalogue's frameworks on yearly figures; ``simulate_runs`` draws, here or elsewhere."""
    return score_framework(
        load_framework(framework_id, known_indicators=indicators),
        yearly,
        _scored_areas(register),
        indicator_specs(indicators),
        first_year=scoring.first_year,
        draws=scoring.draws,
        simulate_runs=simulate_runs,
    )


def study(
    indicators: Mapping[str, Indicator], register: Register, yearly: pd.DataFrame, scoring: ScoreOptions
) -> Studies:
    """How surely indicators rank places, and pay and income beside output; when thorough, what choices do to ranks."""
    frameworks = [load_framework(framework_id, known_indicators=indicators) for framework_id in DEFAULT_FRAMEWORKS]
    areas, specs = _scored_areas(register), indicator_specs(indicators)
    draws = THOROUGH_DRAWS if scoring.is_thorough else RANK_SET_DRAWS
    rank_set = rank_set_table(frameworks, yearly, areas, specs, draws=draws)
    pass_through = pass_through_table(frameworks[0], yearly, areas, specs)
    errors = error_tables(yearly, areas, specs)
    if not scoring.is_thorough:
        return Studies(rank_set, pass_through, errors.process, errors.direction)
    effects = [
        sensitivity_tables(framework, yearly, areas, specs, first_year=scoring.first_year) for framework in frameworks
    ]
    return Studies(
        rank_set,
        pass_through,
        errors.process,
        errors.direction,
        sensitivity=pd.concat([found.effect for found in effects], ignore_index=True),
        sensitivity_variant=pd.concat([found.variant for found in effects], ignore_index=True),
    )


def _scored_areas(register: Register) -> pd.DataFrame:
    areas = area_rows(register)[["area_code", "level", "nation_code", "is_scored"]]
    residents = register.areas.set_index("area_code")["population_2020"]
    return areas.assign(population=areas["area_code"].map(residents))


def check_and_publish(
    inputs: Inputs, stores: Stores, candidate: Path, results: Sequence[PartResult], today: date
) -> Stamp:
    """Compare the new file with the live one, check it, and put it in its place; return which release it is.

    Where a check fails, the live file stays. Raises CandidateRefused.
    """
    try:
        publish.refuse_lost_indicators(
            stores.settings.database,
            missing_parts=[
                f"{r.indicator_id} ({r.part_id})" for r in results if r.tier == "none" and not r.is_optional
            ],
        )
        refuse_what_gates_forbid(inputs.calendar, stores, today, candidate)
        return publish_candidate(inputs, stores, candidate)
    finally:
        publish.discard(candidate)


def publish_candidate(inputs: Inputs, stores: Stores, candidate: Path) -> Stamp:
    """Number a file that has passed its gates, check it, and replace the live one with it.

    Raises CandidateRefused where a check fails; the live file stays.
    """
    live = stores.settings.database
    release = number_release(stores, rescorer(inputs, stores.settings.first_scored_year), candidate)
    publish.check_candidate(candidate, inputs.tables, marts)
    keep_release(stores.settings)  # the one about to be replaced, in case its run died before keeping it
    with stopping.uninterrupted():
        # A run that dies now, or finds the disk full, must not leave a note of the old file that makes the new one look damaged.
        forget(live.parent)
        publish.swap(candidate, live)
        publish.refused_path(live).unlink(missing_ok=True)  # what was refused before is overtaken
    return release
