"""What a run does with what it has got: put it together, score, build, compare and publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline import publish, stopping
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, Framework, load_framework
from pipeline.compare import Stamp
from pipeline.run.assemble import Assembled, assemble
from pipeline.run.candidate import new_candidate, write_figures, write_scores, write_studies
from pipeline.run.context import THOROUGH_DRAWS, RunContext, code_fingerprint
from pipeline.run.freshness import asked_at
from pipeline.run.gate_check import refuse_what_gates_forbid
from pipeline.run.input_fingerprint import fingerprint
from pipeline.run.mart_inputs import Studies, area_rows
from pipeline.run.release import keep_release, kept_as, live_was_changed, number_release
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.row_counts import counts_of, with_what_it_holds
from pipeline.run.run_state import KnownPart, RunState, forget, sha256_of, write_run_state
from pipeline.run.runner import Runner
from pipeline.scoring import (
    IndicatorSpec,
    ScoreTables,
    indicator_specs,
    rank_set_table,
    score_framework,
    sensitivity_tables,
)
from pipeline.scoring.pieces import Simulate
from pipeline.scoring.simulate import simulate
from schemas import marts

# Draws behind the critical values of rank confidence sets; 250 settle them to about one in a hundred.
RANK_SET_DRAWS = 250


def rebuild(
    context: RunContext, results: Sequence[PartResult], timings: Timings, runs: Runner, *, force: bool = False
) -> Outcome:
    """Make and publish a new file of what a run has got, unless the live one already holds just that (or ``force``).

    Raises CandidateRefused and OSError as `pipeline.run.refresh.refresh`.
    """
    if not force and is_published(context, results):
        return still_published(context, results, timings)
    before = counts_of(context.settings.database)
    with timings.step("re-express on today's map"):
        assembled = runs.run(assemble, context, results)
    # Tables are written while the next are made: DuckDB leaves Python alone while it writes.
    with new_candidate(context) as candidate:
        figures = runs.start(write_figures, context, candidate, results, assembled, fingerprint(context, results))
        with timings.step("score"):
            scores = [runs.run(score, context, assembled, framework_id) for framework_id in DEFAULT_FRAMEWORKS]
        scored = runs.start(write_scores, candidate, scores)
        with timings.step("study the frameworks"):
            studies = runs.run(study, context, assembled)
        with timings.step("build the marts"):
            figures()
            scored()
            counts = runs.run(write_studies, candidate, studies)
        with timings.step("compare and publish"):
            release = runs.run(check_and_publish, context, candidate.path, results)
    with timings.step("keep the release"):
        problem = runs.run(keep_release, context)
    outcome = Outcome(True, tuple(results), counts, timings, release, problem, assembled.account, counts_before=before)
    return remember(context, outcome)


def is_published(context: RunContext, results: Sequence[PartResult]) -> bool:
    """Whether the live file already holds just these figures, made by just this code, and is as it was published."""
    live = context.settings.database
    return publish.live_fingerprint(live) == fingerprint(context, results) and not live_was_changed(
        context.run_state, live
    )


def still_published(context: RunContext, results: Sequence[PartResult], timings: Timings) -> Outcome:
    """What a run comes to that read everything and found the live file to hold it already."""
    problem, counts = keep_release(context), counts_of(context.settings.database)
    outcome = Outcome(False, tuple(results), {}, timings, keeping_problem=problem, counts_before=counts)
    return remember(context, outcome)


def remember(context: RunContext, outcome: Outcome) -> Outcome:
    """Note of what the file now live is made, so that the next run need not read it all to know; count its rows.

    A note that cannot be written costs the next run that time, and is said.
    """
    live = context.settings.database
    counted = with_what_it_holds(outcome, live)
    if not outcome.is_new:
        counted = replace(counted, findings=())  # they were told of when it was published
    if outcome.keeping_problem is not None:
        return counted  # without a note the next run does all its work, and keeps the release that could not be kept
    state = RunState(
        code=code_fingerprint(),
        inputs=fingerprint(context, outcome.results),
        database_sha256=sha256_of(live) or "",
        parts=tuple(KnownPart(r.indicator_id, r.part_id, r.tier, r.source_id, r.account) for r in outcome.results),
        counts=counted.counts,
        account=outcome.account,
        set_aside=counted.set_aside,
        kept=kept_as(context),
        looked_at=asked_at(context, outcome.results),
        digests=context.raw.digests,
    )
    try:
        write_run_state(context.settings.marts_dir, state)
    except OSError as error:
        problem = f"of what the file is made could not be noted, so the next run reads everything: {error}"
        return replace(counted, keeping_problem=problem)
    return counted


def score(
    context: RunContext, assembled: Assembled, framework_id: str, simulate_runs: Simulate = simulate
) -> ScoreTables:
    """Score one of the catalogue's frameworks on the assembled figures; ``simulate_runs`` draws, here or elsewhere."""
    framework, figures, areas, specs = _scoring_inputs(context, assembled, framework_id)
    return score_framework(
        framework,
        figures,
        areas,
        specs,
        first_year=context.settings.first_scored_year,
        draws=context.draws,
        simulate_runs=simulate_runs,
    )


