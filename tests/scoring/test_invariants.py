"""What must hold for any figures and any framework (METHODOLOGY section 8)."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import score_framework, score_table
from pipeline.scoring.contributions import total
from tests.scoring.conftest import FRAMEWORK, SPECS, areas_of, plain, synthetic_figures

METHODS = ("robust_z", "z", "min_max", "goalposts", "rank", "percentile")
INDICATORS = ("a", "b", "c", "d")
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller seed is no simpler case


def framework_of(method: str, means: tuple[str, str], weights: list[float], polarity: list[int]) -> Any:
    refs = [
        {"id": name, "weight": w, "polarity": p, "goalposts": [-50, 50]}
        for name, w, p in zip(INDICATORS, weights, polarity, strict=True)
    ]
    normalise = {"method": method} | ({"clip": 3} if method == "z" else {})
    children = [{"id": "one", "aggregate": means[0], "indicators": refs[:2]}, {"id": "two", "indicators": refs[2:]}]
    tree = {"id": "index", "aggregate": means[1], "children": children}
    return parse_framework({"id": "any", "normalise": normalise, "tree": tree})


frameworks = st.builds(
    framework_of,
    st.sampled_from(METHODS),
    st.tuples(*[st.sampled_from(("arithmetic", "geometric", "harmonic"))] * 2),
    st.lists(st.floats(0.1, 10), min_size=4, max_size=4),
    st.lists(st.sampled_from((1, -1)), min_size=4, max_size=4),
)
tables = st.integers(5, 12).flatmap(
    lambda n: st.lists(
        st.lists(st.one_of(st.none(), st.integers(-400, 400).map(lambda x: x / 10)), min_size=n, max_size=n),
        min_size=4,
        max_size=4,
    )
)


def as_table(columns: list[list[float | None]], codes: list[str] | None = None) -> pd.DataFrame:
    names = codes or [f"A{n:02d}" for n in range(len(columns[0]))]
    rows = [
        (code, name, value)
        for name, column in zip(INDICATORS, columns, strict=True)
        for code, value in zip(names, column, strict=True)
    ]
    return pd.DataFrame(rows, columns=["area_code", "indicator_id", "value"]).astype({"value": float})


def wide(values: pd.DataFrame, framework: Any) -> pd.DataFrame:
    return score_table(values, framework).pivot(index="area_code", columns="node_id", values="score")


@settings(max_examples=60, deadline=None)
@given(tables, frameworks, st.randoms(use_true_random=False))
def test_permuting_area_codes_permutes_scores(columns, framework, random):
    names = [f"A{n:02d}" for n in range(len(columns[0]))]
    other = names[:]
    random.shuffle(other)
    first, second = wide(as_table(columns, names), framework), wide(as_table(columns, other), framework)
    pd.testing.assert_frame_equal(first.loc[names], second.loc[other].set_axis(names), check_names=False, rtol=1e-12)


@settings(max_examples=80, deadline=None)
@given(tables, frameworks, st.data())
def test_worsening_one_indicator_never_raises_that_areas_score(columns, framework, data):
    assume(framework.normalise.method not in ("robust_z", "z"))  # one table has no frozen base: the spread would move
    k = data.draw(st.integers(0, 3))
    held = [n for n, value in enumerate(columns[k]) if value is not None]
    assume(len(held) > 2)
    area = data.draw(st.sampled_from(held))
    reference = [ref for node, _, _ in framework.nodes() for ref in node.indicators][k]
    worse = [column[:] for column in columns]
    worse[k][area] = columns[k][area] - reference.polarity * data.draw(st.floats(0.1, 30))
    # areas beyond all others hold the ends of the scale where they are
    anchors = [[-60.0, -60.0, 60.0, 60.0, 0.0]] * 4
    before = wide(as_table([a + c for a, c in zip(anchors, columns, strict=True)]), framework).iloc[5 + area]
    after = wide(as_table([a + c for a, c in zip(anchors, worse, strict=True)]), framework).iloc[5 + area]
    assert (after.fillna(-1) <= before.fillna(-1) + 1e-9).all()


@settings(max_examples=25, deadline=None, phases=NO_SHRINKING)
@given(st.integers(0, 10_000), st.sampled_from(sorted({*SPECS} - {"gap"})), st.floats(0.01, 5))
def test_worsening_one_figure_never_raises_a_score_on_the_frozen_base(seed, indicator, by):
    figures = synthetic_figures(seed, districts=8, years=(2009, 2017))
    figures.loc[figures["indicator_id"].isin(["output", "pay", "income"]), "value"] += 20  # room to fall
    rows = figures.index[(figures["indicator_id"] == indicator) & (figures["year"] == 2017)]
    assume(len(rows) > 0)
    spec = SPECS[indicator]
    worse = figures.copy()
    worse.loc[rows[0], "value"] -= spec.polarity * by
    area = figures.loc[rows[0], "area_code"]
    fw = parse_framework(FRAMEWORK | {"gate": None, "windows": []})
    tables = [score_framework(fw, f, areas_of(figures), SPECS, first_year=2017).score for f in (figures, worse)]
    before, after = (t[t["area_code"] == area].set_index("node_id")["score"] for t in tables)
    # the median of the year may follow the worsened district, but never further than the district itself
    assert (after <= before + 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(tables, frameworks)
def test_two_identical_areas_score_the_same_and_rank_the_same(columns, framework):
    twin = [[*column, column[0]] for column in columns]
    scores = score_table(as_table(twin), framework)
    codes = scores["area_code"].unique()
    first, last = (scores[scores["area_code"] == code].reset_index(drop=True) for code in (codes[0], codes[-1]))
    pd.testing.assert_frame_equal(first.drop(columns="area_code"), last.drop(columns="area_code"))


@settings(max_examples=60, deadline=None)
@given(tables, frameworks)
def test_ranks_follow_scores_and_ties_share_the_better_place(columns, framework):
    scores = score_table(as_table(columns), framework)
    rounding = 1e-10 * max(1.0, scores["score"].abs().max())
    for _, node in scores.groupby("node_id"):
        held = node.dropna(subset="score")
        lead = held["score"].to_numpy()[:, None] - held["score"].to_numpy()[None, :]
        rank = held["rank"].to_numpy(float)
        assert ((lead > rounding) <= (rank[:, None] < rank[None, :])).all(), "a clearly better score ranks better"
        assert ((rank[:, None] == rank[None, :]) <= (abs(lead) <= rounding)).all(), "who shares a rank shares a score"
        assert (rank == 1 + (rank[None, :] < rank[:, None]).sum(axis=1)).all(), "ties share the better place"
        assert node.loc[node["score"].isna(), "rank"].isna().all()


@settings(max_examples=40, deadline=None)
@given(tables, frameworks)
def test_scores_stay_inside_the_range(columns, framework):
    scores = score_table(as_table(columns), framework)["score"].dropna()
    top = len(columns[0]) if framework.normalise.method == "rank" else 100
    assert scores.between(0, top).all()


@pytest.mark.parametrize("mean", ["arithmetic", "geometric", "harmonic"])
def test_contributions_of_every_node_sum_to_its_distance_from_the_typical_score(mean):
    def with_mean(node: dict[str, Any]) -> dict[str, Any]:
        return node | {"aggregate": mean, "children": [with_mean(child) for child in node.get("children", [])]}

    figures = synthetic_figures(3)
    fw = parse_framework(FRAMEWORK | {"tree": with_mean(FRAMEWORK["tree"])})
    tables = score_framework(fw, figures, areas_of(figures), SPECS, first_year=2012)
    keys = ["area_code", "flavour", "window_years", "year", "node_id"]
    sums = tables.contribution.groupby(keys, dropna=False)["contribution"].sum().rename("sum").reset_index()
    score = tables.score[tables.score["node_kind"] != "indicator"]
    both = score.merge(sums, on=keys, how="outer")
    assert len(both) == len(score) == len(sums) > 1000
    # a node below the floor of 1 counts as 1 in its parent; its own contributions still sum
    floored = both["score"] < 1
    expected = total(mean, both["score"].to_numpy(), 50.0)
    assert both.loc[~floored, "sum"].to_numpy() == pytest.approx(expected[~floored], abs=1e-9)


def test_a_named_district_absent_from_the_figures_is_listed_and_changes_nothing_for_others():
    figures = synthetic_figures(4)
    fw = parse_framework(FRAMEWORK)
    without = score_framework(fw, figures, areas_of(figures), SPECS, first_year=2012)
    with_absent = score_framework(fw, figures, areas_of(figures, extra=("E777",)), SPECS, first_year=2012)
    pd.testing.assert_frame_equal(plain(without.score), plain(with_absent.score))
    listed = with_absent.not_scored.query("area_code == 'E777' and node_id == 'index' and flavour == 'level'")
    assert sorted(listed["year"]) == sorted(without.score["year"].unique())


def test_the_order_of_rows_does_not_matter():
    figures = synthetic_figures(5)
    fw = parse_framework(FRAMEWORK)
    shuffled = figures.sample(frac=1, random_state=3)
    first, second = (
        score_framework(fw, f, areas_of(figures).sample(frac=1, random_state=1), SPECS, first_year=2012, draws=100)
        for f in (figures, shuffled)
    )
    pd.testing.assert_frame_equal(plain(first.score), plain(second.score))


def test_a_district_that_is_only_shown_moves_nobody():
    figures = synthetic_figures(6)
    odd = figures[figures["area_code"] == "E003"].assign(area_code="E900")
    odd["value"] *= 5
    areas = areas_of(pd.concat([figures, odd]))
    areas.loc[areas["area_code"] == "E900", "is_scored"] = False
    fw = parse_framework(FRAMEWORK)
    alone = score_framework(fw, figures, areas_of(figures), SPECS, first_year=2012)
    shown = score_framework(fw, pd.concat([figures, odd]), areas, SPECS, first_year=2012)
    pd.testing.assert_frame_equal(plain(alone.score), plain(shown.score))
    reasons = shown.not_scored.query("area_code == 'E900'")["reason"].unique()
    assert list(reasons) == ["shown, not scored: too few people live here to compare it with districts"]


def test_a_wider_area_is_placed_where_a_district_with_its_figures_would_be():
    figures = synthetic_figures(7)
    region = figures[figures["area_code"] == "E004"].assign(area_code="R900")
    both = pd.concat([figures, region])
    score = score_framework(parse_framework(FRAMEWORK), both, areas_of(both), SPECS, first_year=2012).score
    keys = ["flavour", "window_years", "year", "node_id"]
    district, wider = (score[score["area_code"] == code].set_index(keys)["score"] for code in ("E004", "R900"))
    # a region may lack what is standardised within nations, here both are of nation E
    assert wider.to_numpy() == pytest.approx(district.to_numpy())
    assert score.loc[score["area_code"] == "R900", "rank"].isna().all()
