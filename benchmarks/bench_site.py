"""The report site and the exports, each as the whole command a person gives."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.case import measure_commands
from benchmarks.measure import Figure, Limit, single
from benchmarks.workshop import Workshop


def measure(workshop: Workshop) -> Iterator[Figure]:
    _ = workshop.database
    out, exported = workshop.folder / "site", workshop.folder / "exported"
    yield measure_commands(
        "site",
        "The whole report site",
        lambda: workshop.pipeline("report", "--out", str(out)),
        None,
        command="python -m pipeline report",
        repeats=1,
        limits=(Limit(at_most=60),),
        warm_up=False,
    )
    files = [path for path in out.rglob("*") if path.is_file()]
    size = single("here", sum(path.stat().st_size for path in files) / 1e6)
    yield Figure("site-size", "All its files", "MB", "python -m pipeline report", 1, size, limits=(Limit(at_most=80),))
    if not workshop.quick:
        yield measure_commands(
            "export",
            "Export of everything, every format",
            lambda: workshop.pipeline("export", "--out", str(exported)),
            None,
            command="python -m pipeline export",
            repeats=1,
            limits=(Limit(at_most=10),),
            warm_up=False,
        )
