"""The benchmarks measure as they say, and docs/performance.md shows what they recorded and how to record it again."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.bench_growth import fitted
from benchmarks.measure import Figure, Limit, Sample, ratios, side, single
from benchmarks.page import PAGE, PLOT, command_of, with_blocks
from benchmarks.plot import growth_svg
from benchmarks.results import RESULTS, figures_of, read_results, write_results
from benchmarks.suite import BENCHMARKS, line
from benchmarks.timing import CommandFailed, run_command, take_turns
from pipeline.cli import build_parser
from pipeline.settings import PROJECT_ROOT

RENEW = "run `python -m benchmarks --page`"


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return read_results()


@pytest.fixture(scope="module")
def recorded(results: dict[str, Any]) -> list[Figure]:
    return [figure for section in results["benchmarks"].values() for figure in figures_of(section)]


def test_the_page_is_what_the_record_gives(results: dict[str, Any]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_blocks(page, results) == page, RENEW


def test_the_plot_is_what_the_record_gives(results: dict[str, Any]) -> None:
    assert growth_svg(results["benchmarks"]["growth"]["curves"]) == PLOT.read_text(encoding="utf-8"), RENEW


def test_every_benchmark_has_a_record_and_a_place_on_the_page(results: dict[str, Any]) -> None:
    marks = set(re.findall(r"<!-- benchmark ([a-z-]+) -->", PAGE.read_text(encoding="utf-8"))) - {"machine"}
    assert marks == BENCHMARKS.keys()
    assert results["benchmarks"].keys() == BENCHMARKS.keys()


def is_known(command: str) -> bool:
    """Whether a command of the page can be given: a benchmark by its name, or a verb with its options."""
    words = shlex.split(command)[3:]
    if command.startswith("python -m benchmarks"):
        return all(word.startswith("--") or word in BENCHMARKS for word in words)
    if words == ["--help"]:
        return True
    build_parser().parse_args(words)  # ends with exit code 2 for a verb or an option that is not there
    return True


def test_every_command_of_the_page_and_the_record_can_be_given(recorded: list[Figure]) -> None:
    commands = {*command_of(), *(figure.command for figure in recorded)}
    assert commands
    assert {command for command in commands if not is_known(command)} == set()


def test_every_limit_of_the_record_is_on_the_page_as_met_or_not(recorded: list[Figure]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = [figure for figure in recorded if figure.verdict and not figure.id.startswith(("warm-", "cold-"))]
    assert shown
    assert all(f"{figure.title} |" in page and figure.verdict in page for figure in shown)


def test_the_record_says_which_machine_made_it_and_not_where(results: dict[str, Any]) -> None:
    assert results["machine"].keys() == {"cores", "processor", "memory_gigabytes", "system", "python", "libraries"}
    text = RESULTS.read_text(encoding="utf-8")
    assert not re.findall(r"/(?:home|root|tmp|work|Users)/", text)


def test_the_plot_has_colours_for_a_dark_screen() -> None:
    svg = PLOT.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in svg
    for light in set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', svg)):
        assert f'="{light}"]' in svg, f"{light} stays as it is on a dark screen"


def test_what_is_compared_takes_turns_and_the_first_changes() -> None:
    order: list[str] = []
    take_turns(lambda: order.append("A"), lambda: order.append("B"), 3)
    assert "".join(order) == "AB" + "AB" + "BA" + "AB"  # the first two are not counted


def test_a_ratio_is_the_median_of_its_pairs_for_the_same_amount_of_work() -> None:
    here, peer = [Sample(1, 1), Sample(2, 2), Sample(1, 1)], [Sample(10, 10), Sample(10, 10), Sample(12, 12)]
    assert ratios(here, peer) == (10, 5, 12)
    assert ratios(here, peer, share=40) == (400, 200, 480)


def test_a_figure_says_which_of_its_limits_are_met() -> None:
    limits = (Limit(at_most=3), Limit(at_most=100, of="peak"), Limit(at_least=2, of="ratio"))
    here = side("here", [Sample(2, 2, 150), Sample(4, 4, 90), Sample(2.5, 3, 80)])
    figure = Figure("id", "Thing", "s", "python -m benchmarks", 3, here, single("peer", 5), 2.5, 2, 3, limits)
    assert figure.verdict == "at most 3: met; at most 100 MB: NOT met; at least 2 times as fast: met"
    assert figure.not_met == [limits[1]]
    assert Figure.from_json(json.loads(json.dumps(figure.as_json()))) == figure
    assert line(figure).startswith("Thing: 2.5 s (2 to 4), 150 MB; 2.5 times as fast as peer")


def test_a_fit_finds_how_cost_grows_above_its_fixed_overhead() -> None:
    sizes = (100, 1_000, 10_000, 100_000)
    exponent, error = fitted(sizes, [0.5 + 1e-4 * size**1.3 for size in sizes], overhead=0.5)
    assert exponent == pytest.approx(1.3)
    assert error < 1e-6


def test_a_whole_process_is_measured_with_its_time_and_its_memory_alone() -> None:
    sample = run_command([sys.executable, "-c", "x = bytearray(60_000_000); sum(range(2_000_000))"])
    assert 0.01 < sample.cpu <= sample.wall + 1
    assert sample.peak_megabytes is not None
    assert sample.peak_megabytes > 60


def test_a_command_that_fails_is_not_measured() -> None:
    with pytest.raises(CommandFailed, match=r"(?s)exit code 3:\n.*no figures"):
        run_command([sys.executable, "-c", "import sys; print('no figures'); sys.exit(3)"])


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2
    assert "no benchmark speed; there are rebuild, startup" in capsys.readouterr().err


def test_a_record_holds_no_more_digits_than_count(tmp_path: Path) -> None:
    write_results({"machine": {}, "benchmarks": {"x": {"seconds": [1.23456789]}}}, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json")["benchmarks"]["x"]["seconds"] == [1.23457]


def test_the_makefile_runs_them_all() -> None:
    assert "-m benchmarks $(ARGS)" in (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