def study(context: RunContext, assembled: Assembled) -> Studies:
    """How surely indicators rank places; in a thorough run also what the choices of each framework do to its ranks."""
    inputs = [_scoring_inputs(context, assembled, framework_id) for framework_id in DEFAULT_FRAMEWORKS]
    _, figures, areas, specs = inputs[0]
    draws = THOROUGH_DRAWS if context.is_thorough else RANK_SET_DRAWS
    rank_set = rank_set_table([framework for framework, *_ in inputs], figures, areas, specs, draws=draws)
    if not context.is_thorough:
        return Studies(rank_set)
    effects = [sensitivity_tables(*given, first_year=context.settings.first_scored_year) for given in inputs]
    return Studies(
        rank_set,
        sensitivity=pd.concat([found.effect for found in effects], ignore_index=True),
        sensitivity_variant=pd.concat([found.variant for found in effects], ignore_index=True),
    )


def _scoring_inputs(
    context: RunContext, assembled: Assembled, framework_id: str
) -> tuple[Framework, pd.DataFrame, pd.DataFrame, dict[str, IndicatorSpec]]:
    known = context.catalogue.indicators
    areas = area_rows(context)[["area_code", "level", "nation_code", "is_scored"]]
    framework = load_framework(framework_id, known_indicators=known)
    return framework, assembled.yearly, areas, indicator_specs(known)


def check_and_publish(context: RunContext, candidate: Path, results: Sequence[PartResult]) -> Stamp:
    """Compare the new file with the live one, check it, and put it in its place; return which release it is.

    Where a check fails, the live file stays. Raises CandidateRefused.
    """
    live = context.settings.database
    try:
        publish.refuse_lost_indicators(
            live,
            missing_parts=[
                f"{r.indicator_id} ({r.part_id})" for r in results if r.tier == "none" and not r.is_optional
            ],
        )
        refuse_what_gates_forbid(context, candidate)
        return publish_candidate(context, candidate)
    finally:
        publish.discard(candidate)


def publish_candidate(context: RunContext, candidate: Path) -> Stamp:
    """Number a file that its gates let pass, check it, and put it in the place of the live one.

    Raises CandidateRefused where a check fails; the live file stays.
    """
    live = context.settings.database
    release = number_release(context, candidate)
    publish.check_candidate(candidate, context.tables, marts)
    keep_release(context)  # the one about to go, should a run that published it have died before it was kept
    with stopping.uninterrupted():
        # A run that dies now, or finds the disk full, must not leave a note of the old file that makes the new one look damaged.
        forget(live.parent)
        publish.swap(candidate, live)
        publish.refused_path(live).unlink(missing_ok=True)  # what was refused before is overtaken
    return release
