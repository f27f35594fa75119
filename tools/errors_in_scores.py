"""What errors of every kind did to the scores: two published files side by side.

    python -m tools.errors_in_scores --before OLD.duckdb --after NEW.duckdb --into docs/studies/errors-in-scores.md

replaces the tables between ``<!-- table: name -->`` and ``<!-- end -->`` of the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import duckdb

from tools.error_study.study_tables import markdown, with_tables

FRAMEWORK = "shared_growth"
SHOWN = (
    "index",
    "growth",
    "sharing",
    "productivity",
    "household_income",
    "pay",
    "pay_spread",
    "participation",
    "poverty_and_cost",
)
_SCORES = f"""
select
    node_id::varchar as node, flavour::varchar as flavour, window_years, year, area_code::varchar as area_code,
    score, score_upper - score_lower as width, rank_upper - rank_lower as rank_width, verdict::varchar as verdict
from {{file}}.mart_score
where
    framework_id::varchar = '{FRAMEWORK}' and level::varchar = 'district' and year in (2023, 2025)
    and (window_years in (0, 10)) and node_kind::varchar <> 'indicator'
"""
_WIDTHS = """
select
    coalesce(b.node, a.node), coalesce(b.flavour, a.flavour), coalesce(b.year, a.year),
    round(median(b.width), 1), round(median(a.width), 1), round(median(a.rank_width), 0),
    count(*) filter (where b.verdict like 'clearly%'), count(*) filter (where a.verdict like 'clearly%'),
    count(*) filter (where a.verdict like 'clearly%' and (b.verdict not like 'clearly%' or b.verdict is null)),
    count(*) filter (where b.verdict like 'clearly%' and (a.verdict not like 'clearly%' or a.verdict is null)),
    count(*) filter (where abs(a.score - b.score) > 0.005)
from before_scores as b
full join after_scores as a using (node, flavour, window_years, year, area_code)
group by 1, 2, 3
"""
_KNOWN = """
select
    flavour, year, count(*), round(100 * avg((width is not null)::int)), round(100 * avg((verdict <> 'not known')::int))
from {table} group by 1, 2 order by 1, 2
"""
_CLEAR = """
select
    indicator_id::varchar, count(*) filter (where direction is not null and direction <> 'not clear'),
    string_agg(distinct error_basis::varchar, ', ' order by error_basis::varchar)
from {file}.mart_indicator_trend where level::varchar = 'district' and polarity <> 0 group by 1
"""


def _text(value: object) -> str:
    return "-" if value is None or value != value else f"{value:g}" if isinstance(value, float) else str(value)


def tables_of(before: Path, after: Path) -> dict[str, str]:
    """The tables of the page by name, from a file as it was and a file as it is."""
    with duckdb.connect() as connection:
        for name, path in (("before", before), ("after", after)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
            connection.execute(f"create temp view {name}_scores as {_SCORES.format(file=name)}")
        order = {name: place for place, name in enumerate(SHOWN)}
        rows = [row for row in connection.execute(_WIDTHS).fetchall() if row[0] in order]
        rows.sort(key=lambda row: (row[2], row[1], order[row[0]]))
        heading = ["score", "flavour", "year", "width before", "after", "ranks wide, after", "clear before", "after",
                   "won", "lost", "scores that moved"]  # fmt: skip
        known = [
            (name, *row)
            for name in ("before", "after")
            for row in connection.execute(_KNOWN.format(table=f"{name}_scores")).fetchall()
        ]
        clear = {
            name: {row[0]: row[1:] for row in connection.execute(_CLEAR.format(file=name)).fetchall()}
            for name in ("before", "after")
        }
    moved = [
        [name, clear["before"].get(name, (0,))[0], count, basis]
        for name, (count, basis) in sorted(clear["after"].items())
        if count or clear["before"].get(name, (0,))[0]
    ]
    return {
        "widths": _table(heading, rows),
        "known": _table(["file", "flavour", "year", "scores", "with an interval, %", "with a verdict, %"], known),
        "directions": _table(["indicator", "clear before", "clear after", "error"], moved),
    }


def _table(heading: list[str], rows: Sequence[Sequence[object]]) -> str:
    return markdown(heading, [[_text(value) for value in row] for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    page = given.into.read_text(encoding="utf-8")
    given.into.write_text(with_tables(page, tables_of(given.before, given.after)), encoding="utf-8")


if __name__ == "__main__":
    main()
