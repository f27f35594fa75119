"""Two series that move together and are both new: which of them arrived first says nothing, so both are held."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.catalogue.yaml_entries import CatalogueError
from pipeline.errors import VerbError
from pipeline.gates.plausibility import Breach, breaches
from pipeline.gates.policy import load_gate_policy
from pipeline.publish import CandidateRefused
from pipeline.run.accept_held import accept_answers
from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run, open_run
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import refresh
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.sisters import _Contradiction, _to_hold, hold_contradictions
from pipeline.settings import Settings
from tests.gates import mistakes
from tests.gates.editions import answer, facts, policy, shipped
from tests.remembered import remembered
from tests.standin.figures import Figures, Table
from tests.standin.server import StandIn

HOUR, JOB = "gva_per_hour", "gva_per_job"
SLUGS = {HOUR: "gross-value-added-per-hour-worked", JOB: "gross-value-added-per-filled-job"}
LICHFIELD, CAERPHILLY = "E07000194", "W06000018"
LATEST = "2023"


class Editions(Figures):
    """Output per hour and per job, up to a year; of some, two districts of the latest year stand in each other's place."""

    def __init__(self, data_dir: Path, until: str, swapped: str = "") -> None:
        super().__init__(data_dir)
        self._until, self._swapped = until, swapped

    def table(self, slug: str) -> Table:
        table = super().table(slug)
        if slug not in SLUGS.values():
            return table
        cells = {key: cell for key, cell in table.cells.items() if key[1][:4] <= self._until}
        if slug == self._swapped:
            cells = {(_other(area) if period[:4] == LATEST else area, period): c for (area, period), c in cells.items()}
        return dataclasses.replace(table, cells=cells, metadata=self._dated(dict(table.metadata)))

    def recorded_metadata(self) -> None:
        return None

    def metadata(self) -> list[dict]:
        return [self._dated(dict(entry)) for entry in super().metadata()]

    def _dated(self, entry: dict) -> dict:
        if entry["slug"] in SLUGS.values():
            domain = [entry["periodDomain"][0], f"{self._until}-01-01/P1Y"]
            day = f"{self._until}-12-01"
            entry |= {"dataModified": day, "updated": day, "periodDomain": domain}
        return entry


def _other(area: str) -> str:
    return {LICHFIELD: CAERPHILLY, CAERPHILLY: LICHFIELD}.get(area, area)


Nights = Callable[..., dict[str, PartResult]]


@pytest.fixture
def night(tmp_path: Path, publishers_files: Path) -> Iterator[Nights]:
    """One night of the two series: what is in use of each at its end."""
    (tmp_path / "none").mkdir()
    with StandIn(publishers_files) as standin:
        settings = Settings(data_dir=tmp_path, base_urls=standin.base_urls, baseline_dir=tmp_path / "none")
        settings.marts_dir.mkdir()

        def one(until: str, *, swapped: str = "", order: tuple[str, ...] = (HOUR, JOB)) -> dict[str, PartResult]:
            standin.hold(Editions(publishers_files, until, swapped))
            context = context_of(settings)
            found = [acquired(context, name) for name in order]
            results = hold_contradictions(context.inputs, context.stores, found)
            remembered(context, Outcome(True, tuple(results), {}, Timings()))
            context.client.close()
            return {result.indicator_id: result for result in results}

        yield one


def context_of(settings: Settings) -> Run:
    whole = load_catalogue()
    two = dataclasses.replace(whole, indicators={name: whole.indicators[name] for name in (HOUR, JOB)})
    return open_run(settings, catalogue=two, throttle=False, backoff_seconds=0.01, draws=0, force=True)


def acquired(context: Run, name: str) -> PartResult:
    indicator = context.inputs.catalogue.indicators[name]
    return acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])


def last_years(results: Mapping[str, PartResult]) -> dict[str, int | None]:
    return {name: result.account.last_year if result.account else None for name, result in results.items()}


