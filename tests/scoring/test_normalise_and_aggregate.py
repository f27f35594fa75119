"""Six ways to a score and three means, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import score_table
from pipeline.scoring.aggregate import combine

VALUES = [2.0, 4.0, 6.0, 8.0, 30.0]


def scores(normalise: dict, polarity: int = 1, **reference) -> list[float]:
    table = pd.DataFrame({"area_code": list("abcde"), "indicator_id": "x", "value": VALUES})
    ref = {"id": "x", "polarity": polarity, **reference}
    fw = parse_framework({"id": "t", "normalise": normalise, "tree": {"id": "index", "indicators": [ref]}})
    return score_table(table, fw).query("node_id == 'x'")["score"].tolist()


def test_min_max_runs_from_the_lowest_to_the_highest():
    assert scores({"method": "min_max"}) == pytest.approx([0, 100 / 14, 200 / 14, 300 / 14, 100])
    assert scores({"method": "min_max", "range": [1, 10]})[0] == 1
    assert scores({"method": "min_max"}, polarity=-1) == pytest.approx([100, 1300 / 14, 1200 / 14, 1100 / 14, 0])


def test_robust_z_puts_the_median_at_50_and_clips():
    unit = 50 / 3 / (1.4826 * 2)  # the median is 6, the median absolute deviation 2
    assert scores({"method": "robust_z"}) == pytest.approx([50 - 4 * unit, 50 - 2 * unit, 50, 50 + 2 * unit, 100])
    assert scores({"method": "robust_z"}, polarity=-1)[-1] == 0
    assert scores({"method": "robust_z", "clip": 1})[:2] == pytest.approx([0, 50 - 50 * 2 / (1.4826 * 2)])


def test_z_is_a_plain_z_score_unless_a_clip_maps_it_to_the_range():
    plain = (np.array(VALUES) - 10) / np.std(VALUES, ddof=1)
    assert scores({"method": "z"}) == pytest.approx(plain)
    assert scores({"method": "z"}, polarity=-1) == pytest.approx(-plain)
    assert scores({"method": "z", "clip": 2}) == pytest.approx(50 + 25 * plain)


def test_goalposts_are_in_the_indicators_unit_and_clip():
    assert scores({"method": "goalposts"}, goalposts=[4, 12]) == pytest.approx([0, 0, 25, 50, 100])
    assert scores({"method": "goalposts"}, polarity=-1, goalposts=[4, 12]) == pytest.approx([100, 100, 75, 50, 0])


def test_rank_scores_the_best_highest_and_percentile_spans_the_range():
    assert scores({"method": "rank"}) == [1, 2, 3, 4, 5]
    assert scores({"method": "rank"}, polarity=-1) == [5, 4, 3, 2, 1]
    assert scores({"method": "percentile"}) == [0, 25, 50, 75, 100]


def test_ties_share_the_mean_place():
    table = pd.DataFrame({"area_code": list("abcd"), "indicator_id": "x", "value": [1.0, 2.0, 2.0, 3.0]})
    for method, expected in (("rank", [1, 2.5, 2.5, 4]), ("percentile", [0, 50, 50, 100])):
        fw = parse_framework({"id": "t", "normalise": {"method": method}, "tree": {"id": "i", "indicators": ["x"]}})
        assert score_table(table, fw).query("node_id == 'x'")["score"].tolist() == expected


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        ("arithmetic", [0.25 * 20 + 0.75 * 80, 0.25 * 0 + 0.75 * 100]),
        ("geometric", [20**0.25 * 80**0.75, 1**0.25 * 100**0.75]),
        ("harmonic", [1 / (0.25 / 20 + 0.75 / 80), 1 / (0.25 / 1 + 0.75 / 100)]),
    ],
)
def test_means_by_hand_with_a_floor_of_one_under_products_and_reciprocals(mean, expected):
    members = [lambda: np.array([20.0, 0.0]), lambda: np.array([80.0, 100.0])]
    weights = np.array([[0.25, 0.25], [0.75, 0.75]])
    assert combine(mean, members, weights, floor=1.0) == pytest.approx(expected)


def test_a_node_may_hold_children_and_indicators_and_each_rule_guards_its_own():
    tree = {
        "id": "index",
        "indicators": ["a", {"id": "b", "weight": 3}],
        "children": [{"id": "one", "weight": 2, "indicators": ["c"]}, {"id": "two", "indicators": ["d"]}],
    }
    fw = parse_framework({"id": "t", "normalise": {"method": "goalposts"}, "tree": _with_goalposts(tree)})
    full = pd.DataFrame({"area_code": "x", "indicator_id": list("abcd"), "value": [10.0, 20.0, 30.0, 40.0]})
    lacks_b = full.assign(area_code="y").query("indicator_id != 'b'")
    lacks_two = full.assign(area_code="z").query("indicator_id != 'd'")
    found = score_table(pd.concat([full, lacks_b, lacks_two]), fw).query("node_id == 'index'").set_index("area_code")
    assert found.loc["x", "score"] == pytest.approx((10 + 3 * 20 + 2 * 30 + 40) / 7)
    assert np.isnan(found.loc["y", "score"])  # a quarter of the weight of its indicators
    assert found.loc["z", "score"] == pytest.approx((10 + 3 * 20 + 2 * 30) / 6)  # two thirds of its children


def _with_goalposts(node: dict) -> dict:
    refs = [
        {"id": r, "goalposts": [0, 100]} if isinstance(r, str) else r | {"goalposts": [0, 100]}
        for r in node.get("indicators", [])
    ]
    children = [_with_goalposts(child) for child in node.get("children", [])]
    return node | {"indicators": refs, "children": children}


def test_rows_come_root_first_then_each_nodes_members_with_their_depth():
    fw = parse_framework(
        {
            "id": "t",
            "normalise": {"method": "rank"},
            "tree": {
                "id": "top",
                "children": [
                    {"id": "one", "indicators": ["a"]},
                    {"id": "two", "children": [{"id": "deep", "indicators": ["b"]}]},
                ],
            },
        }
    )
    table = pd.DataFrame({"area_code": ["z", "y"] * 2, "indicator_id": list("aabb"), "value": [1.0, 2.0, 3.0, 4.0]})
    found = score_table(table, fw)
    assert found["area_code"].tolist()[:2] == ["z", "y"]
    nodes = found.drop_duplicates("node_id")
    assert list(zip(nodes["node_id"], nodes["depth"], strict=True)) == [
        ("top", 0),
        ("one", 1),
        ("a", 2),
        ("two", 1),
        ("deep", 2),
        ("b", 3),
    ]


def test_first_of_uses_the_first_candidate_that_half_the_areas_have():
    fw = parse_framework(
        {
            "id": "t",
            "normalise": {"method": "min_max"},
            "tree": {"id": "i", "indicators": [{"first_of": ["best", "next"]}]},
        }
    )
    rows = [(c, "next", float(n)) for n, c in enumerate("abcde")]
    few = pd.DataFrame([*rows, ("a", "best", 1.0)], columns=["area_code", "indicator_id", "value"])
    most = pd.DataFrame([*rows, *((c, "best", 5.0 - n) for n, c in enumerate("abcd"))], columns=few.columns)
    assert "next" in set(score_table(few, fw)["node_id"])
    chosen = score_table(most, fw)
    assert "best" in set(chosen["node_id"])
    assert np.isnan(chosen.query("node_id == 'best' and area_code == 'e'")["score"].item())


def test_an_optional_node_nobody_has_leaves_the_denominator_and_one_somebody_has_does_not():
    tree = {
        "id": "index",
        "children": [{"id": "one", "indicators": ["a"]}, {"id": "two", "optional": True, "indicators": ["b"]}],
    }
    fw = parse_framework(
        {"id": "t", "normalise": {"method": "rank"}, "awaited": [{"id": "b", "why": "not published yet"}], "tree": tree}
    )
    only_a = pd.DataFrame({"area_code": list("xyz"), "indicator_id": "a", "value": [1.0, 2.0, 3.0]})
    assert score_table(only_a, fw).query("node_id == 'index'")["score"].tolist() == [1, 2, 3]
    some_b = pd.DataFrame({"area_code": list("xy"), "indicator_id": "b", "value": [1.0, 2.0]})
    with_b = score_table(pd.concat([only_a, some_b]), fw).query("node_id == 'index'").set_index("area_code")["score"]
    assert with_b[["x", "y"]].tolist() == [1, 2]
    assert np.isnan(with_b["z"])


THIRDS = {
    "id": "thirds",
    "normalise": {"method": "goalposts"},
    "tree": {
        "id": "index",
        "indicators": [
            {"id": "a", "weight": 2, "goalposts": [0, 1]},
            {"id": "b", "weight": 1, "goalposts": [0, 1]},
        ],
    },
}


def test_rounding_neither_breaks_a_tie_nor_leaves_the_range():
    """Two thirds of 25 and one third of 100 make 50 on paper; in binary they make a little less."""
    values = pd.DataFrame(
        [("low", 0.25, 1.0), ("even", 0.5, 0.5), ("high", 0.75, 0.0), ("best", 1.0, 1.0)],
        columns=["area_code", "a", "b"],
    ).melt("area_code", var_name="indicator_id")
    index = score_table(values, parse_framework(THIRDS)).query("node_id == 'index'").set_index("area_code")
    assert index.loc["best", "score"] == 100
    assert index["score"].to_numpy() == pytest.approx([50, 50, 50, 100])
    assert index["rank"].to_dict() == {"low": 2, "even": 2, "high": 2, "best": 1}


@pytest.mark.parametrize("mean", ["arithmetic", "geometric", "harmonic"])
def test_a_mean_of_equal_scores_is_that_score_and_first_in_every_draw(mean):
    """Scores at the top of the range stay there when drawn: a hair above it, an area once ranked last."""
    rows = [("best", 5.0), ("middle", 0.5), ("worst", -4.0)]
    values = pd.concat(
        pd.DataFrame(rows, columns=["area_code", "value"]).assign(indicator_id=name, standard_error=1e-4)
        for name in "ab"
    )
    framework = parse_framework(THIRDS | {"tree": THIRDS["tree"] | {"aggregate": mean}})
    index = score_table(values, framework, draws=500).query("node_id == 'index'").set_index("area_code")
    assert index.loc["best", ["score", "score_lower", "score_upper"]].tolist() == [100, 100, 100]
    assert index[["rank", "rank_lower", "rank_upper"]].to_numpy().tolist() == [[1] * 3, [2] * 3, [3] * 3]
