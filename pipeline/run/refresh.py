"""A whole refresh, step by step. The Prefect flow calls the same steps as tasks."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline import publish
from pipeline.catalogue import Indicator, Part
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, Framework, load_framework
from pipeline.compare import Stamp
from pipeline.marts.build import build
from pipeline.run.acquire import PartResult, acquire_part
from pipeline.run.assemble import Assembled, assemble, scoring_input
from pipeline.run.context import THOROUGH_DRAWS, RunContext, code_fingerprint
from pipeline.run.gate_check import refuse_what_gates_forbid
from pipeline.run.inputs import Made, Studies, area_rows, mart_inputs
from pipeline.run.release import keep_release, number_release
from pipeline.run.revisions import earlier_editions
from pipeline.scoring import (
    IndicatorSpec,
    ScoreTables,
    rank_set_table,
    score_framework,
    sensitivity_tables,
)
from pipeline.scoring.pieces import Simulate
from pipeline.scoring.simulate import simulate
from schemas import marts

FIRST_SCORED_YEAR = 2009
# Draws behind the critical values of rank confidence sets; 250 settle them to about one in a hundred.
RANK_SET_DRAWS = 250
# Requests to one host are spaced by the client; more threads than this only wait for their turn.
FETCH_THREADS = 8


@dataclass
class Timings:
    """Seconds spent in each step of the run, in the order in which the steps began."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Outcome:
    """What a refresh came to. ``is_new`` is False where nothing differed from the file already published.

    ``release`` is the release that was published, if one was; ``keeping_problem`` why it could not be kept for later.
    ``account`` says where every row read went: see ``Assembled``.
    """

    is_new: bool
    results: tuple[PartResult, ...]
    row_counts: dict[str, int]
    timings: Timings
    release: Stamp | None = None
    keeping_problem: str | None = None
    account: Mapping[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> list[PartResult]:
        """Parts without any figures that should have some."""
        return [result for result in self.results if result.tier == "none" and not result.is_optional]

    @property
    def awaited(self) -> list[PartResult]:
        """Optional parts no source has given figures for yet."""
        return [result for result in self.results if result.tier == "none" and result.is_optional]

    @property
    def failures(self) -> list[str]:
        return [sentence for result in self.results for sentence in result.failures]


def parts_of(context: RunContext) -> list[tuple[Indicator, Part]]:
    """Every part to get, in the order of the catalogue."""
    return [(indicator, part) for indicator in context.catalogue.collected for part in indicator.parts]


def fingerprint(context: RunContext, results: Iterable[PartResult]) -> str:
    """A digest of everything the published file depends on: the bytes of each part, how it was got, and the code.

    Earlier editions count too where errors are made of them.
    """
    inputs = [
        (
            r.indicator_id,
            r.part_id,
            r.tier,
            r.source_id,
            r.payload_sha256,
            *(e.sha256 for e in earlier_editions(context, r)),
        )
        for r in results
    ]
    return hashlib.sha256(
        json.dumps([code_fingerprint(), context.draws, context.is_thorough, inputs]).encode()
    ).hexdigest()


def refresh(
    context: RunContext, *, force: bool = False, on_part: Callable[[PartResult], None] | None = None
) -> Outcome:
    """Get everything, and publish a new file if anything differs from the one that is live.

    ``force`` rebuilds even where nothing differs; ``on_part`` is told of each part as it arrives.
    Raises CandidateRefused when a check before publishing fails and OSError when a folder cannot be written.
    """
    timings = Timings()
    with timings.step("fetch, check and tidy"):
        results = acquire_all(context, on_part)
    if not force and is_published(context, results):
        return Outcome(False, tuple(results), {}, timings, keeping_problem=keep_release(context))
    with timings.step("put together on today's map"):
        assembled = assemble(context, results)
    with timings.step("score"):
        scores = [score(context, assembled, framework_id) for framework_id in DEFAULT_FRAMEWORKS]
    with timings.step("study the frameworks"):
        studies = study(context, assembled)
    with timings.step("build the marts"):
        candidate, counts = build_candidate(context, results, Made(assembled, tuple(scores), studies))
    with timings.step("compare, check and publish"):
        release = check_and_publish(context, candidate, results)
    with timings.step("keep the release"):
        problem = keep_release(context)
    return Outcome(True, tuple(results), counts, timings, release, problem, assembled.account)


def acquire_some(context: RunContext, pairs: Sequence[tuple[Indicator, Part]]) -> list[PartResult]:
    """Get some parts one after the other: for parts that need no publisher, or whose publishers are known to be away."""
    return [acquire_part(context, *pair) for pair in pairs]


def first_contacts(context: RunContext) -> list[tuple[Indicator, Part]]:
    """The first part of each source that is asked for one: getting these shows which hosts can be reached."""
    firsts: dict[str, tuple[Indicator, Part]] = {}
    if not context.offline:
        for indicator, part in parts_of(context):
            if part.live:
                firsts.setdefault(part.live[0].source, (indicator, part))
    return list(firsts.values())


def sources_away(results: Iterable[PartResult]) -> set[str]:
    """The sources that some part found to be out of reach; the client will not try them again in this run."""
    return {a.source_id for result in results for a in result.attempts if a.outcome == "unreachable"}


def acquire_all(context: RunContext, on_part: Callable[[PartResult], None] | None = None) -> list[PartResult]:
    """Get every part, several at a time; the results come in the order of the catalogue."""

    def get(pair: tuple[Indicator, Part]) -> PartResult:
        result = acquire_part(context, *pair)
        if on_part is not None:
            on_part(result)
        return result

    with ThreadPoolExecutor(max_workers=FETCH_THREADS) as pool:
        return list(pool.map(get, parts_of(context)))


def is_published(context: RunContext, results: Sequence[PartResult]) -> bool:
    """Whether the live file already holds just these figures, made by just this code."""
    return publish.live_fingerprint(context.settings.database) == fingerprint(context, results)


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
        first_year=FIRST_SCORED_YEAR,
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
    effects = [sensitivity_tables(*given, first_year=FIRST_SCORED_YEAR) for given in inputs]
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
    specs = {i.id: IndicatorSpec(polarity=i.polarity, transform=i.transform) for i in known.values()}
    framework = load_framework(framework_id, known_indicators=known)
    return framework, scoring_input(assembled.observations), areas, specs


def build_candidate(context: RunContext, results: Sequence[PartResult], made: Made) -> tuple[Path, dict[str, int]]:
    """Build the new file beside the live one; return its path and the row count of each table."""
    live = context.settings.database
    live.parent.mkdir(parents=True, exist_ok=True)
    publish.remove_leftovers(live)
    candidate = publish.candidate_path(live)
    try:
        inputs = mart_inputs(context, results, made, fingerprint(context, results))
        return candidate, build(candidate, inputs, context.tables)
    except BaseException:
        publish.discard(candidate)
        raise


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
    publish.swap(candidate, live)
    publish.refused_path(live).unlink(missing_ok=True)  # what was refused before is overtaken
    return release
