"""docs/performance.md and its plot, made from the record. Text between the marks is renewed, all else is written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, Side
from benchmarks.results import figures_of
from benchmarks.timing import PROJECT

PAGE = PROJECT / "docs" / "performance.md"
PLOT = PROJECT / "docs" / "performance-growth.svg"
_BLOCK = re.compile(r"<!-- benchmark (?P<name>[a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)
# Of the questions, the page shows the slowest and the typical; the record has all.
_LEFT_OUT = re.compile(r"(warm|cold)-")
# Processes at work, of two cores, when a benchmark began; the one before it is among them for a minute.
LARGEST_IDLE_LOAD = 2.5


def renew(results: dict[str, Any]) -> None:
    """Write the page's blocks and the plot from the record."""
    PAGE.write_text(with_blocks(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    if "growth" in results["benchmarks"]:
        from benchmarks.plot import growth_svg

        PLOT.write_text(growth_svg(results["benchmarks"]["growth"]["curves"]), encoding="utf-8")


def with_blocks(page: str, results: dict[str, Any]) -> str:
    """``page`` with every block between ``<!-- benchmark NAME -->`` and ``<!-- end -->`` renewed."""

    def renewed(match: re.Match[str]) -> str:
        return f"<!-- benchmark {match['name']} -->\n{_block(match['name'], results)}\n<!-- end -->"

    return _BLOCK.sub(renewed, page)


def _block(name: str, results: dict[str, Any]) -> str:
    if name == "machine":
        return _machine(results)
    section = results["benchmarks"].get(name)
    if section is None:
        return f"Not measured yet: `python -m benchmarks {name}`."
    if name == "growth":
        return f"{_curves(section['curves'])}\n\n{_made(section)}"
    if name == "profile":
        return "\n\n".join([*map(_profile, section["profiles"]), _made(section)])
    figures = _shown(section)
    notes = dict.fromkeys(figure.note for figure in figures if figure.note)
    return "\n\n".join([_table(figures), *notes, _made(section)])


def _shown(section: dict[str, Any]) -> list[Figure]:
    return [figure for figure in figures_of(section) if not _LEFT_OUT.match(figure.id)]


def _machine(results: dict[str, Any]) -> str:
    facts = results["machine"]
    if not facts:
        return "Nothing was measured yet."
    sections = results["benchmarks"].values()
    figures = [figure for section in sections for figure in _shown(section)]
    limited = [figure for figure in figures if figure.verdict]
    missed = [figure for figure in limited if figure.not_met]
    libraries = ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
    load = max(section["load_before"] for section in sections)
    made_on = (
        f"Made on {facts['cores']} cores ({facts['processor']}), {facts['memory_gigabytes']:g} GB, {facts['system']}, "
        f"Python {facts['python']}, {libraries}, in {sum(section['seconds'] for section in sections) / 60:.1f} minutes."
    )
    is_busy = load > LARGEST_IDLE_LOAD
    busy = ": the machine had other work, and times by the clock are longer than they need be." if is_busy else "."
    within = f"Limits: {len(limited) - len(missed)} of {len(limited)} figures with a limit are within it"
    rest = f"; not within it: {'; '.join(figure.title for figure in missed)}." if missed else "."
    return "\n".join([made_on, f"The mean load when a benchmark began was at most {load:g}{busy}", within + rest])


def _made(section: dict[str, Any]) -> str:
    return (
        f"Made {section['made_at'].replace('T', ' ').replace('+00:00', ' UTC')} at commit `{section['commit']}` in "
        f"{section['seconds']:.0f} s; load {section['load_before']:g} before, {section['load_after']:g} after."
    )


def _table(figures: Sequence[Figure]) -> str:
    rows = [
        (
            figure.title,
            f"{_number(figure.here, figure.unit)}{_cpu(figure)}",
            _peak(figure.here),
            _peer(figure),
            _ratio(figure),
            figure.verdict,
            f"`{figure.command}`",
        )
        for figure in figures
    ]
    return _markdown(("what", "here", "most memory", "beside it", "ratio", "limit", "made by"), rows)


def _number(side: Side, unit: str) -> str:
    spread = f" ({_digits(side.lowest)} to {_digits(side.highest)})" if side.lowest != side.highest else ""
    return f"{_digits(side.value)} {unit}{spread}"


def _cpu(figure: Figure) -> str:
    shown = figure.unit == "s" and figure.here.cpu_seconds is not None
    return f"; processor {_digits(figure.here.cpu_seconds)} s" if shown and figure.here.cpu_seconds else ""


def _peak(side: Side) -> str:
    return f"{side.peak_megabytes:,.0f} MB" if side.peak_megabytes else ""


def _peer(figure: Figure) -> str:
    if figure.peer is None:
        return ""
    peak = f", {_peak(figure.peer)}" if figure.peer.peak_megabytes else ""
    return f"{figure.peer.title}: {_number(figure.peer, figure.unit)}{peak}"


def _ratio(figure: Figure) -> str:
    if figure.ratio is None or figure.ratio_lowest is None or figure.ratio_highest is None:
        return ""
    if figure.ratio >= 1:
        spread = (figure.ratio, figure.ratio_lowest, figure.ratio_highest)
        words = "as fast"
    else:
        spread = (1 / figure.ratio, 1 / figure.ratio_highest, 1 / figure.ratio_lowest)
        words = "as long"
    middle, lowest, highest = map(_digits, spread)
    return f"**{middle} times {words}** ({lowest} to {highest})"


def _digits(number: float) -> str:
    """Three digits that count, with separators for thousands."""
    rounded = float(f"{number:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def _curves(curves: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            curve["title"],
            curve["along"],
            ", ".join(
                f"{size:,}: {_digits(cpu)}" for size, cpu in zip(curve["sizes"], curve["cpu_seconds"], strict=True)
            ),
            f"{_digits(curve['overhead_seconds'])} s at {curve['overhead_at']} {curve['along']}",
            f"{curve['exponent']:.2f} ± {1.96 * curve['exponent_error']:.2f}",
            "`python -m benchmarks growth`",
        )
        for curve in curves
    ]
    return _markdown(
        ("what", "along", "seconds of processor time by size", "fixed overhead", "exponent (95%)", "made by"), rows
    )


def _profile(profile: dict[str, Any]) -> str:
    heading = (
        f"**{profile['title']}**: {_digits(profile['seconds'])} s, {_digits(profile['cpu_seconds'])} s of processor time "
        "(`python -m benchmarks profile`)"
    )
    total = sum(profile["steps"].values())
    steps = [(name, f"{_digits(seconds)} s", f"{seconds / total:.0%}") for name, seconds in profile["steps"].items()]
    functions = [(f"`{name}`", f"{share:.0%}") for name, share in profile["functions"]]
    tables = [_markdown(("step", "by the clock", "share"), steps)] if steps else []
    return "\n\n".join([heading, *tables, _markdown(("function", "share of processor time sampled"), functions)])


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines)


def command_of(page: Path = PAGE) -> list[str]:
    """Every command the page names, in the order of their lines."""
    return re.findall(r"`(python -m (?:benchmarks|pipeline)[^`]*)`", page.read_text(encoding="utf-8"))
