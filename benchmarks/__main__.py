"""``make bench``: measure, print, and renew benchmarks/results.json, docs/performance.md and its plot."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.results import figures_of, machine_facts, read_results, section_of, write_results
from benchmarks.suite import BENCHMARKS, NOT_QUICK
from benchmarks.timing import PROJECT, CommandFailed
from benchmarks.workshop import workshop


def build_parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<12} {about}" for name, (about, _) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure speed and memory, beside a peer where there is one, against the limits the project set itself.",
        epilog=f"benchmarks:\n{listed}\n\nA run of some renews only their part of the record.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a fast look on smaller inputs, without site, profile and memory; records nothing",
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 where a limit is not met")
    parser.add_argument("--page", action="store_true", help="measure nothing; make the page and plot from the record")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks named; 0, or 1 where one failed or (``--strict``) a limit is not met, or 2 for an unknown name."""
    arguments = build_parser().parse_args(argv)
    if unknown := sorted(set(arguments.names) - BENCHMARKS.keys()):
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    if arguments.page:
        from benchmarks.page import renew

        renew(read_results())
        return 0
    began, missed, failed = time.perf_counter(), [], []
    usual = [name for name in BENCHMARKS if not (arguments.quick and name in NOT_QUICK)]
    for name, section in measure(arguments.names or usual, quick=arguments.quick):
        if section is None:
            failed.append(name)
            continue
        missed += [figure for figure in figures_of(section) if figure.not_met]
        if not arguments.quick:
            write_results(with_section(read_results(), name, section))
            # Drawing takes memory, which what is measured next would be counted to hold: so it is a process of its own.
            subprocess.run([sys.executable, "-m", "benchmarks", "--page"], cwd=PROJECT, check=True)
    print(f"\nThat took {time.perf_counter() - began:.0f} s.")
    for figure in missed:
        print(f"NOT met: {figure.title}: {figure.verdict}")
    if failed:
        print(f"Failed, what was recorded before stays: {', '.join(failed)}", file=sys.stderr)
    if arguments.quick:
        print("A quick look: inputs are smaller than those of docs/performance.md, and nothing was recorded.")
    return int(bool(failed) or (arguments.strict and bool(missed)))


def measure(names: Sequence[str], *, quick: bool) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each benchmark's part of the record as soon as it is there; None for one that failed, which says why."""
    with workshop(quick=quick) as shop:
        for name in (name for name in BENCHMARKS if name in names):
            print(f"\n{name}", flush=True)
            began, load = time.perf_counter(), os.getloadavg()[0]
            try:
                found = BENCHMARKS[name][1](shop, lambda words: print(f"  {words}", flush=True))
            except (CommandFailed, subprocess.CalledProcessError, OSError) as error:
                print(f"  FAILED: {error}", file=sys.stderr, flush=True)
                yield name, None
                continue
            yield name, section_of(found, seconds=time.perf_counter() - began, load_before=load)


def with_section(results: dict[str, Any], name: str, section: dict[str, Any]) -> dict[str, Any]:
    """The record with one benchmark's part renewed, and the facts of the machine that made it."""
    every = results["benchmarks"] | {name: section}
    return {"machine": machine_facts(), "benchmarks": {name: every[name] for name in BENCHMARKS if name in every}}


if __name__ == "__main__":
    sys.exit(main())
