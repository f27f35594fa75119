"""The audit of a whole framework: what it must catch, by known answers, and what a note in the file can and cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import CatalogueError
from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import IndicatorSpec, audit, audit_table

DISTRICTS = [f"E{n:03d}" for n in range(120)]
AREAS = pd.DataFrame({"area_code": DISTRICTS, "level": "district", "nation_code": "E", "is_scored": True})
RNG = np.random.default_rng(3)
OUTPUT, PAY, WORK, HOMES = RNG.normal(size=(4, len(DISTRICTS)))
VALUES = {
    "output": OUTPUT,
    "hours": OUTPUT + 0.1 * RNG.normal(size=len(DISTRICTS)),
    "pay": PAY,
    "work": WORK,
    "homes": HOMES,
    "pay_less_output": 0.3 * PAY - OUTPUT,  # what pass-through was: pay moves little, so this is minus output
}
SPECS = {name: IndicatorSpec(1, "difference") for name in VALUES}


def figures(values: dict[str, np.ndarray] = VALUES) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {"area_code": DISTRICTS, "indicator_id": name, "year": 2020, "value": own, "standard_error": np.nan}
        )
        for name, own in values.items()
    ]
    return pd.concat(tables, ignore_index=True)


def framework(growth: dict[str, list[str]], sharing: dict[str, list[str]], **more: Any) -> dict[str, Any]:
    domains = [
        {"id": name, "aggregate": "geometric", "children": [{"id": p, "indicators": i} for p, i in pillars.items()]}
        for name, pillars in (("growth", growth), ("sharing", sharing))
    ]
    tree = {"id": "index", "aggregate": "geometric", "children": domains}
    return {"id": "tried", "base_year": 2020, "tree": tree} | more


GROWTH = {"productivity": ["output"], "wages": ["pay"]}
PASSING = framework(GROWTH, {"jobs": ["work"], "passing": ["pay_less_output"]})


def audited(content: dict[str, Any]) -> pd.DataFrame:
    table = audit_table(parse_framework(content), figures(), AREAS, SPECS)
    return table[table["flavour"] == "level"]


def pair(table: pd.DataFrame, one: str, other: str, kind: str = "rank_correlation") -> pd.Series:
    found = table[table["statistic"].str.startswith(kind)]
    [place] = [n for n, row in found.iterrows() if {row["member_id"], row["other_id"]} == {one, other}]
    return found.loc[place]


def test_pay_less_output_in_sharing_fails_against_output_in_growth():
    failed = audited(PASSING).query("is_failure")
    assert list(zip(failed["member_id"], failed["other_id"], strict=True)) == [("productivity", "passing")]
    row = failed.iloc[0]
    assert row["statistic"] == "rank_correlation_across_domains"
    assert row["value"] < -0.9
    assert row["limit"] == 0.7
    assert "take one out, or add a note" in row["note"]


def test_it_fails_too_where_output_is_but_one_input_of_a_pillar():
    mixed = framework({"economy": ["output", "pay"]}, {"jobs": ["work"], "passing": ["pay_less_output"]})
    failed = audited(mixed).query("is_failure")
    assert ("passing", "output") in set(zip(failed["member_id"], failed["other_id"], strict=True))
    assert set(failed["statistic"]) == {"rank_correlation_with_input"}


def test_within_a_domain_the_limit_is_higher():
    values = 0.72 * OUTPUT + np.sqrt(1 - 0.72**2) * HOMES
    table = audit_table(
        parse_framework(framework({"productivity": ["output"], "house": ["homes"]}, {"jobs": ["work"]})),
        figures(VALUES | {"homes": values}),
        AREAS,
        SPECS,
    )
    row = pair(table[table["flavour"] == "level"], "productivity", "house")
    assert 0.7 < row["value"] < 0.8
    assert (row["statistic"], row["limit"], row["is_failure"]) == ("rank_correlation_within_domain", 0.8, False)
    twice = audited(framework({"productivity": ["output"], "time": ["hours"]}, {"jobs": ["work"]}))
    assert pair(twice, "productivity", "time")["is_failure"]


def test_a_note_in_the_file_explains_a_pair_and_it_passes():
    note = {"pair": ["passing", "productivity"], "why": "It is kept here to see what the audit says."}
    table = audited(PASSING | {"audit": {"notes": [note]}})
    row = pair(table, "productivity", "passing")
    assert (row["is_failure"], row["is_flagged"]) == (False, True)
    assert "It is kept here to see" in row["note"]
    assert not table["is_failure"].any()


def test_a_note_on_a_pair_within_its_limit_is_told():
    note = {"pair": ["wages", "jobs"], "why": "There is nothing to explain about these two."}
    table = audited(PASSING | {"audit": {"notes": [note]}})
    told = table.query("statistic == 'unneeded_note'").iloc[0]
    assert {told["member_id"], told["other_id"]} == {"wages", "jobs"}
    assert told["is_flagged"]
    assert told["value"] == pytest.approx(abs(pair(table, "wages", "jobs")["value"]))


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ([{"pair": ["wages", "nothing"], "why": "Not in the file."}], "there is no node or indicator 'nothing'"),
        ([{"pair": ["wages", "wages"], "why": "Only one name."}], "a pair needs two names"),
        ([{"pair": ["wages", "jobs"], "why": "Said once."}, {"pair": ["jobs", "wages"], "why": "Said twice."}], "has another note too"),
        ([{"pair": ["wages", "jobs"]}], "Field required"),
        ([{"pair": ["wages"], "why": "Only one name."}], "audit.notes.0.pair"),
    ],
)  # fmt: skip
def test_a_note_that_names_nothing_is_refused(notes, message):
    with pytest.raises(CatalogueError, match=message):
        parse_framework(PASSING | {"audit": {"notes": notes}})


def test_pillars_directly_below_the_root_are_one_domain():
    flat = framework({}, {}) | {
        "tree": {
            "id": "index",
            "children": [{"id": "a", "indicators": ["output"]}, {"id": "b", "indicators": ["hours"]}],
        }
    }
    assert pair(audited(flat), "a", "b")["statistic"] == "rank_correlation_within_domain"


def test_shares_at_the_ends_count_the_districts_there():
    values = np.concatenate([np.full(6, -9.0), np.full(12, 9.0), np.linspace(-1, 1, 102)])
    table = audit_table(
        parse_framework(framework({"productivity": ["output"]}, {"jobs": ["work"]})),
        figures(VALUES | {"output": values}),
        AREAS,
        SPECS,
    )
    ends = table.query("flavour == 'level' and node_id == 'productivity'").set_index("statistic")["value"]
    assert ends["share_at_bottom"] == pytest.approx(0.05)
    assert ends["share_at_top"] == pytest.approx(0.1)


def test_effective_weights_are_shares_of_the_variance_of_the_index():
    values = VALUES | {"work": 0.1 * WORK + 0 * OUTPUT}
    table = audit_table(
        parse_framework({**framework(GROWTH, {"jobs": ["work"]}), "normalise": {"method": "z", "clip": 9}}),
        figures({**values, "homes": HOMES}),
        AREAS,
        SPECS,
    )
    weights = table.query("flavour == 'level' and statistic == 'effective_weight'").set_index("member_id")["value"]
    nominal = table.query("flavour == 'level' and statistic == 'mean_weight'").set_index("member_id")["value"]
    assert weights.sum() == pytest.approx(1)
    assert nominal.to_dict() == pytest.approx({"productivity": 0.25, "wages": 0.25, "jobs": 0.5})
    assert weights["jobs"] > weights["productivity"] > 0  # standardised, so it is weight that counts


def test_variance_shares_of_independent_parts_are_their_variances():
    one = np.tile([1.0, -1.0], 50)
    two = 2 * np.repeat([1.0, -1.0], 50)
    assert audit.variance_shares(np.array([one, two])) == pytest.approx([0.2, 0.8])
    assert np.isnan(audit.variance_shares(np.zeros((2, 5)))).all()


def test_a_rank_correlation_sees_order_only_and_needs_ten_areas():
    x = np.arange(12.0)
    assert audit.rank_correlation(x, -np.exp(x)) == (pytest.approx(-1), 12)
    lacking = np.where(x < 3, np.nan, x)
    value, count = audit.rank_correlation(lacking, x)
    assert np.isnan(value)
    assert count == 9
    assert np.isnan(audit.rank_correlation(np.ones(12), x)[0])


def test_means_and_floors_move_ranks_as_by_hand():
    table = audited(framework(GROWTH, {"jobs": ["work"], "house": ["homes"]}))
    moves = table.query("node_id == 'index'").set_index("statistic")["value"]
    assert 0 < moves["rank_move_arithmetic_geometric_median"] <= moves["rank_move_arithmetic_geometric_largest"] < 120
    scores = {
        name: np.clip(50 + 50 * own / 3, 0, 100) for name, own in _scaled(("output", "pay", "work", "homes")).items()
    }
    growth, sharing = [scores["output"], scores["pay"]], [scores["work"], scores["homes"]]

    def means(pairs: list[list[np.ndarray]], floor: float) -> np.ndarray:
        return np.prod([np.prod(np.maximum(p, floor), axis=0) ** 0.25 for p in pairs], axis=0)

    geometric = means([growth, sharing], 1)
    arithmetic = np.mean([*growth, *sharing], axis=0)
    apart = np.abs(_rank(geometric) - _rank(arithmetic))
    assert moves["rank_move_arithmetic_geometric_largest"] == apart.max()
    assert moves["rank_move_arithmetic_geometric_median"] == np.median(apart)
    higher = np.abs(_rank(geometric) - _rank(means([growth, sharing], 10)))
    assert moves["rank_move_floor_of_a_tenth_largest"] == higher.max()


def _scaled(names: tuple[str, ...]) -> dict[str, np.ndarray]:
    found = {}
    for name in names:
        position = VALUES[name] - np.median(VALUES[name])
        found[name] = position / (1.4826 * np.median(np.abs(position - np.median(position))))
    return found


def _rank(values: np.ndarray) -> np.ndarray:
    return (-values).argsort().argsort()