@pytest.fixture
def own_gates_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gates on a series alone hold such a swap already; without them the comparison of sisters stands by itself."""
    monkeypatch.setattr("pipeline.run.plausible.breaches", lambda *_: [])


@pytest.mark.parametrize("order", [(HOUR, JOB), (JOB, HOUR)], ids=["the wrong one first", "the right one first"])
def test_a_swap_that_a_series_own_years_show_is_held_alone(night: Nights, order: tuple[str, ...]) -> None:
    night("2022")
    assert last_years(night(LATEST, swapped=SLUGS[HOUR], order=order)) == {HOUR: 2022, JOB: 2023}
    assert last_years(night(LATEST, order=order)) == {HOUR: 2023, JOB: 2023}


@pytest.mark.usefixtures("own_gates_blind")
@pytest.mark.parametrize("order", [(HOUR, JOB), (JOB, HOUR)], ids=["the wrong one first", "the right one first"])
def test_two_new_answers_that_contradict_each_other_are_both_held_whichever_came_first(
    night: Nights, order: tuple[str, ...]
) -> None:
    night("2022")
    results = night(LATEST, swapped=SLUGS[HOUR], order=order)
    assert last_years(results) == {HOUR: 2022, JOB: 2022}
    for name, result in results.items():
        assert result.tier == "snapshot"
        [sentence] = result.failures
        assert "Lichfield" in sentence or "Caerphilly" in sentence
        assert "both are new, so neither is known to be right" in sentence
        assert f'python -m pipeline accept ons_els/{name} "REASON"' in sentence


@pytest.mark.usefixtures("own_gates_blind")
def test_once_a_person_accepts_one_of_them_the_other_alone_is_held_until_it_is_right(
    night: Nights, tmp_path: Path
) -> None:
    night("2022")
    night(LATEST, swapped=SLUGS[HOUR])
    context = context_of(Settings(tmp_path))
    accept_answers(context.inputs, context.stores, "ons_els", JOB, "ONS confirmed the jobs")
    assert last_years(night(LATEST, swapped=SLUGS[HOUR])) == {HOUR: 2022, JOB: 2023}
    assert last_years(night(LATEST)) == {HOUR: 2023, JOB: 2023}


def test_right_new_answers_of_both_pass(night: Nights) -> None:
    night("2022")
    results = night(LATEST)
    assert last_years(results) == {HOUR: 2023, JOB: 2023}
    assert [result.failures for result in results.values()] == [[], []]


@pytest.mark.usefixtures("own_gates_blind")
def test_a_run_that_died_between_storing_and_comparing_is_made_good_by_the_next(
    night: Nights, tmp_path: Path, publishers_files: Path
) -> None:
    night("2022")
    with StandIn(publishers_files) as standin:
        standin.hold(Editions(publishers_files, LATEST, SLUGS[HOUR]))
        context = context_of(Settings(tmp_path, base_urls=standin.base_urls, baseline_dir=tmp_path / "none"))
        for name in (HOUR, JOB):
            assert acquired(context, name).tier == "live"
        context.client.close()
    assert last_years(night(LATEST, swapped=SLUGS[HOUR])) == {HOUR: 2022, JOB: 2022}


@pytest.mark.usefixtures("own_gates_blind")
def test_the_report_of_a_run_refused_later_shows_the_parts_as_they_were_used_after_holding(
    night: Nights, tmp_path: Path, publishers_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Outcome:
        raise CandidateRefused("the file is refused")

    night("2022")
    monkeypatch.setattr("pipeline.run.job.open_run", lambda settings, **_: context_of(settings))
    monkeypatch.setattr("pipeline.run.rebuild.rebuild", refuse)
    with StandIn(publishers_files) as standin:
        standin.hold(Editions(publishers_files, LATEST, SLUGS[HOUR]))
        settings = Settings(tmp_path, base_urls=standin.base_urls, baseline_dir=tmp_path / "none")
        with pytest.raises(VerbError, match="the file is refused"):
            run_job(refresh, JobOptions(force=True, draws=0), settings=settings)
    report = json.loads((settings.marts_dir / "run_report.json").read_text())
    assert report["status"] == "refused"
    assert {part["indicator_id"]: part["tier"] for part in report["parts"]} == {HOUR: "snapshot", JOB: "snapshot"}
    assert all("both are new" in sentence for sentence in report["failures"])
    assert len(report["failures"]) == 2


def _between(one: str, other: str | None) -> _Contradiction:
    said = Breach("sister_new_rank", "2025", 3.0, 2.0, f"{one} is not beside {other}")
    return _Contradiction((one, "main"), None if other is None else (other, "main"), str(other), [said])


def test_the_one_that_contradicts_two_is_held_and_the_two_are_not() -> None:
    """Of percentiles of pay in order, the wrong one has two neighbours."""
    found = [_between("p20", "p10"), _between("p20", "p25"), _between("p25", "p20")]
    assert _to_hold(found).keys() == {("p20", "main")}


def test_one_that_contradicts_what_is_in_use_is_held_alone() -> None:
    assert _to_hold([_between("p20", None), _between("p25", "p20")]).keys() == {("p20", "main")}


def test_employment_with_wales_a_row_lower_is_held_beside_inactivity_alone() -> None:
    name = "employment_rate--great_britain"
    table = shipped()[name]
    held = table[table["year"] < table["year"].max()]
    wrong = _one_nation_shifted(table)
    alone = breaches(
        answer("employment_rate", wrong, held, has_sisters=False), facts(), policy().answers("employment_rate")
    )
    beside = breaches(
        answer("employment_rate", wrong, held, part="great_britain"), facts(), policy().answers("employment_rate")
    )
    assert [breach.gate_id for breach in alone] == []
    assert "sister_new_districts" in {breach.gate_id for breach in beside}
    assert "beside Economic inactivity rate" in " ".join(breach.sentence for breach in beside)


def _one_nation_shifted(table):  # type: ignore[no-untyped-def]
    """Wales' districts of the latest year a row lower."""
    rows = table[(table["year"] == table["year"].max()) & table["area_code"].str.startswith("W06")].sort_values(
        "area_code"
    )
    return mistakes._moved(table, rows.index, rows.index[[-1, *range(len(rows) - 1)]])


def test_shares_of_one_whole_are_two(tmp_path: Path) -> None:
    text = (CATALOGUE_DIR / "gates.yaml").read_text()
    path = tmp_path / "gates.yaml"
    path.write_text(text.replace("shares_of: 100", "shares_of: 100, is_ordered: true"))
    with pytest.raises(CatalogueError, match="shares_of is for two series"):
        load_gate_policy(None, path)
