"""``make demo-live``: a whole refresh over HTTP on one machine, against the stand-in, twice.

The second run shows what a night without news costs. Nothing outside ``data/demo`` is written. Figures of which no real
ones are at hand are the stand-in's own (see ``nomis_datasets``), so what lands in ``data/demo`` is for looking at only.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.console import make_console
from pipeline.run.context import open_run
from pipeline.run.job import exit_code
from pipeline.run.notes import notes_of
from pipeline.run.options import DEFAULT_DRAWS
from pipeline.run.progress import print_summary
from pipeline.run.refresh import refresh
from pipeline.run.run_report import run_report, write_run_report
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.stopping import stoppable
from tests.standin.figures import SHARED_DATA
from tests.standin.server import StandIn


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make demo-live", description=__doc__)
    parser.add_argument("--data", type=Path, help="figures to answer with (default: ../shared/data, else the baseline)")
    parser.add_argument("--folder", type=Path, default=PROJECT_ROOT / "data" / "demo", help="data folder of the demo")
    parser.add_argument("--polite", action="store_true", help="keep the publishers' pace: two requests a second")
    parser.add_argument("--draws", type=int, default=DEFAULT_DRAWS, help="draws of the survey errors")
    arguments = parser.parse_args(argv)
    console, code = make_console(), 0
    if arguments.folder.exists():
        shutil.rmtree(arguments.folder)
    if not ((arguments.data or SHARED_DATA) / "deprivation").is_dir():
        console.print(
            "The files of the indices of deprivation are not at hand, so the stand-in answers as if they had moved: "
            "watch the shipped figures take their place.\n",
            markup=False,
        )
    with StandIn(arguments.data) as standin:
        settings = Settings(data_dir=arguments.folder.resolve(), base_urls=standin.base_urls)
        for heading in ("First run: everything is fetched", "Second run: the publishers say nothing changed"):
            console.rule(heading)
            before, began = standin.count(), time.perf_counter()
            context = open_run(settings, throttle=arguments.polite, draws=arguments.draws)
            outcome = refresh(context)
            context.client.close()
            notes = notes_of(context, outcome.results)
            print_summary(console, settings.database, notes, outcome)
            write_run_report(settings.marts_dir, run_report(settings, notes, outcome))
            asked, seconds = standin.count() - before, time.perf_counter() - began
            console.print(f"{asked} requests answered by the stand-in, {seconds:.1f} s.\n", markup=False)
            code = max(code, exit_code(outcome, strict=False))
    console.print(f"The published file: {settings.database}", markup=False)
    return code


if __name__ == "__main__":
    sys.exit(stoppable(main))
